// Which changes of a calendar are refused (product.md's table), by calendars alone.
#include "common/schedule/schedule_change.hpp"

#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using test::calendar;
using test::hour;
using test::hours;

constexpr int day = 24;

struct Change {
    Intervals before;
    Intervals after;
    int now = 10;
    Excuse excuse = Excuse::none;
    int effective_from = 0;
    Rules rules{};
};

std::string_view verdict(Change const& change) {
    auto const before = change.before.empty() ? Calendar() : calendar(change.before);
    auto const after = calendar(change.after);
    auto const checked = check_change({before, after, hour(change.now), hour(change.effective_from), &change.rules,
                                       base::limits::hold_life_default, change.excuse});
    return checked ? "accepted" : name(checked.error());
}

TEST(ScheduleChange, the_first_schedule_is_accepted_and_kinder_ones_always) {
    EXPECT_EQ(verdict({{}, {hours(20, 22)}}), "accepted");
    EXPECT_EQ(verdict({{hours(20, 22)}, {hours(19, 22)}}), "accepted");
    EXPECT_EQ(verdict({{hours(20, 22)}, {hours(10, 12), hours(23, 24)}}), "accepted");
    EXPECT_EQ(verdict({{hours(20, 22)}, {hours(1, 30)}}), "accepted");
}

TEST(ScheduleChange, a_window_that_has_begun_is_not_cut) {
    EXPECT_EQ(verdict({{hours(9, 12)}, {hours(9, 11)}}), "cuts_begun_window");
    EXPECT_EQ(verdict({{hours(9, 12)}, {hours(14, 15)}}), "cuts_begun_window");
    EXPECT_EQ(verdict({{hours(9, 12)}, {hours(9, 10), hours(11, 12)}}), "cuts_begun_window");
    EXPECT_EQ(verdict({{hours(9, 12)}, {hours(9, 12)}}), "accepted");
    EXPECT_EQ(verdict({{hours(9, 12)}, {hours(10, 13)}}), "accepted");
    EXPECT_EQ(verdict({{hours(10, 12)}, {hours(11, 12)}}), "cuts_begun_window") << "it begins at this very instant";
    EXPECT_EQ(verdict({{hours(9, 10)}, {hours(8, 9)}}), "accepted") << "it ended at this very instant";
}

TEST(ScheduleChange, the_next_opening_is_not_made_later) {
    EXPECT_EQ(verdict({{hours(20, 22)}, {hours(21, 22)}}), "next_opening_later");
    EXPECT_EQ(verdict({{hours(20, 22), hours(30, 31)}, {hours(30, 31)}}), "next_opening_later");
    EXPECT_EQ(verdict({{hours(9, 12), hours(20, 22)}, {hours(9, 12), hours(21, 22)}}), "next_opening_later");
    EXPECT_EQ(verdict({{hours(9, 12), hours(20, 22)}, {hours(9, 13), hours(21, 22)}}), "next_opening_later");
    EXPECT_EQ(verdict({{hours(9, 12), hours(20, 22)}, {hours(9, 22)}}), "accepted") << "open all the way";
    EXPECT_EQ(verdict({{hours(20, 22), hours(30, 40)}, {hours(20, 21), hours(39, 40)}}), "accepted")
        << "the one after the next may move";
}

TEST(ScheduleChange, no_gap_is_longer_than_the_hold_life_less_a_week) {
    EXPECT_EQ(verdict({{}, {hours(20, 22), hours(22 + 28 * day, 30 * day)}}), "accepted");
    EXPECT_EQ(verdict({{}, {hours(20, 22), hours(22 + 28 * day + 1, 30 * day)}}), "gap_too_long");
    EXPECT_EQ(verdict({{}, {hours(10 + 28 * day, 30 * day)}}), "accepted");
    EXPECT_EQ(verdict({{}, {hours(10 + 28 * day + 1, 30 * day)}}), "gap_too_long");
    EXPECT_EQ(verdict({{}, {hours(20, 22)}}), "accepted") << "after the last window the app renews";
    EXPECT_EQ(verdict({{hours(20, 22), hours(40 * day, 41 * day)}, {hours(19, 22), hours(40 * day, 41 * day)}}),
              "accepted")
        << "a gap that was there already";
    EXPECT_EQ(verdict({{hours(20, 22), hours(40 * day, 41 * day)}, {hours(19, 22), hours(41 * day, 42 * day)}}),
              "gap_too_long")
        << "and grows";
}

