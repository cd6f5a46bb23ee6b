// What is true of the rows of every store that is whole, whatever happened to its disk before.
#pragma once

#include "server/store/sqlite/database.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {

/// Rows that contradict each other; each query finds none in a store that is whole.
inline std::vector<char const*> const contradictions{
    // The log: numbered without a gap, each chain as long as its head says.
    "SELECT 1 FROM (SELECT count(*) AS n, coalesce(max(idx) + 1, 0) AS size FROM entries) WHERE n <> size",
    "SELECT 1 FROM subjects WHERE counter <> (SELECT count(*) FROM entries WHERE entries.subject = subjects.id)",
    "SELECT 1 FROM entries WHERE counter > (SELECT counter FROM subjects WHERE subjects.id = entries.subject)",
    "SELECT 1 FROM store WHERE log_size > (SELECT count(*) FROM entries)",
    // Every accepted submission has its answer, its seq and, when held, its entry.
    "SELECT 1 FROM envelopes WHERE NOT EXISTS (SELECT 1 FROM requests WHERE requests.conversation ="
    " envelopes.conversation AND requests.seq = envelopes.seq AND requests.envelope = envelopes.hash)",
    "SELECT 1 FROM requests WHERE (entry IS NULL) <> (length(holds) = 0)",
    "SELECT 1 FROM requests WHERE entry IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entries WHERE idx = requests.entry "
    "AND type = 7)",
    "SELECT 1 FROM entries WHERE type = 7 AND NOT EXISTS (SELECT 1 FROM requests WHERE entry = idx)",
    "SELECT 1 FROM conversations WHERE next_seq <> 1 + (SELECT count(*) FROM requests WHERE"
    " requests.conversation = conversations.conversation)",
    "SELECT 1 FROM places WHERE last_own_seq <> coalesce((SELECT max(seq) FROM requests WHERE"
    " requests.account = places.account AND requests.device = places.device), 0)",
    // What is counted as it comes and goes.
    "SELECT 1 FROM accounts WHERE undelivered_messages <> (SELECT count(*) FROM envelopes JOIN members USING"
    " (conversation) WHERE members.account = accounts.account AND envelopes.account <> accounts.account)",
    "SELECT 1 FROM accounts WHERE undelivered_bytes <> (SELECT coalesce(sum(size), 0) FROM envelopes JOIN members USING"
    " (conversation) WHERE members.account = accounts.account AND envelopes.account <> accounts.account)",
    "SELECT 1 FROM members WHERE kept_messages <> (SELECT count(*) FROM envelopes WHERE envelopes.conversation ="
    " members.conversation AND envelopes.account = members.account)",
    // One entry per commit and document.
    "SELECT 1 FROM conversations WHERE epoch <> (SELECT count(*) FROM entries WHERE type = 13)",
    "SELECT 1 WHERE (SELECT count(*) FROM schedules) <> (SELECT count(*) FROM entries WHERE type = 1)",
    "SELECT 1 WHERE (SELECT count(*) FROM fates) <> (SELECT count(*) FROM entries WHERE type = 10)",
};

/// The store is closed.
inline void expect_no_contradiction(StoreOnVfs& on) {
    store_sqlite::Database database(on.file.string(), SQLITE_OPEN_READWRITE, on.checked.name());
    database.execute("PRAGMA locking_mode = EXCLUSIVE");
    ASSERT_EQ(database.value<std::string>("PRAGMA integrity_check"), "ok");
    for (auto const* contradiction : contradictions) EXPECT_FALSE(database.exists(contradiction)) << contradiction;
}

}  // namespace interlude::test
