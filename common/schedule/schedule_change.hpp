// May the calendar change so? Calendars only, never envelopes: a refusal must not tell a therapist at night that
// somebody wrote (exact.md, Changes of a calendar).
#pragma once

#include <chrono>

#include "common/schedule/calendar.hpp"

namespace interlude::schedule {

/// In the order in which they are looked for.
enum class ChangeProblem : std::uint8_t {
    back_dated,          // effective-from lies before now (beyond the clock tolerance)
    cuts_begun_window,   // a window that has begun would end earlier
    next_opening_later,  // the next opening would be later, or none
    gap_too_long,        // a closure or a gap between windows longer than the hold life less 7 days
};
std::string_view name(ChangeProblem problem) noexcept;
[[noreturn]] void throw_exception_from_error(ChangeProblem const& problem, boost::source_location const&);

/// What a signed override excuses. None excuses back-dating.
enum class Excuse : std::uint8_t {
    none,
    postponement,       // next_opening_later, gap_too_long
    unplanned_absence,  // also cuts_begun_window
};
/// open_now, and any schedule: none.
Excuse excuse_of(OverrideKind kind);

inline constexpr auto gap_margin = std::chrono::days{7};

struct CalendarChange {
    Calendar const& before;
    Calendar const& after;         // with the new document in force
    WallTime now{};                // the server's stamp of it
    WallTime effective_from{};     // of a schedule; zero: at once
    Rules const* rules = nullptr;  // of a schedule: its closures are looked at beyond what is compiled
    Millis hold_life{base::limits::hold_life_default};
    Excuse excuse = Excuse::none;
};
base::Result<void, ChangeProblem> check_change(CalendarChange const& change);

bool back_dated(WallTime effective_from, WallTime now);
bool cuts_begun_window(Calendar const& before, Calendar const& after, WallTime now);
bool next_opening_not_later(Calendar const& before, Calendar const& after, WallTime now);
/// A closed stretch between now or a window and the next window of `after` that is longer than `longest`, and that was
/// not one in `before` already. The time after the last window is no gap: an app renews the schedule before.
bool gap_exceeds(Calendar const& before, Calendar const& after, WallTime now, Millis longest);

}  // namespace interlude::schedule
