#include "server/store/sqlite/page_checksum.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "common/base/check.hpp"

namespace interlude::store_sqlite {
namespace {

constexpr std::size_t content_bytes = page_bytes - reserved_bytes;

std::uint64_t word_at(bytes::ByteView from, std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, from.data() + at, sizeof word);
    return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

/// One to one in each argument, so that no change of one word can be lost on the way. No secret is involved: who can
/// write the file can write its checksums too, and the log is there for that.
std::uint64_t mixed(std::uint64_t state, std::uint64_t word) {
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
    return std::rotl((state ^ word) * odd, 29);
}

}  // namespace

std::uint64_t page_checksum(bytes::ByteView page, std::uint64_t number) {
    INTERLUDE_CHECK(page.size() == page_bytes);
    std::array<std::uint64_t, 4> lanes{mixed(1, number), mixed(2, number), mixed(3, number), mixed(4, number)};
    for (std::size_t at = 0; at < content_bytes; at += 8) {
        auto& lane = lanes[at / 8 % lanes.size()];  // beside each other: four multiplications at a time
        lane = mixed(lane, word_at(page, at));
    }
    auto sum = lanes[0];
    for (std::size_t i = 1; i < lanes.size(); ++i) sum = mixed(sum, lanes[i]);
    return sum;
}

void seal_page(std::span<std::uint8_t> page, std::uint64_t number) {
    auto const sum = page_checksum(page, number);
    for (std::size_t i = 0; i < reserved_bytes; ++i)
        page[content_bytes + i] = static_cast<std::uint8_t>(sum >> (8 * i));
}

bool page_is_whole(bytes::ByteView page, std::uint64_t number) {
    return page.size() == page_bytes && word_at(page, content_bytes) == page_checksum(page, number);
}

}  // namespace interlude::store_sqlite
