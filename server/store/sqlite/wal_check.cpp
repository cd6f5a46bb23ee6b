#include "server/store/sqlite/wal_check.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "server/store/sqlite/page_checksum.hpp"

namespace interlude::store_sqlite {
namespace {

constexpr std::uint32_t magic = 0x377f0682;  // its lowest bit: checksums are over big-endian words
constexpr std::size_t frame_bytes = wal_frame_header_bytes + page_bytes;
constexpr std::size_t covered_bytes = 8;  // of a frame's header

std::uint32_t word(bytes::ByteView from, std::size_t at, bool big_endian) {
    std::uint32_t value = 0;
    std::memcpy(&value, from.data() + at, sizeof value);
    bool const as_here = big_endian == (std::endian::native == std::endian::big);
    return as_here ? value : __builtin_bswap32(value);
}

template <bool big_endian>
WalChecksum summed(WalChecksum sum, bytes::ByteView data) {
    for (std::size_t at = 0; at + 8 <= data.size(); at += 8) {
        sum.first += word(data, at, big_endian) + sum.second;
        sum.second += word(data, at + 4, big_endian) + sum.first;
    }
    return sum;
}

struct Wal {
    bytes::Bytes salts;  // of its generation: frames with others are what an earlier one left behind
    bool big_endian = false;
    WalChecksum before;  // the first frame
};

struct Frame {
    bytes::Bytes bytes;
    bytes::ByteView view() const { return bytes; }
    bytes::ByteView salts() const { return view().subspan(8, 8); }
    bool commits() const { return word(bytes, 4, true) != 0; }
    WalChecksum stored() const { return stored_checksum(view().first(wal_frame_header_bytes)); }
    WalChecksum computed(WalChecksum before, bool big_endian) const {
        auto const sum = wal_checksum(before, view().first(covered_bytes), big_endian);
        return wal_checksum(sum, view().subspan(wal_frame_header_bytes), big_endian);
    }
};

int bits_between(bytes::ByteView a, bytes::ByteView b) {
    int count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) count += std::popcount(static_cast<unsigned>(a[i] ^ b[i]));
    return count;
}

/// Would the checksum be right with one bit of the data turned? The sum is linear: a step is
/// (first, second) -> (first + second + x, first + 2 second + x + y), so what a difference in one word makes of the
/// end is that difference times a power of ((1, 1), (1, 2)).
bool one_bit_mends(WalChecksum computed, WalChecksum stored, bytes::ByteView data, bool big_endian) {
    std::uint32_t const lack_first = stored.first - computed.first;
    std::uint32_t const lack_second = stored.second - computed.second;
    std::uint32_t a = 1, b = 0, c = 0, d = 1;  // the power so far
    for (auto at = data.size(); at >= 8; at -= 8) {
        auto const x = word(data, at - 8, big_endian), y = word(data, at - 4, big_endian);
        for (unsigned bit = 0; bit < 32; ++bit) {
            auto const turned = [&](std::uint32_t of) { return of >> bit & 1 ? 0u - (1u << bit) : 1u << bit; };
            auto const dx = turned(x), dy = turned(y);
            if ((a + b) * dx == lack_first && (c + d) * dx == lack_second) return true;
            if (b * dy == lack_first && d * dy == lack_second) return true;
        }
        auto const a_next = a + b, c_next = c + d;
        b = a_next + b;
        d = c_next + d;
        a = a_next;
        c = c_next;
    }
    return false;
}

/// One turned bit explains why this frame is not the next one of its log.
bool one_bit_off(Frame const& frame, Wal const& wal, WalChecksum before) {
    auto const computed = frame.computed(before, wal.big_endian);
    auto const stored = frame.stored();
    if (computed == stored) return bits_between(frame.salts(), wal.salts) == 1;
    if (!bytes::equal(frame.salts(), wal.salts)) return false;
    if (std::popcount(computed.first ^ stored.first) + std::popcount(computed.second ^ stored.second) == 1) return true;
    bytes::Bytes covered(frame.bytes.begin(), frame.bytes.begin() + covered_bytes);
    bytes::append(covered, frame.view().subspan(wal_frame_header_bytes));
    return one_bit_mends(computed, stored, covered, wal.big_endian);
}

bool all_zeros(bytes::ByteView data) {
    return std::all_of(data.begin(), data.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool all_zeros_from(std::uint64_t offset, ReadAt const& read, std::uint64_t size) {
    bytes::Bytes some;
    for (; offset < size; offset += some.size()) {
        some.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size - offset, frame_bytes)));
        if (!read(offset, some) || !all_zeros(some)) return false;
    }
    return true;
}

