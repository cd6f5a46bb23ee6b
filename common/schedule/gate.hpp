// The gate (exact.md, Gate): from when on an envelope passes to an account. Pure, so server and verifier share it.
#pragma once

#include "common/schedule/calendar.hpp"

namespace interlude::schedule {

/// The calendar that gates an account; nullptr: no gate (client-side accounts). A therapist-side account that published
/// nothing has an empty calendar, which is closed.
using GateCalendar = Calendar const*;

/// From when on an envelope may pass to anybody: its stamp, or, when a therapist sent it in a closed window without
/// *send now*, the sender's first opening at or after the stamp. nullopt: no opening is known. `sender` is nullptr for
/// an envelope from the client side, for one with send now, and towards the sender's own account (whose other devices
/// then wait for that account's own gate alone).
std::optional<WallTime> envelope_from(WallTime stamp, GateCalendar sender);

/// passes(envelope, account, now) = from <= now and (ungated, or open(now), or from < end of the last open span).
bool passes(std::optional<WallTime> from, GateCalendar account, WallTime now);

/// When it passes, by what is published: what `stored` answers. nullopt: "held; no opening is published yet".
std::optional<WallTime> passes_at(std::optional<WallTime> from, GateCalendar account);

/// The one value to compare with: passes(from, account, now) exactly if from <= cut. nullopt: nothing passes.
/// Never decreases with now, nor when a document is published that is in force from now or later.
std::optional<WallTime> cut(GateCalendar account, WallTime now);

/// The same for *stamps* of envelopes of one sender: passes(envelope_from(stamp, sender), account, now) exactly if
/// stamp <= cut. So a store keeps the stamp and who sent it, and never a time that a later document could change.
std::optional<WallTime> stamp_cut(GateCalendar sender, GateCalendar account, WallTime now);

/// The decision for one recipient account at the stamp.
struct GateDecision {
    bool passes_now = false;
    std::optional<WallTime> until;  // when it does not: passes_at(); absent: no opening is published yet
    bool operator==(GateDecision const&) const = default;
};
GateDecision decide_gate(WallTime stamp, GateCalendar sender, GateCalendar account);

/// When an envelope's life ends (exact.md, Life): one hold life after it passed, at the latest two after its stamp.
/// `passed_at`: passes_at() of every account that has not fetched it, the latest; nullopt: not known.
WallTime expires_at(WallTime stamp, std::optional<WallTime> passed_at, Millis hold_life);

}  // namespace interlude::schedule
