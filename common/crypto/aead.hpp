// Authenticated encryption: ChaCha20-Poly1305 and XChaCha20-Poly1305 by libsodium, AES-GCM by OpenSSL.
#pragma once

#include "common/base/result.hpp"
#include "common/bytes/secret.hpp"
#include "common/crypto/suite.hpp"

namespace interlude::crypto {

std::size_t aead_key_size(Aead aead);
inline constexpr std::size_t aead_tag_size = 16;
inline constexpr std::size_t aead_nonce_size = 12;

/// ciphertext ‖ tag. Key and nonce sizes are checked (wrong ones are our own bug).
bytes::Bytes aead_seal(Aead aead, bytes::ByteView key, bytes::ByteView nonce, bytes::ByteView associated_data,
                       bytes::ByteView plaintext);
/// decrypt_failed if the tag does not match or `sealed` is shorter than a tag.
base::Result<bytes::SecretBytes> aead_open(Aead aead, bytes::ByteView key, bytes::ByteView nonce,
                                           bytes::ByteView associated_data, bytes::ByteView sealed);

/// XChaCha20-Poly1305-IETF with a 24-byte nonce: for records at rest (the vault), nonces at random.
inline constexpr std::size_t xchacha_key_size = 32;
inline constexpr std::size_t xchacha_nonce_size = 24;
bytes::Bytes xchacha_seal(bytes::ByteView key, bytes::ByteView nonce, bytes::ByteView associated_data,
                          bytes::ByteView plaintext);
base::Result<bytes::SecretBytes> xchacha_open(bytes::ByteView key, bytes::ByteView nonce,
                                              bytes::ByteView associated_data, bytes::ByteView sealed);

}  // namespace interlude::crypto
