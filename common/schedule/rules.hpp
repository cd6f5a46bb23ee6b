// What a therapist means by hours: weekly intervals of wall-clock time in a zone, and exceptions to the second. The
// compiler (compile.hpp) turns them into instants.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "common/schedule/intervals.hpp"

namespace interlude::schedule {

inline constexpr std::size_t rules_max = 500;  // weekly intervals, closures and extra openings together
inline constexpr int minutes_per_day = 24 * 60;

enum class Weekday : std::uint8_t { monday, tuesday, wednesday, thursday, friday, saturday, sunday };

/// Minutes of wall-clock time after the midnight that begins `day`. 0 <= start < 1440, start < end <= start + 1440:
/// an end beyond 1440 is on the next day.
struct WeeklyInterval {
    Weekday day{};
    std::uint16_t start = 0;
    std::uint16_t end = 0;
    auto operator<=>(WeeklyInterval const&) const = default;
};

struct Rules {
    std::string zone;                    // IANA name
    std::vector<WeeklyInterval> weekly;  // sorted; none overlaps another (they may touch)
    Intervals closures;                  // cut weekly hours; whole seconds
    Intervals openings;                  // beat closures; whole seconds
    bool operator==(Rules const&) const = default;
};

bool is_valid(WeeklyInterval const& interval);
/// Two that overlap, the week being a circle: Sunday 22:00-02:00 overlaps Monday 01:00-03:00. In any order.
std::optional<std::pair<WeeklyInterval, WeeklyInterval>> overlapping(std::span<WeeklyInterval const> weekly);
/// too_long: more than rules_max. bad_schedule: weekly intervals that overlap. malformed: an interval outside its
/// range, unsorted, an exception not in whole seconds, an empty or unprintable zone name.
base::Result<void> check(Rules const& rules);

// Changes that an app makes: each returns the rules with one thing done.

Rules with_weekly(Rules rules, std::string zone, std::vector<WeeklyInterval> weekly);
/// Open for all of `span`, whatever was closed.
Rules with_opening(Rules rules, Interval span);
/// Closed for all of `span`, extra openings included.
Rules with_closure(Rules rules, Interval span);
/// Without the exceptions that ended by then.
Rules without_past(Rules rules, WallTime now);

}  // namespace interlude::schedule
