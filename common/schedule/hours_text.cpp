#include "common/schedule/hours_text.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "common/base/check.hpp"

namespace interlude::schedule {

void throw_exception_from_error(Problem const& problem, boost::source_location const&) {
    base::check_failed(("Result::value() on a Problem: " + problem.text).c_str(), __FILE__, __LINE__);
}

namespace {

using base::Result;

constexpr std::array<std::string_view, 7> day_names = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};
constexpr std::string_view example = "Mon-Fri 09:00-12:00,14:00-17:00; Sat 10:00-12:00";

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

Problem problem(std::string text, std::string hint) {
    return {std::move(text), std::move(hint)};
}

std::string_view trim(std::string_view text) {
    auto const blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t from = 0;;) {
        auto const to = text.find(separator, from);
        parts.push_back(trim(text.substr(from, to - from)));
        if (to == text.npos) return parts;
        from = to + 1;
    }
}

bool same_letters(std::string_view a, std::string_view b) {
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// Typographic dashes, as word processors make them, are plain ones.
std::string plain_dashes(std::string_view text) {
    std::string out(text);
    for (std::string_view dash : {"\u2013", "\u2014", "\u2212"})
        for (auto at = out.find(dash); at != out.npos; at = out.find(dash, at)) out.replace(at, dash.size(), "-");
    return out;
}

/// "Mon", "Tues", "Wednesday": at least three letters of a name.
Result<int, Problem> parse_day(std::string_view text) {
    for (int day = 0; day < 7; ++day)
        if (text.size() >= 3 && same_letters(text, day_names[day].substr(0, text.size()))) return day;
    return problem(quoted(text) + " is not a day of the week.",
                   "Write days as Mon, Tue, Wed, Thu, Fri, Sat, Sun, a range as Mon-Fri, all of them as daily.");
}

Result<std::vector<int>, Problem> parse_days(std::string_view text) {
    std::vector<int> chosen;
    for (auto const part : split(text, ',')) {
        if (same_letters(part, "daily")) {
            for (int day = 0; day < 7; ++day) chosen.push_back(day);
            continue;
        }
        auto const ends = split(part, '-');
        INTERLUDE_TRY(int const first, parse_day(ends.front()));
        INTERLUDE_TRY(int const last, parse_day(ends.back()));
        if (ends.size() > 2)
            return problem(quoted(part) + " has too many dashes.", "Write a range of days as Mon-Fri.");
        for (int day = first;; day = (day + 1) % 7) {  // Fri-Mon goes over the weekend
            chosen.push_back(day);
            if (day == last) break;
        }
    }
    return chosen;
}

/// "9", "9:00", "09:00"; hours up to 47 for an end on the next day.
std::optional<int> parse_time(std::string_view text) {
    auto const parts = split(text, ':');
    auto const number = [](std::string_view digits, std::size_t least) -> std::optional<int> {
        if (digits.size() < least || digits.size() > 2) return std::nullopt;
        int value = 0;
        for (char c : digits) {
            if (c < '0' || c > '9') return std::nullopt;
            value = 10 * value + (c - '0');
        }
        return value;
    };
    auto const hour = number(parts.front(), 1);
    auto const minute = parts.size() == 1 ? 0 : number(parts[1], 2);
    if (!hour || !minute || parts.size() > 2 || *hour > 47 || *minute > 59) return std::nullopt;
    return *hour * 60 + *minute;
}

Result<std::pair<int, int>, Problem> parse_span(std::string_view text) {
    auto const hint = "Write a span as 09:00-12:00, hours from 00 to 24; 22:00-02:00 ends on the next day.";
    auto const ends = split(text, '-');
    if (ends.size() != 2) return problem(quoted(text) + " is not a span of time.", hint);
    auto const start = parse_time(ends[0]);
    auto end = parse_time(ends[1]);
    if (!start || !end) return problem(quoted(text) + " is not a span of time.", hint);
    if (*start >= minutes_per_day) return problem(quoted(text) + " begins after the end of its day.", hint);
    if (*start == *end)
        return problem(quoted(text) + " is empty.", "For a whole day write 00:00-24:00; for no hours write none.");
    if (*end < *start) *end += minutes_per_day;
    if (*end > *start + minutes_per_day)
        return problem(quoted(text) + " is longer than a day.", "Write one span for each day.");
    return std::pair(*start, *end);
}

std::string clock_text(int minute) {
    std::string text = "00:00";
    text[0] = static_cast<char>('0' + minute / 60 / 10);
    text[1] = static_cast<char>('0' + minute / 60 % 10);
    text[3] = static_cast<char>('0' + minute % 60 / 10);
    text[4] = static_cast<char>('0' + minute % 60 % 10);
    return text;
}

std::string span_text(int start, int end) {
    // A whole day that begins inside a day would read as an empty span.
    bool const wraps = end > minutes_per_day && end - start < minutes_per_day;
    return clock_text(start) + "-" + clock_text(wraps ? end - minutes_per_day : end);
}

std::string span_text(WeeklyInterval const& interval) {
    return span_text(interval.start, interval.end);
}

/// Days with the same spans, in the order of the week, each group with its spans.
struct DayGroup {
    std::vector<std::pair<int, int>> runs;  // of consecutive days: first, last
    std::vector<std::string> spans;
};

std::vector<DayGroup> grouped(std::span<WeeklyInterval const> weekly) {
    std::vector<WeeklyInterval> sorted(weekly.begin(), weekly.end());
    std::sort(sorted.begin(), sorted.end());
    std::array<std::vector<std::string>, 7> spans;
    for (auto const& interval : sorted) spans[static_cast<std::size_t>(interval.day)].push_back(span_text(interval));
    std::vector<DayGroup> groups;
    for (int day = 0; day < 7; ++day) {
        if (spans[day].empty()) continue;
        auto group = std::find_if(groups.begin(), groups.end(), [&](auto const& g) { return g.spans == spans[day]; });
        if (group == groups.end()) group = groups.insert(groups.end(), DayGroup{{}, spans[day]});
        if (!group->runs.empty() && group->runs.back().second == day - 1)
            group->runs.back().second = day;
        else
            group->runs.emplace_back(day, day);
    }
    return groups;
}

std::string joined(std::vector<std::string> const& parts, std::string_view between, std::string_view last) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += i + 1 == parts.size() ? last : between;
        text += parts[i];
    }
    return text;
}

}  // namespace

