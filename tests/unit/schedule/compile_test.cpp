// Rules to instants: by name for the zones with a story, and the golden cases that every app shares.
#include "common/schedule/compile.hpp"

#include "tests/support/vectors.hpp"
#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using test::span;
using test::spans;
using test::utc;
using test::weekly;
using namespace std::chrono_literals;

Intervals compiled(std::string const& zone, std::string const& hours, std::string const& during) {
    auto const bounds = span(during);
    auto const around = zone_span(bounds);
    auto const rules = load_zone(zone, around.start, around.end);
    EXPECT_TRUE(rules.has_value()) << zone;
    return compile(with_weekly({}, zone, weekly(hours)), *rules, bounds);
}

TEST(Compile, berlin_keeps_wall_clock_hours_over_both_changes) {
    EXPECT_EQ(compiled("Europe/Berlin", "Fri,Mon 09:00-10:00", "2026-03-27/2026-03-31"),
              spans({"2026-03-27T08:00/2026-03-27T09:00", "2026-03-30T07:00/2026-03-30T08:00"}));
    EXPECT_EQ(compiled("Europe/Berlin", "Sun 00:00-24:00", "2026-03-28/2026-03-31"),
              spans({"2026-03-28T23:00/2026-03-29T22:00"}));
    EXPECT_EQ(compiled("Europe/Berlin", "Sun 00:00-24:00", "2026-10-24/2026-10-27"),
              spans({"2026-10-24T22:00/2026-10-25T23:00"}));
}

TEST(Compile, new_york_over_midnight_into_the_longer_day) {
    EXPECT_EQ(compiled("America/New_York", "Sat 22:00-06:00", "2026-10-30/2026-11-03"),
              spans({"2026-11-01T02:00/2026-11-01T11:00"}));
}

TEST(Compile, lord_howe_changes_by_half_an_hour) {
    EXPECT_EQ(compiled("Australia/Lord_Howe", "Sun 02:15-03:00", "2026-10-02/2026-10-06"),
              spans({"2026-10-03T15:45/2026-10-03T16:00"}));
}

TEST(Compile, kathmandu_is_at_a_quarter_hour) {
    EXPECT_EQ(compiled("Asia/Kathmandu", "Mon 09:00-12:00", "2026-05-03/2026-05-08"),
              spans({"2026-05-04T03:15/2026-05-04T06:15"}));
}

TEST(Compile, casablanca_goes_back_for_ramadan) {
    EXPECT_EQ(compiled("Africa/Casablanca", "Sat-Mon 12:00-13:00", "2025-02-22/2025-02-25"),
              spans({"2025-02-22T11:00/2025-02-22T12:00", "2025-02-23T12:00/2025-02-23T13:00",
                     "2025-02-24T12:00/2025-02-24T13:00"}));
}

TEST(Compile, dublin_calls_its_winter_the_exception) {
    EXPECT_EQ(compiled("Europe/Dublin", "Sat-Mon 12:00-13:00", "2026-10-24/2026-10-27"),
              spans({"2026-10-24T11:00/2026-10-24T12:00", "2026-10-25T12:00/2026-10-25T13:00",
                     "2026-10-26T12:00/2026-10-26T13:00"}));
}

TEST(Compile, apia_skips_a_friday_whose_hours_move_on_by_the_gap) {
    EXPECT_EQ(compiled("Pacific/Apia", "Thu-Sat 09:00-10:00", "2011-12-29/2012-01-01"),
              spans({"2011-12-29T19:00/2011-12-29T20:00", "2011-12-30T19:00/2011-12-30T20:00"}));
}

TEST(Compile, sao_paulo_skips_a_midnight) {
    EXPECT_EQ(compiled("America/Sao_Paulo", "Sun 00:30-02:00", "2018-11-02/2018-11-06"),
              spans({"2018-11-04T03:30/2018-11-04T04:00"}));
}

TEST(Compile, a_window_that_began_before_the_span_is_there_from_its_beginning_on) {
    EXPECT_EQ(compiled("UTC", "Mon 23:00-22:00", "2026-06-02T12:00/2026-06-03"),
              spans({"2026-06-02T12:00/2026-06-02T22:00"}));
}

TEST(Compile, golden_schedules_of_all_apps) {
    auto const golden = tests::read_json(tests::case_file("schedule/compiled.json"));
    auto const second = [](auto const& json) { return base::wall_seconds(json.template get<std::int64_t>()); };
    auto const intervals = [&](auto const& json) {
        Intervals all;
        for (auto const& item : json) all.push_back({second(item[0]), second(item[1])});
        return all;
    };
    ASSERT_GE(golden["cases"].size(), 20u);
    for (auto const& test : golden["cases"]) {
        Rules rules;
        rules.zone = test["rules"]["zone"];
        for (auto const& item : test["rules"]["weekly"])
            rules.weekly.push_back({static_cast<Weekday>(item["day"].get<int>()), item["start"], item["end"]});
        rules.closures = intervals(test["rules"]["closures"]);
        rules.openings = intervals(test["rules"]["openings"]);
        std::vector<ZoneTransition> transitions;
        for (auto const& item : test["zone_rules"]["transitions"])
            transitions.push_back({second(item["at"]), std::chrono::seconds{item["offset"].get<int>()}});
        auto const& zone_bounds = test["zone_rules"]["span"];
        ZoneRules const zone(rules.zone, "golden", {second(zone_bounds[0]), second(zone_bounds[1])},
                             std::chrono::seconds{test["zone_rules"]["first_offset"].get<int>()}, transitions);
        EXPECT_TRUE(check(rules)) << test["name"];
        EXPECT_EQ(compile(rules, zone, {second(test["span"][0]), second(test["span"][1])}), intervals(test["compiled"]))
            << test["name"];
        // The zone rules in the file are those of the world: past ones do not change any more.
        auto const real = load_zone(rules.zone, zone.span().start, zone.span().end);
        ASSERT_TRUE(real) << test["name"];
        bool const is_past = zone.span().end < utc("2026-01-01");
        EXPECT_TRUE(!is_past || real->transitions() == transitions) << test["name"];
    }
}

TEST(Compile, odd_days_are_those_whose_windows_are_longer_or_shorter) {
    auto const bounds = span("2026-01-01/2027-01-01");
    auto const around = zone_span(bounds);
    auto const berlin = *load_zone("Europe/Berlin", around.start, around.end);
    auto const odd =
        odd_days(with_weekly({}, "Europe/Berlin", weekly("daily 01:00-05:00,09:00-10:00")), berlin, bounds);
    ASSERT_EQ(odd.size(), 2u);
    using std::chrono::sys_days;
    EXPECT_EQ(odd[0].day, sys_days{std::chrono::year{2026} / 3 / 29});
    EXPECT_EQ(odd[0].longer_by, -1h);
    EXPECT_EQ(odd[1].day, sys_days{std::chrono::year{2026} / 10 / 25});
    EXPECT_EQ(odd[1].longer_by, 1h);
    EXPECT_EQ(odd[1].rule.start, 60);
}

TEST(Compile, whoever_is_always_open_is_open_for_the_whole_span) {
    for (auto const* zone : {"Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"})
        EXPECT_EQ(compiled(zone, "daily 00:00-24:00", "2011-01-01/2012-02-01"), spans({"2011-01-01/2012-02-01"}))
            << zone;
}

}  // namespace
}  // namespace interlude::schedule
