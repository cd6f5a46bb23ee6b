#include "common/crypto/password.hpp"

#include <sodium.h>

#include <new>

#include "common/base/check.hpp"

namespace interlude::crypto {

bytes::SecretBytes argon2id(bytes::ByteView passphrase, bytes::ByteView salt, std::size_t length) {
    constexpr std::size_t memory_bytes = 64 * 1024 * 1024;
    constexpr unsigned long long passes = 3;
    INTERLUDE_CHECK(salt.size() == crypto_pwhash_argon2id_SALTBYTES);
    INTERLUDE_CHECK(length >= crypto_pwhash_argon2id_BYTES_MIN);
    bytes::SecretBytes out(length);
    auto const* text = passphrase.empty() ? "" : reinterpret_cast<char const*>(passphrase.data());
    if (crypto_pwhash(out.expose_mutable().data(), length, text, passphrase.size(), salt.data(), passes, memory_bytes,
                      crypto_pwhash_ALG_ARGON2ID13) != 0)
        throw std::bad_alloc();  // the only way left to fail
    return out;
}

}  // namespace interlude::crypto
