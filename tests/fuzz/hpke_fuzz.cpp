// HPKE as a receiver meets it: hpke_open and hpke_setup_recipient with the sender's 32 bytes and a ciphertext from
// outside. One seed is the only thing ever sealed to this key; whatever opens is that. The 32 bytes are also taken for
// the key of a sender who authenticates.
// Parser: common/crypto/hpke.cpp(hpke_open,x25519) common/crypto/hpke_context.cpp(hpke_setup_recipient,open)
#include "common/crypto/hpke_context.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    static auto const& suite = **crypto::find_suite(crypto::suite_x25519_chacha20poly1305);
    static auto const recipient = crypto::hpke_derive_key_pair(suite, bytes::Bytes(32, 1));
    bytes::ByteView const input(data, size);
    auto const kem_output = input.first(std::min(size, crypto::x25519_size));
    auto const ciphertext = input.subspan(kem_output.size());
    auto const opened = crypto::hpke_open(suite, kem_output, recipient, bytes::view("fuzz"), {}, ciphertext);
    if (opened) INTERLUDE_CHECK(bytes::equal(opened->expose(), bytes::view("sealed once")));
    auto context =
        crypto::hpke_setup_recipient(crypto::hpke_algorithms(suite), kem_output, recipient, bytes::view("fuzz"));
    INTERLUDE_CHECK(context.has_value() || !opened.has_value());
    if (context) INTERLUDE_CHECK(context->open({}, ciphertext).has_value() == opened.has_value());
    auto const authenticated = crypto::hpke_setup_recipient(crypto::hpke_algorithms(suite), kem_output, recipient,
                                                            bytes::view("fuzz"), {}, kem_output);
    INTERLUDE_CHECK(authenticated.has_value() == context.has_value());
    return 0;
}
