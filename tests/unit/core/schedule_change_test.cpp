// May this schedule be published, what becomes of it, and which bounds of its windows are noticed.
#include "server/core/schedule_change.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/parts.hpp"

namespace interlude::test {
namespace {

using namespace core;
using wire::ScheduleProblem;

class Schedules : public testing::Test {
  protected:
    Schedules() { facts.list = therapist.list().list(); }

    ScheduleVerdict put(wire::SignedDocument const& document, WallTime now = monday_noon) {
        return decide_schedule_change(facts, {therapist.device(), document, zone, {}}, now, policy);
    }
    /// Stored as a store would.
    wire::SignedDocument publish(ScheduleParts const& parts, WallTime now = monday_noon) {
        auto document = schedule_by(therapist, parts, now);
        auto const verdict = put(document, now);
        EXPECT_TRUE(std::holds_alternative<ScheduleChange>(verdict));
        facts.chain.push_back({document, std::get<ScheduleChange>(verdict).in_force_from});
        return document;
    }
    static std::optional<wire::Rule> rule_of(ScheduleVerdict const& verdict) {
        auto const* refusal = std::get_if<wire::Refused>(&verdict);
        return refusal ? std::optional(refusal->rule) : std::nullopt;
    }
    static ScheduleProblem problem_of(ScheduleVerdict const& verdict) {
        auto const* refusal = std::get_if<wire::Refused>(&verdict);
        return refusal ? refusal->problem : ScheduleProblem::none;
    }
    static ScheduleParts open_at(base::Millis after, std::uint64_t number = 1, base::Hash32 const& previous = {}) {
        ScheduleParts parts;
        parts.openings = {span(monday_noon + after, 1h)};
        parts.number = number;
        parts.previous = previous;
        return parts;
    }

