// A torn end and a damaged middle of SQLite's write-ahead log, told apart bit by bit.
#include "server/store/sqlite/wal_check.hpp"

#include <gtest/gtest.h>

#include "server/store/sqlite/page_checksum.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

using store_sqlite::page_bytes;
constexpr std::size_t frame_bytes = store_sqlite::wal_frame_header_bytes + page_bytes;

bool damaged(Bytes const& wal) {
    store_sqlite::ReadAt const read = [&](std::uint64_t offset, std::span<std::uint8_t> to) {
        if (offset + to.size() > wal.size()) return false;
        std::copy_n(wal.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
        return true;
    };
    return store_sqlite::wal_is_damaged(read, wal.size());
}

class WalCheck : public testing::Test {
  protected:
    /// The log of a database after these statements, as SQLite left it.
    Bytes wal_after(std::vector<char const*> const& statements) {
        FaultVfs vfs("wal-check");
        store_sqlite::Database database("wal.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name());
        database.execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        for (auto const* statement : statements) database.execute(statement);
        return vfs.disk().at("wal.db-wal").current;
    }
    Bytes three_transactions() {
        return wal_after(
            {"CREATE TABLE t (x BLOB)", "INSERT INTO t VALUES (zeroblob(9000))", "UPDATE t SET x = randomblob(9000)"});
    }
    static std::size_t frames_of(Bytes const& wal) { return (wal.size() - 32) / frame_bytes; }
    static std::size_t begin_of(std::size_t frame) { return 32 + frame * frame_bytes; }
};

TEST_F(WalCheck, none_an_empty_one_and_a_whole_one_are_no_damage) {
    auto const whole = three_transactions();
    ASSERT_GE(frames_of(whole), 6u);
    EXPECT_FALSE(damaged({}));
    EXPECT_FALSE(damaged(Bytes(32)));
    EXPECT_FALSE(damaged(Bytes(whole.begin(), whole.begin() + 32)));
    EXPECT_FALSE(damaged(whole));
}

TEST_F(WalCheck, every_bit_of_every_header_is_covered) {
    auto const whole = three_transactions();
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < 32; ++i) places.push_back(i);
    for (std::size_t frame = 0; frame < frames_of(whole); ++frame)
        for (std::size_t i = 0; i < store_sqlite::wal_frame_header_bytes; ++i) places.push_back(begin_of(frame) + i);
    for (auto const place : places)
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto turned = whole;
            turned[place] ^= static_cast<std::uint8_t>(1u << bit);
            EXPECT_TRUE(damaged(turned)) << "bit " << bit << " of byte " << place;
        }
}

TEST_F(WalCheck, a_bit_of_a_page_is_noticed_in_the_last_transaction_too) {
    auto const whole = three_transactions();
    for (std::size_t frame = 0; frame < frames_of(whole); ++frame)
        for (std::size_t at = 24; at < frame_bytes; at += 37) {
            auto turned = whole;
            turned[begin_of(frame) + at] ^= static_cast<std::uint8_t>(1u << at % 8);
            EXPECT_TRUE(damaged(turned)) << "frame " << frame << ", byte " << at;
        }
}

TEST_F(WalCheck, a_header_of_zeros_with_anything_behind_it_is_damage) {
    auto zeroed = three_transactions();
    std::fill_n(zeroed.begin(), 32, std::uint8_t{0});
    EXPECT_TRUE(damaged(zeroed));
    EXPECT_FALSE(damaged(Bytes(zeroed.size())));  // room that was never written
}

TEST_F(WalCheck, a_page_lost_before_the_last_transaction_is_damage) {
    auto lost = three_transactions();
    std::fill_n(lost.begin() + static_cast<std::ptrdiff_t>(begin_of(1) + 24), page_bytes, std::uint8_t{0xab});
    EXPECT_TRUE(damaged(lost));
}

TEST_F(WalCheck, a_last_transaction_that_power_cut_short_is_no_damage) {
    auto const whole = three_transactions();
    auto const last = frames_of(whole) - 1;
    for (auto const frame : {last - 1, last})
        for (std::size_t sector = 0; sector < 8; ++sector) {
            auto torn = whole;
            auto const at = static_cast<std::ptrdiff_t>(begin_of(frame) + 24 + sector * 512);
            std::fill_n(torn.begin() + at, 512, std::uint8_t{0x5a});
            EXPECT_FALSE(damaged(torn)) << "frame " << frame << ", sector " << sector;
        }
    for (std::size_t size = begin_of(last); size < whole.size(); size += 100)
        EXPECT_FALSE(damaged(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
}

TEST_F(WalCheck, what_an_earlier_cut_left_behind_is_no_damage) {
    // The same log went on twice from its first transaction, after the power was cut in the first way; it is cut again
    // in the second, shorter one. Behind that the first way still stands, commit and all.
    auto const first = three_transactions();
    auto const begun = wal_after({"CREATE TABLE t (x BLOB)"});
    auto const second = wal_after({"CREATE TABLE t (x BLOB)", "INSERT INTO t VALUES (randomblob(300))"});
    auto const frames = frames_of(second);
    ASSERT_GT(frames, frames_of(begun));
    ASSERT_LT(frames + 1, frames_of(first));
    auto both = first;
    std::copy(second.begin(), second.end(), both.begin());
    EXPECT_FALSE(damaged(both));
    std::fill_n(both.begin() + static_cast<std::ptrdiff_t>(begin_of(frames_of(begun)) + 24 + 512), 512,
                std::uint8_t{0x5a});
    EXPECT_FALSE(damaged(both));
}

TEST(PageChecksum, notices_every_bit_and_another_place) {
    std::vector<std::uint8_t> page(page_bytes);
    for (std::size_t i = 0; i < page.size(); ++i) page[i] = static_cast<std::uint8_t>(i * 31);
    store_sqlite::seal_page(page, 5);
    EXPECT_TRUE(store_sqlite::page_is_whole(page, 5));
    EXPECT_FALSE(store_sqlite::page_is_whole(page, 6));
    for (std::size_t bit = 0; bit < page.size() * 8; ++bit) {
        page[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        ASSERT_FALSE(store_sqlite::page_is_whole(page, 5)) << "bit " << bit;
        page[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
    EXPECT_FALSE(store_sqlite::page_is_whole(std::vector<std::uint8_t>(page_bytes), 5));
    EXPECT_FALSE(store_sqlite::page_is_whole(std::vector<std::uint8_t>(512, 1), 5));
}

}  // namespace
}  // namespace interlude::test
