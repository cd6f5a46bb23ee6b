#include "common/crypto/suite.hpp"

#include <array>

namespace interlude::crypto {

namespace {

constexpr std::array suites{
    Suite{.id = suite_x25519_chacha20poly1305,
          .name = "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
          .aead = Aead::chacha20_poly1305,
          .kem_id = 0x0020,
          .kdf_id = 0x0001,
          .hash_size = 32,
          .key_size = 32,
          .nonce_size = 12},
    Suite{.id = suite_x25519_aes128gcm,
          .name = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
          .aead = Aead::aes_128_gcm,
          .kem_id = 0x0020,
          .kdf_id = 0x0001,
          .hash_size = 32,
          .key_size = 16,
          .nonce_size = 12},
};

}  // namespace

base::Result<Suite const*> find_suite(std::uint16_t id) {
    for (auto const& suite : suites)
        if (suite.id == id) return &suite;
    return base::Errc::unsupported;
}

}  // namespace interlude::crypto
