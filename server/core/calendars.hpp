// The calendars of the gated accounts of one decision, and the questions that are asked of them (common/schedule).
#pragma once

#include <map>
#include <memory>

#include "common/audit/payload.hpp"
#include "common/schedule/calendar.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

/// Shared because a store keeps parsed calendars; never changed once made. Null: nothing was published, it is closed.
using CalendarPtr = std::shared_ptr<schedule::Calendar const>;
/// One item for each therapist-side account of the conversation; an account that is absent has no gate.
using Calendars = std::map<AccountId, CalendarPtr>;

/// What the gate needs to know of an envelope. When it passes is never stored: it follows from this and the calendars.
struct Origin {
    AccountId sender;
    std::optional<AccountId> late_sender;  // `sender`, when gated and written in a closed window without send-now
    WallTime stamp{};
    bool operator==(Origin const&) const = default;
};

/// nullptr: no gate.
schedule::Calendar const* gate_of(AccountId const& account, Calendars const& calendars);
/// From when on it may pass for `account` (exact.md, Gate): its stamp, or for a late sender the sender's first opening
/// at or after it; nullopt while no such opening is published. For the sender's own account always the stamp.
std::optional<WallTime> passes_from(Origin const& origin, AccountId const& account, Calendars const& calendars);
/// Does it pass for `account` at `now`?
bool passes(Origin const& origin, AccountId const& account, Calendars const& calendars, WallTime now);
/// When it passes; nullopt while no opening is published by which it would.
std::optional<WallTime> passes_at(Origin const& origin, AccountId const& account, Calendars const& calendars);
/// Is the account's gate open (an ungated account's always is)?
bool open_at(AccountId const& account, Calendars const& calendars, WallTime now);
/// Numbers of the documents that speak at `at`; zeros for an ungated account.
audit::GateNumbers gate_numbers(AccountId const& account, Calendars const& calendars, WallTime at);

}  // namespace interlude::core