    crypto::SeededEntropy entropy{7};
    Human therapist{Side::therapist, entropy, monday_noon, 2};
    ScheduleFacts facts;
    Policy policy;
    std::optional<schedule::ZoneRules> zone = schedule::ZoneRules::utc();
};

TEST_F(Schedules, that_are_the_first_are_in_force_from_their_stamp_with_an_entry) {
    auto const document = schedule_by(therapist, open_at(1h), monday_noon);
    auto const verdict = put(document);
    ASSERT_TRUE(std::holds_alternative<ScheduleChange>(verdict));
    auto const& change = std::get<ScheduleChange>(verdict);
    EXPECT_EQ(change.number, 1u);
    EXPECT_GE(change.in_force_from, monday_noon);
    EXPECT_LE(change.in_force_from, monday_noon + 1ms);
    EXPECT_FALSE(change.calendar->open(monday_noon + 1h - 1ms));
    EXPECT_TRUE(change.calendar->open(monday_noon + 1h));
    EXPECT_EQ(change.entry.subject, audit::subject_of(therapist.account()));
    EXPECT_EQ(std::get<audit::SchedulePublished>(change.entry.body),
              (audit::SchedulePublished{therapist.account(), 1, schedule_hash(document), change.in_force_from}));
    EXPECT_LT(first_mark(change.in_force_from), change.in_force_from);
}

TEST_F(Schedules, may_begin_later_than_their_stamp) {
    auto parts = open_at(5h);
    parts.effective_from = monday_noon + 2h;
    auto const verdict = put(schedule_by(therapist, parts, monday_noon));
    ASSERT_TRUE(std::holds_alternative<ScheduleChange>(verdict));
    EXPECT_EQ(std::get<ScheduleChange>(verdict).in_force_from, monday_noon + 2h);
}

TEST_F(Schedules, that_are_the_newest_already_are_done) {
    auto const document = publish(open_at(1h));
    EXPECT_TRUE(std::holds_alternative<wire::Done>(put(document, monday_noon + 30min)));
}

TEST_F(Schedules, follow_one_another_by_number_and_hash) {
    auto const first = publish(open_at(3h));
    auto const conflicting = [&](ScheduleParts const& parts) {
        auto const verdict = put(schedule_by(therapist, parts, monday_noon + 1min), monday_noon + 1min);
        EXPECT_EQ(rule_of(verdict), wire::Rule::conflict);
        EXPECT_EQ(problem_of(verdict), ScheduleProblem::wrong_number);
    };
    conflicting(open_at(2h));                                               // one again
    conflicting(open_at(2h, 3, schedule_hash(first)));                      // skips
    conflicting(open_at(2h, 2, base::Hash32::from(Bytes(32, 5)).value()));  // of another first
    publish(open_at(2h, 2, schedule_hash(first)), monday_noon + 1min);
    EXPECT_TRUE(calendar_of(facts.chain)->open(monday_noon + 2h));
    EXPECT_FALSE(calendar_of(facts.chain)->open(monday_noon + 3h));
}

TEST_F(Schedules, that_do_not_hold_are_invalid) {
    auto const good = schedule_by(therapist, open_at(1h), monday_noon);
    auto broken = good;
    broken.signature[0] ^= 1;
    EXPECT_EQ(rule_of(put(broken)), wire::Rule::invalid);
    broken = good;
    broken.kind = wire::DocumentKind::override_all;
    EXPECT_EQ(rule_of(put(broken)), wire::Rule::invalid);
    broken = good;
    broken.bytes.resize(40);
    EXPECT_EQ(rule_of(put(broken)), wire::Rule::invalid);
    EXPECT_EQ(rule_of(put(schedule_by(therapist, open_at(1h), monday_noon, 1))), wire::Rule::invalid);  // another's
    facts.list.reset();
    EXPECT_EQ(rule_of(put(good)), wire::Rule::invalid);
}

TEST_F(Schedules, signed_by_a_device_that_was_dropped_are_invalid) {
    auto const device = therapist.device(1);
    auto const document = schedule_by(therapist, open_at(1h), monday_noon, 1);
    CalendarPutRequest const request{device, document, zone, {}};
    EXPECT_TRUE(std::holds_alternative<ScheduleChange>(decide_schedule_change(facts, request, monday_noon, policy)));
    therapist.drop_device(1, monday_noon);
    facts.list = therapist.list().list();
    EXPECT_EQ(rule_of(decide_schedule_change(facts, request, monday_noon, policy)), wire::Rule::invalid);
}

TEST_F(Schedules, that_break_a_rule_of_change_say_which) {
    auto const first = publish(open_at(1h));
    auto const hash = schedule_hash(first);
    auto const problem = [&](ScheduleParts const& parts, WallTime now) {
        auto const verdict = put(schedule_by(therapist, parts, now), now);
        EXPECT_EQ(rule_of(verdict), wire::Rule::schedule);
        return problem_of(verdict);
    };
    EXPECT_EQ(problem(open_at(2h, 2, hash), monday_noon + 1min), ScheduleProblem::next_opening_later);
    EXPECT_EQ(problem(open_at(5h, 2, hash), monday_noon + 90min), ScheduleProblem::cuts_begun_window);
    auto back_dated = open_at(1h, 2, hash);
    back_dated.effective_from = monday_noon - base::limits::clock_tolerance;
    EXPECT_EQ(problem(back_dated, monday_noon + 1min), ScheduleProblem::back_dated);
}

TEST_F(Schedules, that_are_refused_say_the_same_whether_or_not_somebody_wrote) {
    // The facts have no place for envelopes: the decision cannot depend on them.
    publish(open_at(1h));
    auto const document = schedule_by(therapist, open_at(2h, 2, schedule_hash(facts.chain[0].document)), monday_noon);
    EXPECT_EQ(problem_of(put(document)), ScheduleProblem::next_opening_later);
    EXPECT_EQ(problem_of(put(document)), ScheduleProblem::next_opening_later);
}

TEST_F(Schedules, name_the_zone_that_the_caller_is_to_load) {
    auto const document = schedule_by(therapist, open_at(1h), monday_noon);
    auto const needs = needs_of(document);
    ASSERT_TRUE(needs);
    EXPECT_EQ(needs->zone, "UTC");
    EXPECT_LT(needs->span.start, monday_noon);
    EXPECT_GT(needs->span.end, monday_noon + std::chrono::days{300});
    EXPECT_FALSE(needs_of({wire::DocumentKind::schedule, Bytes(30, 1), {}}));
}

TEST_F(Schedules, of_an_empty_chain_are_no_calendar) {
    EXPECT_EQ(calendar_of({}), nullptr);
}

// ---- Overrides -----------------------------------------------------------------------------------------------------

class Overrides : public Schedules {
  protected:
    using Kind = schedule::OverrideKind;

    /// She is open from one o'clock to two, and it is noon.
    Overrides() { opens_at_one = publish(open_at(1h)); }

    wire::SignedDocument next(Kind kind, base::Interval span) const {
        return override_by(therapist, {kind, span, 2, schedule_hash(opens_at_one)});
    }
    ScheduleChange taken(Kind kind, base::Interval span, WallTime now = monday_noon) {
        auto const verdict = put(next(kind, span), now);
        EXPECT_TRUE(std::holds_alternative<ScheduleChange>(verdict));
        return std::get<ScheduleChange>(verdict);
    }
    ScheduleProblem refused_for(Kind kind, base::Interval span, WallTime now = monday_noon) {
        auto const verdict = put(next(kind, span), now);
        EXPECT_EQ(rule_of(verdict), wire::Rule::schedule);
        return problem_of(verdict);
    }

