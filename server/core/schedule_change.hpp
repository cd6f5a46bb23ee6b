// May this schedule be published? Signed by a listed device, the next of its chain, and a change that the calendar's
// rules allow (exact.md, Calendar and Changes of a calendar). Sees calendars only, never envelopes.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/identity/device_list.hpp"
#include "common/wire/frames.hpp"
#include "server/core/audit_events.hpp"
#include "server/core/calendars.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

/// The server's own compilation of the document's rules, made by the caller from the zone's rules (core has no files):
/// present only when the server has the document's tzdata version.
struct Recompiled {
    std::vector<base::Interval> intervals;
};

struct SchedulePutRequest {
    DeviceRef by;
    wire::SignedDocument document;
    std::optional<Recompiled> recompiled;
    Seed seed;
};

struct ScheduleFacts {
    std::optional<identity::DeviceList> list;  // newest of the account
    CalendarPtr calendar;                      // null before the first document
    std::uint64_t number = 0;                  // of the newest document; 0: none
    Hash32 head;                               // its hash; zeros
    std::optional<wire::PublishedDocument> newest;
};

struct ScheduleChange {
    std::uint64_t number = 0;
    Hash32 hash;
    WallTime in_force_from{};
    EntryDraft entry;  // `schedule_published`
};
/// wire::Done: exactly this document is the newest already.
using ScheduleVerdict = std::variant<ScheduleChange, wire::Done, wire::Refused>;
ScheduleVerdict decide_schedule_change(ScheduleFacts const& facts, SchedulePutRequest const& request, WallTime now,
                                       Policy const& policy);

/// The calendar that an account's documents make, oldest first; our own bug if a stored document does not parse.
CalendarPtr calendar_of(AccountId const& account, std::vector<wire::PublishedDocument> const& schedules);

// ---- Windows -------------------------------------------------------------------------------------------------------

/// A bound that the ticker notices: one entry per (account, instant).
struct WindowEvent {
    WallTime instant{};
    bool opened = false;
    std::uint64_t calendar = 0;  // number of the document in force
    bool operator==(WindowEvent const&) const = default;
};
/// The bounds in (after, up_to], oldest first, at most `max`.
std::vector<WindowEvent> window_events(CalendarPtr const& calendar, WallTime after, WallTime up_to, std::size_t max);
EntryDraft entry_for(WindowEvent const& event, AccountId const& account, WallTime now);

}  // namespace interlude::core
