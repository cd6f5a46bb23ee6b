#include "common/audit/text_lines.hpp"

#include <charconv>

#include "common/bytes/text.hpp"

namespace interlude::audit {

std::optional<std::string_view> next_line(std::string_view& rest) {
    auto const end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    auto const line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<base::Hash32> parse_base64_hash(std::string_view text) {
    if (text.size() != 44) return std::nullopt;
    auto const decoded = bytes::from_base64(text);
    if (!decoded) return std::nullopt;
    return base::Hash32::from(*decoded);
}

}  // namespace interlude::audit
