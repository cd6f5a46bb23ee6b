#include "common/schedule/schedule_change.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace interlude::schedule {

std::string_view name(ChangeProblem problem) noexcept {
    switch (problem) {
        case ChangeProblem::back_dated:
            return "back_dated";
        case ChangeProblem::cuts_begun_window:
            return "cuts_begun_window";
        case ChangeProblem::next_opening_later:
            return "next_opening_later";
        case ChangeProblem::gap_too_long:
            return "gap_too_long";
    }
    return "unknown problem";
}

void throw_exception_from_error(ChangeProblem const& problem, boost::source_location const&) {
    base::check_failed(name(problem).data(), __FILE__, __LINE__);
}

Excuse excuse_of(OverrideKind kind) {
    switch (kind) {
        case OverrideKind::open_now:
        case OverrideKind::send_now:
            return Excuse::none;
        case OverrideKind::postpone:
            return Excuse::postponement;
        case OverrideKind::close_now:
            return Excuse::unplanned_absence;
    }
    return Excuse::none;
}

bool back_dated(WallTime effective_from, WallTime now) {
    return effective_from != WallTime{} && effective_from + base::limits::clock_tolerance < now;
}

bool cuts_begun_window(Calendar const& before, Calendar const& after, WallTime now) {
    auto const until = before.open_until(now);
    if (!until) return false;
    auto const kept = after.open_until(now);
    return !kept || *kept < *until;
}

bool next_opening_not_later(Calendar const& before, Calendar const& after, WallTime now) {
    auto const promised = before.next_opening_after(now);
    if (!promised) return true;
    if (!before.open(now) && after.open(now)) return true;
    auto const next = after.next_opening_after(now);
    return after.open(*promised) || (next && *next <= *promised);
}

namespace {

/// Closed stretches after now that end with a window.
Intervals gaps(Calendar const& calendar, WallTime now) {
    Intervals closed;
    auto from = calendar.open_until(now).value_or(now);
    for (auto next = calendar.next_opening_after(now); next; next = calendar.next_opening_after(*next)) {
        closed.push_back({from, *next});
        from = *calendar.open_until(*next);
    }
    return closed;
}

bool closes_too_long(Rules const& rules, WallTime now, Millis longest) {
    auto const closed = subtract(rules.closures, rules.openings);
    return std::any_of(closed.begin(), closed.end(),
                       [&](Interval const& closure) { return closure.end - std::max(closure.start, now) > longest; });
}

}  // namespace

bool gap_exceeds(Calendar const& before, Calendar const& after, WallTime now, Millis longest) {
    auto const known = gaps(before, now);
    // An absence that was said openly is no gap: what follows it may be published.
    for (auto const& gap : subtract(gaps(after, now), after.overridden()))
        if (gap.end - gap.start > longest && !contains_all(known, std::span(&gap, 1))) return true;
    return false;
}

base::Result<void, ChangeProblem> check_change(CalendarChange const& change) {
    auto const& [before, after, now, effective_from, rules, hold_life, excuse] = change;
    auto const longest = hold_life - gap_margin;
    if (back_dated(effective_from, now)) return ChangeProblem::back_dated;
    if (excuse != Excuse::unplanned_absence && cuts_begun_window(before, after, now))
        return ChangeProblem::cuts_begun_window;
    if (excuse == Excuse::none && !next_opening_not_later(before, after, now)) return ChangeProblem::next_opening_later;
    if (excuse == Excuse::none &&
        ((rules && closes_too_long(*rules, now, longest)) || gap_exceeds(before, after, now, longest)))
        return ChangeProblem::gap_too_long;
    return {};
}

}  // namespace interlude::schedule
