// What a home's vault keeps from whoever steals it, notices when somebody touched it, and survives.
#include "client-cli/vault/sealed_vault.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "common/bytes/text.hpp"
#include "tests/support/scratch_folder.hpp"

namespace interlude::vault {
namespace {

using bytes::Bytes;
using bytes::ByteView;
using engine::Table;
using Kind = VaultError::Kind;

constexpr std::string_view secret_text = "I could not sleep again", secret_name = "Dr. Adler";

Bytes key(std::uint8_t fill, std::string_view rest = {}) {
    Bytes made(16, fill);
    bytes::append(made, bytes::view(rest));
    return made;
}

struct Vaults : testing::Test {
    static VaultSecret key_secret(std::uint8_t fill = 1) {
        return {VaultSecret::Kind::key_file, bytes::SecretBytes(Bytes(32, fill))};
    }
    static VaultSecret passphrase(std::string_view text) {
        return {VaultSecret::Kind::passphrase, bytes::SecretBytes(bytes::view(text))};
    }
    std::unique_ptr<SealedVault> create() { return SealedVault::create(home, key_secret(), entropy); }
    std::unique_ptr<SealedVault> open() { return SealedVault::open(home, key_secret(), entropy); }
    static void put(SealedVault& vault, ByteView at, std::string_view value) {
        auto transaction = vault.begin();
        transaction->put(Table::messages, at, bytes::view(value));
        transaction->commit();
    }
    static std::optional<std::string> get(SealedVault& vault, ByteView at) {
        auto const value = vault.begin()->get(Table::messages, at);
        return value ? std::optional(bytes::text(*value)) : std::nullopt;
    }
    /// The file as somebody with it in hand and no key sees it.
    struct RawRow {
        int table;
        Bytes slot, group;
        std::int64_t version;
        Bytes sealed;
    };
    using RawRows = std::vector<RawRow>;
    RawRows raw() const {
        Database const file(home);
        sqlite3_stmt* rows = nullptr;
        EXPECT_EQ(
            sqlite3_prepare_v2(file.handle, "SELECT tbl, slot, grp, version, sealed FROM record ORDER BY version, tbl",
                               -1, &rows, nullptr),
            SQLITE_OK);
        auto const blob = [&](int at) {
            auto const* data = static_cast<std::uint8_t const*>(sqlite3_column_blob(rows, at));
            return Bytes(data, data + sqlite3_column_bytes(rows, at));
        };
        RawRows found;
        while (sqlite3_step(rows) == SQLITE_ROW)
            found.push_back({sqlite3_column_int(rows, 0), blob(1), blob(2), sqlite3_column_int64(rows, 3), blob(4)});
        sqlite3_finalize(rows);
        return found;
    }
    void write_raw(RawRows const& rows) const {
        Database const file(home);
        file.run("DELETE FROM record");
        auto const hex = [](Bytes const& bytes) { return "x'" + bytes::to_hex(bytes) + "'"; };
        for (auto const& row : rows)
            file.run("INSERT INTO record VALUES (" + std::to_string(row.table) + ", " + hex(row.slot) + ", " +
                     hex(row.group) + ", " + std::to_string(row.version) + ", " + hex(row.sealed) + ")");
    }
    struct Database {
        explicit Database(std::filesystem::path const& home) {
            EXPECT_EQ(sqlite3_open((home / "vault.db").c_str(), &handle), SQLITE_OK);
        }
        ~Database() { sqlite3_close(handle); }
        void run(std::string const& sql) const {
            EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
                << sqlite3_errmsg(handle);
        }
        sqlite3* handle = nullptr;
    };
    template <class Do>
    static std::optional<Kind> refusal(Do what) {
        try {
            what();
            return std::nullopt;
        } catch (VaultError const& error) {
            EXPECT_NE(std::string(error.what()), "");
            return error.kind;
        }
    }
    std::optional<Kind> refusal_of_opening() {
        return refusal([&] { (void)open(); });
    }

