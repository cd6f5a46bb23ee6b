#include "common/crypto/hpke.hpp"

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/crypto/hpke_context.hpp"
#include "common/crypto/hpke_labels.hpp"

namespace interlude::crypto {

using base::Errc;
using base::Result;
using bytes::Bytes;
using bytes::ByteView;
using bytes::SecretBytes;
using bytes::view;

Bytes hpke_kem_suite_id(std::uint16_t kem_id) {
    bytes::Writer out;
    out.raw(view("KEM")).u16(kem_id);
    return std::move(out).take();
}

SecretBytes hpke_labelled_extract(ByteView suite_id, ByteView salt, std::string_view label,
                                  ByteView input_key_material) {
    Bytes labelled;
    // In one allocation, so that growing leaves no copy of the key material behind.
    labelled.reserve(7 + suite_id.size() + label.size() + input_key_material.size());
    for (auto piece : {view("HPKE-v1"), suite_id, view(label), input_key_material}) bytes::append(labelled, piece);
    SecretBytes const input(std::move(labelled));
    return hkdf_extract(salt, input.expose());
}

SecretBytes hpke_labelled_expand(ByteView suite_id, ByteView pseudorandom_key, std::string_view label, ByteView info,
                                 std::size_t length) {
    INTERLUDE_CHECK(length <= 255 * 32);
    bytes::Writer labelled;
    labelled.u16(static_cast<std::uint16_t>(length)).raw(view("HPKE-v1")).raw(suite_id).raw(view(label)).raw(info);
    return hkdf_expand(pseudorandom_key, labelled.bytes(), length);
}

Result<SecretBytes> x25519(ByteView private_key, ByteView public_key) {
    if (private_key.size() != x25519_size || public_key.size() != x25519_size) return Errc::bad_key;
    SecretBytes out(x25519_size);
    auto const result = out.expose_mutable();
    if (crypto_scalarmult_curve25519(result.data(), private_key.data(), public_key.data()) != 0) return Errc::bad_key;
    if (sodium_is_zero(result.data(), result.size()) != 0) return Errc::bad_key;  // whatever the library does
    return out;
}

Result<Bytes> x25519_public(ByteView private_key) {
    if (private_key.size() != x25519_size) return Errc::bad_key;
    Bytes out(x25519_size);
    crypto_scalarmult_curve25519_base(out.data(), private_key.data());
    return out;
}

HpkeKeyPair hpke_derive_key_pair(Suite const& suite, ByteView input_key_material) {
    auto const suite_id = hpke_kem_suite_id(suite.kem_id);
    auto const dkp_prk = hpke_labelled_extract(suite_id, {}, "dkp_prk", input_key_material);
    auto private_key = hpke_labelled_expand(suite_id, dkp_prk.expose(), "sk", {}, x25519_size);
    auto public_key = *x25519_public(private_key.expose());
    return {std::move(public_key), std::move(private_key)};
}

HpkeKeyPair hpke_generate_key_pair(Suite const& suite, Entropy& entropy) {
    auto const input_key_material = entropy.secret(x25519_size);
    return hpke_derive_key_pair(suite, input_key_material.expose());
}

Result<HpkeKeyPair> hpke_key_pair_from_private(Suite const&, ByteView private_key) {
    INTERLUDE_TRY(auto public_key, x25519_public(private_key));
    return HpkeKeyPair{std::move(public_key), SecretBytes(private_key)};
}

Result<HpkeCiphertext> hpke_seal(Suite const& suite, ByteView recipient_public, ByteView info, ByteView associated_data,
                                 ByteView plaintext, Entropy& entropy) {
    auto const ephemeral = hpke_generate_key_pair(suite, entropy);
    INTERLUDE_TRY(auto setup, hpke_setup_sender(hpke_algorithms(suite), recipient_public, info, ephemeral));
    INTERLUDE_TRY(auto ciphertext, setup.context.seal(associated_data, plaintext));
    return HpkeCiphertext{std::move(setup.kem_output), std::move(ciphertext)};
}

Result<SecretBytes> hpke_open(Suite const& suite, ByteView kem_output, HpkeKeyPair const& recipient, ByteView info,
                              ByteView associated_data, ByteView ciphertext) {
    INTERLUDE_TRY(auto context, hpke_setup_recipient(hpke_algorithms(suite), kem_output, recipient, info));
    return context.open(associated_data, ciphertext);
}

Result<HpkeExport> hpke_export_to(Suite const& suite, ByteView recipient_public, ByteView info,
                                  ByteView exporter_context, std::size_t length, Entropy& entropy) {
    auto const ephemeral = hpke_generate_key_pair(suite, entropy);
    INTERLUDE_TRY(auto setup, hpke_setup_sender(hpke_algorithms(suite), recipient_public, info, ephemeral));
    auto secret = setup.context.export_secret(exporter_context, length);
    return HpkeExport{std::move(setup.kem_output), std::move(secret)};
}

Result<SecretBytes> hpke_export_from(Suite const& suite, ByteView kem_output, HpkeKeyPair const& recipient,
                                     ByteView info, ByteView exporter_context, std::size_t length) {
    INTERLUDE_TRY(auto context, hpke_setup_recipient(hpke_algorithms(suite), kem_output, recipient, info));
    return context.export_secret(exporter_context, length);
}

}  // namespace interlude::crypto
