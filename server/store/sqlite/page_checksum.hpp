// The last eight bytes of every page of the store are a checksum of the rest and of its number: a disk that changed a
// bit, or gave another page, is noticed before anything of it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/bytes/bytes.hpp"

namespace interlude::store_sqlite {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t reserved_bytes = 8;  // SQLite leaves them alone: byte 20 of the file says so

/// Of the first page_bytes - reserved_bytes bytes. Whatever changes within eight aligned bytes changes it.
std::uint64_t page_checksum(bytes::ByteView page, std::uint64_t number);

/// Writes it into the page.
void seal_page(std::span<std::uint8_t> page, std::uint64_t number);

/// It has its checksum; zeros have none. (With secure_delete SQLite writes free pages, too: it reads none that was
/// never written.)
bool page_is_whole(bytes::ByteView page, std::uint64_t number);

}  // namespace interlude::store_sqlite
