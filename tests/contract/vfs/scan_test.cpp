// The cost of a verb stays flat as the store grows: no statement reads through a table, or makes an
// index to avoid that.
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

/// SQL of each statement that stepped through a table without an index, and how far at most; filled on store threads.
std::map<std::string, int> scans;
std::mutex scans_mutex;
std::atomic<int> statements_run{0};

int note_scan(unsigned, void*, void* statement, void*) {
    auto* const run = static_cast<sqlite3_stmt*>(statement);
    ++statements_run;
    auto const steps = sqlite3_stmt_status(run, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1) +
                       sqlite3_stmt_status(run, SQLITE_STMTSTATUS_AUTOINDEX, 1);
    if (steps == 0) return 0;
    std::lock_guard const lock(scans_mutex);
    auto& most = scans[sqlite3_sql(run)];
    most = std::max(most, steps);
    return 0;
}
/// Run by SQLite for each connection that is opened.
int watch(sqlite3* database, char const**, void const*) {
    return sqlite3_trace_v2(database, SQLITE_TRACE_PROFILE, note_scan, nullptr);
}

TEST(Scans, no_verb_reads_through_a_table) {
    using EntryPoint = void (*)();
    auto const entry_point = reinterpret_cast<EntryPoint>(watch);
    sqlite3_auto_extension(entry_point);
    {
        StoreOnVfs on{"scans"};
        on.open();
        std::vector<std::unique_ptr<Pair>> pairs;
        for (std::uint64_t i = 0; i < 12; ++i) {
            pairs.push_back(std::make_unique<Pair>(100 + i, noon));
            auto& pair = *pairs.back();
            pair.meet(on.io, *on.store, true);
            on.run(on.store->put_calendar(pair.hours(10, 14, noon)));
            for (std::uint64_t number = 1; number <= 12; ++number)
                accepted(
                    on.run(on.store->accept(pair.message(number % 2 ? pair.client : pair.therapist, number, noon))));
        }
        on.now = noon + std::chrono::seconds{1};  // the hours of noon are in force
        {
            std::lock_guard const lock(scans_mutex);
            scans.clear();
            statements_run = 0;
        }
        auto& pair = *pairs.at(5);
        auto const therapist = pair.therapist.device();
        auto const subject = audit::subject_of(pair.conversation);
        auto const seed = [&] { return pair.entropy.id<core::Seed>(); };
        accepted(on.run(on.store->accept(pair.message(pair.client, 100, noon))));
        on.run(on.store->accept(pair.message(pair.client, 100, noon)));
        ports::OfferRequest request;
        request.device = therapist;
        request.conversation = pair.conversation;
        EXPECT_GT(on.run(on.store->offer_from(request)).items.size(), 6u);
        wait(on.io, on.store->ack(therapist, pair.conversation, {1, 3, 9}));
        wait(on.io, on.store->ack_handshake(therapist, pair.conversation, 1, 1));
        on.run(on.store->accept_commit(pair.healing(1, noon)));
        on.run(on.store->recall(pair.client.device(), pair.conversation, 5, seed()));
        wait(on.io, on.store->confirm(therapist, {pair.entropy.id<base::RequestId>()}));
        on.run(on.store->snapshot(therapist));
        on.run(on.store->login_facts(therapist));
        on.run(on.store->device_lists_after(therapist, pair.client.account(), {}));
        on.run(on.store->fetch_key_packages(therapist, pair.therapist.account()));
        on.run(on.store->put_key_packages(therapist, {}));
        on.run(on.store->list_invitations(therapist));
        on.run(on.store->put_device_list(therapist, pair.therapist.next_list({0}, noon), seed()));
        on.run(on.store->log_entries(therapist, subject, 1, 10));
        wait(on.io, on.store->ack_log(therapist, subject, 1));
        wait(on.io, on.store->ack_log(pair.client.device(), subject, 1));
        on.run(on.store->note_windows(therapist.account, seed()));
        on.run(on.store->log_head());
        on.run(on.store->entries_from(20, 5));
        on.run(on.store->tiles({{0, 0, 1}}));
        wait(on.io, on.store->mark_time(noon));
        on.run(on.store->expire(100, seed()));
        on.run(on.store->purge(100, seed()));
    }
    sqlite3_cancel_auto_extension(entry_point);
    EXPECT_GT(statements_run, 200);
    for (auto const& [sql, steps] : scans) EXPECT_LE(steps, 1) << sql;  // the one row of `store`
}

}  // namespace
}  // namespace interlude::test