    wire::SignedDocument opens_at_one;
};

TEST_F(Overrides, open_at_once_with_an_entry_that_has_the_reason) {
    auto const document = next(Kind::open_now, span(monday_noon, 10min));
    auto const verdict = put(document);
    ASSERT_TRUE(std::holds_alternative<ScheduleChange>(verdict));
    auto const& change = std::get<ScheduleChange>(verdict);
    EXPECT_EQ(change.number, 2u);
    EXPECT_EQ(change.in_force_from, monday_noon + 1ms);
    EXPECT_FALSE(change.calendar->open(monday_noon));  // what was stamped before it stays as it was decided
    EXPECT_TRUE(change.calendar->open(monday_noon + 1ms));
    EXPECT_TRUE(change.calendar->open(monday_noon + 10min - 1ms));
    EXPECT_FALSE(change.calendar->open(monday_noon + 10min));
    EXPECT_TRUE(change.calendar->open(monday_noon + 1h));
    EXPECT_EQ(std::get<audit::OverridePublished>(change.entry.body),
              (audit::OverridePublished{therapist.account(), 2, override_hash(document), monday_noon + 1ms, 1}));
}

TEST_F(Overrides, that_close_may_cut_a_window_that_has_begun) {
    auto const change = taken(Kind::close_now, span(monday_noon, 5h), monday_noon + 90min);
    EXPECT_TRUE(change.calendar->open(monday_noon + 90min));
    EXPECT_FALSE(change.calendar->open(monday_noon + 90min + 1ms));
    EXPECT_FALSE(change.calendar->open(monday_noon + 2h - 1ms));
}

TEST_F(Overrides, that_postpone_move_the_next_opening_and_cut_no_window_that_has_begun) {
    auto const change = taken(Kind::postpone, span(monday_noon, 90min));
    EXPECT_FALSE(change.calendar->open(monday_noon + 90min - 1ms));
    EXPECT_TRUE(change.calendar->open(monday_noon + 90min));
    EXPECT_EQ(refused_for(Kind::postpone, span(monday_noon, 3h), monday_noon + 90min),
              ScheduleProblem::cuts_begun_window);
}

TEST_F(Overrides, that_are_over_already_are_back_dated) {
    EXPECT_EQ(refused_for(Kind::open_now, span(monday_noon - 1h, 1h)), ScheduleProblem::back_dated);
    EXPECT_EQ(taken(Kind::open_now, span(monday_noon - 1h, 1h + 1s)).number, 2u);
}

TEST_F(Overrides, stand_in_the_chain_of_the_schedules) {
    auto const override_ = next(Kind::open_now, span(monday_noon, 10min));
    facts.chain.push_back({override_, std::get<ScheduleChange>(put(override_)).in_force_from});
    EXPECT_TRUE(std::holds_alternative<wire::Done>(put(override_)));
    auto const after = [&](base::Hash32 const& previous) {
        return problem_of(put(schedule_by(therapist, open_at(30min, 3, previous), monday_noon)));
    };
    EXPECT_EQ(after(schedule_hash(override_)), ScheduleProblem::wrong_number);  // of another label
    EXPECT_EQ(after(override_hash(override_)), ScheduleProblem::none);
    auto const again = override_by(therapist, {Kind::close_now, span(monday_noon, 1h), 2, schedule_hash(opens_at_one)});
    EXPECT_EQ(problem_of(put(again)), ScheduleProblem::wrong_number);
}

TEST_F(Overrides, of_somebody_else_or_changed_on_the_way_are_invalid) {
    auto broken = next(Kind::open_now, span(monday_noon, 10min));
    broken.signature[0] ^= 1;
    EXPECT_EQ(rule_of(put(broken)), wire::Rule::invalid);
    OverrideParts const parts{Kind::open_now, span(monday_noon, 10min), 2, schedule_hash(opens_at_one)};
    EXPECT_EQ(rule_of(put(override_by(therapist, parts, 1))), wire::Rule::invalid);  // another device's
    auto as_schedule = next(Kind::open_now, span(monday_noon, 10min));
    as_schedule.kind = wire::DocumentKind::schedule;
    EXPECT_EQ(rule_of(put(as_schedule)), wire::Rule::invalid);
}

TEST_F(Overrides, for_one_conversation_are_not_taken_yet_nor_as_one_for_all) {
    auto document = override_by(
        therapist,
        {Kind::open_now, span(monday_noon, 10min), 1, {}, schedule::OverrideReason::agreed, ConversationId{}});
    EXPECT_EQ(rule_of(put(document)), wire::Rule::not_yet);
    document.kind = wire::DocumentKind::override_all;
    EXPECT_EQ(rule_of(put(document)), wire::Rule::invalid);
}

TEST_F(Overrides, of_a_long_absence_leave_room_for_hours_behind_it) {
    auto const away = next(Kind::close_now, span(monday_noon, std::chrono::days{120}));
    facts.chain.push_back({away, std::get<ScheduleChange>(put(away)).in_force_from});
    auto parts = open_at(std::chrono::days{121}, 3, override_hash(away));
    auto const now = monday_noon + 1h;
    EXPECT_TRUE(std::holds_alternative<ScheduleChange>(put(schedule_by(therapist, parts, now), now)));
    parts = open_at(std::chrono::days{149}, 3, override_hash(away));  // 29 days after it
    EXPECT_EQ(problem_of(put(schedule_by(therapist, parts, now), now)), ScheduleProblem::gap_too_long);
}

TEST_F(Overrides, count_as_publications_of_the_day) {
    facts.published_today = policy.schedules_per_day_max;
    EXPECT_EQ(rule_of(put(next(Kind::open_now, span(monday_noon, 10min)))), wire::Rule::too_fast);
}

TEST_F(Overrides, make_a_calendar_without_any_schedule) {
    facts.chain.clear();
    auto const verdict = put(override_by(therapist, {Kind::open_now, span(monday_noon, 10min)}));
    ASSERT_TRUE(std::holds_alternative<ScheduleChange>(verdict));
    EXPECT_TRUE(std::get<ScheduleChange>(verdict).calendar->open(monday_noon + 5min));
}

// ---- Bounds --------------------------------------------------------------------------------------------------------

class Bounds : public testing::Test {
  protected:
    CalendarPtr calendar = open_in({span(monday_noon + 1h, 1h), span(monday_noon + 5h, 1h)});
};

TEST_F(Bounds, are_those_after_one_instant_and_up_to_another) {
    auto const all = window_events(calendar, monday_noon, monday_noon + 10h, 100);
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0], (WindowEvent{monday_noon + 1h, true, 1}));
    EXPECT_EQ(all[1], (WindowEvent{monday_noon + 2h, false, 1}));
    EXPECT_TRUE(window_events(calendar, monday_noon, monday_noon + 1h - 1ms, 100).empty());
    EXPECT_EQ(window_events(calendar, monday_noon, monday_noon + 1h, 100).size(), 1u);
    EXPECT_EQ(window_events(calendar, monday_noon + 1h - 1ms, monday_noon + 1h, 100).size(), 1u);
    EXPECT_TRUE(window_events(calendar, monday_noon + 1h, monday_noon + 2h - 1ms, 100).empty());
}

