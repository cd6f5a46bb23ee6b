// The server's idea of the time, and token buckets.
#include "server/core/server_time.hpp"

#include <gtest/gtest.h>

#include "server/core/rate.hpp"
#include "tests/unit/core/parts.hpp"

namespace interlude::core {
namespace {

using namespace test;
using base::mono_ms;
using Event = ServerTime::Event;

ServerTime started(WallTime mark, bool synchronised = false, WallTime wall = monday_noon) {
    return ServerTime({wall, mono_ms(1000), mark, synchronised});
}

TEST(ServerTime, a_new_store_believes_the_wall_clock) {
    auto const time = started(WallTime{});
    EXPECT_TRUE(time.releases_allowed());
    EXPECT_EQ(time.at(mono_ms(1000)).now, monday_noon);
    EXPECT_EQ(time.at(mono_ms(3500)).now, monday_noon + 2500ms);
}

TEST(ServerTime, a_start_more_than_a_day_past_the_mark_needs_a_synchronised_clock) {
    EXPECT_TRUE(started(monday_noon - 24h).releases_allowed());
    auto const doubted = started(monday_noon - 24h - 1ms);
    EXPECT_FALSE(doubted.releases_allowed());
    EXPECT_EQ(doubted.at(mono_ms(1500)).now, monday_noon - 24h - 1ms + 500ms);  // mark + monotonic
    auto const synchronised = started(monday_noon - 400h, true);
    EXPECT_TRUE(synchronised.releases_allowed());
    EXPECT_EQ(synchronised.at(mono_ms(1000)).now, monday_noon);
}

TEST(ServerTime, never_starts_before_its_mark) {
    auto const time = started(monday_noon + 1h);
    EXPECT_EQ(time.at(mono_ms(1000)).now, monday_noon + 1h);
    EXPECT_EQ(time.skew(), -1h);
}

TEST(ServerTime, follows_small_differences_slowly_and_never_goes_back) {
    auto time = started(WallTime{});
    auto before = time.at(mono_ms(1000)).now;
    for (int second = 1; second <= 200; ++second) {
        auto const wall = monday_noon + 1000ms * second + 2s;
        EXPECT_EQ(time.observe(wall, mono_ms(1000 + 1000 * second)), Event::none);
        auto const now = time.at(mono_ms(1000 + 1000 * second)).now;
        EXPECT_LE(now - before, 1050ms);
        EXPECT_GE(now - before, 1000ms);
        before = now;
    }
    EXPECT_EQ(before, monday_noon + 202s);  // caught up
    for (int second = 201; second <= 240; ++second) {
        time.observe(monday_noon + 1000ms * second, mono_ms(1000 + 1000 * second));
        auto const now = time.at(mono_ms(1000 + 1000 * second)).now;
        EXPECT_GE(now - before, 950ms);
        EXPECT_LE(now - before, 1000ms);
        before = now;
    }
}

TEST(ServerTime, ignores_a_step_and_stops_releases_until_the_clock_comes_back) {
    auto time = started(WallTime{});
    EXPECT_EQ(time.observe(monday_noon + 1s + ServerTime::followed_max, mono_ms(2000)), Event::none);
    EXPECT_TRUE(time.releases_allowed());

    auto const now = time.at(mono_ms(3000)).now;
    EXPECT_EQ(time.observe(now + ServerTime::followed_max + 1ms, mono_ms(3000)), Event::step_ignored);
    EXPECT_FALSE(time.releases_allowed());
    EXPECT_EQ(time.at(mono_ms(3000)).now, now);
    EXPECT_EQ(time.observe(now + 10h, mono_ms(4000)), Event::none);  // told once
    EXPECT_EQ(time.observe(now + 2s, mono_ms(5000)), Event::came_back);
    EXPECT_TRUE(time.releases_allowed());
    EXPECT_LE(time.at(mono_ms(5000)).now, now + 2s + 100ms);
}

TEST(ServerTime, the_operator_confirms_a_step) {
    auto time = started(WallTime{});
    time.observe(monday_noon + 10h, mono_ms(2000));
    EXPECT_FALSE(time.releases_allowed());
    time.confirm(monday_noon + 10h, mono_ms(2000));
    EXPECT_TRUE(time.releases_allowed());
    EXPECT_EQ(time.at(mono_ms(2000)).now, monday_noon + 10h);
    time.confirm(monday_noon, mono_ms(3000));  // never back
    EXPECT_EQ(time.at(mono_ms(3000)).now, monday_noon + 10h + 1s);
}

TEST(ServerTime, a_clock_far_behind_is_told_once_and_time_goes_on_slower) {
    auto time = started(WallTime{});
    EXPECT_EQ(time.observe(monday_noon - 1h, mono_ms(2000)), Event::behind);
    EXPECT_EQ(time.observe(monday_noon - 1h + 1s, mono_ms(3000)), Event::none);
    EXPECT_EQ(time.at(mono_ms(3000)).now, monday_noon + 1900ms);
    EXPECT_TRUE(time.releases_allowed());
}

TEST(Rate, a_burst_then_one_per_interval) {
    RateBook::Rates rates{};
    rates[static_cast<std::size_t>(RateKind::messages)] = {60, 1000ms};
    RateBook book(rates);
    auto const now = mono_ms(5000);
    for (int i = 0; i < 60; ++i) ASSERT_FALSE(book.take(RateKind::messages, now)) << i;
    EXPECT_EQ(book.take(RateKind::messages, now), 1000ms);
    EXPECT_EQ(book.take(RateKind::messages, now + 999ms), 1ms);
    EXPECT_FALSE(book.take(RateKind::messages, now + 1000ms));
    EXPECT_TRUE(book.take(RateKind::messages, now + 1000ms));
    for (int i = 0; i < 60; ++i) ASSERT_FALSE(book.take(RateKind::messages, now + 90s)) << i;  // full again
    EXPECT_TRUE(book.take(RateKind::messages, now + 90s));
}

}  // namespace
}  // namespace interlude::core
