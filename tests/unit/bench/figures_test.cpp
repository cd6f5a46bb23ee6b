// When messages are due and what percentiles say, on runs small enough to be counted by hand.
#include "tests/bench/figures.hpp"

#include <gtest/gtest.h>

namespace interlude::test {
namespace {

using bench::Latencies;
using bench::Nanos;
using bench::Percentiles;
using bench::RateSchedule;
using namespace std::chrono_literals;

TEST(RateSchedule, spreads_messages_evenly_from_the_start_on) {
    RateSchedule const schedule(4, 2s);
    ASSERT_EQ(schedule.count(), 8u);
    EXPECT_EQ(schedule.due(0), 0ns);
    EXPECT_EQ(schedule.due(1), 250ms);
    EXPECT_EQ(schedule.due(7), 1750ms);
}

TEST(RateSchedule, has_nothing_due_at_its_end_or_later) {
    for (auto const rate : {0.3, 1.0, 3.0, 7.0, 333.0, 1000.0, 9999.0}) {
        for (auto const length : {1000ms, 3000ms, 12345ms}) {
            RateSchedule const schedule(rate, length);
            ASSERT_GT(schedule.count(), 0u);
            EXPECT_LT(schedule.due(schedule.count() - 1), length) << rate;
            EXPECT_GE(schedule.due(schedule.count()), length) << rate;
        }
    }
}

TEST(RateSchedule, does_not_drift_over_an_hour) {
    RateSchedule const schedule(3, 3600s);
    EXPECT_EQ(schedule.count(), 3u * 3600);
    EXPECT_EQ(schedule.due(3 * 3599), 3599s);
}

Latencies one_to(int most) {
    Latencies latencies;
    for (int ms = most; ms >= 1; --ms) latencies.add(std::chrono::milliseconds{ms});
    return latencies;
}

TEST(Latencies, of_nothing_are_zero) {
    EXPECT_EQ(Latencies{}.percentiles(), Percentiles{});
}

TEST(Latencies, of_one_are_that_one) {
    EXPECT_EQ(one_to(1).percentiles(), (Percentiles{1, 1ms, 1ms, 1ms, 1ms}));
}

TEST(Latencies, are_values_that_were_measured_by_nearest_rank) {
    EXPECT_EQ(one_to(10).percentiles(), (Percentiles{10, 5ms, 10ms, 10ms, 10ms}));
    EXPECT_EQ(one_to(100).percentiles(), (Percentiles{100, 50ms, 99ms, 100ms, 100ms}));
    EXPECT_EQ(one_to(1000).percentiles(), (Percentiles{1000, 500ms, 990ms, 999ms, 1000ms}));
    EXPECT_EQ(one_to(2001).percentiles(), (Percentiles{2001, 1001ms, 1981ms, 1999ms, 2001ms}));
}

TEST(Latencies, of_two_runs_are_those_of_all_values) {
    auto both = one_to(50);
    Latencies rest;
    for (int ms = 51; ms <= 100; ++ms) rest.add(std::chrono::milliseconds{ms});
    both.add(rest);
    EXPECT_EQ(both.percentiles(), one_to(100).percentiles());
}

TEST(Links, come_from_pairs_of_two) {
    EXPECT_EQ(bench::pairs_needed(0), 0u);
    EXPECT_EQ(bench::pairs_needed(1), 1u);
    EXPECT_EQ(bench::pairs_needed(2), 1u);
    EXPECT_EQ(bench::pairs_needed(9'999), 5'000u);
    EXPECT_EQ(bench::pairs_needed(10'000), 5'000u);
}

}  // namespace
}  // namespace interlude::test
