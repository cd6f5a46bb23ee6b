// What `hours show` prints: a calendar in words first, then a drawn week, in the reader's own zone.
#pragma once

#include <string>
#include <vector>

#include "common/schedule/calendar.hpp"
#include "common/schedule/zone.hpp"

namespace interlude::schedule {

/// "09:00 today", "09:00 tomorrow", "Monday 09:00" (within a week), "Mon 3 Aug 09:00", with the year if it is another.
std::string instant_in_words(WallTime t, ZoneRules const& reader, WallTime now);

/// Sentences: what is now, what is next, the windows of the coming seven days:
/// "Dr N. is reachable now, until 16:00." / "Dr N. is not reachable now. Next: tomorrow 14:00-16:00."
/// "Dr N. reads messages Tue 14:00-16:00, Thu 09:00-12:00 (your time, Europe/Berlin)."
std::vector<std::string> calendar_in_words(Calendar const& calendar, std::string_view who, ZoneRules const& reader,
                                           WallTime now);

struct PictureStyle {
    bool unicode = true;        // blocks; otherwise '#' and '.'
    int minutes_per_cell = 30;  // divides 60 or is a multiple of it that divides 1440
};
/// Seven local days from today's, one a line, under a ruler of hours; now is marked on its line.
std::vector<std::string> week_picture(Calendar const& calendar, ZoneRules const& reader, WallTime now,
                                      PictureStyle style = {});

}  // namespace interlude::schedule
