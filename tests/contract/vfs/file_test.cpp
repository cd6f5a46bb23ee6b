// The file: made, opened again, kept from others, and refused with a text that says what to do.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/schema.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

using store_sqlite::OpenError;
using testing::HasSubstr;

class StoreFile : public testing::Test {
  protected:
    std::unique_ptr<ports::Store> open(std::filesystem::path const& path) {
        store_sqlite::Options options;
        options.file = path;
        ports::Hooks hooks;
        hooks.now = [] { return core::TimeReading{noon, true}; };
        return store_sqlite::open(io.get_executor(), std::move(options), std::move(hooks), entropy);
    }
    /// Why it cannot be opened.
    OpenError why_not(std::filesystem::path const& path) {
        try {
            open(path);
        } catch (OpenError const& error) {
            return error;
        }
        ADD_FAILURE() << path << " was opened";
        return OpenError("");
    }
    /// As the store opens it: pages keep their checksums.
    store_sqlite::Database raw() {
        store_sqlite::Database database(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, checked.name());
        database.execute("PRAGMA locking_mode = EXCLUSIVE");
        return database;
    }
    /// As somebody else's program does.
    store_sqlite::Database foreign() { return {file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, {}}; }

    /// The same rows in a file whose pages have no checksums.
    void make_anew_as_schema_3() {
        auto const old = folder / "old.db";
        {
            store_sqlite::Database database(old.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, {});
            database.execute("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; ATTACH '" + file.string() +
                             "' AS store");
            std::vector<std::string> statements, tables;
            for (auto rows = database.query("SELECT sql FROM store.sqlite_schema WHERE sql IS NOT NULL"); rows.next();)
                statements.push_back(rows.get<std::string>(0));
            for (auto rows = database.query("SELECT name FROM store.sqlite_schema WHERE type = 'table'"); rows.next();)
                tables.push_back(rows.get<std::string>(0));
            for (auto const& statement : statements) database.execute(statement);
            for (auto const& table : tables)
                database.execute("INSERT INTO main." + table + " SELECT * FROM store." + table);
            database.execute(
                "ALTER TABLE schedules DROP COLUMN kind; ALTER TABLE requests DROP COLUMN replaced; PRAGMA "
                "application_id = " +
                std::to_string(store_sqlite::application_id) + "; PRAGMA user_version = 3");
        }
        std::filesystem::rename(old, file);
    }

    store_sqlite::CheckedVfs checked{""};
    ScratchFolder folder;
    std::filesystem::path file = folder / "store.db";
    boost::asio::io_context io;
    crypto::SystemEntropy entropy;
};

TEST_F(StoreFile, a_new_one_has_a_random_instance_and_the_newest_schema) {
    auto store = open(file);
    auto const info = wait(io, store->open_info());
    EXPECT_FALSE(info.instance.is_zero());
    EXPECT_EQ(info.restore_count, 0u);
    EXPECT_EQ(info.schema, store_sqlite::schema_newest);
    auto const another = open(folder / "another.db");
    EXPECT_NE(wait(io, another->open_info()).instance, info.instance);
}