class Reader {
  public:
    Reader(ReadAt const& read, std::uint64_t size) : read_(read), size_(size) {}

    std::optional<Frame> frame(std::uint64_t number) const {
        auto const offset = wal_header_bytes + number * frame_bytes;
        Frame frame{bytes::Bytes(frame_bytes)};
        if (offset + frame_bytes > size_ || !read_(offset, frame.bytes)) return std::nullopt;
        return frame;
    }

    /// Behind a commit at or after this frame another transaction begins. A commit is synced before the next one
    /// writes, so no cut of power leaves that; what an earlier cut left behind does not continue its neighbour's sum.
    bool goes_on_after_a_commit(std::uint64_t number, Wal const& wal) const {
        auto of_wal = [&](Frame const& frame) { return bytes::equal(frame.salts(), wal.salts); };
        auto last = frame(number);
        while (last) {
            auto next = frame(++number);
            if (next && last->commits() && of_wal(*last) && of_wal(*next) &&
                next->computed(last->stored(), wal.big_endian) == next->stored())
                return true;
            last = std::move(next);
        }
        return false;
    }

  private:
    ReadAt const& read_;
    std::uint64_t size_;
};

}  // namespace

WalChecksum wal_checksum(WalChecksum before, bytes::ByteView data, bool big_endian) {
    return big_endian ? summed<true>(before, data) : summed<false>(before, data);
}

WalChecksum stored_checksum(bytes::ByteView header) {
    return {word(header, header.size() - 8, true), word(header, header.size() - 4, true)};
}

void store_checksum(std::span<std::uint8_t> header, WalChecksum sum) {
    for (std::size_t i = 0; i < 4; ++i) {
        header[header.size() - 8 + i] = static_cast<std::uint8_t>(sum.first >> (24 - 8 * i));
        header[header.size() - 4 + i] = static_cast<std::uint8_t>(sum.second >> (24 - 8 * i));
    }
}

std::uint32_t page_of_frame(bytes::ByteView header) {
    return word(header, 0, true);
}

bool wal_is_damaged(ReadAt const& read, std::uint64_t size) {
    bytes::Bytes header(wal_header_bytes);
    if (size < header.size() || !read(0, header)) return false;
    // It is synced before the first frame is written, and smaller than a sector: it is whole, or was never there.
    if (all_zeros(header)) return !all_zeros_from(header.size(), read, size);
    bytes::ByteView const view = header;
    Wal wal{bytes::copy(view.subspan(16, 8)), (word(view, 0, true) & 1) != 0, stored_checksum(view)};
    bool const ours = (word(view, 0, true) & ~1u) == magic && word(view, 8, true) == page_bytes;
    if (!ours || wal_checksum({}, view.first(24), wal.big_endian) != wal.before) return true;

    Reader const frames(read, size);
    auto before = wal.before;
    for (std::uint64_t number = 0; auto const frame = frames.frame(number); ++number) {
        bool const next =
            bytes::equal(frame->salts(), wal.salts) && frame->computed(before, wal.big_endian) == frame->stored();
        if (!next) return frames.goes_on_after_a_commit(number, wal) || one_bit_off(*frame, wal, before);
        before = frame->stored();
    }
    return false;
}

}  // namespace interlude::store_sqlite