    crypto::SystemEntropy entropy;
    test::ScratchFolder folder;
    std::filesystem::path home = folder.path();
};

TEST_F(Vaults, what_was_committed_is_there_when_it_is_opened_again) {
    put(*create(), key(1), secret_text);
    auto const vault = open();
    EXPECT_EQ(get(*vault, key(1)), secret_text);
    EXPECT_FALSE(get(*vault, key(2)));
    auto transaction = vault->begin();
    transaction->erase(Table::messages, key(1));
    transaction->commit();
    transaction.reset();
    EXPECT_FALSE(get(*open(), key(1)));
}

TEST_F(Vaults, a_transaction_without_commit_never_happened) {
    auto const vault = create();
    vault->begin()->put(Table::messages, key(1), bytes::view("gone"));
    EXPECT_FALSE(get(*vault, key(1)));
    EXPECT_FALSE(refusal_of_opening());
}

TEST_F(Vaults, a_scan_gives_the_rows_of_its_prefix_in_order) {
    auto const vault = create();
    for (auto const* rest : {"b", "a", "c"}) put(*vault, key(1, rest), rest);
    put(*vault, key(2, "a"), "of another conversation");
    auto const rows = vault->begin()->scan(Table::messages, key(1));
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].key, key(1, "a"));
    EXPECT_EQ(bytes::text(rows[2].value), "c");
    EXPECT_EQ(vault->begin()->scan(Table::messages, {}).size(), 4u);
    EXPECT_TRUE(vault->begin()->scan(Table::groups, {}).empty());
}

TEST_F(Vaults, a_stolen_copy_shows_no_text_name_key_or_id) {
    auto const vault = create();
    auto const id = entropy.bytes(16);
    {
        auto transaction = vault->begin();
        transaction->put(Table::conversations, id, bytes::view(secret_name));
        transaction->put(Table::messages, key(1), bytes::view(secret_text));
        transaction->put(Table::home, bytes::view("account"), Bytes(32, 0x77));
        transaction->commit();
    }
    std::string stolen;
    for (auto const& file : std::filesystem::directory_iterator(home))
        stolen += std::string(std::istreambuf_iterator<char>(std::ifstream(file.path(), std::ios::binary).rdbuf()), {});
    ASSERT_GT(stolen.size(), 4096u);
    auto const shows = [&](std::string_view what) { return stolen.find(what) != std::string::npos; };
    EXPECT_TRUE(shows("record"));  // the search finds what is there
    EXPECT_FALSE(shows(secret_text));
    EXPECT_FALSE(shows(secret_name));
    EXPECT_FALSE(shows("account"));
    EXPECT_FALSE(shows(bytes::text(id)));
    EXPECT_FALSE(shows(bytes::to_hex(id)));
    EXPECT_FALSE(shows(bytes::text(key(1))));
    EXPECT_FALSE(shows(std::string(8, 0x77)));
    EXPECT_FALSE(shows(std::string(8, 1)));  // the key that opens it
}

