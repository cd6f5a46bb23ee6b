// Bounded reads of untrusted bytes in the presentation language of RFC 9420 §2.1 (big-endian; vectors with
// variable-size length headers, §2.1.2). Every length is checked before anything is allocated.
#pragma once

#include <array>
#include <bit>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::bytes {

/// The number that these bytes are, in one load: documents have thousands.
template <class Int>
Int big_endian(std::span<std::uint8_t const, sizeof(Int)> from) {
    std::array<std::uint8_t, 8> bytes{};
    std::copy(from.begin(), from.end(), bytes.end() - sizeof(Int));
    auto const value = std::bit_cast<std::uint64_t>(bytes);
    return static_cast<Int>(std::endian::native == std::endian::little ? __builtin_bswap64(value) : value);
}

class Reader {
  public:
    explicit Reader(ByteView from) : rest_(from) {}

    bool empty() const { return rest_.empty(); }
    std::size_t size() const { return rest_.size(); }
    ByteView rest() const { return rest_; }

    base::Result<std::uint8_t> u8() { return integer<std::uint8_t>(); }
    base::Result<std::uint16_t> u16() { return integer<std::uint16_t>(); }
    base::Result<std::uint32_t> u32() { return integer<std::uint32_t>(); }
    base::Result<std::uint64_t> u64() { return integer<std::uint64_t>(); }
    /// A presence or truth byte: 0 or 1, anything else is malformed (RFC 9420 §2.1.1).
    base::Result<bool> boolean();
    /// u64 milliseconds since 1970 UTC; beyond year 9999 is malformed.
    base::Result<base::WallTime> time();
    /// RFC 9420 §2.1.2: 1, 2 or 4 bytes, minimal, prefix 11 refused.
    base::Result<std::uint32_t> varint();
    /// The next `count` bytes, as a view into the input.
    base::Result<ByteView> raw(std::size_t count);
    /// opaque<V>, as a view into the input; longer than `max` is too_long.
    base::Result<ByteView> opaque(std::size_t max = 0x3fffffff);
    /// A vector<V>: a Reader over its content.
    base::Result<Reader> vector(std::size_t max = 0x3fffffff);
    /// trailing_bytes unless everything was read.
    base::Result<void> finish() const;

    template <class IdType>
    base::Result<IdType> id() {
        INTERLUDE_TRY(auto bytes, raw(IdType::size));
        return *IdType::from(bytes);
    }

  private:
    template <class Int>
    base::Result<Int> integer() {
        if (rest_.size() < sizeof(Int)) return base::Errc::truncated;
        auto const value = big_endian<Int>(rest_.first<sizeof(Int)>());
        rest_ = rest_.subspan(sizeof(Int));
        return value;
    }
    ByteView rest_;
};

}  // namespace interlude::bytes
