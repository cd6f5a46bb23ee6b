// The interval algebra against membership, instant by instant.
#include "common/schedule/intervals.hpp"

#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using test::arbitrary_intervals;
using test::arbitrary_set;
using test::hour;
using test::hours;

bool in_any(std::span<Interval const> intervals, WallTime t) {
    for (auto const& interval : intervals)
        if (interval.contains(t)) return true;
    return false;
}

/// Every whole second of the minute that the generators use.
template <class Holds>
void at_every_second(Holds holds) {
    for (int second = -1; second <= 61; ++second) RC_ASSERT(holds(base::wall_seconds(second)));
}

TEST(Intervals, touching_and_overlapping_ones_become_one) {
    EXPECT_EQ(normalise({hours(5, 6), hours(1, 3), hours(3, 4), hours(2, 3), hours(9, 9), hours(8, 7)}),
              (Intervals{hours(1, 4), hours(5, 6)}));
    EXPECT_FALSE(is_normal(Intervals{hours(1, 3), hours(3, 4)}));
    EXPECT_FALSE(is_normal(Intervals{hours(1, 1)}));
    EXPECT_TRUE(is_normal(Intervals{hours(1, 3), hours(4, 5)}));
}

TEST(Intervals, one_cut_can_reach_into_several_pieces) {
    EXPECT_EQ(subtract(Intervals{hours(1, 4), hours(5, 8), hours(9, 10)}, Intervals{hours(2, 3), hours(3, 6)}),
              (Intervals{hours(1, 2), hours(6, 8), hours(9, 10)}));
}

TEST(Intervals, a_start_is_inside_and_an_end_is_not) {
    Intervals const set{hours(1, 2)};
    EXPECT_FALSE(contains(set, hour(1) - Millis{1}));
    EXPECT_TRUE(contains(set, hour(1)));
    EXPECT_TRUE(contains(set, hour(2) - Millis{1}));
    EXPECT_FALSE(contains(set, hour(2)));
}

TEST(Intervals, normal_form_keeps_every_instant) {
    EXPECT_TRUE(rc::check([] {
        auto const any = *arbitrary_intervals();
        auto const normal = normalise(any);
        RC_ASSERT(is_normal(normal));
        at_every_second([&](WallTime t) { return contains(normal, t) == in_any(any, t); });
    }));
}

TEST(Intervals, algebra_is_that_of_membership) {
    EXPECT_TRUE(rc::check([] {
        auto const a = *arbitrary_set();
        auto const b = *arbitrary_set();
        auto const either = unite(a, b);
        auto const both = intersect(a, b);
        auto const first_only = subtract(a, b);
        RC_ASSERT(is_normal(either) && is_normal(both) && is_normal(first_only));
        at_every_second([&](WallTime t) {
            bool const in_a = contains(a, t);
            bool const in_b = contains(b, t);
            return contains(either, t) == (in_a || in_b) && contains(both, t) == (in_a && in_b) &&
                   contains(first_only, t) == (in_a && !in_b);
        });
        RC_ASSERT(unite(both, first_only) == a);
        RC_ASSERT(contains_all(a, both));
        RC_ASSERT(contains_all(a, b) == (either == a));
    }));
}

TEST(Intervals, neighbours_of_an_instant_are_found) {
    EXPECT_TRUE(rc::check([] {
        auto const set = *arbitrary_set();
        at_every_second([&](WallTime t) {
            Interval const* last = nullptr;
            Interval const* next = nullptr;
            for (auto const& interval : set) {
                if (interval.start <= t) last = &interval;
                if (interval.start > t && !next) next = &interval;
            }
            return last_started(set, t) == last && first_after(set, t) == next;
        });
    }));
}

}  // namespace
}  // namespace interlude::schedule