TEST_F(Vaults, only_its_owner_may_read_the_files) {
    auto const vault = create();
    put(*vault, key(1), "x");
    for (auto const& file : std::filesystem::directory_iterator(home)) {
        struct stat status {};
        ASSERT_EQ(stat(file.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 077, 0u) << file.path();
    }
    struct stat status {};
    ASSERT_EQ(stat(home.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(Vaults, one_value_is_never_sealed_to_the_same_bytes_twice) {
    auto const vault = create();
    put(*vault, key(1), "same");
    auto const first = raw();
    put(*vault, key(1), "same");
    auto const second = raw();
    ASSERT_EQ(first.size(), 2u);  // the head and the row
    ASSERT_EQ(second.size(), 2u);
    EXPECT_EQ(first[1].slot, second[1].slot);
    EXPECT_NE(first[1].sealed, second[1].sealed);
}

// ---- A hand on the file --------------------------------------------------------------------------------------------

// A chat with much to send comes back for the vault at once, again and again. A `send` beside it got in about once in
// thousands of its turns.
TEST_F(Vaults, whoever_waits_gets_in_before_one_that_comes_back_at_once) {
    constexpr int turns_most = 3000;
    create();
    auto const vault = open();
    auto const busy = open();
    std::atomic<int> turns{0};
    std::atomic<bool> enough{false};
    std::thread greedy([&] {
        while (!enough && turns < turns_most) {
            auto const transaction = busy->begin();
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
            ++turns;
        }
        turns = turns_most;  // the other one was too late
    });
    while (turns == 0) std::this_thread::yield();
    int longest = 0;
    for (int i = 0; i < 20; ++i) {
        int const before = turns;
        vault->begin();
        longest = std::max(longest, turns - before);
    }
    enough = true;
    greedy.join();
    EXPECT_LT(longest, 50);
}

struct TouchedVaults : Vaults {
    TouchedVaults() {
        auto const vault = create();
        put(*vault, key(1, "first"), "1");
        put(*vault, key(1, "second"), "2");
        put(*vault, key(2, "other"), "3");
        rows = raw();
    }
    /// Opening refuses, or else reading everything does.
    bool is_noticed(RawRows const& changed) {
        write_raw(changed);
        return refusal([&] {
                   auto const vault = open();
                   auto const seen = vault->begin()->scan(Table::messages, {});
                   auto const of_first = vault->begin()->scan(Table::messages, key(1));
                   EXPECT_EQ(seen.size(), 3u) << "rows vanished in silence";
                   EXPECT_EQ(of_first.size(), 2u) << "rows vanished in silence";
               }) == Kind::damaged;
    }
    RawRows rows;
};

TEST_F(TouchedVaults, one_that_was_written_back_as_it_was_opens) {
    write_raw(rows);
    EXPECT_FALSE(refusal_of_opening());
    EXPECT_EQ(get(*open(), key(2, "other")), "3");
}

TEST_F(TouchedVaults, a_flipped_bit_anywhere_in_a_row_is_noticed) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t at = 0; at < rows[i].sealed.size(); at += 7) {
            auto changed = rows;
            changed[i].sealed[at] ^= 1;
            EXPECT_TRUE(is_noticed(changed)) << "row " << i << ", byte " << at;
        }
        auto moved = rows, regrouped = rows, older = rows;
        moved[i].slot[5] ^= 1;
        EXPECT_TRUE(is_noticed(moved)) << "row " << i;
        older[i].version -= 1;
        EXPECT_TRUE(is_noticed(older)) << "row " << i;
        if (rows[i].table == 0) continue;  // the head is found by its place alone
        regrouped[i].group[5] ^= 1;
        EXPECT_TRUE(is_noticed(regrouped)) << "row " << i;
    }
}

TEST_F(TouchedVaults, swapped_rows_are_noticed) {
    auto changed = rows;
    std::vector<RawRow*> of_messages;
    for (auto& one : changed)
        if (one.table != 0) of_messages.push_back(&one);
    std::swap(of_messages[0]->sealed, of_messages[1]->sealed);
    EXPECT_TRUE(is_noticed(changed));
    std::swap(of_messages[0]->version, of_messages[1]->version);
    EXPECT_TRUE(is_noticed(changed));
    std::swap(of_messages[0]->slot, of_messages[1]->slot);  // now each is whole, at its place: as they were
    EXPECT_FALSE(refusal([&] { write_raw(changed), (void)open(); }));
    for (auto* one : of_messages) one->table = static_cast<int>(Table::outgoing);
    EXPECT_TRUE(is_noticed(changed));
}

TEST_F(TouchedVaults, a_missing_row_is_noticed) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto changed = rows;
        changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_TRUE(is_noticed(changed)) << "row " << i;
    }
}

TEST_F(TouchedVaults, an_older_row_in_the_place_of_a_newer_one_is_noticed) {
    put(*open(), key(2, "other"), "3, said otherwise");
    auto changed = raw();
    for (auto& newer : changed)
        for (auto const& older : rows)
            if (newer.table != 0 && newer.slot == older.slot) newer = older;
    EXPECT_TRUE(is_noticed(changed));
}

TEST_F(TouchedVaults, an_older_head_is_noticed) {
    put(*open(), key(3), "4");
    auto changed = raw();
    for (auto& newer : changed)
        for (auto const& older : rows)
            if (newer.table == 0 && older.table == 0) newer = older;
    EXPECT_TRUE(is_noticed(changed));
}

TEST_F(TouchedVaults, a_file_that_is_no_database_is_named_as_damaged) {
    std::ofstream(home / "vault.db", std::ios::binary) << std::string(8192, 'x');
    EXPECT_EQ(refusal_of_opening(), Kind::damaged);
}

TEST_F(TouchedVaults, one_of_a_newer_version_is_refused_and_left_alone) {
    Database(home).run("PRAGMA user_version = 4");
    EXPECT_EQ(refusal_of_opening(), Kind::newer);
    Database(home).run("PRAGMA user_version = 2");
    EXPECT_EQ(refusal_of_opening(), Kind::older);
    Database(home).run("PRAGMA user_version = 3");
    EXPECT_EQ(get(*open(), key(2, "other")), "3");
}

TEST_F(TouchedVaults, a_row_moved_to_a_table_that_is_none_is_noticed) {
    for (std::int64_t const by : {std::int64_t{256}, std::int64_t{-256}, std::int64_t{1} << 32}) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (rows[i].table == 0) continue;
            write_raw(rows);
            Database(home).run("UPDATE record SET tbl = tbl + " + std::to_string(by) + " WHERE slot = x'" +
                               bytes::to_hex(rows[i].slot) + "'");
            EXPECT_EQ(refusal_of_opening(), Kind::damaged) << "row " << i << " by " << by;
        }
    }
    write_raw(rows);
    Database(home).run("INSERT INTO record SELECT 0, randomblob(32), grp, version, sealed FROM record WHERE tbl > 0");
    EXPECT_EQ(refusal_of_opening(), Kind::damaged);
}

