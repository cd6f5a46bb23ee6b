#include "common/schedule/week_picture.hpp"

#include <algorithm>

#include "common/base/check.hpp"
#include "common/schedule/hours_text.hpp"

namespace interlude::schedule {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

sys_days day_of(LocalSeconds local) {
    return floor<days>(local);
}

std::string two_digits(long number) {
    auto text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
}

/// "09:00", with seconds only where there are some. `day` is the day that it is told of: midnight at its end is 24:00.
std::string clock_text(LocalSeconds local, sys_days day) {
    auto const midnight = day_of(local);
    if (local == midnight && midnight == day + days{1}) return "24:00";
    auto const second = (local - midnight).count();
    auto text = two_digits(second / 3600) + ":" + two_digits(second / 60 % 60);
    return second % 60 == 0 ? text : text + ":" + two_digits(second % 60);
}

Weekday weekday_of(sys_days day) {
    return static_cast<Weekday>(std::chrono::weekday{day}.iso_encoding() - 1);
}

/// "Mon 3 Aug"
std::string date_text(sys_days day) {
    static constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::chrono::year_month_day const date{day};
    return std::string(short_name(weekday_of(day))) + " " + std::to_string(static_cast<unsigned>(date.day())) + " " +
           std::string(months[static_cast<unsigned>(date.month()) - 1]);
}

std::string day_text(sys_days day, sys_days today, bool brief) {
    if (day == today) return "today";
    if (day == today + days{1}) return "tomorrow";
    if (day > today && day < today + days{7})
        return std::string(brief ? short_name(weekday_of(day)) : name(weekday_of(day)));
    auto const year = std::chrono::year_month_day{day}.year();
    bool const this_year = year == std::chrono::year_month_day{today}.year();
    return date_text(day) + (this_year ? "" : " " + std::to_string(static_cast<int>(year)));
}

struct LocalSpan {
    LocalSeconds start;
    LocalSeconds end;
    sys_days day() const { return day_of(start); }
    /// An end that the next day's clock shows unambiguously, such as 22:00-02:00.
    bool reads_as_one_day() const { return end - start < days{1} || (start == day() && end == day() + days{1}); }
};

LocalSpan local_span(Interval const& window, ZoneRules const& reader) {
    return {reader.to_local(window.start), reader.to_local(window.end)};
}

/// "14:00-16:00", or "22:00 to Wed 9:00" over several days.
std::string hours_text(LocalSpan const& span, sys_days today) {
    auto const start = clock_text(span.start, span.day());
    if (span.reads_as_one_day()) return start + "-" + clock_text(span.end, span.day());
    return start + " to " + day_text(day_of(span.end), today, true) + " " + clock_text(span.end, day_of(span.end));
}

std::string now_in_words(Calendar const& calendar, std::string_view who, ZoneRules const& reader, WallTime now) {
    auto const today = day_of(reader.to_local(now));
    std::string const name(who);
    bool const to_herself = who == "You";
    std::string const reads = name + (to_herself ? " read" : " reads") + " messages now";
    std::string const does_not_read = name + (to_herself ? " do" : " does") + " not read messages now. ";
    if (auto const until = calendar.open_until(now)) {
        auto const local = reader.to_local(*until);
        bool const this_day = local <= today + days{1};
        return reads + ", until " + (this_day ? clock_text(local, today) : instant_in_words(*until, reader, now)) + ".";
    }
    auto const next = calendar.next_opening_after(now);
    if (!next && calendar.state_at(now) == State::none)
        return name + (to_herself ? " have" : " has") + " not published any hours yet.";
    if (!next) {
        auto const why = calendar.ran_out(now) ? "The published hours ran out" : "No opening is published";
        return does_not_read + why + ".";
    }
    auto const window = local_span({*next, *calendar.open_until(*next)}, reader);
    return does_not_read + "Next: " + day_text(window.day(), today, false) + " " + hours_text(window, today) + ".";
}

std::string coming_days(Calendar const& calendar, ZoneRules const& reader, WallTime now) {
    auto const today = day_of(reader.to_local(now));
    std::string text;
    std::optional<sys_days> last_day;
    for (auto next = calendar.next_opening_after(now); next; next = calendar.next_opening_after(*next)) {
        auto const window = local_span({*next, *calendar.open_until(*next)}, reader);
        if (window.day() >= today + days{7}) break;
        if (last_day == window.day())
            text += " and ";
        else
            text += (last_day ? ", " : "") + day_text(window.day(), today, true) + " ";
        text += hours_text(window, today);
        last_day = window.day();
    }
    return text;
}

enum class Cell { missing, closed, partly, open };

Cell cell_at(Calendar const& calendar, ZoneRules const& reader, LocalSeconds from, LocalSeconds to) {
    Interval const cell{reader.first_occurrence(from), reader.last_occurrence(to)};
    if (reader.to_local(cell.start) != from) return Cell::missing;  // the clocks leave it out
    auto const windows = calendar.windows(cell);
    if (windows.empty()) return Cell::closed;
    return windows.front() == cell ? Cell::open : Cell::partly;
}

std::string_view picture(Cell cell, bool unicode) {
    switch (cell) {
        case Cell::missing:
            return " ";
        case Cell::closed:
            return unicode ? "·" : ".";
        case Cell::partly:
            return unicode ? "▒" : "+";
        case Cell::open:
            return unicode ? "█" : "#";
    }
    return "?";
}

}  // namespace

