#include "common/schedule/rules.hpp"

#include <algorithm>

namespace interlude::schedule {

namespace {

constexpr int minutes_per_week = 7 * minutes_per_day;

int start_in_week(WeeklyInterval const& interval) {
    return static_cast<int>(interval.day) * minutes_per_day + interval.start;
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool whole_seconds(Interval const& interval) {
    return base::to_ms(interval.start) % 1000 == 0 && base::to_ms(interval.end) % 1000 == 0;
}

}  // namespace

bool is_valid(WeeklyInterval const& interval) {
    return interval.day <= Weekday::sunday && interval.start < minutes_per_day && interval.start < interval.end &&
           interval.end <= interval.start + minutes_per_day;
}

std::optional<std::pair<WeeklyInterval, WeeklyInterval>> overlapping(std::span<WeeklyInterval const> weekly) {
    std::vector<WeeklyInterval> sorted(weekly.begin(), weekly.end());
    std::sort(sorted.begin(), sorted.end());
    // Sorted by start, two neighbours overlap if any two do; the last one's neighbour is the first of the next week.
    for (std::size_t i = 0; i < sorted.size() && sorted.size() > 1; ++i) {
        auto const& next = sorted[(i + 1) % sorted.size()];
        auto const next_start = start_in_week(next) + (i + 1 == sorted.size() ? minutes_per_week : 0);
        if (start_in_week(sorted[i]) + (sorted[i].end - sorted[i].start) > next_start)
            return std::pair(sorted[i], next);
    }
    return std::nullopt;
}

base::Result<void> check(Rules const& rules) {
    using base::Errc;
    if (rules.weekly.size() + rules.closures.size() + rules.openings.size() > rules_max) return Errc::too_long;
    if (!is_name(rules.zone)) return Errc::malformed;
    if (!std::all_of(rules.weekly.begin(), rules.weekly.end(), is_valid)) return Errc::malformed;
    if (!std::is_sorted(rules.weekly.begin(), rules.weekly.end())) return Errc::malformed;
    if (overlapping(rules.weekly)) return Errc::bad_schedule;
    for (auto const* exceptions : {&rules.closures, &rules.openings}) {
        if (!is_normal(*exceptions)) return Errc::malformed;
        if (!std::all_of(exceptions->begin(), exceptions->end(), whole_seconds)) return Errc::malformed;
    }
    return {};
}

Rules with_weekly(Rules rules, std::string zone, std::vector<WeeklyInterval> weekly) {
    rules.zone = std::move(zone);
    rules.weekly = std::move(weekly);
    std::sort(rules.weekly.begin(), rules.weekly.end());
    return rules;
}

Rules with_opening(Rules rules, Interval span) {
    rules.openings = unite(rules.openings, std::span(&span, 1));
    return rules;
}

Rules with_closure(Rules rules, Interval span) {
    rules.openings = subtract(rules.openings, std::span(&span, 1));
    rules.closures = unite(rules.closures, std::span(&span, 1));
    return rules;
}

Rules without_past(Rules rules, WallTime now) {
    auto const over = [now](Interval const& i) { return i.end <= now; };
    std::erase_if(rules.closures, over);
    std::erase_if(rules.openings, over);
    return rules;
}

}  // namespace interlude::schedule
