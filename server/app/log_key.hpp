// The audit log's signing key: a file with the hex of its 32-byte seed, mode 0600, made at the first start.
#pragma once

#include <filesystem>

#include "common/crypto/sign.hpp"

namespace interlude::app {

/// Throws StartError: unreadable by us, readable by others, not a key, or missing beside a store.
crypto::SigningKey load_or_make_log_key(std::filesystem::path const& file, std::filesystem::path const& store,
                                        crypto::Entropy& entropy);
/// Throws StartError unless it is there and good.
crypto::SigningKey load_log_key(std::filesystem::path const& file);
/// Throws StartError if there is a store, whose log needs the key that is missing.
void need_no_log(std::filesystem::path const& file, std::filesystem::path const& store);

}  // namespace interlude::app
