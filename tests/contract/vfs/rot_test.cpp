// A disk that turns one bit: of the store at rest, of its write-ahead log after a crash, in every place alike. Whatever
// is turned is noticed, or nothing that the store says is any different. INTERLUDE_FLIPS: how many (./dev faults).
#include <iostream>
#include <random>

#include "tests/contract/vfs/life.hpp"
#include "tests/contract/vfs/whole.hpp"
#include "tests/support/how_often.hpp"

namespace interlude::test {
namespace {

int flips() {
    return how_often("INTERLUDE_FLIPS", 600);
}

std::string value_of(sqlite3_stmt* row, int column) {
    auto const* const bytes = static_cast<char const*>(sqlite3_column_blob(row, column));
    return std::to_string(sqlite3_column_type(row, column)) + ":" +
           std::string(bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
}

class Rot : public testing::Test {
  protected:
    Rot() {
        on.open();
        life.pair.meet(on.io, *on.store);
        on.close();  // what they begin with is in the file itself
        on.open();
        life.live(on);
        crashed = on.vfs.disk();  // the log has all of it
        on.close();
        at_rest = on.vfs.disk();
    }

    /// Every row of every table, as a server that starts on this disk has them. Throws what it notices.
    std::string everything(FaultVfs::Disk const& disk) {
        on.vfs.set_disk(disk);
        on.vfs.begin();
        on.open();
        on.close();
        store_sqlite::Database database(on.file.string(), SQLITE_OPEN_READWRITE, on.checked.name());
        database.execute("PRAGMA locking_mode = EXCLUSIVE");
        auto const verdict = database.value<std::string>("PRAGMA integrity_check").value_or("");
        if (verdict != "ok") throw std::runtime_error(verdict);
        std::vector<std::string> tables;
        for (auto rows = database.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
             rows.next();)
            tables.push_back(rows.get<std::string>(0));
        std::string said;
        for (auto const& table : tables) {
            sqlite3_stmt* row = nullptr;
            auto const sql = "SELECT * FROM " + table;
            if (sqlite3_prepare_v2(database.raw(), sql.c_str(), -1, &row, nullptr) != SQLITE_OK)
                store_sqlite::throw_database_error(database.raw(), SQLITE_ERROR);
            int code = 0;
            while ((code = sqlite3_step(row)) == SQLITE_ROW)
                for (int column = 0; column < sqlite3_column_count(row); ++column) said += value_of(row, column) + "\n";
            sqlite3_finalize(row);
            if (code != SQLITE_DONE) store_sqlite::throw_database_error(database.raw(), code);
        }
        return said;
    }

    /// Turns bits of the file whose name ends like this, one at a time.
    void turn_bits_of(FaultVfs::Disk const& disk, std::string const& ending) {
        auto const whole = everything(disk);
        auto const name = std::find_if(disk.begin(), disk.end(), [&](auto const& file) {
                              return file.first.ends_with(ending);
                          })->first;
        std::mt19937_64 random(7);
        int noticed = 0, harmless = 0;
        for (int i = 0; i < flips(); ++i) {
            auto turned = disk;
            auto& file = turned.at(name);
            auto const bit = random() % (file.current.size() * 8);
            file.current[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
            file.durable = file.current;
            file.unsynced.clear();
            try {
                auto const said = everything(turned);
                ASSERT_TRUE(said == whole) << "bit " << bit % 8 << " of byte " << bit / 8 << " of " << ending
                                           << " was turned, and nobody noticed";
                ++harmless;
            } catch (std::runtime_error const&) {
                on.close();
                ++noticed;
            }
        }
        EXPECT_GT(noticed, 0);
        std::cout << flips() << " bits turned in " << ending << " (" << disk.at(name).current.size()
                  << " bytes): " << noticed << " noticed, " << harmless << " harmless\n";
    }

    StoreOnVfs on{"rot"};
    Life life;
    FaultVfs::Disk crashed, at_rest;
};

TEST_F(Rot, of_the_store_is_noticed_or_harmless) {
    turn_bits_of(at_rest, ".db");
}

TEST_F(Rot, of_the_log_that_a_crash_left_is_noticed_or_harmless) {
    turn_bits_of(crashed, ".db-wal");
}

TEST_F(Rot, of_the_store_under_a_log_is_noticed_or_harmless) {
    turn_bits_of(crashed, ".db");
}

}  // namespace
}  // namespace interlude::test