std::string instant_in_words(WallTime t, ZoneRules const& reader, WallTime now) {
    auto const local = reader.to_local(t);
    auto const day = day_of(local);
    return day_text(day, day_of(reader.to_local(now)), false) + " " + clock_text(local, day);
}

std::vector<std::string> calendar_in_words(Calendar const& calendar, std::string_view who, ZoneRules const& reader,
                                           WallTime now) {
    std::vector<std::string> sentences{now_in_words(calendar, who, reader, now)};
    if (auto const coming = coming_days(calendar, reader, now); !coming.empty())
        sentences.push_back("Coming days: " + coming + " (your time, " + reader.name() + ").");
    return sentences;
}

std::vector<std::string> week_picture(Calendar const& calendar, ZoneRules const& reader, WallTime now,
                                      PictureStyle style) {
    INTERLUDE_CHECK(style.minutes_per_cell > 0 && 180 % style.minutes_per_cell == 0);
    constexpr std::size_t label_width = 12;
    auto const cell_length = minutes{style.minutes_per_cell};
    auto const here = reader.to_local(now);

    std::string ruler(label_width, ' ');
    for (int hour = 0; hour <= 24; hour += 3) {
        auto const column = label_width + static_cast<std::size_t>(hour * 60 / style.minutes_per_cell);
        ruler.resize(std::max(column, ruler.size()), ' ');
        ruler += two_digits(hour);
    }
    std::vector<std::string> lines{ruler};
    for (int i = 0; i < 7; ++i) {
        auto const day = day_of(here) + days{i};
        auto line = date_text(day);
        line.resize(label_width, ' ');
        for (LocalSeconds from = day; from < day + days{1}; from += cell_length) {
            bool const is_now = from <= here && here < from + cell_length;
            line += is_now ? "|" : picture(cell_at(calendar, reader, from, from + cell_length), style.unicode);
        }
        lines.push_back(line);
    }
    auto const sample = [&](Cell cell) { return std::string(picture(cell, style.unicode)); };
    lines.push_back(std::string(label_width, ' ') + sample(Cell::open) + " open  " + sample(Cell::partly) +
                    " partly open  " + sample(Cell::closed) + " closed  | now, " + clock_text(here, day_of(here)) +
                    " " + reader.name());
    return lines;
}

}  // namespace interlude::schedule
