// `audit verify`: agrees with an honest server, and names what a dishonest one did.
#include <gmock/gmock.h>

#include "tests/unit/engine/world.hpp"

namespace interlude::tests {
namespace {

using testing::IsEmpty;

class Audit : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }

    /// One held message each way, an open one, and the next morning.
    void talk() {
        world.send(world.client, "in the open window");
        world.sync_both();
        world.at_hour(22);
        world.send(world.client, "at night");
        world.sync(world.client);
        world.now += 1h;
        world.send(world.therapist, "at night too");
        world.sync(world.therapist);
        world.at_hour(9);
        world.now += 1h;
        world.sync_both();
        world.now += 5min;
    }
    World world;
};

TEST_F(Audit, honest_server_is_found_honest_by_both) {
    talk();
    for (auto* home : {&world.client, &world.therapist}) {
        auto const report = world.audit(*home);
        EXPECT_THAT(codes(report), IsEmpty());
        EXPECT_TRUE(report.ok());
        EXPECT_EQ(report.tree_size, world.relay.log_size());
        EXPECT_EQ(report.checked.decisions, 2u);
        EXPECT_EQ(report.checked.schedules, 1u);
        EXPECT_GE(report.checked.entries, 5u);
        EXPECT_EQ(report.checked.inclusion, report.checked.entries);
        EXPECT_GE(report.checked.consistency, 1u);
        EXPECT_TRUE(report.checkpoint_at);
    }
}

TEST_F(Audit, entries_that_may_not_be_opened_yet_keep_their_place) {
    world.at_hour(22);
    world.send(world.client, "at night");
    world.sync(world.client);
    auto const hers = world.audit(world.therapist);
    EXPECT_THAT(codes(hers), IsEmpty());
    EXPECT_EQ(hers.checked.decisions, 0u);
    EXPECT_EQ(hers.checked.inclusion, hers.checked.entries + 1);
    auto const his = world.audit(world.client);
    EXPECT_THAT(codes(his), IsEmpty());
    EXPECT_EQ(his.checked.decisions, 1u);
}

TEST_F(Audit, hours_that_changed_twice_are_still_decided_by_the_ones_of_the_time) {
    talk();
    ASSERT_TRUE(world.therapist.engine().hours_open({world.now + 10h, world.now + 11h}, world.now));
    world.sync_both();
    world.now += 8h;
    world.send(world.client, "held until the extra hour");
    world.sync(world.client);
    ASSERT_TRUE(world.therapist.engine().hours_open({world.now + 30h, world.now + 31h}, world.now + 1s));
    world.now += 3h;
    world.sync_both();
    for (auto* home : {&world.client, &world.therapist}) {
        auto const report = world.audit(*home);
        EXPECT_THAT(codes(report), IsEmpty());
        EXPECT_EQ(report.checked.decisions, 3u);
        EXPECT_EQ(report.checked.schedules, 3u);
    }
}

TEST_F(Audit, message_that_came_since_the_log_was_fetched_is_judged_when_it_is_fetched_again) {
    world.relay.forget_to_log = true;  // so that there is something to find
    world.at_hour(22);
    world.send(world.client, "held, and not logged");
    world.sync(world.client);
    world.at_hour(9);
    world.now -= 10s;
    world.audit(world.therapist);  // the log is fetched, the window is closed
    world.now += 20s;
    world.sync(world.therapist);  // another process gets the message
    ASSERT_THAT(world.texts(world.therapist), testing::SizeIs(1));
    EXPECT_FALSE(names(world.therapist.engine().audit_verify(world.now), "missing_entry"));
    EXPECT_TRUE(names(world.audit(world.therapist), "missing_entry"));
}

TEST_F(Audit, a_part_of_the_log_that_was_asked_for_is_not_the_whole) {
    world.at_hour(22);
    for (auto text : {"one", "two", "three"}) {  // each author tells in a message what of the log was seen before
        world.send(world.client, text);
        world.sync(world.client);
        if (text == std::string_view("one")) {
            EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
        }
        world.now += 1min;
    }
    world.at_hour(9);
    world.now += 1min;
    world.sync(world.therapist);  // a head that she does not know is asked about, from there on
    EXPECT_EQ(world.texts(world.therapist).size(), 3u);
    {
        engine::Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        auto const subject = audit::subject_of(world.conversation);
        ASSERT_FALSE(
            turn.rows.scan<wire::LogItem>(engine::Table::log_items, subject.bytes).back().record.payload.empty());
    }
    world.now += 5min;
    EXPECT_THAT(codes(world.therapist.engine().audit_verify(world.now)), IsEmpty());
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
}

TEST_F(Audit, chain_that_is_withheld_when_asked_for_is_named) {
    talk();
    wire::LogEntries other;  // of a chain that nobody asked about
    other.subject.bytes[0] = 1;
    wire::LogEntries stuck;
    stuck.subject = audit::subject_of(world.conversation);
    stuck.head_counter = 2;
    std::vector<wire::ServerBody> const answers{wire::Error{wire::ErrorCode::not_allowed, 0},
                                                wire::Refused{wire::Rule::invalid, {}, {}, 0, {}}, wire::Done{}, other,
                                                stuck};
    for (auto const& answer : answers) {
        World copy = world;
        for (int question = 0; question < 2; ++question) copy.relay.instead_of_log.push_back(answer);
        auto const before = copy.relay.log_questions_received;
        EXPECT_TRUE(names(copy.audit(copy.therapist), "not_shown")) << answer.index();
        EXPECT_LE(copy.relay.log_questions_received - before, 4);
        EXPECT_THAT(codes(copy.audit(copy.therapist)), IsEmpty()) << answer.index();  // it showed it after all
    }
}

