// A calendar is piecewise: at each instant the documents in force at that instant speak.
#include "common/schedule/calendar.hpp"

#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using test::arbitrary_documents;
using test::calendar;
using test::hour;
using test::hours;

PublishedSchedule schedule(std::uint64_t number, int in_force, Intervals open) {
    return {number, hour(in_force), hours(0, 24 * 400), std::move(open)};
}
PublishedOverride override_of(OverrideKind kind, int in_force, Interval span) {
    return {kind, hour(in_force), span, 1};
}

TEST(Calendar, without_a_document_there_are_no_hours) {
    Calendar const none;
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.state_at(hour(5)), State::none);
    EXPECT_FALSE(none.open(hour(5)));
    EXPECT_FALSE(none.open_from(hour(5)));
    EXPECT_FALSE(none.last_open_span_end(hour(5)));
    EXPECT_FALSE(none.known_until());
    EXPECT_EQ(none.schedule_at(hour(5)), 0u);
}

TEST(Calendar, before_at_and_after_each_bound) {
    auto const c = calendar({hours(9, 12), hours(14, 17)});
    struct Case {
        WallTime t;
        State state;
        std::optional<WallTime> open_from, next_opening_after, open_until, last_end;
    };
    auto const ms = Millis{1};
    for (auto const& e : {
             Case{hour(9) - ms, State::closed, hour(9), hour(9), {}, {}},
             Case{hour(9), State::open, hour(9), hour(14), hour(12), hour(12)},
             Case{hour(9) + ms, State::open, hour(9) + ms, hour(14), hour(12), hour(12)},
             Case{hour(12) - ms, State::open, hour(12) - ms, hour(14), hour(12), hour(12)},
             Case{hour(12), State::closed, hour(14), hour(14), {}, hour(12)},
             Case{hour(14) - ms, State::closed, hour(14), hour(14), {}, hour(12)},
             Case{hour(14), State::open, hour(14), {}, hour(17), hour(17)},
             Case{hour(17), State::closed, {}, {}, {}, hour(17)},
         }) {
        auto const at = base::to_ms(e.t);
        EXPECT_EQ(c.state_at(e.t), e.state) << at;
        EXPECT_EQ(c.open_from(e.t), e.open_from) << at;
        EXPECT_EQ(c.next_opening_after(e.t), e.next_opening_after) << at;
        EXPECT_EQ(c.open_until(e.t), e.open_until) << at;
        EXPECT_EQ(c.last_open_span_end(e.t), e.last_end) << at;
    }
    EXPECT_EQ(c.windows(hours(11, 15)), (Intervals{hours(11, 12), hours(14, 15)}));
}

TEST(Calendar, a_new_schedule_never_closes_the_past) {
    Calendar const c({schedule(1, 0, {hours(9, 12), hours(33, 36)}), schedule(2, 10, {hours(11, 13)})});
    EXPECT_TRUE(c.open(hour(9)));
    EXPECT_TRUE(c.open(hour(10) - Millis{1}));
    EXPECT_FALSE(c.open(hour(10)));
    EXPECT_TRUE(c.open(hour(12)));
    EXPECT_FALSE(c.open(hour(34)));
    EXPECT_EQ(c.schedule_at(hour(10) - Millis{1}), 1u);
    EXPECT_EQ(c.schedule_at(hour(10)), 2u);
}

TEST(Calendar, a_window_that_two_schedules_agree_on_is_one_span) {
    Calendar const c({schedule(2, 10, {hours(9, 12)}), schedule(1, 0, {hours(9, 12)})});
    EXPECT_EQ(c.windows(), Intervals{hours(9, 12)});
}

TEST(Calendar, a_schedule_for_later_waits_and_the_highest_number_in_force_speaks) {
    Calendar const later({schedule(1, 0, {hours(9, 12), hours(33, 36)}), schedule(2, 24, {hours(40, 41)})});
    EXPECT_EQ(later.windows(), (Intervals{hours(9, 12), hours(40, 41)}));
    Calendar const overtaken({schedule(1, 0, {hours(1, 2)}), schedule(2, 24, {hours(40, 41)}),
                              schedule(3, 3, {hours(5, 6), hours(50, 51)})});
    EXPECT_EQ(overtaken.windows(), (Intervals{hours(1, 2), hours(5, 6), hours(50, 51)}));
    Calendar const at_once({schedule(1, 3, {hours(1, 20)}), schedule(2, 3, {hours(5, 6)})});
    EXPECT_EQ(at_once.windows(), Intervals{hours(5, 6)});
    EXPECT_EQ(at_once.schedule_at(hour(3)), 2u);
}

TEST(Calendar, where_the_compiled_hours_end_it_is_closed) {
    auto const c = calendar({hours(9, 12)}, 2);
    EXPECT_EQ(c.known_until(), hour(48));
    EXPECT_FALSE(c.ran_out(hour(48) - Millis{1}));
    EXPECT_TRUE(c.ran_out(hour(48)));
    EXPECT_EQ(c.state_at(hour(48)), State::closed);
}

