// May this schedule or override be published? Signed by a listed device, the next of its chain, and a change that the
// calendar's rules allow (exact.md, Calendar and Changes of a calendar). Sees calendars only, never envelopes.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/identity/device_list.hpp"
#include "common/schedule/zone.hpp"
#include "common/wire/frames.hpp"
#include "server/core/audit_events.hpp"
#include "server/core/calendars.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

/// The zone rules that the server would compile a document's rules with: what the caller loads, since core has no
/// files. nullopt: the document does not parse.
struct ZoneNeeds {
    std::string zone;
    base::Interval span;
};
std::optional<ZoneNeeds> needs_of(wire::SignedDocument const& document);

struct CalendarPutRequest {
    DeviceRef by;  // of a therapist-side account: a client's never comes past its link (link_core.hpp)
    wire::SignedDocument document;
    std::optional<schedule::ZoneRules> zone;  // absent: unknown here; then nothing is compared
    Seed seed;
};

struct ScheduleFacts {
    std::optional<identity::DeviceList> list;    // newest of the account
    std::vector<wire::PublishedDocument> chain;  // the account's documents, oldest first
    int published_today = 0;                     // of them, in the last 24 hours
};

struct ScheduleChange {
    std::uint64_t number = 0;
    WallTime in_force_from{};
    CalendarPtr calendar;  // with the new document
    EntryDraft entry;      // `schedule_published` or `override_published`
};
/// wire::Done: exactly this document is the newest already.
using ScheduleVerdict = std::variant<ScheduleChange, wire::Done, wire::Refused>;
ScheduleVerdict decide_schedule_change(ScheduleFacts const& facts, CalendarPutRequest const& request, WallTime now,
                                       Policy const& policy);

/// The calendar that an account's documents make, oldest first; our own bug if a stored document does not parse.
CalendarPtr calendar_of(std::vector<wire::PublishedDocument> const& chain);
/// Before the first bound that note_windows is to log: what `marked_up_to` begins with at the first publication.
inline WallTime first_mark(WallTime in_force_from) {
    return in_force_from - Millis{1};
}

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
