#include "common/bytes/reader.hpp"

namespace interlude::bytes {

using base::Errc;
using base::Result;

Result<bool> Reader::boolean() {
    INTERLUDE_TRY(auto byte, u8());
    if (byte > 1) return Errc::malformed;
    return byte == 1;
}

Result<base::WallTime> Reader::time() {
    constexpr std::uint64_t year_10000_ms = 253'402'300'800'000;
    INTERLUDE_TRY(auto ms, u64());
    if (ms >= year_10000_ms) return Errc::malformed;
    return base::wall_ms(static_cast<std::int64_t>(ms));
}

Result<std::uint32_t> Reader::varint() {
    INTERLUDE_TRY(auto first, u8());
    auto const prefix = first >> 6;
    if (prefix == 3) return Errc::malformed;
    std::uint32_t value = first & 0x3f;
    for (int more = (1 << prefix) - 1; more > 0; --more) {
        INTERLUDE_TRY(auto byte, u8());
        value = (value << 8) | byte;
    }
    if ((prefix == 1 && value < 64) || (prefix == 2 && value < 16384)) return Errc::non_minimal;
    return value;
}

Result<ByteView> Reader::raw(std::size_t count) {
    if (count > rest_.size()) return Errc::truncated;
    auto const taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
}

Result<ByteView> Reader::opaque(std::size_t max) {
    INTERLUDE_TRY(auto length, varint());
    if (length > max) return Errc::too_long;
    return raw(length);
}

Result<Reader> Reader::vector(std::size_t max) {
    INTERLUDE_TRY(auto content, opaque(max));
    return Reader(content);
}

Result<void> Reader::finish() const {
    if (!rest_.empty()) return Errc::trailing_bytes;
    return {};
}

}  // namespace interlude::bytes
