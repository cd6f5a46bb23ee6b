// Zone rules as a value, and the system's tzdata behind them.
#include "common/schedule/zone.hpp"

#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using base::Errc;
using std::chrono::seconds;
using test::utc;
using namespace std::chrono_literals;

LocalSeconds local(std::string const& text) {
    return LocalSeconds{std::chrono::floor<seconds>(utc(text).time_since_epoch())};
}

ZoneRules load(std::string const& name, std::string const& from = "1990-01-01",
               std::string const& until = "2037-01-01") {
    auto const zone = load_zone(name, utc(from), utc(until));
    EXPECT_TRUE(zone.has_value()) << name;
    return *zone;
}

TEST(Zone, knows_the_clocks_of_berlin) {
    auto const berlin = load("Europe/Berlin");
    EXPECT_EQ(berlin.offset_at(utc("2026-03-29T00:59:59")), 1h);
    EXPECT_EQ(berlin.offset_at(utc("2026-03-29T01:00:00")), 2h);
    EXPECT_EQ(berlin.to_local(utc("2026-03-29T01:00:00")), local("2026-03-29T03:00:00"));
    EXPECT_EQ(berlin.transitions().size(), 2u * 47);
}

TEST(Zone, a_time_that_never_was_moves_forward_by_the_gap) {
    auto const berlin = load("Europe/Berlin");
    EXPECT_EQ(berlin.first_occurrence(local("2026-03-29T02:30")), utc("2026-03-29T01:30"));
    EXPECT_EQ(berlin.last_occurrence(local("2026-03-29T02:30")), utc("2026-03-29T01:30"));
    EXPECT_EQ(berlin.first_occurrence(local("2026-03-29T01:59:59")), utc("2026-03-29T00:59:59"));
    EXPECT_EQ(berlin.first_occurrence(local("2026-03-29T03:00")), utc("2026-03-29T01:00"));
    auto const apia = load("Pacific/Apia");
    EXPECT_EQ(apia.first_occurrence(local("2011-12-30T09:00")), utc("2011-12-30T19:00"));
    EXPECT_EQ(apia.to_local(utc("2011-12-30T19:00")), local("2011-12-31T09:00"));
}

TEST(Zone, a_time_that_was_twice_has_a_first_and_a_last_occurrence) {
    auto const berlin = load("Europe/Berlin");
    EXPECT_EQ(berlin.first_occurrence(local("2026-10-25T02:30")), utc("2026-10-25T00:30"));
    EXPECT_EQ(berlin.last_occurrence(local("2026-10-25T02:30")), utc("2026-10-25T01:30"));
    EXPECT_EQ(berlin.last_occurrence(local("2026-10-25T03:00")), utc("2026-10-25T02:00"));
    auto const lord_howe = load("Australia/Lord_Howe");
    EXPECT_EQ(
        lord_howe.last_occurrence(local("2026-04-05T01:45")) - lord_howe.first_occurrence(local("2026-04-05T01:45")),
        30min);
}

TEST(Zone, every_instant_is_one_of_the_occurrences_of_its_own_wall_clock) {
    for (auto const* name : {"Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "America/Sao_Paulo"}) {
        auto const zone = load(name);
        for (auto const& transition : zone.transitions())
            for (auto t = transition.at - 4h; t < transition.at + 4h; t += 5min) {
                auto const wall = zone.to_local(t);
                EXPECT_TRUE(zone.first_occurrence(wall) == t || zone.last_occurrence(wall) == t)
                    << name << " " << base::to_ms(t);
                EXPECT_LE(zone.first_occurrence(wall), zone.last_occurrence(wall));
            }
    }
}

TEST(Zone, a_name_that_is_no_zone_is_refused_with_the_nearest_ones) {
    for (auto const* name : {"Europe/Berln", "", "../../etc/passwd", "tzdata.zi", "posixrules", "right/Europe/Berlin",
                             "europe/berlin", "Europe"})
        EXPECT_EQ(load_zone(name, utc("2026-01-01"), utc("2027-01-01")).error(), Errc::unknown) << name;
    EXPECT_EQ(nearest_zone_names("Europe/Berln").front(), "Europe/Berlin");
    EXPECT_EQ(nearest_zone_names("berlin").front(), "Europe/Berlin");
    EXPECT_EQ(nearest_zone_names("new york").front(), "America/New_York");
    EXPECT_EQ(nearest_zone_names("x", 5).size(), 5u);
}

TEST(Zone, every_listed_name_loads) {
    auto const names = zone_names();
    EXPECT_GT(names.size(), 400u);
    for (auto const& name : names) EXPECT_TRUE(load_zone(name, utc("2026-01-01"), utc("2027-01-01"))) << name;
}

TEST(Zone, years_that_the_data_does_not_list_are_refused) {
    EXPECT_TRUE(load_zone("Europe/Berlin", utc("2037-01-01"), zone_data_end()));
    EXPECT_EQ(load_zone("Europe/Berlin", utc("2037-01-01"), zone_data_end() + 1s).error(), Errc::not_yet);
}

TEST(Zone, the_version_of_the_data_is_a_year_and_a_letter) {
    auto const version = tzdata_version();
    ASSERT_GE(version.size(), 5u) << version;
    EXPECT_TRUE(version.starts_with("20")) << version;
    EXPECT_EQ(load("UTC").tzdata(), version);
}

}  // namespace
}  // namespace interlude::schedule