TEST_F(TouchedVaults, anything_added_to_its_schema_is_noticed) {
    for (auto const* object :
         {"CREATE INDEX other ON record (tbl, grp, version)", "CREATE TABLE more (a)", "CREATE VIEW seen AS SELECT 1",
          "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record WHERE tbl = 15; END", "ANALYZE"}) {
        std::filesystem::remove(home / "vault.db");
        put(*create(), key(1, "first"), "1");
        EXPECT_FALSE(refusal_of_opening());
        Database(home).run(object);
        EXPECT_EQ(refusal_of_opening(), Kind::damaged) << object;
    }
    std::filesystem::remove(home / "vault.db");
    create();
    Database(home).run("DROP INDEX record_group");
    EXPECT_EQ(refusal_of_opening(), Kind::damaged);
}

TEST_F(TouchedVaults, an_index_that_hides_rows_is_noticed) {
    Database(home).run(
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX record_group ON record (tbl, grp) WHERE tbl < 0'"
        " WHERE name = 'record_group'");
    Database(home).run("REINDEX record_group");  // no row is in it
    Database(home).run(
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX record_group ON record (tbl, grp)'"
        " WHERE name = 'record_group'");
    EXPECT_TRUE(refusal([&] {
                    auto const vault = open();
                    EXPECT_EQ(vault->begin()->scan(Table::messages, key(1)).size(), 2u) << "rows vanished in silence";
                }) == Kind::damaged);
}

// ---- What opens it -------------------------------------------------------------------------------------------------

TEST_F(Vaults, another_key_does_not_open_it) {
    put(*create(), key(1), secret_text);
    EXPECT_EQ(SealedVault::wants(home), VaultSecret::Kind::key_file);
    EXPECT_EQ(refusal([&] { (void)SealedVault::open(home, key_secret(2), entropy); }), Kind::wrong_key);
    EXPECT_EQ(refusal([&] { (void)SealedVault::open(home, passphrase(std::string(32, '\1')), entropy); }),
              Kind::wrong_key);
}

TEST_F(Vaults, another_passphrase_does_not_open_it) {
    put(*SealedVault::create(home, passphrase("correct horse"), entropy), key(1), secret_text);
    EXPECT_EQ(SealedVault::wants(home), VaultSecret::Kind::passphrase);
    EXPECT_EQ(refusal([&] { (void)SealedVault::open(home, passphrase("Correct horse"), entropy); }), Kind::wrong_key);
    EXPECT_EQ(get(*SealedVault::open(home, passphrase("correct horse"), entropy), key(1)), secret_text);
}

TEST_F(Vaults, a_folder_without_one_says_so) {
    EXPECT_FALSE(SealedVault::exists(home));
    EXPECT_EQ(refusal_of_opening(), Kind::missing);
    EXPECT_EQ(refusal([&] { (void)SealedVault::wants(home); }), Kind::missing);
    EXPECT_FALSE(SealedVault::exists(home));  // looking made none
}

TEST_F(Vaults, a_key_file_is_made_once_and_read_back) {
    auto const made = make_key_file(home, entropy);
    EXPECT_TRUE(bytes::equal(read_key_file(home).bytes.expose(), made.bytes.expose()));
    EXPECT_EQ(refusal([&] { (void)make_key_file(home, entropy); }), Kind::disk);  // never written over
    EXPECT_TRUE(bytes::equal(read_key_file(home).bytes.expose(), made.bytes.expose()));
}

TEST_F(Vaults, a_key_file_that_others_can_read_is_refused) {
    EXPECT_EQ(refusal([&] { (void)read_key_file(home); }), Kind::wrong_key);
    (void)make_key_file(home, entropy);
    chmod((home / "key").c_str(), 0640);
    EXPECT_EQ(refusal([&] { (void)read_key_file(home); }), Kind::wrong_key);
    chmod((home / "key").c_str(), 0600);
    std::ofstream(home / "key") << "0011\n";
    EXPECT_EQ(refusal([&] { (void)read_key_file(home); }), Kind::wrong_key);
}

