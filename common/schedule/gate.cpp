#include "common/schedule/gate.hpp"

#include <algorithm>

namespace interlude::schedule {

std::optional<WallTime> envelope_from(WallTime stamp, GateCalendar sender) {
    return sender ? sender->open_from(stamp) : stamp;
}

bool passes(std::optional<WallTime> from, GateCalendar account, WallTime now) {
    auto const limit = cut(account, now);
    return from && limit && *from <= *limit;
}

std::optional<WallTime> passes_at(std::optional<WallTime> from, GateCalendar account) {
    return from && account ? account->open_from(*from) : from;
}

std::optional<WallTime> cut(GateCalendar account, WallTime now) {
    if (!account || account->open(now)) return now;
    auto const end = account->last_open_span_end(now);
    return end ? std::optional(*end - Millis{1}) : std::nullopt;  // `from` < end, in milliseconds
}

std::optional<WallTime> stamp_cut(GateCalendar sender, GateCalendar account, WallTime now) {
    // The sender's first opening at or after the stamp is at or before the account's cut exactly if the sender was open
    // at some instant between the two: which is what the sender's own cut at that instant says.
    auto const limit = cut(account, now);
    return limit ? cut(sender, *limit) : std::nullopt;
}

GateDecision decide_gate(WallTime stamp, GateCalendar sender, GateCalendar account) {
    auto const until = passes_at(envelope_from(stamp, sender), account);
    if (until == stamp) return {true, std::nullopt};
    return {false, until};
}

WallTime expires_at(WallTime stamp, std::optional<WallTime> passed_at, Millis hold_life) {
    auto const at_the_latest = stamp + 2 * hold_life;
    return passed_at ? std::min(*passed_at + hold_life, at_the_latest) : at_the_latest;
}

}  // namespace interlude::schedule