TEST_F(Bounds, come_the_oldest_first_and_no_more_than_asked) {
    auto const some = window_events(calendar, monday_noon, monday_noon + 10h, 3);
    ASSERT_EQ(some.size(), 3u);
    EXPECT_EQ(some.back(), (WindowEvent{monday_noon + 5h, true, 1}));
    auto const rest = window_events(calendar, some.back().instant, monday_noon + 10h, 3);
    EXPECT_EQ(rest, (std::vector{WindowEvent{monday_noon + 6h, false, 1}}));
}

TEST_F(Bounds, of_nothing_published_are_none) {
    EXPECT_TRUE(window_events(nullptr, monday_noon, monday_noon + 10h, 10).empty());
}

TEST_F(Bounds, are_logged_with_the_instant_itself_and_the_time_when_it_was_noticed) {
    AccountId const account{};
    auto const opened = entry_for(WindowEvent{monday_noon + 1h, true, 1}, account, monday_noon + 3h);
    EXPECT_EQ(opened.decided_at, monday_noon + 3h);
    EXPECT_EQ(opened.subject, audit::subject_of(account));
    EXPECT_EQ(std::get<audit::WindowOpened>(opened.body), (audit::WindowOpened{account, monday_noon + 1h, 1}));
    auto const closed = entry_for(WindowEvent{monday_noon + 2h, false, 1}, account, monday_noon + 3h);
    EXPECT_EQ(std::get<audit::WindowClosed>(closed.body), (audit::WindowClosed{account, monday_noon + 2h, 1}));
}

}  // namespace
}  // namespace interlude::test
