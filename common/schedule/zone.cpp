#include "common/schedule/zone.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace interlude::schedule {

using std::chrono::seconds;

namespace {

WallTime minus_offset(LocalSeconds local, seconds offset) {
    return WallTime{local.time_since_epoch() - offset};
}

}  // namespace

ZoneRules::ZoneRules(std::string name, std::string tzdata, base::Interval span, seconds first_offset,
                     std::vector<ZoneTransition> transitions)
    : name_(std::move(name)),
      tzdata_(std::move(tzdata)),
      span_(span),
      first_offset_(first_offset),
      transitions_(std::move(transitions)) {
    INTERLUDE_CHECK(std::is_sorted(transitions_.begin(), transitions_.end(),
                                   [](auto const& a, auto const& b) { return a.at < b.at; }));
}

ZoneRules ZoneRules::utc() {
    return ZoneRules("UTC", "unknown", {WallTime::min(), WallTime::max()}, seconds{0}, {});
}

seconds ZoneRules::offset_before(std::size_t transition) const {
    return transition == 0 ? first_offset_ : transitions_[transition - 1].offset;
}

seconds ZoneRules::offset_at(WallTime t) const {
    auto const next = std::upper_bound(transitions_.begin(), transitions_.end(), t,
                                       [](WallTime at, ZoneTransition const& z) { return at < z.at; });
    return offset_before(static_cast<std::size_t>(next - transitions_.begin()));
}

LocalSeconds ZoneRules::to_local(WallTime t) const {
    return LocalSeconds{std::chrono::floor<seconds>(t.time_since_epoch()) + offset_at(t)};
}

WallTime ZoneRules::resolve(LocalSeconds local, bool last) const {
    // Offsets lie within +-26 hours, so only periods that near can show this wall-clock time.
    auto const margin = std::chrono::hours{27};
    auto const around = WallTime{local.time_since_epoch()};
    auto const begin = std::upper_bound(transitions_.begin(), transitions_.end(), around - margin,
                                        [](WallTime at, ZoneTransition const& z) { return at < z.at; });
    auto const first = static_cast<std::size_t>(begin - transitions_.begin());
    auto found = WallTime::min();
    auto in_gap = minus_offset(local, offset_before(first));
    // The period before transition i, for each i that is near, and the period after the last of them.
    for (auto i = first;; ++i) {
        auto const candidate = minus_offset(local, offset_before(i));
        bool const begun = i == first || candidate >= transitions_[i - 1].at;
        bool const ended = i < transitions_.size() && candidate >= transitions_[i].at;
        if (begun && !ended) {
            found = candidate;
            if (!last) return found;
        }
        // Ended before it, not yet begun after it: a gap. Read by the offset before, the time moves on by the gap.
        if (ended && minus_offset(local, transitions_[i].offset) < transitions_[i].at) in_gap = candidate;
        if (i >= transitions_.size() || transitions_[i].at > around + margin) break;
    }
    return found == WallTime::min() ? in_gap : found;
}

WallTime ZoneRules::first_occurrence(LocalSeconds local) const {
    return resolve(local, false);
}

WallTime ZoneRules::last_occurrence(LocalSeconds local) const {
    return resolve(local, true);
}

}  // namespace interlude::schedule
