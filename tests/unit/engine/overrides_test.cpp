// Overrides for all: open now, away, postponed. Signed, in force at once, shown to the client, judged by both.
#include <gmock/gmock.h>

#include "client-cli/engine/hours.hpp"
#include "tests/unit/engine/world.hpp"

namespace interlude::tests {
namespace {

using engine::MessageState;
using schedule::OverrideKind;
using schedule::OverrideReason;
using testing::ElementsAre;
using testing::IsEmpty;

class Overrides : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }

    auto queues(OverrideKind kind, base::Millis length, OverrideReason reason = OverrideReason::illness) {
        base::Interval const span{world.now, world.now + length};
        return world.therapist.engine().hours_override(kind, span, reason, world.now);
    }
    void says(OverrideKind kind, base::Millis length, OverrideReason reason = OverrideReason::illness) {
        ASSERT_TRUE(queues(kind, length, reason));
        world.sync_both();
    }
    engine::HoursView client_sees() { return world.client.engine().hours(world.now).at(0); }
    void both_find_the_log_honest() {
        for (auto* home : {&world.client, &world.therapist}) EXPECT_THAT(codes(world.audit(*home)), IsEmpty());
    }
    std::optional<MessageState> state_of(engine::MessageId const& id) {
        return world.view(world.client, id).value().state;
    }
    World world;
};

TEST_F(Overrides, open_now_lets_through_what_was_held_and_what_comes) {
    world.at_hour(22);
    auto const before = world.send(world.client, "at night");
    world.sync_both();
    EXPECT_EQ(state_of(before), MessageState::held);
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    world.now += 1min;
    says(OverrideKind::open_now, 30min, OverrideReason::agreed);
    world.now += 1min;
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("at night"));
    auto const during = world.send(world.client, "while she is there");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("at night", "while she is there"));
    world.now += 30min;
    auto const after = world.send(world.client, "after it");
    world.sync_both();
    EXPECT_EQ(state_of(after), MessageState::held);
    EXPECT_NE(state_of(during), MessageState::held);
    both_find_the_log_honest();
}

TEST_F(Overrides, away_holds_what_comes_in_a_window_that_had_begun) {
    auto const back = world.now + 3h;
    says(OverrideKind::close_now, 3h);
    world.now += 1min;
    auto const hours = client_sees();
    EXPECT_EQ(hours.state, engine::HoursState::closed);
    EXPECT_EQ(hours.next_opening, back);
    ASSERT_THAT(hours.overrides, testing::SizeIs(1));
    auto const& said = hours.overrides[0];
    EXPECT_EQ(said.kind, OverrideKind::close_now);
    EXPECT_EQ(said.reason, OverrideReason::illness);
    EXPECT_EQ(said.span, (base::Interval{said.said_at, back}));  // not from before it was taken
    EXPECT_LT(said.said_at, world.now);
    auto const id = world.send(world.client, "are you there?");
    world.sync_both();
    EXPECT_EQ(state_of(id), MessageState::held);
    EXPECT_EQ(world.view(world.client, id)->held_until, back);
    world.now += 3h;
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("are you there?"));
    EXPECT_THAT(client_sees().overrides, IsEmpty());
    both_find_the_log_honest();
}

TEST_F(Overrides, postponing_moves_the_promised_opening_and_is_shown) {
    world.at_hour(22);
    world.send(world.client, "at night");
    world.sync_both();
    base::Interval const span{world.now, world.now + 14h};  // nine o'clock becomes noon
    ASSERT_TRUE(
        world.therapist.engine().hours_override(OverrideKind::postpone, span, OverrideReason::family, world.now));
    world.sync_both();
    EXPECT_EQ(client_sees().next_opening, span.end);
    EXPECT_EQ(client_sees().overrides.at(0).reason, OverrideReason::family);
    world.at_hour(10);
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    world.at_hour(12);
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("at night"));
    both_find_the_log_honest();
}

