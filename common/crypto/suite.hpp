// Cipher suites as rows of a table (RFC 9420 §17.1). Sizes are read from the row, never constants in the code.
#pragma once

#include <cstdint>

#include "common/base/result.hpp"

namespace interlude::crypto {

enum class Aead : std::uint16_t { aes_128_gcm = 1, aes_256_gcm = 2, chacha20_poly1305 = 3 };  // RFC 9180 §7.3 ids

struct Suite {
    std::uint16_t id;  // RFC 9420 §17.1
    char const* name;
    Aead aead;
    std::uint16_t kem_id;    // HPKE (RFC 9180 §7.1); 0x0020 DHKEM(X25519, HKDF-SHA256)
    std::uint16_t kdf_id;    // HPKE (RFC 9180 §7.2); 0x0001 HKDF-SHA256
    std::size_t hash_size;   // Nh, bytes
    std::size_t key_size;    // Nk of the AEAD
    std::size_t nonce_size;  // Nn of the AEAD
};

inline constexpr std::uint16_t suite_x25519_aes128gcm = 0x0001;
inline constexpr std::uint16_t suite_x25519_chacha20poly1305 = 0x0003;

/// The row of a suite; unsupported if we do not speak it.
base::Result<Suite const*> find_suite(std::uint16_t id);

}  // namespace interlude::crypto