TEST_F(Audit, heads_that_others_saw_are_missed_only_if_they_were_asked_for) {
    world.at_hour(22);
    for (int message = 0; message < 8; ++message) {  // each tells of the head before it
        world.send(world.client, "message");
        world.sync(world.client);
        world.now += 1min;
    }
    world.at_hour(9);
    world.now += 1min;
    for (int cut = 0;; ++cut) {
        World copy = world;
        TestLink link(copy.therapist, copy.relay, copy.now);
        link.cut_after(cut);
        link.run(copy.now);
        copy.now += 1s;
        link.run(copy.now);
        bool const whole = link.open();
        copy.now += 25h;
        copy.sync(copy.therapist);
        copy.sync(copy.therapist);
        EXPECT_THAT(copy.therapist.alarm_codes(), IsEmpty()) << cut;
        if (whole || HasFailure()) break;
    }
}

TEST_F(Audit, head_that_was_shown_after_the_chain_is_no_gap) {
    talk();
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
    world.at_hour(20);
    world.send(world.client, "one entry more");
    world.sync(world.client);
    world.sync(world.therapist);  // tells of a newer head
    EXPECT_THAT(codes(world.therapist.engine().audit_verify(world.now)), IsEmpty());
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
}

TEST_F(Audit, log_that_was_not_answered_is_asked_for_again) {
    talk();
    TestLink link(world.therapist, world.relay, world.now);
    link.run(world.now);
    world.relay.log_questions_failing = 2;
    link.fetch_log(world.now);
    link.run(world.now);
    auto const fetched = [&] {
        auto const told = link.told();
        return std::any_of(told.begin(), told.end(),
                           [](auto const& event) { return std::holds_alternative<engine::LogFetched>(event); });
    };
    EXPECT_FALSE(fetched());
    link.run(world.now + 2s);  // not before the server's time for it
    EXPECT_FALSE(fetched());
    link.run(world.now + 6s);
    EXPECT_TRUE(fetched());
    EXPECT_TRUE(link.open());
    EXPECT_THAT(codes(world.therapist.engine().audit_verify(world.now + 6s)), IsEmpty());
}

TEST_F(Audit, changed_byte_of_an_entry_is_named) {
    talk();
    world.audit(world.client);
    world.relay.corrupt_entry = 3;
    auto const report = world.audit(world.client);
    EXPECT_FALSE(report.ok());
    EXPECT_TRUE(names(report, "two_heads") || names(report, "bad_inclusion")) << codes(report).size();
}

TEST_F(Audit, changed_byte_of_an_entry_is_named_by_somebody_who_never_saw_it_before) {
    talk();
    for (std::uint64_t index = 0; index < world.relay.log_size(); ++index) {
        World copy = world;
        copy.relay.corrupt_entry = index;
        auto const his = copy.audit(copy.client);
        auto const hers = copy.audit(copy.therapist);
        EXPECT_FALSE(his.ok() && hers.ok()) << index;
    }
}

TEST_F(Audit, log_that_shrank_is_named) {
    talk();
    world.sync_both();
    world.relay.roll_back_log(world.relay.log_size() - 1);
    world.sync(world.client);
    EXPECT_TRUE(names(world.client.engine().audit_verify(world.now), "smaller_checkpoint"));
}

TEST_F(Audit, rewritten_history_is_named) {
    talk();
    world.sync_both();
    world.relay.fork_log();
    world.sync(world.client);
    EXPECT_TRUE(names(world.client.engine().audit_verify(world.now), "inconsistent_checkpoint"));
}

TEST_F(Audit, hold_that_was_not_logged_is_named_by_both) {
    world.relay.forget_to_log = true;
    talk();
    EXPECT_TRUE(names(world.audit(world.client), "missing_proof"));
    EXPECT_TRUE(names(world.audit(world.therapist), "missing_entry"));
}

TEST_F(Audit, hold_that_was_logged_with_another_time_is_named) {
    world.relay.log_other_times = true;
    talk();
    auto const his = world.audit(world.client);
    EXPECT_TRUE(names(his, "broken_promise"));
    EXPECT_TRUE(names(his, "wrong_decision"));
    EXPECT_TRUE(names(world.audit(world.therapist), "wrong_decision"));
}

TEST_F(Audit, held_message_that_never_came_is_named) {
    world.relay.lost.insert(1);
    world.at_hour(22);
    world.send(world.client, "at night");
    world.sync(world.client);
    world.at_hour(9);
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());  // not a minute late yet
    world.now += 5min;
    EXPECT_TRUE(names(world.audit(world.therapist), "undelivered"));
}

TEST_F(Audit, early_delivery_is_named) {
    world.relay.deliver_early = true;
    world.at_hour(22);
    world.send(world.client, "at night");
    world.sync(world.client);
    world.sync(world.therapist);
    EXPECT_TRUE(names(world.audit(world.therapist), "early_delivery"));
}

TEST_F(Audit, arrival_time_moved_into_a_window_that_is_over_is_named) {
    world.at_hour(22);
    world.send(world.client, "at night");
    world.sync(world.client);
    world.relay.conversations.at(world.conversation).envelopes.front().envelope.stamp -= 6h;
    world.sync(world.therapist);
    EXPECT_EQ(world.texts(world.therapist).size(), 1u);  // by what it was told it may be shown
    world.at_hour(9);
    EXPECT_TRUE(names(world.audit(world.therapist), "wrong_decision"));
}

TEST_F(Audit, nothing_to_check_is_not_a_success) {
    Home stranger(20);
    EXPECT_TRUE(names(stranger.engine().audit_verify(world.now), "nothing_in_log"));
}

}  // namespace
}  // namespace interlude::tests
