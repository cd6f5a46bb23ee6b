#include "common/bytes/writer.hpp"

#include "common/base/check.hpp"

namespace interlude::bytes {

namespace {
template <class Int>
void put(Bytes& to, Int value) {
    for (int shift = 8 * (sizeof(Int) - 1); shift >= 0; shift -= 8)
        to.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> shift));
}
}  // namespace

Writer& Writer::u8(std::uint8_t value) {
    put(bytes_, value);
    return *this;
}
Writer& Writer::u16(std::uint16_t value) {
    put(bytes_, value);
    return *this;
}
Writer& Writer::u32(std::uint32_t value) {
    put(bytes_, value);
    return *this;
}
Writer& Writer::u64(std::uint64_t value) {
    put(bytes_, value);
    return *this;
}

Writer& Writer::time(base::WallTime value) {
    INTERLUDE_CHECK(base::to_ms(value) >= 0);
    return u64(static_cast<std::uint64_t>(base::to_ms(value)));
}

Writer& Writer::varint(std::uint32_t value) {
    INTERLUDE_CHECK(value < (1u << 30));
    if (value < 64) return u8(static_cast<std::uint8_t>(value));
    if (value < 16384) return u16(static_cast<std::uint16_t>(value | 0x4000));
    return u32(value | 0x80000000u);
}

Writer& Writer::raw(ByteView bytes) {
    append(bytes_, bytes);
    return *this;
}

Writer& Writer::opaque(ByteView bytes) {
    INTERLUDE_CHECK(bytes.size() < (1u << 30));
    varint(static_cast<std::uint32_t>(bytes.size()));
    return raw(bytes);
}

Bytes labelled(std::string_view name, ByteView structure) {
    Bytes out = copy(view("interlude/v1 "));
    append(out, view(name));
    out.push_back(0);
    append(out, structure);
    return out;
}

}  // namespace interlude::bytes
