// bench-fill: envelopes that wait in a store by the million, written as rows while no server has it open. Each is what
// the server would have written for a held message of a client, but for the log: entries and tiles are left out, and
// request ids, as if all were confirmed.
#include <chrono>
#include <iostream>

#include "server/store/sqlite/checked_vfs.hpp"
#include "server/store/sqlite/database.hpp"

namespace interlude::bench {
namespace {

using base::AccountId;
using base::ConversationId;
using base::DeviceId;
using store_sqlite::Database;

constexpr std::int64_t hold_life_ms = 35ll * 86'400'000;
constexpr std::uint64_t rows_at_once = 100'000;
constexpr std::uint64_t said_every = 1'000'000;

Database open_store(std::string const& file) {
    static store_sqlite::CheckedVfs const vfs({});
    Database database(file, SQLITE_OPEN_READWRITE, vfs.name());
    database.execute("PRAGMA locking_mode = EXCLUSIVE");
    database.execute("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20000");
    database.execute("PRAGMA cache_size = -500000; PRAGMA cache_spill = OFF");
    return database;
}

/// Where a client's messages wait: the therapist has published no hours.
struct Place {
    ConversationId conversation;
    AccountId account;  // the client's
    DeviceId device;
    std::uint64_t next_seq = 0;
};

std::vector<Place> closed_places(Database& database) {
    std::vector<Place> places;
    auto rows = database.query(
        "SELECT places.conversation, places.account, places.device, next_seq FROM places"
        " JOIN accounts ON accounts.account = places.account AND side = ?"
        " JOIN conversations ON conversations.conversation = places.conversation"
        " WHERE NOT EXISTS (SELECT 1 FROM members JOIN schedules ON schedules.account = members.account"
        "                   WHERE members.conversation = places.conversation)",
        base::Side::client);
    while (rows.next()) {
        auto [conversation, account, device, next_seq] = rows.as<ConversationId, AccountId, DeviceId, std::uint64_t>();
        places.push_back({conversation, account, device, next_seq});
    }
    return places;
}

/// `count` more at one place, accepted one a millisecond from `from` on, and what the server counts of them.
void fill(Database& database, Place& place, std::uint64_t count, std::uint64_t size, std::int64_t from) {
    auto const& [conversation, account, device, first] = place;
    database.run(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)"
        " INSERT INTO envelopes (conversation, seq, generation, epoch, account, device, stamp, hash, size, straggler,"
        " look_at, mls) SELECT ?2, ?3 + i, 1, 1, ?4, ?5, ?6 + i, randomblob(32), ?7, 0, ?6 + i + ?8, randomblob(?7) "
        "FROM n",
        count, conversation, first, account, device, from, size, hold_life_ms);
    database.run("UPDATE conversations SET next_seq = ? WHERE conversation = ?", first + count, conversation);
    database.run(
        "UPDATE places SET last_own_seq = ?, sent_since_commit = sent_since_commit + ?"
        " WHERE conversation = ? AND account = ? AND device = ?",
        first + count - 1, count, conversation, account, device);
    database.run(
        "UPDATE members SET kept_messages = kept_messages + ?, kept_bytes = kept_bytes + ?"
        " WHERE conversation = ? AND account = ?",
        count, count * size, conversation, account);
    database.run(
        "UPDATE accounts SET undelivered_messages = undelivered_messages + ?, undelivered_bytes = undelivered_bytes + ?"
        " WHERE account IN (SELECT account FROM members WHERE conversation = ? AND account != ?)",
        count, count * size, conversation, account);
    place.next_seq += count;
}

std::int64_t now_ms() {
    using std::chrono::duration_cast;
    return duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int run(std::string const& file, std::uint64_t envelopes, std::uint64_t size) {
    auto database = open_store(file);
    auto places = closed_places(database);
    if (places.empty()) throw std::runtime_error("no conversation without hours is there to wait in");
    auto const until = now_ms() - 60'000;
    std::uint64_t done = 0;
    for (std::size_t at = 0; at < places.size(); ++at) {
        auto left = envelopes / places.size() + (at < envelopes % places.size());
        while (left > 0) {
            auto const count = std::min(left, rows_at_once);
            database.execute("BEGIN");
            fill(database, places[at], count, size, until - static_cast<std::int64_t>(left));
            database.execute("COMMIT");
            left -= count;
            done += count;
            if (done % said_every < count) std::cerr << "   " << done << " envelopes\n";
        }
    }
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    return 0;
}

}  // namespace
}  // namespace interlude::bench

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "Usage: bench-fill STORE ENVELOPES BYTES\n";
        return 2;
    }
    try {
        return interlude::bench::run(argv[1], std::stoull(argv[2]), std::stoull(argv[3]));
    } catch (std::exception const& error) {
        std::cerr << "bench-fill: " << error.what() << '\n';
        return 1;
    }
}
