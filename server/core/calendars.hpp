// The calendars of the gated accounts of one decision, and the questions that are asked of them with common/schedule.
#pragma once

#include <map>
#include <memory>

#include "common/schedule/calendar.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

/// Shared because a store keeps parsed calendars; never changed once made. Null: nothing was published, it is closed.
using CalendarPtr = std::shared_ptr<schedule::Calendar const>;
/// One item for each therapist-side account of the conversation; an account that is absent has no gate.
using Calendars = std::map<AccountId, CalendarPtr>;

/// First instant from which an envelope may pass for `account` (exact.md, Gate): its stamp, or for a late sender the
/// sender's first opening at or after it; nullopt while no such opening is published. Never later than the stamp for
/// the sender's own account.
std::optional<WallTime> passes_from(WallTime stamp, AccountId const& sender,
                                    std::optional<AccountId> const& late_sender, AccountId const& account,
                                    Calendars const& calendars);
/// Does it pass for `account` at `now`?
bool passes(WallTime stamp, AccountId const& sender, std::optional<AccountId> const& late_sender,
            AccountId const& account, Calendars const& calendars, WallTime now);
/// When it will pass, or did; nullopt while no opening is published by which it would.
std::optional<WallTime> passes_at(WallTime stamp, AccountId const& sender, std::optional<AccountId> const& late_sender,
                                  AccountId const& account, Calendars const& calendars);
/// Is the account's gate open (an ungated account's always is)?
bool open_at(AccountId const& account, Calendars const& calendars, WallTime now);

}  // namespace interlude::core
