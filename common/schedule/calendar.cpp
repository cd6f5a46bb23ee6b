#include "common/schedule/calendar.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace interlude::schedule {

PublishedSchedule published(ScheduleDocument document, WallTime in_force_from) {
    return {document.number, in_force_from, document.compiled_span, std::move(document.compiled)};
}

PublishedOverride published(OverrideDocument const& document, WallTime in_force_from) {
    INTERLUDE_CHECK(document.kind != OverrideKind::send_now);
    return {document.kind, in_force_from, document.span, document.number};
}

Calendar::Calendar(std::vector<PublishedSchedule> schedules, std::vector<PublishedOverride> overrides) {
    std::sort(schedules.begin(), schedules.end(), [](auto const& a, auto const& b) {
        return std::pair(a.in_force_from, a.number) < std::pair(b.in_force_from, b.number);
    });
    // A schedule whose number is not above that of one already in force never speaks.
    std::vector<PublishedSchedule const*> speakers;
    for (auto const& schedule : schedules) {
        if (!speakers.empty() && schedule.number <= speakers.back()->number) continue;
        if (!speakers.empty() && speakers.back()->in_force_from == schedule.in_force_from) speakers.pop_back();
        speakers.push_back(&schedule);
    }
    Intervals open;
    for (std::size_t i = 0; i < speakers.size(); ++i) {
        auto const from = speakers[i]->in_force_from;
        auto const until = i + 1 < speakers.size() ? speakers[i + 1]->in_force_from : WallTime::max();
        auto const spoken = clip(speakers[i]->compiled, {from, until});
        open.insert(open.end(), spoken.begin(), spoken.end());
        pieces_.push_back({from, speakers[i]->number});
    }
    if (!speakers.empty()) known_until_ = speakers.back()->span.end;
    open_ = normalise(std::move(open));

    std::stable_sort(overrides.begin(), overrides.end(),
                     [](auto const& a, auto const& b) { return a.in_force_from < b.in_force_from; });
    for (auto const& override_ : overrides) {
        Interval const speaks{std::max(override_.in_force_from, override_.span.start), override_.span.end};
        if (speaks.end <= speaks.start) continue;
        auto const one = std::span(&speaks, 1);
        overrides_.insert(overrides_.begin(), {speaks, override_.number});
        switch (override_.kind) {
            case OverrideKind::open_now:
                open_ = unite(open_, one);
                break;
            case OverrideKind::close_now:
            case OverrideKind::postpone:
                open_ = subtract(open_, one);
                break;
            case OverrideKind::send_now:
                INTERLUDE_CHECK(false);
        }
    }
}

State Calendar::state_at(WallTime t) const {
    if (open(t)) return State::open;
    return document_at(t) > 0 ? State::closed : State::none;
}

bool Calendar::open(WallTime t) const {
    return contains(open_, t);
}

std::optional<WallTime> Calendar::open_from(WallTime t) const {
    return open(t) ? t : next_opening_after(t);
}

std::optional<WallTime> Calendar::next_opening_after(WallTime t) const {
    auto const* next = first_after(open_, t);
    return next ? std::optional(next->start) : std::nullopt;
}

std::optional<WallTime> Calendar::open_until(WallTime t) const {
    return open(t) ? last_open_span_end(t) : std::nullopt;
}

std::optional<WallTime> Calendar::last_open_span_end(WallTime t) const {
    auto const* last = last_started(open_, t);
    return last ? std::optional(last->end) : std::nullopt;
}

Intervals Calendar::windows(Interval span) const {
    return clip(open_, span);
}

std::uint64_t Calendar::schedule_at(WallTime t) const {
    auto const next =
        std::upper_bound(pieces_.begin(), pieces_.end(), t, [](WallTime at, Piece const& p) { return at < p.from; });
    return next == pieces_.begin() ? 0 : (next - 1)->number;
}

std::uint64_t Calendar::document_at(WallTime t) const {
    for (auto const& override_ : overrides_)
        if (override_.span.start <= t && t < override_.span.end) return override_.number;
    return schedule_at(t);
}

Intervals Calendar::overridden() const {
    Intervals spans;
    for (auto const& override_ : overrides_) spans.push_back(override_.span);
    return normalise(std::move(spans));
}

}  // namespace interlude::schedule
