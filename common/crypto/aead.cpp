#include "common/crypto/aead.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <memory>

#include "common/base/check.hpp"

namespace interlude::crypto {

using base::Errc;
using base::Result;
using bytes::Bytes;
using bytes::ByteView;
using bytes::SecretBytes;

namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

EVP_CIPHER const* gcm_cipher(Aead aead) {
    switch (aead) {
        case Aead::aes_128_gcm:
            return EVP_aes_128_gcm();
        case Aead::aes_256_gcm:
            return EVP_aes_256_gcm();
        case Aead::chacha20_poly1305:
            break;
    }
    return nullptr;
}

int length_of(ByteView data) {
    INTERLUDE_CHECK(data.size() < (1u << 30));
    return static_cast<int>(data.size());
}

// What fails below is a lack of memory or a broken provider, never the data, until the tag is compared.
Bytes gcm_seal(Aead aead, ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext) {
    CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    Bytes out(plaintext.size() + aead_tag_size);
    int written = 0;
    bool ok = context && EVP_EncryptInit_ex(context.get(), gcm_cipher(aead), nullptr, key.data(), nonce.data()) == 1;
    if (ok && !associated_data.empty())
        ok = EVP_EncryptUpdate(context.get(), nullptr, &written, associated_data.data(), length_of(associated_data)) ==
             1;
    if (ok && !plaintext.empty())
        ok = EVP_EncryptUpdate(context.get(), out.data(), &written, plaintext.data(), length_of(plaintext)) == 1;
    auto* const tag = out.data() + plaintext.size();
    ok = ok && EVP_EncryptFinal_ex(context.get(), tag, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(aead_tag_size), tag) == 1;
    if (!ok) throw std::bad_alloc();
    return out;
}

Result<SecretBytes> gcm_open(Aead aead, ByteView key, ByteView nonce, ByteView associated_data, ByteView sealed) {
    CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    auto const ciphertext = sealed.first(sealed.size() - aead_tag_size);
    Bytes tag(sealed.end() - aead_tag_size, sealed.end());
    SecretBytes out(ciphertext.size());
    int written = 0;
    bool ok = context && EVP_DecryptInit_ex(context.get(), gcm_cipher(aead), nullptr, key.data(), nonce.data()) == 1;
    if (ok && !associated_data.empty())
        ok = EVP_DecryptUpdate(context.get(), nullptr, &written, associated_data.data(), length_of(associated_data)) ==
             1;
    if (ok && !ciphertext.empty())
        ok = EVP_DecryptUpdate(context.get(), out.expose_mutable().data(), &written, ciphertext.data(),
                               length_of(ciphertext)) == 1;
    ok = ok &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(aead_tag_size), tag.data()) == 1;
    if (!ok) throw std::bad_alloc();
    std::uint8_t nothing_left = 0;
    if (EVP_DecryptFinal_ex(context.get(), &nothing_left, &written) != 1) return Errc::decrypt_failed;
    return out;
}

}  // namespace

std::size_t aead_key_size(Aead aead) {
    switch (aead) {
        case Aead::aes_128_gcm:
            return 16;
        case Aead::aes_256_gcm:
            return 32;
        case Aead::chacha20_poly1305:
            return 32;
    }
    INTERLUDE_CHECK(!"an AEAD that is in no row of the suite table");
}

Bytes aead_seal(Aead aead, ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext) {
    INTERLUDE_CHECK(key.size() == aead_key_size(aead) && nonce.size() == aead_nonce_size);
    if (aead != Aead::chacha20_poly1305) return gcm_seal(aead, key, nonce, associated_data, plaintext);
    Bytes out(plaintext.size() + aead_tag_size);
    crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(),
                                              associated_data.data(), associated_data.size(), nullptr, nonce.data(),
                                              key.data());
    return out;
}

Result<SecretBytes> aead_open(Aead aead, ByteView key, ByteView nonce, ByteView associated_data, ByteView sealed) {
    INTERLUDE_CHECK(key.size() == aead_key_size(aead) && nonce.size() == aead_nonce_size);
    if (sealed.size() < aead_tag_size) return Errc::decrypt_failed;
    if (aead != Aead::chacha20_poly1305) return gcm_open(aead, key, nonce, associated_data, sealed);
    SecretBytes out(sealed.size() - aead_tag_size);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out.expose_mutable().data(), nullptr, nullptr, sealed.data(),
                                                  sealed.size(), associated_data.data(), associated_data.size(),
                                                  nonce.data(), key.data()) != 0)
        return Errc::decrypt_failed;
    return out;
}

Bytes xchacha_seal(ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext) {
    INTERLUDE_CHECK(key.size() == xchacha_key_size && nonce.size() == xchacha_nonce_size);
    Bytes out(plaintext.size() + aead_tag_size);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(),
                                               associated_data.data(), associated_data.size(), nullptr, nonce.data(),
                                               key.data());
    return out;
}

Result<SecretBytes> xchacha_open(ByteView key, ByteView nonce, ByteView associated_data, ByteView sealed) {
    INTERLUDE_CHECK(key.size() == xchacha_key_size && nonce.size() == xchacha_nonce_size);
    if (sealed.size() < aead_tag_size) return Errc::decrypt_failed;
    SecretBytes out(sealed.size() - aead_tag_size);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out.expose_mutable().data(), nullptr, nullptr, sealed.data(),
                                                   sealed.size(), associated_data.data(), associated_data.size(),
                                                   nonce.data(), key.data()) != 0)
        return Errc::decrypt_failed;
    return out;
}

}  // namespace interlude::crypto
