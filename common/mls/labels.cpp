#include "common/mls/labels.hpp"

#include "common/crypto/hash.hpp"
#include "common/mls_framing/labelled.hpp"

namespace interlude::mls {

namespace {

constexpr std::string_view prefix = "MLS 1.0 ";

Bytes encrypt_context(std::string_view label, ByteView context) {
    Writer writer;
    writer.opaque(bytes::view(std::string(prefix).append(label))).opaque(context);
    return std::move(writer).take();
}

Bytes to_bytes(base::Hash32 const& digest) {
    return bytes::copy(digest.span());
}

}  // namespace

Bytes ref_hash(crypto::Suite const& suite, std::string_view full_label, ByteView value) {
    INTERLUDE_CHECK(suite.hash_size == base::Hash32::size);
    return to_bytes(mls_framing::ref_hash(full_label, value));
}

KeyPackageRef key_package_ref(crypto::Suite const& suite, KeyPackage const& key_package) {
    return ref_hash(suite, mls_framing::key_package_ref_label, encode(key_package));
}

ProposalRef proposal_ref(crypto::Suite const& suite, AuthenticatedContent const& content) {
    return ref_hash(suite, mls_framing::proposal_ref_label, encode(content));
}

Bytes hash(crypto::Suite const& suite, ByteView data) {
    INTERLUDE_CHECK(suite.hash_size == base::Hash32::size);
    return to_bytes(crypto::sha256(data));
}

SecretBytes expand_with_label(crypto::Suite const&, ByteView secret, std::string_view label, ByteView context,
                              std::size_t length) {
    INTERLUDE_CHECK(length <= 0xffff);
    Writer info;
    info.u16(static_cast<std::uint16_t>(length));
    info.opaque(bytes::view(std::string(prefix).append(label))).opaque(context);
    return crypto::hkdf_expand(secret, info.bytes(), length);
}

SecretBytes derive_secret(crypto::Suite const& suite, ByteView secret, std::string_view label) {
    return expand_with_label(suite, secret, label, {}, suite.hash_size);
}

SecretBytes derive_tree_secret(crypto::Suite const& suite, ByteView secret, std::string_view label,
                               std::uint32_t generation, std::size_t length) {
    Writer context;
    context.u32(generation);
    return expand_with_label(suite, secret, label, context.bytes(), length);
}

Bytes sign_with_label(crypto::SigningKey const& key, std::string_view label, ByteView content) {
    return bytes::copy(key.sign(mls_framing::sign_content(label, content)).span());
}

Result<void> verify_with_label(ByteView public_key, std::string_view label, ByteView content, ByteView signature) {
    return crypto::verify(public_key, mls_framing::sign_content(label, content), signature);
}

Result<HPKECiphertext> encrypt_with_label(crypto::Suite const& suite, ByteView recipient, std::string_view label,
                                          ByteView context, ByteView plaintext, crypto::Entropy& entropy) {
    auto const info = encrypt_context(label, context);
    INTERLUDE_TRY(auto sealed, crypto::hpke_seal(suite, recipient, info, {}, plaintext, entropy));
    return HPKECiphertext{std::move(sealed.kem_output), std::move(sealed.ciphertext)};
}

Result<SecretBytes> decrypt_with_label(crypto::Suite const& suite, crypto::HpkeKeyPair const& recipient,
                                       std::string_view label, ByteView context, HPKECiphertext const& ciphertext) {
    return crypto::hpke_open(suite, ciphertext.kem_output, recipient, encrypt_context(label, context), {},
                             ciphertext.ciphertext);
}

}  // namespace interlude::mls