std::string_view name(Weekday day) noexcept {
    return day_names[static_cast<std::size_t>(day)];
}

std::string_view short_name(Weekday day) noexcept {
    return name(day).substr(0, 3);
}

Result<std::vector<WeeklyInterval>, Problem> parse_hours(std::string_view typed) {
    auto const text = plain_dashes(trim(typed));
    if (same_letters(text, "none")) return std::vector<WeeklyInterval>{};
    std::vector<WeeklyInterval> weekly;
    for (auto const group : split(text, ';')) {
        if (group.empty() && !weekly.empty()) continue;  // a ';' at the end
        auto const times = group.find_first_of("0123456789");
        auto const days_text = trim(group.substr(0, times));
        if (times == group.npos || days_text.empty())
            return problem(quoted(group) + (days_text.empty() ? " names no day." : " names no time."),
                           "Write days and then hours, such as " + quoted(example) + ", or none.");
        INTERLUDE_TRY(auto const days, parse_days(days_text));
        for (auto const part : split(group.substr(times), ',')) {
            INTERLUDE_TRY(auto const span, parse_span(part));
            for (int const day : days)
                weekly.push_back({static_cast<Weekday>(day), static_cast<std::uint16_t>(span.first),
                                  static_cast<std::uint16_t>(span.second)});
            if (weekly.size() > rules_max)
                return problem("That is more than " + std::to_string(rules_max) + " spans.",
                               "Join spans that follow each other.");
        }
    }
    std::sort(weekly.begin(), weekly.end());
    if (auto const both = overlapping(weekly)) {
        auto const described = [](WeeklyInterval const& i) { return std::string(name(i.day)) + " " + span_text(i); };
        return problem(described(both->first) + " and " + described(both->second) +
                           " overlap: a schedule must not overlap itself.",
                       "Join the two spans into one, or move one of them.");
    }
    return weekly;
}

std::string format_hours(std::span<WeeklyInterval const> weekly) {
    std::vector<std::string> groups;
    for (auto const& group : grouped(weekly)) {
        std::vector<std::string> days;
        for (auto const& [first, last] : group.runs) {
            auto text = std::string(day_names[first].substr(0, 3));
            if (last > first) text += (last > first + 1 ? "-" : ",") + std::string(day_names[last].substr(0, 3));
            days.push_back(std::move(text));
        }
        groups.push_back(joined(days, ",", ",") + " " + joined(group.spans, ",", ","));
    }
    return groups.empty() ? "none" : joined(groups, "; ", "; ");
}

std::string hours_in_words(std::span<WeeklyInterval const> weekly) {
    std::vector<std::string> groups;
    for (auto const& group : grouped(weekly)) {
        std::vector<std::string> days;
        for (auto const& [first, last] : group.runs) {
            if (last - first == 6) {
                days.push_back("every day");
            } else if (last > first + 1) {
                days.push_back(std::string(day_names[first]) + " to " + std::string(day_names[last]));
            } else {
                for (int day = first; day <= last; ++day) days.emplace_back(day_names[day]);
            }
        }
        groups.push_back(joined(days, ", ", " and ") + " " + joined(group.spans, ", ", " and "));
    }
    return groups.empty() ? "no weekly hours" : joined(groups, ", ", ", ");
}

}  // namespace interlude::schedule
