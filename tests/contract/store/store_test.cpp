// The store itself: its identity, its time, leases, counts, and that an answer outlives the process.
#include <boost/asio/detached.hpp>

#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class TheStore : public World {};
INTERLUDE_BOTH_STORES(TheStore);

TEST_P(TheStore, keeps_its_instance_when_opened_again) {
    auto const before = run(store->open_info());
    EXPECT_FALSE(before.instance.is_zero());
    EXPECT_EQ(before.restore_count, 0u);
    EXPECT_GT(before.schema, 0u);
    open();
    EXPECT_EQ(run(store->open_info()).instance, before.instance);
}

TEST_P(TheStore, marked_time_never_goes_back) {
    EXPECT_EQ(run(store->open_info()).high_water, WallTime{});
    run(store->mark_time(noon));
    run(store->mark_time(noon - 1ms));
    EXPECT_EQ(run(store->open_info()).high_water, noon);
    run(store->mark_time(noon + 1ms));
    open();
    EXPECT_EQ(run(store->open_info()).high_water, noon + 1ms);
}

TEST_P(TheStore, a_lease_has_one_holder_until_its_term_ends) {
    EXPECT_TRUE(run(store->acquire_lease("ticker", "one", 1min)));
    EXPECT_FALSE(run(store->acquire_lease("ticker", "another", 1min)));
    now = noon + 1min - 1ms;
    EXPECT_FALSE(run(store->acquire_lease("ticker", "another", 1min)));
    now = noon + 1min;
    EXPECT_TRUE(run(store->acquire_lease("ticker", "another", 1min)));
    EXPECT_FALSE(run(store->acquire_lease("ticker", "one", 1min)));
}

TEST_P(TheStore, a_lease_that_is_renewed_goes_on_from_then) {
    EXPECT_TRUE(run(store->acquire_lease("ticker", "one", 1min)));
    now = noon + 30s;
    EXPECT_TRUE(run(store->acquire_lease("ticker", "one", 1min)));
    now = noon + 90s - 1ms;
    EXPECT_FALSE(run(store->acquire_lease("ticker", "another", 1min)));
    now = noon + 90s;
    EXPECT_TRUE(run(store->acquire_lease("ticker", "another", 1min)));
}

TEST_P(TheStore, leases_of_other_names_are_apart) {
    EXPECT_TRUE(run(store->acquire_lease("ticker", "one", 1min)));
    EXPECT_TRUE(run(store->acquire_lease("janitor", "another", 1min)));
}

TEST_P(TheStore, counts_what_there_is) {
    auto counts = run(store->counts());
    EXPECT_EQ(counts.accounts + counts.conversations + counts.envelopes + counts.entries + counts.sequenced, 0u);
    meet();
    counts = run(store->counts());
    EXPECT_EQ(counts.accounts, 2u);
    EXPECT_EQ(counts.conversations, 1u);
    EXPECT_EQ(counts.envelopes, 0u);
    EXPECT_EQ(counts.entries, 4u);  // the operator's invitation, two lists, the founding
    send(client, 1);
    EXPECT_EQ(envelopes(), 1u);
}

TEST_P(TheStore, what_was_answered_is_there_when_it_is_opened_again) {
    meet_with_hours(13, 14);
    auto const held = run(store->accept(message(client, 1, noon)));
    auto const before = run(store->snapshot(client.device()));
    auto const head = run(store->log_head());
    open();
    auto const again = run(store->accept(message(client, 1, noon)));
    auto const* bound = std::get_if<core::BoundAnswer>(&again.verdict);
    ASSERT_TRUE(bound);
    EXPECT_EQ(bound->seq, accepted(held).seq);
    EXPECT_EQ(bound->holds, accepted(held).holds);
    EXPECT_EQ(again.entry, held.entry);
    auto const after = run(store->snapshot(client.device()));
    EXPECT_EQ(after.conversations, before.conversations);
    EXPECT_EQ(after.subjects, before.subjects);
    EXPECT_EQ(run(store->log_head()).entries, head.entries);
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1));
}

