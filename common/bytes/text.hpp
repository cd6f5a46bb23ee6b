// Bytes as text: hex, base64 (RFC 4648 §4, padded; what signed notes use) and base64url (§5, unpadded; links).
#pragma once

#include <optional>
#include <string>

#include "common/bytes/bytes.hpp"

namespace interlude::bytes {

std::string to_hex(ByteView bytes);                    ///< lower case
std::optional<Bytes> from_hex(std::string_view text);  ///< either case; nullopt unless whole bytes
std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);  ///< strict: padded, canonical, no white space
std::string to_base64url(ByteView bytes);
std::optional<Bytes> from_base64url(std::string_view text);  ///< strict: unpadded, canonical

}  // namespace interlude::bytes