TEST_F(Overrides, that_follow_each_other_before_the_server_answers_are_one_chain) {
    auto& app = world.therapist;
    auto const opened = queues(OverrideKind::open_now, 1h);
    auto const closed = app.engine().hours_close({world.now + 5h, world.now + 6h}, world.now);
    auto const away = queues(OverrideKind::close_now, 2h);
    ASSERT_TRUE(opened && closed && away);
    world.sync_both();
    world.now += 1s;
    world.sync_both();
    EXPECT_EQ(client_sees().state, engine::HoursState::closed);
    EXPECT_EQ(client_sees().overrides.size(), 2u);
    auto const report = world.audit(world.client);
    EXPECT_THAT(codes(report), IsEmpty());
    EXPECT_EQ(report.checked.schedules, 4u);
}

TEST_F(Overrides, that_the_server_keeps_from_the_client_are_found_by_what_it_decides) {
    world.relay.hides_overrides_from = world.client.engine().status().account;
    says(OverrideKind::close_now, 3h);
    world.now += 1min;
    world.send(world.client, "are you there?");
    world.sync_both();
    EXPECT_TRUE(names(world.audit(world.client), "unsigned_schedule"));
}

TEST_F(Overrides, that_come_too_late_take_nothing_with_them_that_was_queued_behind) {
    auto& app = world.therapist;
    auto const away = queues(OverrideKind::close_now, 2h);
    auto const opened = app.engine().hours_open({world.now + 12h, world.now + 13h}, world.now);
    auto const later = queues(OverrideKind::open_now, 20h);
    ASSERT_TRUE(away && opened && later);
    world.now += 3h;  // without the server
    for (int again = 0; again < 3; ++again) world.sync_both();
    std::map<base::RequestId, bool> taken;
    for (auto const& answer : app.all<engine::RequestAnswered>()) taken[answer.request] = !answer.refused;
    EXPECT_EQ(taken.at(*away), false);
    EXPECT_EQ(taken.at(*opened), true);
    EXPECT_EQ(taken.at(*later), true);
    EXPECT_EQ(client_sees().overrides.size(), 1u);
    both_find_the_log_honest();
}

TEST_F(Overrides, that_the_server_puts_off_are_named_by_the_audit) {
    for (auto const kind : {OverrideKind::close_now, OverrideKind::open_now}) {
        World other;
        other.begin();
        if (kind == OverrideKind::open_now) other.at_hour(22);
        other.relay.puts_documents_off = 1h;
        base::Interval const span{other.now, other.now + 3h};
        ASSERT_TRUE(other.therapist.engine().hours_override(kind, span, OverrideReason::other, other.now));
        other.sync_both();
        other.now += 10min;
        EXPECT_TRUE(names(other.audit(other.client), "document_moved"));
        EXPECT_TRUE(names(other.audit(other.therapist), "document_moved"));
        EXPECT_THAT(other.therapist.alarm_codes(), testing::Contains("document_moved"));
    }
}

TEST_F(Overrides, that_the_server_logs_with_another_reason_are_named_by_the_audit) {
    world.relay.logs_other_reasons = true;
    says(OverrideKind::close_now, 3h);
    world.now += 10min;
    EXPECT_TRUE(names(world.audit(world.client), "unsigned_schedule"));
}

TEST_F(Overrides, that_the_server_took_and_forgot_are_missed) {
    world.relay.forgets_documents = true;
    says(OverrideKind::close_now, 3h);
    world.now += 10min;
    EXPECT_TRUE(names(world.audit(world.therapist), "missing_entry"));
}

TEST_F(Overrides, of_one_conversation_are_an_alarm_and_not_kept) {
    schedule::OverrideDocument document;
    document.kind = OverrideKind::open_now;
    document.account = world.therapist.engine().status().account;
    document.conversation = world.conversation;
    document.span = {world.now, world.now + 1h};
    wire::SignedDocument const shown{wire::DocumentKind::override_conversation, schedule::encode(document), Bytes(64)};
    {
        engine::Turn turn(world.client.vault, world.client.entropy, world.now);
        engine::take_document(turn, test_options().load_zone, {shown, world.now});
        turn.rows.commit();
    }
    EXPECT_THAT(world.client.alarm_codes(), testing::Contains("unknown_document"));
    EXPECT_THAT(client_sees().overrides, IsEmpty());
}

