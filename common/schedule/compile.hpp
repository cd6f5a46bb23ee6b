// Rules and zone rules to instants. The compiled intervals are what is signed and enforced; this says how they follow.
#pragma once

#include "common/base/limits.hpp"
#include "common/schedule/rules.hpp"
#include "common/schedule/zone.hpp"

namespace interlude::schedule {

/// (weekly - closures) + extra openings inside `span`, in whole seconds. Daylight saving (product.md): a start or end
/// in a gap moves forward by the gap; an ambiguous start is its first occurrence, an ambiguous end its last; a window
/// of which nothing is left is dropped. The zone rules must cover the span and two days around it (checked).
Intervals compile(Rules const& rules, ZoneRules const& zone, Interval span);

/// The span that a document signed at `now` is compiled for: from the day before (a device's clock may be ahead) to
/// limits::schedule_days_compiled after. Whole seconds.
Interval compiled_span(WallTime now);
/// `span` with the margin that compile() needs from the zone rules: what to ask load_zone for.
Interval zone_span(Interval span);

/// Local days in `span` on which a weekly window is longer or shorter than its wall clock says.
struct OddDay {
    std::chrono::sys_days day;  // local
    WeeklyInterval rule;
    std::chrono::seconds longer_by;  // negative: shorter; a dropped one by its whole length
    bool operator==(OddDay const&) const = default;
};
std::vector<OddDay> odd_days(Rules const& rules, ZoneRules const& zone, Interval span);

}  // namespace interlude::schedule
