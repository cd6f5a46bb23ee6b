// What rules may be, and what an app does to them.
#include "common/schedule/rules.hpp"

#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using base::Errc;
using test::hour;
using test::hours;
using test::weekly;

Rules berlin(std::string const& text = "Mon-Fri 09:00-12:00") {
    return with_weekly({}, "Europe/Berlin", weekly(text));
}

TEST(Rules, sound_ones_are_accepted) {
    auto rules = berlin();
    rules.closures = {hours(1, 2), hours(3, 4)};
    rules.openings = {hours(2, 5)};
    EXPECT_TRUE(check(rules));
    EXPECT_TRUE(check(berlin("none")));
}

TEST(Rules, each_fault_has_its_name) {
    auto const fault = [](auto change) {
        auto rules = berlin();
        change(rules);
        auto const checked = check(rules);
        return checked ? std::string_view("accepted") : name(checked.error());
    };
    EXPECT_EQ(fault([](Rules&) {}), "accepted");
    EXPECT_EQ(fault([](Rules& r) { r.weekly.push_back({Weekday::friday, 719, 730}); }), "bad_schedule");
    EXPECT_EQ(fault([](Rules& r) { std::swap(r.weekly[0], r.weekly[1]); }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.weekly.push_back({static_cast<Weekday>(7), 1, 2}); }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.weekly.back().end = r.weekly.back().start; }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.weekly.back().end = r.weekly.back().start + 1441; }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.weekly.back() = {Weekday::friday, 1440, 1450}; }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.zone = ""; }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.zone = "Europe/Ber lin"; }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.closures = {hours(3, 4), hours(1, 2)}; }), "malformed");
    EXPECT_EQ(fault([](Rules& r) { r.openings = {{hour(1), hour(1) + Millis{500}}}; }), "malformed");
    EXPECT_EQ(fault([](Rules& r) {
                  for (int i = 0; i < 496; ++i) r.closures.push_back(hours(2 * i, 2 * i + 1));
              }),
              "too_long");
    EXPECT_EQ(fault([](Rules& r) {
                  for (int i = 0; i < 495; ++i) r.closures.push_back(hours(2 * i, 2 * i + 1));
              }),
              "accepted");
}

TEST(Rules, the_week_is_a_circle) {
    EXPECT_TRUE(
        overlapping(std::vector<WeeklyInterval>{{Weekday::sunday, 1320, 1320 + 200}, {Weekday::monday, 60, 120}}));
    EXPECT_FALSE(overlapping(std::vector<WeeklyInterval>{{Weekday::sunday, 1320, 1500}, {Weekday::monday, 60, 120}}));
    EXPECT_FALSE(overlapping(std::vector<WeeklyInterval>{{Weekday::sunday, 60, 1500}}));
}

TEST(Rules, the_later_wish_wins_over_the_earlier) {
    auto const opened = with_opening(with_closure(berlin(), hours(10, 20)), hours(12, 14));
    EXPECT_EQ(opened.openings, Intervals{hours(12, 14)});
    EXPECT_EQ(opened.closures, Intervals{hours(10, 20)});
    auto const closed = with_closure(opened, hours(13, 25));
    EXPECT_EQ(closed.openings, Intervals{hours(12, 13)});
    EXPECT_EQ(closed.closures, Intervals{hours(10, 25)});
}

TEST(Rules, exceptions_that_are_over_are_dropped) {
    auto rules = with_opening(with_closure(berlin(), hours(1, 2)), hours(3, 4));
    EXPECT_EQ(without_past(rules, hour(2) - Millis{1}).closures.size(), 1u);
    EXPECT_EQ(without_past(rules, hour(2)).closures.size(), 0u);
    EXPECT_EQ(without_past(rules, hour(2)).openings.size(), 1u);
}

}  // namespace
}  // namespace interlude::schedule
