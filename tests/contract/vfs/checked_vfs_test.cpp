// Pages keep their checksums wherever they are, whoever moves them, and what is not a page that was written is not
// served: another program after a crash, a big verb that is rolled back, zeros, a file that was cut.
#include "server/store/sqlite/page_checksum.hpp"
#include "server/store/sqlite/schema.hpp"
#include "server/store/sqlite/store_file.hpp"
#include "server/store/sqlite/wal_check.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

using store_sqlite::Database;
using store_sqlite::page_bytes;
using store_sqlite::wal_frame_header_bytes;
using store_sqlite::wal_header_bytes;

constexpr std::size_t frame_bytes = wal_frame_header_bytes + page_bytes;

/// A database with the store's settings and one table.
class CheckedPages : public testing::Test {
  protected:
    CheckedPages() {
        reopen();
        database->execute("PRAGMA application_id = " + std::to_string(store_sqlite::application_id));
        database->execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)");
    }
    void reopen() {
        database.reset();
        database.emplace(store_sqlite::connect_to("checked.db", vfs));
    }
    void insert(int rows, int size) {
        for (int i = 0; i < rows; ++i) database->run("INSERT INTO t (x) VALUES (randomblob(?))", size);
    }
    int rows() { return database->value<int>("SELECT count(*) FROM t").value(); }

    /// The machine stops here, and starts again.
    void crash() {
        auto const disk = fault.disk();
        database.reset();
        fault.set_disk(disk);
    }
    FaultVfs::Bytes file(std::string const& name) { return fault.disk().at(name).current; }
    void set_file(std::string const& name, FaultVfs::Bytes const& bytes) {
        auto disk = fault.disk();
        disk[name] = {bytes, bytes, {}};
        fault.set_disk(disk);
    }
    /// As the server says it of such a store.
    std::string what_is_noticed() {
        try {
            reopen();
            if (database->value<std::string>("PRAGMA integrity_check") != "ok") return "damaged";  // where it reads on
            database->value<int>("SELECT sum(length(x)) FROM t");
            return "nothing";
        } catch (store_sqlite::DatabaseError const& error) {
            return error.page_damaged() ? "damaged" : error.what();
        }
    }

    FaultVfs fault{"checked-pages"};
    store_sqlite::CheckedVfs vfs{fault.name()};
    std::optional<Database> database;
};

