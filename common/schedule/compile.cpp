#include "common/schedule/compile.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace interlude::schedule {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

// A window belongs to the day it starts on and can last into the day after the next midnight; zones reach 26 hours.
constexpr auto margin = days{3};

sys_days local_day(ZoneRules const& zone, WallTime t) {
    return floor<days>(zone.to_local(t));
}

Weekday weekday_of(sys_days day) {
    return static_cast<Weekday>(std::chrono::weekday{day}.iso_encoding() - 1);
}

Interval instants(WeeklyInterval const& rule, sys_days day, ZoneRules const& zone) {
    return {zone.first_occurrence(day + minutes{rule.start}), zone.last_occurrence(day + minutes{rule.end})};
}

template <class Visit>
void each_window(Rules const& rules, ZoneRules const& zone, Interval span, Visit visit) {
    auto const last = local_day(zone, span.end);
    for (auto day = local_day(zone, span.start) - days{2}; day <= last + days{1}; day += days{1})
        for (auto const& rule : rules.weekly)
            if (rule.day == weekday_of(day)) visit(rule, day, instants(rule, day, zone));
}

}  // namespace

Intervals compile(Rules const& rules, ZoneRules const& zone, Interval span) {
    INTERLUDE_CHECK(zone.span().start <= zone_span(span).start && zone_span(span).end <= zone.span().end);
    Intervals weekly;
    each_window(rules, zone, span,
                [&](WeeklyInterval const&, sys_days, Interval const& window) { weekly.push_back(window); });
    auto const open = unite(subtract(normalise(std::move(weekly)), rules.closures), rules.openings);
    return clip(open, span);
}

Interval compiled_span(WallTime now) {
    auto const second = WallTime{floor<seconds>(now.time_since_epoch())};
    return {second - days{1}, second + days{base::limits::schedule_days_compiled}};
}

Interval zone_span(Interval span) {
    return {span.start - margin, span.end + margin};
}

std::vector<OddDay> odd_days(Rules const& rules, ZoneRules const& zone, Interval span) {
    std::vector<OddDay> odd;
    each_window(rules, zone, span, [&](WeeklyInterval const& rule, sys_days day, Interval const& window) {
        if (window.end <= span.start || span.end <= window.start) return;
        auto const wall_clock = seconds{minutes{rule.end - rule.start}};
        auto const real = std::max(floor<seconds>(window.end - window.start), seconds{0});
        if (real != wall_clock) odd.push_back({day, rule, real - wall_clock});
    });
    return odd;
}

}  // namespace interlude::schedule
