// Bytes as text: from_hex, from_base64 and from_base64url take nothing that they would write otherwise, but for the
// case of hex digits. UTF-8 is what is UTF-8 character by character.
// Parser: common/bytes/text.cpp
#include "common/bytes/text.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto lower = std::string(text);
    for (auto& c : lower)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    INTERLUDE_CHECK(bytes::from_hex(lower) == bytes::from_hex(text));
    fuzz::one_form(std::string_view(lower), bytes::from_hex, bytes::to_hex);
    fuzz::one_form(text, bytes::from_base64, bytes::to_base64);
    fuzz::one_form(text, bytes::from_base64url, bytes::to_base64url);
    auto rest = text;
    char32_t point = 0;
    for (auto length = bytes::utf8_front(rest, point); length > 0; length = bytes::utf8_front(rest, point)) {
        INTERLUDE_CHECK(length <= rest.size() && length <= 4 && point <= 0x10ffff);
        rest.remove_prefix(length);
    }
    INTERLUDE_CHECK(bytes::is_utf8(text) == rest.empty());
    return 0;
}
