// Weekly hours as a person types them ("Mon-Fri 09:00-12:00,14:00-17:00; Sat 10:00-12:00") and as words.
#pragma once

#include <string>
#include <string_view>

#include "common/schedule/rules.hpp"

namespace interlude::schedule {

/// What is wrong with a typed text, and what to type instead. Both are sentences for the person.
struct Problem {
    std::string text;
    std::string hint;
    bool operator==(Problem const&) const = default;
};
/// What Result::value() on a Problem does: our own bug.
[[noreturn]] void throw_exception_from_error(Problem const& problem, boost::source_location const&);

/// groups separated by ';' — days ("Mon", "Mon-Fri", "Sat,Sun", "daily"), white space, spans "HH:MM-HH:MM" separated by
/// ','. An end at or before its start is on the next day; 24:00 is midnight at the end of the day. Day names in
/// English, any case, short or long. "none": no weekly hours. Refuses intervals that overlap.
base::Result<std::vector<WeeklyInterval>, Problem> parse_hours(std::string_view text);

/// The same text in one canonical spelling: parse_hours(format_hours(w)) == w.
std::string format_hours(std::span<WeeklyInterval const> weekly);
/// "Monday to Friday 09:00-12:00 and 14:00-17:00, Saturday 10:00-12:00"; "no weekly hours".
std::string hours_in_words(std::span<WeeklyInterval const> weekly);

std::string_view short_name(Weekday day) noexcept;  ///< "Mon"
std::string_view name(Weekday day) noexcept;        ///< "Monday"

}  // namespace interlude::schedule
