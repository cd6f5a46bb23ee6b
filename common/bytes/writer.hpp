// Writes the presentation language of RFC 9420 §2.1. The counterpart of reader.hpp.
#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::bytes {

class Writer {
  public:
    Writer& u8(std::uint8_t value);
    Writer& u16(std::uint16_t value);
    Writer& u32(std::uint32_t value);
    Writer& u64(std::uint64_t value);
    Writer& boolean(bool value) { return u8(value ? 1 : 0); }
    Writer& time(base::WallTime value);
    Writer& varint(std::uint32_t value);  ///< checks value < 2^30
    Writer& raw(ByteView bytes);
    Writer& opaque(ByteView bytes);  ///< opaque<V>
    template <class Tag, std::size_t N>
    Writer& id(base::Id<Tag, N> const& id) {
        return raw(id.bytes);
    }
    /// vector<V> of what `write(Writer&)` writes.
    template <class Write>
    Writer& vector(Write&& write) {
        Writer inner;
        write(inner);
        return opaque(inner.bytes_);
    }
    template <class Items, class WriteItem>
    Writer& vector_of(Items const& items, WriteItem&& write_item) {
        Writer inner;
        for (auto const& item : items) write_item(inner, item);
        return opaque(inner.bytes_);
    }

    Bytes const& bytes() const& { return bytes_; }
    Bytes take() && { return std::move(bytes_); }
    Bytes take() & { return std::move(bytes_); }

  private:
    Bytes bytes_;
};

/// The input of every signature, MAC and labelled hash: ASCII `interlude/v1 NAME`, one zero byte, the struct.
Bytes labelled(std::string_view name, ByteView structure);

}  // namespace interlude::bytes
