// What `hours show` prints: a calendar in words first, then a drawn week, in the reader's own zone.
#pragma once

#include <string>
#include <vector>

#include "common/schedule/calendar.hpp"
#include "common/schedule/zone.hpp"

namespace interlude::schedule {

/// "today 09:00", "tomorrow 09:00", "Monday 09:00" (of the coming six days), else "Mon 3 Aug 09:00", with the year if
/// it is another. The reader's zone rules must cover what is shown.
std::string instant_in_words(WallTime t, ZoneRules const& reader, WallTime now);

/// Sentences, one a line: what is now and what is next, then the windows of the coming seven days:
/// "Dr N. reads messages now, until 16:00." or "Dr N. does not read messages now. Next: tomorrow 14:00-16:00."
/// `who` may be "You".
/// "Coming days: today 14:00-16:00, Thu 09:00-12:00 and 14:00-17:00 (your time, Europe/Berlin)."
std::vector<std::string> calendar_in_words(Calendar const& calendar, std::string_view who, ZoneRules const& reader,
                                           WallTime now);

struct PictureStyle {
    bool unicode = true;        // otherwise '#', '+' and '.'
    int minutes_per_cell = 30;  // divides 180 (checked)
};
/// A ruler of hours, seven local days from today's, one a line, and a legend. The cell of now is marked; wall-clock
/// time that a change of the clocks leaves out is blank.
std::vector<std::string> week_picture(Calendar const& calendar, ZoneRules const& reader, WallTime now,
                                      PictureStyle style = {});

}  // namespace interlude::schedule