TEST(Calendar, an_override_beats_the_schedule_until_its_end) {
    Calendar const c({schedule(1, 0, {hours(9, 12)}), schedule(2, 8, {hours(9, 15)})},
                     {override_of(OverrideKind::close_now, 1, hours(10, 11)),
                      override_of(OverrideKind::open_now, 2, hours(20, 21))});
    EXPECT_EQ(c.windows(), (Intervals{hours(9, 10), hours(11, 15), hours(20, 21)}));
}

TEST(Calendar, names_the_document_that_speaks) {
    Calendar const c({schedule(1, 0, {hours(9, 17)})}, {{OverrideKind::close_now, hour(10), hours(10, 14), 2},
                                                        {OverrideKind::open_now, hour(11), hours(11, 12), 3}});
    EXPECT_EQ(c.document_at(hour(10) - Millis{1}), 1u);
    EXPECT_EQ(c.document_at(hour(10)), 2u);
    EXPECT_EQ(c.document_at(hour(11)), 3u);
    EXPECT_EQ(c.document_at(hour(12)), 2u);
    EXPECT_EQ(c.document_at(hour(14)), 1u);
    EXPECT_EQ(Calendar().document_at(hour(1)), 0u);
}

TEST(Calendar, a_later_override_beats_an_earlier_one) {
    Calendar const c({}, {override_of(OverrideKind::close_now, 5, hours(6, 8)),
                          override_of(OverrideKind::open_now, 3, hours(4, 10))});
    EXPECT_EQ(c.windows(), (Intervals{hours(4, 6), hours(8, 10)}));
    EXPECT_EQ(c.state_at(hour(7)), State::closed);
    EXPECT_EQ(c.state_at(hour(10)), State::none);
}

TEST(Calendar, an_override_speaks_from_its_stamp_at_the_earliest) {
    auto const c = Calendar({schedule(1, 0, {hours(9, 12)})}, {override_of(OverrideKind::close_now, 10, hours(8, 24))});
    EXPECT_EQ(c.windows(), Intervals{hours(9, 10)});
}

TEST(Calendar, says_at_every_instant_what_the_rule_says) {
    EXPECT_TRUE(rc::check([] {
        auto const [schedules, overrides] = *arbitrary_documents();
        Calendar const c(schedules, overrides);
        RC_ASSERT(is_normal(c.windows()));
        for (int second = 0; second < 60; ++second) {
            auto const t = base::wall_seconds(second);
            // Literally: the newest override that speaks, else the highest schedule in force, else nobody.
            State expected = State::none;
            for (auto const& s : schedules)  // in the order of their numbers
                if (s.in_force_from <= t) expected = contains(s.compiled, t) ? State::open : State::closed;
            auto best = WallTime::min();
            for (auto const& o : overrides) {
                if (t < std::max(o.in_force_from, o.span.start) || t >= o.span.end || o.in_force_from < best) continue;
                best = o.in_force_from;
                expected = o.kind == OverrideKind::open_now ? State::open : State::closed;
            }
            RC_ASSERT(c.state_at(t) == expected);
            RC_ASSERT(c.open(t) == (expected == State::open));
        }
    }));
}

TEST(Calendar, next_openings_and_ends_follow_from_the_states) {
    EXPECT_TRUE(rc::check([] {
        auto const [schedules, overrides] = *arbitrary_documents();
        Calendar const c(schedules, overrides);
        for (int second = 0; second <= 60; ++second) {
            auto const t = base::wall_seconds(second);
            std::optional<WallTime> first_open, next_start, until, last_end;
            for (int s = 60; s >= second; --s)
                if (c.open(base::wall_seconds(s))) first_open = base::wall_seconds(s);
            for (int s = 60; s > second; --s)
                if (c.open(base::wall_seconds(s)) && !c.open(base::wall_seconds(s - 1)))
                    next_start = base::wall_seconds(s);
            if (c.open(t))
                for (int s = 61; s > second; --s)
                    if (!c.open(base::wall_seconds(s))) until = base::wall_seconds(s);
            int begun = second;
            while (begun >= 0 && !c.open(base::wall_seconds(begun))) --begun;
            if (begun >= 0) {
                while (c.open(base::wall_seconds(begun))) ++begun;
                last_end = base::wall_seconds(begun);
            }
            RC_ASSERT(c.open_from(t) == first_open);
            RC_ASSERT(c.next_opening_after(t) == next_start);
            RC_ASSERT(c.open_until(t) == until);
            RC_ASSERT(c.last_open_span_end(t) == last_end);
        }
    }));
}

TEST(Calendar, a_document_in_force_from_now_changes_no_earlier_instant) {
    EXPECT_TRUE(rc::check([] {
        auto const [schedules, overrides] = *arbitrary_documents();
        auto const more = *test::arbitrary_set();
        auto const now = base::wall_seconds(*rc::gen::inRange(0, 60));
        auto after = schedules;
        after.push_back({schedules.size() + 1, now, {base::wall_seconds(0), base::wall_seconds(60)}, more});
        Calendar const old_calendar(schedules, overrides), new_calendar(after, overrides);
        for (auto t = base::wall_seconds(0); t < now; t += std::chrono::seconds{1})
            RC_ASSERT(old_calendar.state_at(t) == new_calendar.state_at(t));
    }));
}

}  // namespace
}  // namespace interlude::schedule
