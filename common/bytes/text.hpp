// Bytes as text: hex, base64 (RFC 4648 §4, padded; what signed notes use), base64url (§5, unpadded; links), and whether
// bytes are UTF-8.
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

/// Length of the well-formed UTF-8 sequence at the front, its code point in `point`; 0 if there is none.
std::size_t utf8_front(std::string_view text, char32_t& point);
bool is_utf8(std::string_view text);

}  // namespace interlude::bytes
