// Pieces that both kinds of schedule documents are written with. Internal to common/schedule.
#pragma once

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/schedule/intervals.hpp"

namespace interlude::schedule {

inline bool whole_seconds(WallTime t) {
    return base::to_ms(t) % 1000 == 0;
}

inline void write_span(bytes::Writer& to, Interval const& span) {
    to.u64(static_cast<std::uint64_t>(base::to_ms(span.start) / 1000));
    to.u64(static_cast<std::uint64_t>(base::to_ms(span.end) / 1000));
}

inline constexpr std::size_t span_bytes = 16;

/// Any two times: whether they make sense is for check().
inline base::Result<Interval> read_span(std::span<std::uint8_t const, span_bytes> from) {
    constexpr std::uint64_t year_10000 = 253'402'300'800;
    auto const start = bytes::big_endian<std::uint64_t>(from.first<8>());
    auto const end = bytes::big_endian<std::uint64_t>(from.last<8>());
    if (start >= year_10000 || end >= year_10000) return base::Errc::malformed;
    return Interval{base::wall_seconds(static_cast<std::int64_t>(start)),
                    base::wall_seconds(static_cast<std::int64_t>(end))};
}
inline base::Result<Interval> read_span(bytes::Reader& from) {
    INTERLUDE_TRY(auto const bytes, from.raw(span_bytes));
    return read_span(bytes.first<span_bytes>());
}

/// The first document of a chain is number 1 and names nothing; every other names the one before.
inline bool is_linked(std::uint64_t number, base::Hash32 const& previous) {
    return number > 0 && (number == 1) == previous.is_zero();
}

}  // namespace interlude::schedule