TEST(ScheduleChange, a_long_closure_is_refused_wherever_it_lies) {
    auto const with_closed = [](int from, int to) {
        Rules rules;
        rules.closures = {hours(from, to)};
        return rules;
    };
    EXPECT_EQ(verdict({{}, {hours(20, 22)}, 10, Excuse::none, 0, with_closed(500 * day, 529 * day)}), "gap_too_long");
    EXPECT_EQ(verdict({{}, {hours(20, 22)}, 10, Excuse::none, 0, with_closed(500 * day, 528 * day)}), "accepted");
    EXPECT_EQ(verdict({{}, {hours(20, 22)}, 10, Excuse::none, 0, with_closed(0, 28 * day + 10)}), "accepted")
        << "only what is left of it counts";
    auto opened = with_closed(500 * day, 529 * day);
    opened.openings = {hours(510 * day, 511 * day)};
    EXPECT_EQ(verdict({{}, {hours(20, 22)}, 10, Excuse::none, 0, opened}), "accepted");
}

TEST(ScheduleChange, back_dated_means_beyond_the_clocks_tolerance) {
    auto const now = hour(10);
    EXPECT_FALSE(back_dated({}, now)) << "zero: at once";
    EXPECT_FALSE(back_dated(now, now));
    EXPECT_FALSE(back_dated(hour(11), now));
    EXPECT_FALSE(back_dated(now - base::limits::clock_tolerance, now));
    EXPECT_TRUE(back_dated(now - base::limits::clock_tolerance - Millis{1}, now));
    EXPECT_EQ(verdict({{}, {hours(20, 22)}, 10, Excuse::none, 9}), "back_dated");
}

TEST(ScheduleChange, a_signed_override_excuses_what_it_is_for) {
    Change const cut{{hours(9, 12), hours(20, 22)}, {hours(20, 22)}};
    Change const later{{hours(20, 22)}, {hours(21, 22)}};
    Change const gap{{}, {hours(20, 22), hours(40 * day, 41 * day)}};
    Change const dated{{}, {hours(20, 22)}, 10, Excuse::none, 9};
    auto const excused = [](Change change, Excuse excuse) {
        change.excuse = excuse;
        return verdict(change);
    };
    EXPECT_EQ(excused(cut, Excuse::postponement), "cuts_begun_window");
    EXPECT_EQ(excused(later, Excuse::postponement), "accepted");
    EXPECT_EQ(excused(gap, Excuse::postponement), "accepted");
    EXPECT_EQ(excused(cut, Excuse::unplanned_absence), "accepted");
    EXPECT_EQ(excused(later, Excuse::unplanned_absence), "accepted");
    EXPECT_EQ(excused(gap, Excuse::unplanned_absence), "accepted");
    EXPECT_EQ(excused(dated, Excuse::unplanned_absence), "back_dated");
    EXPECT_EQ(excuse_of(OverrideKind::close_now), Excuse::unplanned_absence);
    EXPECT_EQ(excuse_of(OverrideKind::postpone), Excuse::postponement);
    EXPECT_EQ(excuse_of(OverrideKind::open_now), Excuse::none);
}

TEST(ScheduleChange, what_is_accepted_keeps_every_promise_about_the_next_opening) {
    EXPECT_TRUE(rc::check([] {
        auto const whole = Interval{base::wall_seconds(0), base::wall_seconds(60)};
        auto const old_hours = *test::arbitrary_set();
        auto const new_hours = *test::arbitrary_set();
        auto const now = base::wall_seconds(*rc::gen::inRange(0, 60));
        Calendar const before({PublishedSchedule{1, {}, whole, old_hours}});
        Calendar const after({PublishedSchedule{1, {}, whole, old_hours}, PublishedSchedule{2, now, whole, new_hours}});
        bool const accepted = check_change({before, after, now}).has_value();
        // Whoever writes now is not released later than was published, nor whoever writes before the promised opening.
        auto const promised = before.open_from(now);
        auto const kept = after.open_from(now);
        if (accepted && promised) RC_ASSERT(kept && *kept <= *promised);
        if (before.windows() == after.windows()) RC_ASSERT(accepted);
        if (accepted && before.open(now)) RC_ASSERT(*after.open_until(now) >= *before.open_until(now));
    }));
}

}  // namespace
}  // namespace interlude::schedule
