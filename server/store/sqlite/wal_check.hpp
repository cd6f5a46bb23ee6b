// What SQLite takes for the end of a write-ahead log may be a frame that the disk changed, and behind it transactions
// that were synced and answered. It would leave them out without a word: here the two are told apart.
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "common/bytes/bytes.hpp"

namespace interlude::store_sqlite {

inline constexpr std::size_t wal_header_bytes = 32;
inline constexpr std::size_t wal_frame_header_bytes = 24;

/// SQLite's running checksum of a WAL: two words.
struct WalChecksum {
    std::uint32_t first = 0, second = 0;
    bool operator==(WalChecksum const&) const = default;
};
/// Over whole pairs of words; `big_endian` as the WAL's magic number says.
WalChecksum wal_checksum(WalChecksum before, bytes::ByteView data, bool big_endian);
/// The one that is stored at the end of a header of either kind.
WalChecksum stored_checksum(bytes::ByteView header);
void store_checksum(std::span<std::uint8_t> header, WalChecksum sum);
/// The number of the page that a frame with this header holds, from 1.
std::uint32_t page_of_frame(bytes::ByteView header);

/// Fills `to` from this offset of the file; false: it cannot be read.
using ReadAt = std::function<bool(std::uint64_t offset, std::span<std::uint8_t> to)>;

/// True: some committed transaction is not as it was written. False: all are, up to one that no sync ended (power was
/// cut), or nothing is there. Rot of more than one bit in the very last transaction looks like that too.
bool wal_is_damaged(ReadAt const& read, std::uint64_t size);

}  // namespace interlude::store_sqlite
