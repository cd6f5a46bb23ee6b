// The audit log's signing key: a file with the hex of its 32-byte seed, mode 0600, made at the first start.
#pragma once

#include <filesystem>

#include "common/crypto/sign.hpp"

namespace interlude::app {

/// Throws StartError: unreadable by us, readable by others, or not a key.
crypto::SigningKey load_or_make_log_key(std::filesystem::path const& file, crypto::Entropy& entropy);
/// Throws StartError unless it is there and good.
crypto::SigningKey load_log_key(std::filesystem::path const& file);

}  // namespace interlude::app