TEST_F(Overrides, of_a_span_that_is_none_are_refused_here) {
    auto app = world.therapist.engine();
    auto const of = [&](base::Interval span) {
        return app.hours_override(OverrideKind::open_now, span, OverrideReason::other, world.now).error();
    };
    EXPECT_EQ(of({world.now, world.now}), base::Errc::malformed);
    EXPECT_EQ(of({world.now, world.now + std::chrono::days{367}}), base::Errc::malformed);
    EXPECT_EQ(of({world.now + 1ms, world.now + 1h}), base::Errc::malformed);
    EXPECT_EQ(world.client.engine()
                  .hours_override(OverrideKind::open_now, {world.now, world.now + 1h}, OverrideReason::other, world.now)
                  .error(),
              base::Errc::not_allowed);
}

// ---- Before anything is published ----------------------------------------------------------------------------------

class Preview : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }
    using Wish = engine::HoursWish;
    engine::HoursPreview of(Wish wish) {
        auto preview = world.therapist.engine().hours_preview(std::move(wish), world.now);
        EXPECT_TRUE(preview);
        return std::move(*preview);
    }
    std::uint64_t number() { return world.therapist.engine().hours(world.now).at(0).number; }
    World world;
};

TEST_F(Preview, of_an_extra_opening_shows_it_and_publishes_nothing) {
    auto const from = world.now + 10h;  // it is ten o'clock and some
    auto const preview = of({Wish::Kind::opening, {}, {from, from + 1h}, {}});
    EXPECT_TRUE(preview.calendar.open(from));
    EXPECT_TRUE(preview.calendar.open(world.now));
    EXPECT_FALSE(preview.problem);
    EXPECT_THAT(preview.odd_days, IsEmpty());
    world.sync_both();
    EXPECT_EQ(number(), 1u);
    EXPECT_FALSE(world.client.engine().hours(world.now).at(0).calendar.open(from));
}

TEST_F(Preview, names_what_a_server_would_refuse) {
    auto const cut = of({Wish::Kind::closure, {}, {world.now, world.now + 1h}, {}});
    EXPECT_EQ(cut.problem, schedule::ChangeProblem::cuts_begun_window);
    world.at_hour(20);
    auto const later = of({Wish::Kind::closure, {}, {world.now, world.now + 15h}, {}});
    EXPECT_EQ(later.problem, schedule::ChangeProblem::next_opening_later);
    auto const long_away = of({Wish::Kind::closure, {}, {world.now + 24h, world.now + std::chrono::days{40}}, {}});
    EXPECT_EQ(long_away.problem, schedule::ChangeProblem::gap_too_long);
}

TEST_F(Preview, is_for_therapists) {
    EXPECT_EQ(world.client.engine().hours_preview({Wish::Kind::undo, {}, {}, {}}, world.now).error(),
              base::Errc::not_allowed);
}

TEST_F(Preview, undo_publishes_the_former_rules_anew) {
    auto undo = [&] { return world.therapist.engine().hours_change({Wish::Kind::undo, {}, {}, {}}, world.now); };
    EXPECT_EQ(undo().error(), base::Errc::unknown);
    auto const before = world.client.engine().hours(world.now).at(0).rules;
    ASSERT_TRUE(world.therapist.engine().hours_open({world.now + 10h, world.now + 11h}, world.now));
    world.sync_both();
    EXPECT_NE(world.client.engine().hours(world.now).at(0).rules, before);
    ASSERT_TRUE(undo());
    world.sync_both();
    world.now += 1s;
    auto const hours = world.client.engine().hours(world.now).at(0);
    EXPECT_EQ(hours.rules, before);
    EXPECT_EQ(hours.number, 3u);
    ASSERT_TRUE(undo());  // and back again
    world.sync_both();
    EXPECT_NE(world.client.engine().hours(world.now).at(0).rules, before);
    for (auto* home : {&world.client, &world.therapist}) EXPECT_THAT(codes(world.audit(*home)), IsEmpty());
}

TEST_F(Preview, undo_looks_past_overrides) {
    ASSERT_TRUE(world.therapist.engine().hours_open({world.now + 10h, world.now + 11h}, world.now));
    ASSERT_TRUE(world.therapist.engine().hours_override(OverrideKind::open_now, {world.now, world.now + 1h},
                                                        OverrideReason::other, world.now));
    world.sync_both();
    auto const preview = of({Wish::Kind::undo, {}, {}, {}});
    EXPECT_FALSE(preview.calendar.open(world.now + 10h));
}

}  // namespace
}  // namespace interlude::tests
