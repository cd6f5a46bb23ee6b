// Short ways to write schedule values in tests.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>

#include "common/schedule/calendar.hpp"
#include "common/schedule/hours_text.hpp"

namespace interlude::schedule {

inline void PrintTo(Interval const& interval, std::ostream* out) {
    *out << "[" << base::to_ms(interval.start) << ", " << base::to_ms(interval.end) << ")";
}

namespace test {

/// "2026-03-29T01:30" or with seconds, UTC.
inline WallTime utc(std::string const& text) {
    int year, month, day, hour = 0, minute = 0, second = 0;
    auto const fields = std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second);
    EXPECT_GE(fields, 3) << text;
    std::chrono::sys_days const date = std::chrono::year(year) / month / day;
    return WallTime{date.time_since_epoch()} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second};
}

/// "2026-03-29T08:00/2026-03-29T09:00"
inline Interval span(std::string const& text) {
    auto const slash = text.find('/');
    return {utc(text.substr(0, slash)), utc(text.substr(slash + 1))};
}

inline Intervals spans(std::vector<std::string> const& texts) {
    Intervals all;
    for (auto const& text : texts) all.push_back(span(text));
    return all;
}

/// Whole hours since 1970, for calendars whose date does not matter.
inline WallTime hour(int h) {
    return base::wall_seconds(h * 3600);
}
inline Interval hours(int from, int to) {
    return {hour(from), hour(to)};
}

inline std::vector<WeeklyInterval> weekly(std::string const& text) {
    auto const parsed = parse_hours(text);
    EXPECT_TRUE(parsed.has_value()) << parsed.error().text;
    return *parsed;
}

/// One schedule in force from the beginning of time on, with these windows, compiled for `days`.
inline Calendar calendar(Intervals windows, int days = 400) {
    return Calendar({PublishedSchedule{1, hour(0), {hour(0), hour(24 * days)}, std::move(windows)}});
}

/// Any intervals of small whole seconds, overlapping or not.
inline rc::Gen<Intervals> arbitrary_intervals() {
    auto const bound = rc::gen::inRange<std::int64_t>(0, 60);
    return rc::gen::map(
        rc::gen::container<std::vector<std::pair<std::int64_t, std::int64_t>>>(rc::gen::pair(bound, bound)),
        [](auto const& pairs) {
            Intervals intervals;
            for (auto const& [a, b] : pairs) intervals.push_back({base::wall_seconds(a), base::wall_seconds(b)});
            return intervals;
        });
}
inline rc::Gen<Intervals> arbitrary_set() {
    return rc::gen::map(arbitrary_intervals(), normalise);
}

/// A few documents and overrides, in force at arbitrary instants of a minute.
inline rc::Gen<std::pair<std::vector<PublishedSchedule>, std::vector<PublishedOverride>>> arbitrary_documents() {
    auto const second = rc::gen::map(rc::gen::inRange<std::int64_t>(0, 60), base::wall_seconds);
    auto const whole = Interval{base::wall_seconds(0), base::wall_seconds(60)};
    auto const schedules = rc::gen::map(
        rc::gen::container<std::vector<std::pair<WallTime, Intervals>>>(rc::gen::pair(second, arbitrary_set())),
        [whole](auto const& parts) {
            std::vector<PublishedSchedule> all;
            for (auto const& [from, open] : parts) {
                if (all.size() == 4) break;
                all.push_back({all.size() + 1, from, whole, open});
            }
            return all;
        });
    auto const kind = rc::gen::element(OverrideKind::open_now, OverrideKind::close_now, OverrideKind::postpone);
    auto const overrides =
        rc::gen::map(rc::gen::container<std::vector<std::tuple<OverrideKind, WallTime, WallTime, WallTime>>>(
                         rc::gen::tuple(kind, second, second, second)),
                     [](auto const& parts) {
                         std::vector<PublishedOverride> all;
                         for (auto const& [what, from, start, end] : parts) {
                             if (all.size() == 3) break;
                             all.push_back({what, from, {std::min(start, end), std::max(start, end)}, all.size() + 1});
                         }
                         return all;
                     });
    return rc::gen::pair(schedules, overrides);
}

}  // namespace test
}  // namespace interlude::schedule
