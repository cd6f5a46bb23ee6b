// Argon2id (RFC 9106) by libsodium: passphrases, and the slow half of the safety words.
#pragma once

#include "common/bytes/secret.hpp"

namespace interlude::crypto {

/// 64 MiB, 3 passes, one lane; `salt` is 16 bytes (checked). Output `length` bytes, at least 16
/// (checked); the length is an input of the function, so a longer output does not begin with a shorter one.
bytes::SecretBytes argon2id(bytes::ByteView passphrase, bytes::ByteView salt, std::size_t length);

}  // namespace interlude::crypto
