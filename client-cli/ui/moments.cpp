#include "client-cli/ui/moments.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "common/schedule/hours_text.hpp"

namespace interlude::ui {

using namespace std::chrono;

namespace {

base::WallTime whole_seconds(base::WallTime t) {
    return base::wall_seconds((base::to_ms(t) + 999) / 1000);
}

base::WallTime utc(sys_seconds t) {
    return base::wall_seconds(t.time_since_epoch().count());
}

std::optional<base::WallTime> after(std::string const& text, base::WallTime base) {
    int number = 0;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data() + 1, end, number);
    if (parsed.ec != std::errc() || parsed.ptr + 1 != end || number < 0) return std::nullopt;
    switch (*parsed.ptr) {
        case 's':
            return base + seconds{number};
        case 'm':
            return base + minutes{number};
        case 'h':
            return base + hours{number};
        case 'd':
            return base + days{number};
        default:
            return std::nullopt;
    }
}

/// A day that a text begins with, and what follows it.
struct NamedDay {
    sys_days day;
    std::string rest;
};

/// today, tomorrow, Mon or Monday (the coming one), 2026-11-23; any case.
std::optional<NamedDay> day_in(std::string const& text, sys_days today) {
    int year = 0, month = 0, day = 0, used = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3) {
        year_month_day const ymd{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                                 std::chrono::day(static_cast<unsigned>(day))};
        if (!ymd.ok() || year < 1970) return std::nullopt;
        return NamedDay{sys_days{ymd}, text.substr(static_cast<std::size_t>(used))};
    }
    auto const end = std::min(text.find(' '), text.size());
    std::string word;
    for (char const c : text.substr(0, end)) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (word == "today") return NamedDay{today, text.substr(end)};
    if (word == "tomorrow") return NamedDay{today + days{1}, text.substr(end)};
    for (int number = 0; number < 7; ++number) {
        auto const weekday = static_cast<schedule::Weekday>(number);
        auto const is = [&](std::string_view name) {
            return name.size() == word.size() && std::equal(name.begin() + 1, name.end(), word.begin() + 1) &&
                   static_cast<char>(name[0] + 32) == word[0];
        };
        if (!is(schedule::name(weekday)) && !is(schedule::short_name(weekday))) continue;
        auto const now = static_cast<int>(std::chrono::weekday{today}.iso_encoding()) - 1;
        return NamedDay{today + days{(number - now + 6) % 7 + 1}, text.substr(end)};
    }
    return std::nullopt;
}

}  // namespace

std::optional<base::WallTime> parse_moment(std::string const& text, schedule::ZoneRules const& zone, base::WallTime now,
                                           base::WallTime base) {
    if (text == "now") return whole_seconds(now);
    if (text.size() > 2 && text.front() == '+') {
        auto const later = after(text, base);
        if (!later) return std::nullopt;
        return whole_seconds(*later);
    }
    int hour = 0, minute = 0, second = 0, used = 0;
    auto const today = floor<days>(zone.to_local(now));
    auto const named = day_in(text, today);
    auto const date = named ? named->day : today;
    auto const clock = named ? named->rest : text;
    if (named && clock.empty()) return zone.first_occurrence(date);
    if (named && clock[0] != ' ' && clock[0] != 'T') return std::nullopt;
    char const* rest = clock.c_str() + (named ? 1 : 0);
    if (std::sscanf(rest, "%2d:%2d%n", &hour, &minute, &used) != 2) return std::nullopt;
    rest += used;
    if (*rest == ':') {
        if (std::sscanf(rest, ":%2d%n", &second, &used) != 1) return std::nullopt;
        rest += used;
        if (*rest == '.') {  // milliseconds: rounded up
            ++rest;
            bool any = false;
            for (; *rest >= '0' && *rest <= '9'; ++rest) any = any || *rest != '0';
            if (any) ++second;
        }
    }
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
    auto const local = date + hours{hour} + minutes{minute} + seconds{second};
    std::string const end(rest);
    if (end.empty()) return zone.first_occurrence(local);
    if (end == "Z" || end == "z") return utc(local);
    int offset_hours = 0, offset_minutes = 0;
    if ((end[0] == '+' || end[0] == '-') && end.size() == 6 &&
        std::sscanf(end.c_str() + 1, "%2d:%2d", &offset_hours, &offset_minutes) == 2) {
        auto const offset = hours{offset_hours} + minutes{offset_minutes};
        return utc(end[0] == '+' ? local - offset : local + offset);
    }
    return std::nullopt;
}

}  // namespace interlude::ui
