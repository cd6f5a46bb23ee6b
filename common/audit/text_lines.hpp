// The small vocabulary of the C2SP text formats: lines, decimal numbers, hashes in base64.
#pragma once

#include <optional>
#include <string_view>

#include "common/base/ids.hpp"

namespace interlude::audit {

/// Cuts the next line off `rest`, without its newline; nullopt when there is no whole line left.
std::optional<std::string_view> next_line(std::string_view& rest);
/// ASCII digits without leading zeros, below 2^64.
std::optional<std::uint64_t> parse_decimal(std::string_view text);
/// 44 characters of canonical base64.
std::optional<base::Hash32> parse_base64_hash(std::string_view text);

}  // namespace interlude::audit