TEST_P(TheStore, many_submissions_in_flight_get_a_place_each) {
    meet();
    std::vector<std::uint64_t> seqs;
    auto const note = [&](std::exception_ptr error, ports::AcceptOutcome outcome) {
        EXPECT_FALSE(error);
        seqs.push_back(accepted(outcome).seq);
    };
    for (std::uint64_t number = 1; number <= 40; ++number) {
        auto submission = message(number % 2 ? client : therapist, number, noon);
        boost::asio::co_spawn(io, store->accept(std::move(submission)), note);
    }
    io.restart();
    io.run();
    std::sort(seqs.begin(), seqs.end());
    ASSERT_EQ(seqs.size(), 40u);
    for (std::uint64_t i = 0; i < 40; ++i) EXPECT_EQ(seqs[i], i + 1);
    EXPECT_EQ(announced().size(), 40u);
}

TEST_P(TheStore, of_one_message_sent_many_times_at_once_one_is_accepted) {
    meet();
    int accepted_ones = 0, bound = 0;
    auto const note = [&](std::exception_ptr error, ports::AcceptOutcome outcome) {
        EXPECT_FALSE(error);
        accepted_ones += std::holds_alternative<core::Acceptance>(outcome.verdict);
        bound += std::holds_alternative<core::BoundAnswer>(outcome.verdict);
    };
    auto const submission = message(client, 1, noon);
    for (int i = 0; i < 20; ++i) boost::asio::co_spawn(io, store->accept(submission), note);
    io.restart();
    io.run();
    EXPECT_EQ(accepted_ones, 1);
    EXPECT_EQ(bound, 19);
    EXPECT_EQ(envelopes(), 1u);
}

TEST_P(TheStore, readings_announce_nothing) {
    meet_with_hours(13, 14);
    send(client, 1);
    announced();
    run(store->snapshot(client.device()));
    run(store->login_facts(client.device()));
    offer(therapist.device());
    run(store->calendars());
    run(store->log_entries(client.device(), subject(), 1, 10));
    run(store->mark_time(noon));
    run(store->acquire_lease("ticker", "one", 1min));
    EXPECT_THAT(announced(), IsEmpty());
}

TEST_P(TheStore, a_snapshot_shows_a_device_its_conversations_and_whose_chains_it_may_read) {
    meet();
    auto const snapshot = run(store->snapshot(therapist.device()));
    ASSERT_THAT(snapshot.conversations, SizeIs(1));
    auto const& state = snapshot.conversations.front();
    EXPECT_EQ(state.conversation, pair.conversation);
    EXPECT_EQ(state.epoch, 1u);
    EXPECT_EQ(state.last_own_seq, 0u);
    EXPECT_FALSE(state.closed);
    ASSERT_THAT(state.members, SizeIs(2));
    for (auto const& member : state.members) {
        bool const hers = member.account == therapist.account();
        EXPECT_EQ(member.side, hers ? Side::therapist : Side::client);
        EXPECT_THAT(member.devices, ElementsAre((hers ? therapist : client).device().device));
    }
    std::set<SubjectId> subjects;
    for (auto const& one : snapshot.subjects) {
        subjects.insert(one.subject);
        EXPECT_THAT(one.key, SizeIs(32));
        EXPECT_EQ(one.counter, 1u);
    }
    EXPECT_EQ(subjects,
              (std::set{subject(), audit::subject_of(therapist.account()), audit::subject_of(client.account())}));
}

TEST_P(TheStore, a_snapshot_of_a_stranger_is_empty) {
    meet();
    Person const stranger(Side::client, pair.entropy, noon);
    auto const snapshot = run(store->snapshot(stranger.device()));
    EXPECT_THAT(snapshot.conversations, IsEmpty());
    EXPECT_THAT(snapshot.subjects, IsEmpty());
    EXPECT_THAT(run(store->snapshot(therapist.device(1))).conversations, IsEmpty());
}

}  // namespace
}  // namespace interlude::test