TEST_F(StoreFile, a_new_one_is_private_and_set_up_before_its_first_table) {
    open(file);
    struct stat facts {};
    ASSERT_EQ(stat(file.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);
    auto database = raw();
    EXPECT_EQ(database.value<int>("PRAGMA auto_vacuum"), 2);  // incremental
    EXPECT_EQ(database.value<std::string>("PRAGMA journal_mode"), "wal");
    EXPECT_FALSE(
        database.exists("SELECT 1 FROM pragma_table_list WHERE type = 'table' AND NOT strict"
                        " AND name NOT LIKE 'sqlite_%'"));
}

TEST_F(StoreFile, opened_again_it_is_the_same) {
    auto store = open(file);
    auto const before = wait(io, store->open_info());
    wait(io, store->mark_time(noon));
    store.reset();
    store = open(file);
    auto const after = wait(io, store->open_info());
    EXPECT_EQ(after.instance, before.instance);
    EXPECT_EQ(after.high_water, noon);
}

TEST_F(StoreFile, a_second_server_is_refused) {
    auto const store = open(file);
    auto const error = why_not(file);
    EXPECT_TRUE(error.locked);
    EXPECT_THAT(error.what(), HasSubstr("another server uses the store"));
    EXPECT_THAT(store_sqlite::check(file), HasSubstr("in use by a running server"));
}

TEST_F(StoreFile, after_the_first_server_ended_the_next_may_start) {
    open(file).reset();
    EXPECT_NO_THROW(open(file));
}

TEST_F(StoreFile, another_program_cannot_write_it_meanwhile) {
    auto const store = open(file);
    auto database = foreign();
    EXPECT_THROW(database.execute("DELETE FROM leases"), store_sqlite::DatabaseError);
}

TEST_F(StoreFile, a_newer_schema_is_refused) {
    open(file).reset();
    raw().execute("PRAGMA user_version = 99");
    auto const error = why_not(file);
    EXPECT_FALSE(error.locked);
    EXPECT_THAT(error.what(), HasSubstr("newer version (its schema is 99"));
    EXPECT_THROW(store_sqlite::check(file), OpenError);
}

TEST_F(StoreFile, another_programs_database_is_refused_and_left_alone) {
    foreign().execute("CREATE TABLE recipes (name TEXT)");
    EXPECT_THAT(why_not(file).what(), HasSubstr("another program"));
    EXPECT_FALSE(foreign().exists("SELECT 1 FROM sqlite_schema WHERE name = 'accounts'"));
}

TEST_F(StoreFile, what_is_no_database_is_refused_and_left_alone) {
    std::string const text(4096, 'x');
    std::ofstream(file) << text;
    EXPECT_THAT(why_not(file).what(), HasSubstr("is not an SQLite database"));
    std::stringstream content;
    content << std::ifstream(file).rdbuf();
    EXPECT_EQ(content.str(), text);
}

TEST_F(StoreFile, a_folder_is_refused) {
    std::filesystem::create_directory(file);
    EXPECT_THAT(why_not(file).what(), HasSubstr("is a folder"));
}

TEST_F(StoreFile, a_folder_that_is_missing_is_named) {
    EXPECT_THAT(why_not(folder / "missing" / "store.db").what(), HasSubstr("does not exist: create it"));
}

TEST_F(StoreFile, a_folder_that_cannot_be_written_is_named) {
    if (geteuid() == 0) {  // root may write everywhere but in such places
        EXPECT_THAT(why_not("/proc/interlude.db").what(), HasSubstr("cannot write"));
        return;
    }
    std::filesystem::permissions(folder.path(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    EXPECT_THAT(why_not(file).what(), HasSubstr("cannot write"));
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
}

TEST_F(StoreFile, a_damaged_one_is_refused) {
    open(file).reset();
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(100) << std::string(4000, '\xff');
    EXPECT_THAT(why_not(file).what(), HasSubstr("restore it from a backup"));
    EXPECT_THROW(store_sqlite::check(file), OpenError);
}

TEST_F(StoreFile, one_of_before_pages_had_checksums_is_written_anew_with_all_that_is_in_it) {
    auto store = open(file);
    auto const before = wait(io, store->open_info());
    wait(io, store->mark_time(noon));
    store.reset();
    make_anew_as_schema_3();
    EXPECT_THAT(store_sqlite::check(file), HasSubstr("schema 3"));
    store = open(file);
    auto const after = wait(io, store->open_info());
    EXPECT_EQ(after.instance, before.instance);
    EXPECT_EQ(after.high_water, noon);
    EXPECT_EQ(after.schema, store_sqlite::schema_newest);
    store.reset();
    auto database = raw();
    EXPECT_EQ(database.value<std::string>("PRAGMA integrity_check"), "ok");
    EXPECT_TRUE(store_sqlite::pages_are_checked(database.raw()));
}

TEST_F(StoreFile, written_by_a_program_that_knows_no_checksums_it_is_refused) {
    open(file).reset();
    foreign().execute("INSERT INTO leases VALUES ('name', 'holder', 1)");
    try {
        ADD_FAILURE() << store_sqlite::check(file);
    } catch (OpenError const& error) {
        EXPECT_THAT(error.what(), HasSubstr("restore it from a backup"));
    }
}

TEST_F(StoreFile, a_copy_that_another_program_made_is_refused_and_sealed_on_request) {
    auto store = open(file);
    auto const before = wait(io, store->open_info());
    store.reset();
    auto const copy = folder / "copy.db";
    foreign().execute("VACUUM INTO '" + copy.string() + "'");
    EXPECT_THAT(why_not(copy).what(), HasSubstr("--seal-store"));
    EXPECT_THAT(store_sqlite::seal(copy), HasSubstr("every page has its checksum now"));
    store = open(copy);
    EXPECT_EQ(wait(io, store->open_info()).instance, before.instance);
}

TEST_F(StoreFile, only_a_whole_store_of_ours_that_nobody_uses_is_sealed) {
    auto const why_not_sealed = [&](std::filesystem::path const& path) -> std::string {
        try {
            return store_sqlite::seal(path);
        } catch (OpenError const& error) {
            return error.what();
        }
    };
    EXPECT_THAT(why_not_sealed(file), HasSubstr("there is no store"));
    EXPECT_FALSE(std::filesystem::exists(file));
    std::ofstream{file};
    EXPECT_THAT(why_not_sealed(file), HasSubstr("nothing to seal"));
    auto store = open(file);
    EXPECT_THAT(why_not_sealed(file), HasSubstr("another server uses"));
    store.reset();
    foreign().execute("CREATE TABLE more (x BLOB); INSERT INTO more VALUES (zeroblob(9000))");
    EXPECT_THAT(why_not_sealed(file), HasSubstr("checksum now"));
    auto const size = static_cast<std::streamoff>(std::filesystem::file_size(file));
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(size / 2) << std::string(9000, '\xff');
    EXPECT_THAT(why_not_sealed(file), HasSubstr("damaged"));
    EXPECT_FALSE(std::filesystem::exists(file.string() + ".anew"));
}

TEST_F(StoreFile, a_log_without_its_store_is_no_new_store) {
    auto store = open(file);
    wait(io, store->mark_time(noon));
    auto const log = file.string() + "-wal", kept = (folder / "kept").string();
    std::filesystem::copy_file(log, kept);
    store.reset();
    std::filesystem::remove(file);
    std::filesystem::copy_file(kept, log);
    EXPECT_THAT(why_not(file).what(), HasSubstr("only its log is left"));
    std::ofstream{file};
    EXPECT_THAT(why_not(file).what(), HasSubstr("only its log is left"));
    auto const link = folder / "link.db";
    std::filesystem::create_symlink("store.db", link);
    EXPECT_THAT(why_not(link).what(), HasSubstr("only its log is left"));
    std::filesystem::remove(file);
    EXPECT_THAT(why_not(link).what(), HasSubstr("only its log is left"));
    EXPECT_EQ(std::filesystem::file_size(log), std::filesystem::file_size(kept));
}

TEST_F(StoreFile, a_second_server_is_refused_by_another_name_too) {
    auto const store = open(file);
    auto const link = folder / "link.db";
    std::filesystem::create_symlink(file, link);
    EXPECT_TRUE(why_not(link).locked);
}

TEST_F(StoreFile, written_anew_it_stays_where_it_is_and_whose_it_is) {
    open(file).reset();
    make_anew_as_schema_3();
    std::filesystem::permissions(file, std::filesystem::perms{0640});
    auto const link = folder / "link.db";
    std::filesystem::create_symlink(file, link);
    open(link).reset();
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_THAT(store_sqlite::check(file), HasSubstr("schema 6"));
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0640});
}

TEST_F(StoreFile, check_makes_nothing_and_says_what_it_sees) {
    EXPECT_THAT(store_sqlite::check(file), HasSubstr("will be made at the first start"));
    EXPECT_FALSE(std::filesystem::exists(file));
    open(file).reset();
    EXPECT_THAT(store_sqlite::check(file), HasSubstr("schema 6, 0 accounts"));
}

}  // namespace
}  // namespace interlude::test
