#include "client-cli/ui/moments.hpp"

#include <charconv>
#include <cstdio>

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

}  // namespace

std::optional<base::WallTime> parse_moment(std::string const& text, schedule::ZoneRules const& zone, base::WallTime now,
                                           base::WallTime base) {
    if (text == "now") return whole_seconds(now);
    if (text.size() > 2 && text.front() == '+') {
        auto const later = after(text, base);
        if (!later) return std::nullopt;
        return whole_seconds(*later);
    }
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
    auto const today = floor<days>(zone.to_local(now));
    sys_days date = today;
    char const* rest = text.c_str();
    char separator = 0;
    if (std::sscanf(rest, "%4d-%2d-%2d%c%n", &year, &month, &day, &separator, &used) == 4 &&
        (separator == 'T' || separator == ' ')) {
        year_month_day const ymd{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                                 std::chrono::day(static_cast<unsigned>(day))};
        if (!ymd.ok() || year < 1970) return std::nullopt;
        date = sys_days{ymd};
        rest += used;
    }
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
