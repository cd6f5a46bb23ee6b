#include "common/bytes/text.hpp"

#include <array>

namespace interlude::bytes {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string encode(ByteView bytes, std::string_view alphabet) {
    std::string out;
    std::uint32_t pending = 0;
    int bits = 0;
    for (auto byte : bytes) {
        pending = (pending << 8) | byte;
        for (bits += 8; bits >= 6; bits -= 6) out += alphabet[(pending >> (bits - 6)) & 63];
    }
    if (bits > 0) out += alphabet[(pending << (6 - bits)) & 63];
    return out;
}

std::optional<Bytes> decode(std::string_view text, std::string_view alphabet) {
    Bytes out;
    std::uint32_t pending = 0;
    int bits = 0;
    for (char c : text) {
        auto const value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        pending = ((pending << 6) | static_cast<std::uint32_t>(value)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(pending >> bits));
        }
    }
    // A lone character, or bits that a canonical encoder leaves zero.
    if (bits >= 6 || (pending & ((1u << bits) - 1)) != 0) return std::nullopt;
    return out;
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (auto byte : bytes) {
        out += hex_digits[byte >> 4];
        out += hex_digits[byte & 15];
    }
    return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int const high = hex_value(text[i]);
        int const low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return out;
}

std::string to_base64(ByteView bytes) {
    auto out = encode(bytes, standard);
    while (out.size() % 4 != 0) out += '=';
    return out;
}

std::optional<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    if (text.ends_with("=="))
        text.remove_suffix(2);
    else if (text.ends_with('='))
        text.remove_suffix(1);
    return decode(text, standard);
}

std::string to_base64url(ByteView bytes) {
    return encode(bytes, url);
}
std::optional<Bytes> from_base64url(std::string_view text) {
    return decode(text, url);
}

std::size_t utf8_front(std::string_view text, char32_t& point) {
    if (text.empty()) return 0;
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const lead = byte(0);
    std::size_t const length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || length > text.size()) return 0;
    point = length == 1 ? lead : lead & (0x7f >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        point = (point << 6) | (byte(i) & 0x3f);
    }
    bool const overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return 0;
    return length;
}

bool is_utf8(std::string_view text) {
    char32_t point = 0;
    for (std::size_t length = 0; !text.empty(); text.remove_prefix(length)) {
        length = utf8_front(text, point);
        if (length == 0) return false;
    }
    return true;
}

}  // namespace interlude::bytes
