// Compiled schedules against an independent oracle: Python's zoneinfo reads the rules and never sees our intervals.
// INTERLUDE_ORACLE_ZONES=all asks about every zone there is.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "common/schedule/compile.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::utc;

std::vector<std::string> zones_to_ask() {
    if (auto const* wish = std::getenv("INTERLUDE_ORACLE_ZONES"); wish && std::string_view(wish) == "all")
        return zone_names();
    return {"Europe/Berlin",   "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",     "Africa/Casablanca",
            "Europe/Dublin",   "Pacific/Apia",     "America/Sao_Paulo",   "Asia/Tehran",        "Africa/Cairo",
            "Pacific/Chatham", "America/St_Johns", "Asia/Gaza",           "America/Caracas",    "Asia/Pyongyang",
            "Europe/Istanbul", "America/Santiago", "Antarctica/Troll",    "Pacific/Kiritimati", "Europe/Moscow",
            "America/Nuuk",    "Asia/Kolkata"};
}

/// A few windows whose bounds lie near this local time, so that the change of the clocks meets them.
Rules rules_near(std::string const& zone, LocalSeconds around, std::mt19937& random) {
    auto const pick = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
    Rules rules;
    rules.zone = zone;
    for (int i = pick(1, 4); i > 0; --i) {
        auto const start = around + std::chrono::minutes{pick(-36, 36) * 5};
        auto const day = std::chrono::floor<std::chrono::days>(start);
        auto const minute = std::chrono::duration_cast<std::chrono::minutes>(start - day).count();
        auto const weekday = static_cast<Weekday>(std::chrono::weekday{day}.iso_encoding() - 1);
        auto const length = pick(0, 4) == 0 ? minutes_per_day : pick(1, 60) * 5;
        auto more = rules.weekly;
        more.push_back({weekday, static_cast<std::uint16_t>(minute), static_cast<std::uint16_t>(minute + length)});
        std::sort(more.begin(), more.end());
        if (!overlapping(more)) rules.weekly = more;
    }
    return rules;
}

void add_exceptions(Rules& rules, WallTime around, std::mt19937& random) {
    auto const second = [&] {
        return around + std::chrono::seconds{std::uniform_int_distribution<int>(-9000, 9000)(random)};
    };
    for (auto* exceptions : {&rules.closures, &rules.openings})
        if (random() % 3 == 0) {
            auto const [from, to] = std::minmax({second(), second()});
            *exceptions = normalise({{from, to}});
        }
}

json to_json(Intervals const& intervals) {
    auto all = json::array();
    for (auto const& i : intervals) all.push_back({base::to_ms(i.start) / 1000, base::to_ms(i.end) / 1000});
    return all;
}

json to_json(Rules const& rules) {
    auto weekly = json::array();
    for (auto const& w : rules.weekly)
        weekly.push_back({{"day", static_cast<int>(w.day)}, {"start", w.start}, {"end", w.end}});
    return {{"zone", rules.zone},
            {"weekly", weekly},
            {"closures", to_json(rules.closures)},
            {"openings", to_json(rules.openings)}};
}

/// The oracle's answers to questions, or nullopt without Python.
std::optional<json> ask(json const& questions) {
    if (std::system("/usr/bin/python3 -c 'import zoneinfo' 2>/dev/null") != 0) return std::nullopt;
    auto const folder =
        std::filesystem::temp_directory_path() / ("interlude-oracle-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "questions.json") << questions;
    auto const script = tests::case_file("schedule/oracle.py").string();
    auto const command = "/usr/bin/python3 -B '" + script + "' < '" + (folder / "questions.json").string() + "' > '" +
                         (folder / "answers.json").string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    auto answers = tests::read_json(folder / "answers.json");
    std::filesystem::remove_all(folder);
    return answers;
}

TEST(Oracle, agrees_around_every_change_of_the_clocks) {
    auto const first = utc("1990-01-01");
    auto const last = zone_data_end() - 30 * 24h;
    std::mt19937 random(20260726);
    auto questions = json::array();
    std::vector<std::string> ours;
    std::size_t checks = 0;
    for (auto const& name : zones_to_ask()) {
        auto const zone = load_zone(name, first, zone_data_end());
        ASSERT_TRUE(zone) << name;
        std::vector<WallTime> places;
        for (auto const& transition : zone->transitions())
            if (transition.at > first + 10 * 24h && transition.at < last) places.push_back(transition.at);
        places.push_back(utc("2026-08-15T13:00"));  // and an ordinary day
        for (auto const place : places) {
            auto rules = rules_near(name, zone->to_local(place), random);
            add_exceptions(rules, place, random);
            auto const open = compile(rules, *zone, {place - 2 * 24h, place + 2 * 24h});
            auto instants = json::array();
            std::string states;
            for (auto t = place - 3h; t <= place + 3h; t += 7min + 30s) {
                instants.push_back(base::to_ms(t) / 1000);
                states += contains(open, t) ? '1' : '0';
            }
            for (auto const& window : open)
                for (auto const t : {window.start - 1s, window.start, window.end - 1s, window.end}) {
                    if (t < place - 40h || t > place + 40h) continue;  // not where compile() clips
                    instants.push_back(base::to_ms(t) / 1000);
                    states += contains(open, t) ? '1' : '0';
                }
            checks += states.size();
            questions.push_back({{"rules", to_json(rules)}, {"instants", std::move(instants)}});
            ours.push_back(std::move(states));
        }
    }
    auto const answers = ask({{"cases", questions}});
    if (!answers) {
        if (std::getenv("CI")) FAIL() << "the oracle needs /usr/bin/python3 with zoneinfo";
        GTEST_SKIP() << "no /usr/bin/python3 here";
    }
    auto const& theirs = (*answers)["states"];
    ASSERT_EQ(theirs.size(), ours.size());
    std::size_t mismatches = 0, open = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        auto const states = theirs[i].get<std::string>();
        open += static_cast<std::size_t>(std::count(states.begin(), states.end(), '1'));
        if (states != ours[i] && ++mismatches <= 5)
            ADD_FAILURE() << questions[i] << "\nours   " << ours[i] << "\ntheirs " << states;
    }
    EXPECT_EQ(mismatches, 0u);
    EXPECT_GT(checks, 50'000u);
    EXPECT_GT(open, checks / 5) << "a test of closed hours alone says little";
    EXPECT_LT(open, checks * 4 / 5);
    std::cout << checks << " (zone, instant) checks in " << ours.size() << " schedules, " << mismatches
              << " mismatches\n";
}

}  // namespace
}  // namespace interlude::schedule