TEST_F(CheckedPages, those_in_the_log_have_their_checksums_and_its_sums_fit) {
    insert(20, 3000);
    auto const wal = file("checked.db-wal");
    ASSERT_GT(wal.size(), wal_header_bytes + 10 * frame_bytes);
    for (auto at = wal_header_bytes; at + frame_bytes <= wal.size(); at += frame_bytes) {
        std::span const frame(wal.data() + at, frame_bytes);
        auto const number = store_sqlite::page_of_frame(frame.first<wal_frame_header_bytes>());
        EXPECT_TRUE(store_sqlite::page_is_whole(frame.subspan<wal_frame_header_bytes>(), number)) << "page " << number;
    }
    store_sqlite::ReadAt const read = [&](std::uint64_t offset, std::span<std::uint8_t> to) {
        std::copy_n(wal.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
        return true;
    };
    EXPECT_FALSE(store_sqlite::wal_is_damaged(read, wal.size()));
}

TEST_F(CheckedPages, a_log_goes_on_after_a_crash_and_after_a_checkpoint) {
    insert(5, 3000);
    crash();
    reopen();
    insert(5, 3000);  // behind what was recovered
    crash();
    reopen();
    EXPECT_EQ(rows(), 10);
    database->execute("PRAGMA wal_checkpoint(PASSIVE)");
    insert(2, 3000);  // from the log's beginning, with salts of its own
    crash();
    reopen();
    EXPECT_EQ(rows(), 12);
    EXPECT_EQ(database->value<std::string>("PRAGMA integrity_check"), "ok");
}

TEST_F(CheckedPages, another_program_that_only_reads_after_a_crash_leaves_a_store_that_opens) {
    insert(20, 3000);
    crash();
    {
        Database foreign("checked.db", SQLITE_OPEN_READWRITE, fault.name());
        foreign.execute("PRAGMA locking_mode = EXCLUSIVE");
        EXPECT_EQ(foreign.value<int>("SELECT count(*) FROM t"), 20);
    }  // the last one to close: what is in the log is in the file now
    ASSERT_FALSE(fault.disk().contains("checked.db-wal"));
    EXPECT_EQ(what_is_noticed(), "nothing");
    EXPECT_EQ(rows(), 20);
}

TEST_F(CheckedPages, what_follows_a_big_verb_that_was_rolled_back_outlives_a_crash) {
    database->execute("PRAGMA cache_size = 10");
    insert(5, 3000);
    for (int round = 0; round < 3; ++round) {
        database->execute("BEGIN IMMEDIATE");
        insert(1, 200);
        database->execute("SAVEPOINT verb");
        insert(100, 3000);  // more than the cache holds
        database->execute("UPDATE t SET x = randomblob(2000)");
        database->execute("ROLLBACK TO verb");
        database->execute("RELEASE verb");
        insert(1, 200);
        database->execute("COMMIT");
    }
    insert(1, 200);
    crash();
    ASSERT_EQ(what_is_noticed(), "nothing");
    EXPECT_EQ(rows(), 12);
}

TEST_F(CheckedPages, a_transaction_larger_than_the_cache_is_whole) {
    database->execute("PRAGMA cache_size = 10");
    database->execute("BEGIN IMMEDIATE");
    insert(200, 3000);
    database->execute("UPDATE t SET x = randomblob(2000)");
    database->execute("COMMIT");
    EXPECT_EQ(rows(), 200);
    crash();
    ASSERT_EQ(what_is_noticed(), "nothing");
    EXPECT_EQ(rows(), 200);
}

TEST_F(CheckedPages, a_page_of_zeros_is_noticed) {
    insert(20, 3000);
    database.reset();
    auto const whole = file("checked.db");
    for (std::size_t page = 1; page < whole.size() / page_bytes; ++page) {
        auto zeroed = whole;
        std::fill_n(zeroed.begin() + static_cast<std::ptrdiff_t>(page * page_bytes), page_bytes, std::uint8_t{0});
        set_file("checked.db", zeroed);
        EXPECT_EQ(what_is_noticed(), "damaged") << "page " << page + 1;
        database.reset();
    }
}

TEST_F(CheckedPages, a_file_that_was_cut_within_its_last_page_is_noticed) {
    insert(20, 3000);
    database.reset();
    auto const whole = file("checked.db");
    for (auto const lost : {1u, 100u, 2048u, 4095u}) {
        auto cut = whole;
        cut.resize(whole.size() - lost);
        set_file("checked.db", cut);
        EXPECT_EQ(what_is_noticed(), "damaged") << lost << " bytes are gone";
        database.reset();
    }
}

TEST_F(CheckedPages, a_file_that_was_cut_by_whole_pages_under_a_log_is_noticed) {
    insert(30, 3000);
    database->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    database->execute("UPDATE t SET x = randomblob(3000) WHERE id = 1");
    crash();
    auto const disk = fault.disk();
    for (std::size_t pages = 1; pages <= 4; ++pages) {
        fault.set_disk(disk);
        auto cut = file("checked.db");
        cut.resize(cut.size() - pages * page_bytes);
        set_file("checked.db", cut);
        try {
            database.emplace(store_sqlite::recover_and_open("checked.db", vfs));
            EXPECT_EQ(what_is_noticed(), "damaged") << pages << " pages are gone";
        } catch (store_sqlite::DatabaseError const&) {
        }
        database.reset();
    }
}

TEST_F(CheckedPages, a_write_to_the_log_that_was_lost_is_noticed_while_it_serves) {
    insert(30, 3000);
    auto const first = file("checked.db-wal");
    database->execute("PRAGMA wal_checkpoint(PASSIVE)");
    database->execute("UPDATE t SET x = randomblob(3000)");  // over the same frames
    auto const second = file("checked.db-wal");
    auto const of_second = [&](std::size_t at) { return std::equal(&second[16], &second[24], &second[at + 8]); };
    std::size_t frames = 0;  // behind them the first ones still stand
    while (of_second(wal_header_bytes + frames * frame_bytes)) ++frames;
    ASSERT_GT(frames, 20u);
    for (std::size_t lost = 1; lost <= frames; ++lost)
        for (std::size_t count = 1; count <= 2 && lost + count <= frames + 1; ++count) {
            auto log = second;
            auto const at = static_cast<std::ptrdiff_t>(wal_header_bytes + (lost - 1) * frame_bytes);
            std::copy_n(first.begin() + at, count * frame_bytes, log.begin() + at);
            set_file("checked.db-wal", log);
            EXPECT_THROW(database->execute("PRAGMA wal_checkpoint(PASSIVE)"), store_sqlite::DatabaseError)
                << "frame " << lost;
        }
    set_file("checked.db-wal", second);
    EXPECT_NO_THROW(database->execute("PRAGMA wal_checkpoint(PASSIVE)"));
}

TEST_F(CheckedPages, a_log_whose_header_was_zeroed_is_noticed) {
    insert(20, 3000);
    crash();
    auto zeroed = file("checked.db-wal");
    std::fill_n(zeroed.begin(), wal_header_bytes, std::uint8_t{0});
    set_file("checked.db-wal", zeroed);
    EXPECT_EQ(what_is_noticed(), "damaged");
}

TEST_F(CheckedPages, a_disk_that_is_full_within_a_frame_and_has_room_again_loses_nothing) {
    insert(3, 3000);
    for (std::uint64_t step = 0; step < 6; ++step) {
        fault.begin(step, FaultVfs::Fault::disk_full);
        EXPECT_THROW(insert(1, 20'000), store_sqlite::DatabaseError);
        fault.room_again();
        fault.begin();
        insert(1, 3000);
        crash();
        ASSERT_EQ(what_is_noticed(), "nothing") << "full at step " << step;
        EXPECT_EQ(rows(), static_cast<int>(4 + step));
    }
}

}  // namespace
}  // namespace interlude::test