TEST_F(Vaults, a_home_whose_making_was_interrupted_is_made_again) {
    for (auto const* left : {"nothing", "no tables", "half of a newer making"}) {
        std::filesystem::remove(home / "vault.db");
        if (left == std::string_view("no tables")) {
            Database(home).run("PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE gone (a); DROP TABLE gone");
        } else if (left == std::string_view("nothing")) {
            std::ofstream(home / "vault.db");
        } else {
            std::ofstream(home / "vault.db.new", std::ios::binary) << std::string(8192, 'x');
            std::ofstream(home / "vault.db.new-journal", std::ios::binary) << std::string(512, 'x');
        }
        EXPECT_FALSE(SealedVault::exists(home)) << left;
        EXPECT_EQ(refusal_of_opening(), Kind::missing) << left;
        ASSERT_FALSE(refusal([&] { put(*create(), key(1), "there"); })) << left;
        EXPECT_EQ(get(*open(), key(1)), "there") << left;
        EXPECT_FALSE(std::filesystem::exists(home / "vault.db.new"));
    }
}

TEST_F(Vaults, a_home_that_is_there_is_never_made_over) {
    put(*create(), key(1), "there");
    EXPECT_EQ(refusal([&] { create(); }), Kind::busy);
    EXPECT_EQ(get(*open(), key(1)), "there");
}

// ---- Several processes, and their deaths ---------------------------------------------------------------------------

/// Runs in a child, without GoogleTest: its exit code is the answer.
template <class Do>
pid_t child(Do work) {
    auto const pid = fork();
    if (pid != 0) return pid;
    try {
        work();
    } catch (...) {
        _exit(1);
    }
    _exit(0);
}
int outcome(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

TEST_F(Vaults, two_processes_lose_none_of_their_changes) {
    create();
    auto const count = [&] {
        auto const vault = open();
        for (int i = 0; i < 20; ++i) {
            auto transaction = vault->begin();
            auto const now = transaction->get(Table::home, bytes::view("number")).value_or(Bytes{0});
            transaction->put(Table::home, bytes::view("number"), Bytes{static_cast<std::uint8_t>(now[0] + 1)});
            transaction->commit();
        }
    };
    auto const one = child(count), other = child(count);
    EXPECT_EQ(outcome(one), 0);
    EXPECT_EQ(outcome(other), 0);
    EXPECT_EQ(open()->begin()->get(Table::home, bytes::view("number")), Bytes{40});
}

TEST_F(Vaults, a_process_killed_before_its_commit_changed_nothing) {
    put(*create(), key(1), "before");
    auto const died = child([&] {
        auto const vault = open();
        auto transaction = vault->begin();
        transaction->put(Table::messages, key(1), bytes::view("after"));
        transaction->put(Table::messages, key(2), bytes::view("more"));
        kill(getpid(), SIGKILL);
    });
    EXPECT_TRUE(WIFSIGNALED(outcome(died)));
    auto const vault = open();  // and its lock is gone with it
    EXPECT_EQ(get(*vault, key(1)), "before");
    EXPECT_FALSE(get(*vault, key(2)));
}

TEST_F(Vaults, a_process_killed_while_it_makes_the_home_leaves_none_or_a_whole_one) {
    for (int round = 0; round < 30; ++round) {
        std::filesystem::remove(home / "vault.db");
        auto const maker = child([&] { (void)SealedVault::create(home, key_secret(), entropy); });
        std::this_thread::sleep_for(std::chrono::microseconds(400 * round));
        kill(maker, SIGKILL);
        (void)outcome(maker);
        if (!SealedVault::exists(home)) create();
        EXPECT_FALSE(refusal_of_opening()) << round;
    }
}

TEST_F(Vaults, a_process_killed_at_any_moment_leaves_whole_transactions) {
    create();
    for (int round = 0; round < 12; ++round) {
        auto const writer = child([&] {
            auto const vault = open();
            for (int i = 0;; ++i) {
                auto transaction = vault->begin();
                auto const value = bytes::copy(bytes::view(std::to_string(round) + "." + std::to_string(i)));
                transaction->put(Table::messages, key(1), value);
                transaction->put(Table::groups, key(1), value);
                transaction->commit();
            }
        });
        std::this_thread::sleep_for(std::chrono::milliseconds{20 + 7 * round});
        kill(writer, SIGKILL);
        EXPECT_TRUE(WIFSIGNALED(outcome(writer)));
        ASSERT_FALSE(refusal_of_opening()) << "round " << round;
        auto const vault = open();
        auto const transaction = vault->begin();
        EXPECT_EQ(transaction->get(Table::messages, key(1)), transaction->get(Table::groups, key(1)));
    }
}

}  // namespace
}  // namespace interlude::vault
