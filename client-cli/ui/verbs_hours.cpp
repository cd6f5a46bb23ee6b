#include <iostream>

#include "client-cli/ui/home.hpp"
#include "client-cli/ui/moments.hpp"
#include "client-cli/ui/verbs.hpp"
#include "common/bytes/text.hpp"
#include "common/schedule/hours_text.hpp"
#include "common/schedule/week_picture.hpp"

namespace interlude::ui {

namespace {

json hours_json(engine::HoursView const& hours) {
    auto windows = json::array();
    for (auto const& window : hours.windows)
        windows.push_back({{"start", rfc3339(window.start)}, {"end", rfc3339(window.end)}});
    json object{{"type", "hours"},       {"account", bytes::to_hex(hours.account.bytes)},
                {"zone", hours.zone},    {"state", name(hours.state)},
                {"windows", windows},    {"number", hours.number},
                {"tzdata", hours.tzdata}};
    if (hours.until) object["until"] = rfc3339(*hours.until);
    if (hours.next_opening) object["next_opening"] = rfc3339(*hours.next_opening);
    auto overrides = json::array();
    for (auto const& one : hours.overrides)
        overrides.push_back({{"kind", schedule::name(one.kind)},
                             {"reason", schedule::name(one.reason)},
                             {"start", rfc3339(one.span.start)},
                             {"end", rfc3339(one.span.end)},
                             {"said_at", rfc3339(one.said_at)}});
    if (!overrides.empty()) object["overrides"] = overrides;
    return object;
}

/// "today 14:02 to Mon 09:00: away, unplanned (illness), said today 14:02"
std::string override_in_words(engine::OverrideView const& one, base::WallTime now) {
    auto const text = [](char const* table, std::string_view key) {
        return texts().at(table).at(std::string(key)).get<std::string>();
    };
    return when(one.span.start, now) + " to " + when(one.span.end, now) + ": " +
           text("overrides", schedule::name(one.kind)) + " (" + text("reasons", schedule::name(one.reason)) +
           "), said " + when(one.said_at, now);
}

schedule::PictureStyle picture_style() {
    schedule::PictureStyle style;
    char const* const language = std::getenv("LC_ALL") ? std::getenv("LC_ALL") : std::getenv("LANG");
    style.unicode = language && std::string_view(language).find("UTF-8") != std::string_view::npos;
    return style;
}

/// Words first, then a drawn week, in the reader's zone.
void print_hours(Options const& options, engine::HoursView const& hours, std::string const& who) {
    if (options.json) {
        print_json(hours_json(hours));
        return;
    }
    auto const now = wall_now();
    auto const zone = reader_zone(now);
    if (hours.state == engine::HoursState::none) {
        std::cout << who << (hours.me ? " have" : " has") << " published no hours yet.\n";
        return;
    }
    base::Interval const span{now - std::chrono::days{1}, hours.published_until.value_or(now + std::chrono::days{400})};
    schedule::Calendar const calendar({{hours.number, now - std::chrono::days{1}, span, hours.windows}});
    for (auto const& line : schedule::calendar_in_words(calendar, who, zone, now)) std::cout << line << '\n';
    for (auto const& one : hours.overrides) std::cout << override_in_words(one, now) << '\n';
    std::cout << '\n';
    for (auto const& line : schedule::week_picture(calendar, zone, now, picture_style())) std::cout << line << '\n';
}

[[noreturn]] void throw_not_publishable(Options const& options, base::Errc error) {
    switch (error) {
        case base::Errc::not_allowed:
            throw Failure(not_allowed, "not_a_therapist", "only a therapist publishes hours", "");
        case base::Errc::unknown: {
            if (options.verb == "hours undo")
                throw Failure(usage, "nothing_before", "there are no earlier hours to go back to",
                              "interlude hours show");
            std::string hint = "IANA names, such as Europe/Berlin";
            auto const near = schedule::nearest_zone_names(options.value("zone").value_or(""));
            if (!near.empty()) hint = "did you mean " + near.front() + "?";
            throw Failure(usage, "unknown_zone", "there is no such zone", hint);
        }
        default:
            throw Failure(usage, "bad_schedule", "these hours overlap themselves or lie in the past",
                          "hours show prints what is published");
    }
}

/// Waits for the server's answer to a published schedule.
int publish(Options const& options, Home& home, base::Result<base::RequestId> const& request) {
    if (!request) throw_not_publishable(options, request.error());
    auto const [answer, result] = home.await_answer(*request, options.timeout);
    if (answer && answer->refused)
        throw Failure(refused, "schedule_refused",
                      "the hours were not published: " + refusal_in_words(*answer->refused), "");
    if (!answer) {
        if (result.failure && result.failure->kind == client_net::LinkFailure::Kind::certificate)
            throw_unreachable(result);
        throw Failure(kept, "hours_kept", "the server was not reached: your clients still see the old hours",
                      "the new ones are kept here and published with your next command, for example: interlude status");
    }
    for (auto const& hours : home.engine().hours(wall_now()))
        if (hours.me) print_hours(options, hours, "You");
    return done;
}

std::string problem_in_words(schedule::ChangeProblem problem) {
    return texts().at("schedule_problems").at(std::string(schedule::name(problem))).get<std::string>();
}

/// "Sun 28 Mar: 01:00-05:00 is 1 hour shorter"
std::string odd_day_in_words(schedule::OddDay const& odd, schedule::ZoneRules const& zone, base::WallTime now) {
    auto const start = zone.first_occurrence(odd.day + std::chrono::minutes{odd.rule.start});
    auto const minutes = std::chrono::duration_cast<std::chrono::minutes>(odd.longer_by).count();
    auto const length = minutes < 0 ? -minutes : minutes;
    auto const amount = length % 60 == 0 ? counted(static_cast<std::uint64_t>(length / 60), "hour")
                                         : counted(static_cast<std::uint64_t>(length), "minute");
    return schedule::instant_in_words(start, zone, now) + ": this window is " + amount +
           (minutes < 0 ? " shorter" : " longer") + " than the clock says";
}

json preview_json(engine::HoursPreview const& preview, base::WallTime now) {
    auto windows = json::array();
    for (auto const& window : preview.calendar.windows())
        if (window.end > now) windows.push_back({{"start", rfc3339(window.start)}, {"end", rfc3339(window.end)}});
    auto odd = json::array();
    for (auto const& one : preview.odd_days)
        odd.push_back({{"day", date_of(one.day)}, {"longer_by_seconds", one.longer_by.count()}});
    json object{{"type", "preview"},
                {"zone", preview.zone},
                {"allowed", !preview.problem},
                {"windows", windows},
                {"odd_days", odd}};
    if (preview.problem) object["problem"] = schedule::name(*preview.problem);
    return object;
}

/// What the clients would see, the days on which the clocks change, and whether it may be published.
int show_preview(Options const& options, base::Result<engine::HoursPreview> const& preview) {
    if (!preview) throw_not_publishable(options, preview.error());
    auto const now = wall_now();
    if (options.json) {
        print_json(preview_json(*preview, now));
        return preview->problem ? refused : done;
    }
    auto const reader = reader_zone(now);
    std::cout << "Nothing is published. What your clients will see, each in their own time (here in yours):\n\n";
    for (auto const& line : schedule::calendar_in_words(preview->calendar, "Your therapist", reader, now))
        std::cout << line << '\n';
    std::cout << '\n';
    for (auto const& line : schedule::week_picture(preview->calendar, reader, now, picture_style()))
        std::cout << line << '\n';
    if (!preview->odd_days.empty()) {
        std::cout << "\nThe clocks change:\n";
        auto const span = schedule::zone_span(schedule::compiled_span(now));
        if (auto const zone = schedule::load_zone(preview->zone, span.start, span.end))
            for (auto const& odd : preview->odd_days) std::cout << "  " << odd_day_in_words(odd, *zone, now) << '\n';
    }
    if (!preview->problem) return done;
    std::cout << "\nThe server will refuse it: " << problem_in_words(*preview->problem) << ".\n"
              << "  hours postpone and hours away say so openly, with a reason.\n";
    return refused;
}

/// Publishes, or shows what would be.
int change(Options const& options, engine::HoursWish wish) {
    auto home = Home::open(options);
    if (options.has("preview")) {
        home.catch_up(options);
        return show_preview(options, home.engine().hours_preview(std::move(wish), wall_now()));
    }
    return publish(options, home, home.engine().hours_change(std::move(wish), wall_now()));
}

base::Interval span_of(Options const& options) {
    auto const now = wall_now();
    auto const zone = reader_zone(now);
    auto const from = parse_moment(options.words[0], zone, now, now);
    auto const to = from ? parse_moment(options.words[1], zone, now, *from) : std::nullopt;
    if (!from || !to)
        throw Failure(usage, "bad_time", "that is not a time",
                      "write 2026-11-23T18:00:00Z, \"2026-11-23 18:00\" or 18:00 (your time), now, or +90m");
    if (*to <= *from) throw Failure(usage, "bad_time", "it would end before it begins", "hours open FROM TO");
    return {*from, *to};
}

}  // namespace

int hours_set(Options const& options) {
    auto weekly = schedule::parse_hours(options.words[0]);
    if (!weekly) throw Failure(usage, "bad_hours", weekly.error().text, weekly.error().hint);
    auto const zone = options.value("zone").value_or(reader_zone(wall_now()).name());
    return change(options, {engine::HoursWish::Kind::weekly, std::move(*weekly), {}, zone});
}

int hours_preview(Options const& options) {
    auto as_set = options;
    as_set.flags["preview"] = "";
    return hours_set(as_set);
}

int hours_open(Options const& options) {
    return change(options, {engine::HoursWish::Kind::opening, {}, span_of(options), reader_zone(wall_now()).name()});
}

int hours_close(Options const& options) {
    return change(options, {engine::HoursWish::Kind::closure, {}, span_of(options), reader_zone(wall_now()).name()});
}

int hours_undo(Options const& options) {
    return change(options, {engine::HoursWish::Kind::undo, {}, {}, {}});
}

namespace {

schedule::OverrideReason reason_of(Options const& options) {
    auto const typed = options.value("reason").value_or("other");
    for (int number = 1; number <= static_cast<int>(schedule::OverrideReason::other); ++number) {
        auto const reason = static_cast<schedule::OverrideReason>(number);
        if (typed == schedule::name(reason)) return reason;
    }
    throw Failure(usage, "bad_reason", "there is no such reason",
                  "write illness, emergency, family, technical, agreed or other");
}

int override_until(Options const& options, schedule::OverrideKind kind) {
    auto const now = wall_now();
    auto const until = parse_moment(options.words[0], reader_zone(now), now, now);
    if (!until)
        throw Failure(usage, "bad_time", "that is not a time",
                      "write 2026-11-23T18:00:00Z, \"2026-11-23 18:00\" or 18:00 (your time), or +90m");
    if (*until <= now) throw Failure(usage, "bad_time", "it would end before it begins", "write a time to come");
    auto const reason = reason_of(options);
    base::Interval const span{std::chrono::floor<std::chrono::seconds>(now), *until};
    auto home = Home::open(options);
    auto const request = home.engine().hours_override(kind, span, reason, wall_now());
    if (!request && request.error() == base::Errc::malformed)
        throw Failure(usage, "bad_time", "that is more than a year away", "hours close FROM TO is for long closures");
    return publish(options, home, request);
}

}  // namespace

int hours_open_now(Options const& options) {
    return override_until(options, schedule::OverrideKind::open_now);
}

int hours_away(Options const& options) {
    return override_until(options, schedule::OverrideKind::close_now);
}

int hours_postpone(Options const& options) {
    return override_until(options, schedule::OverrideKind::postpone);
}

int hours_show(Options const& options) {
    auto home = Home::open(options);
    home.catch_up(options);
    auto const now = wall_now();
    if (!options.words.empty()) {
        auto const conversation = home.find(options.words[0]);
        auto const hours = home.engine().hours_of(conversation.id, now);
        if (!hours) throw Failure(refused, "no_hours", "nobody in this conversation has hours", "");
        print_hours(options, *hours, hours->me ? "You" : visible(conversation.name, false));
        return done;
    }
    auto const all = home.engine().hours(now);
    for (auto const& hours : all) {
        std::string who = hours.me ? "You" : "Your therapist";
        print_hours(options, hours, who);
    }
    if (all.empty() && !options.json) std::cout << "No hours are known here yet.\n";
    return done;
}

}  // namespace interlude::ui
