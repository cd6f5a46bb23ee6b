// What `hours show` prints, in the reader's own zone.
#include "common/schedule/week_picture.hpp"

#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using test::spans;
using test::utc;

ZoneRules zone(std::string const& name) {
    return *load_zone(name, utc("2026-01-01"), utc("2028-01-01"));
}

Calendar published(std::vector<std::string> const& windows) {
    return Calendar({PublishedSchedule{1, utc("2026-01-01"), test::span("2026-01-01/2027-01-01"), spans(windows)}});
}

auto const now = "2026-07-28T08:15";  // Tuesday, 10:15 in Berlin

TEST(HoursInWords, closed_now_with_the_next_window_in_the_readers_zone) {
    auto const c = published({"2026-07-29T12:00/2026-07-29T14:00", "2026-07-31T07:00/2026-07-31T10:00",
                              "2026-07-31T12:00/2026-07-31T15:00", "2026-08-05T12:00/2026-08-05T14:00"});
    EXPECT_EQ(calendar_in_words(c, "Dr N.", zone("Europe/Berlin"), utc(now)),
              (std::vector<std::string>{
                  "Dr N. does not read messages now. Next: tomorrow 14:00-16:00.",
                  "Coming days: tomorrow 14:00-16:00, Fri 09:00-12:00 and 14:00-17:00 (your time, Europe/Berlin)."}));
    EXPECT_EQ(calendar_in_words(c, "Dr N.", zone("Asia/Tokyo"), utc(now)).front(),
              "Dr N. does not read messages now. Next: tomorrow 21:00-23:00.");
}

TEST(HoursInWords, open_now_until_a_time_that_is_understood) {
    auto const berlin = zone("Europe/Berlin");
    auto const first = [&](std::string const& window) {
        return calendar_in_words(published({window}), "Dr N.", berlin, utc(now)).front();
    };
    EXPECT_EQ(first("2026-07-28T07:00/2026-07-28T10:00"), "Dr N. reads messages now, until 12:00.");
    EXPECT_EQ(first("2026-07-28T07:00/2026-07-28T22:00"), "Dr N. reads messages now, until 24:00.");
    EXPECT_EQ(first("2026-07-28T07:00/2026-07-29T00:00"), "Dr N. reads messages now, until tomorrow 02:00.");
    EXPECT_EQ(first("2026-07-28T08:00/2026-07-28T08:20:30"), "Dr N. reads messages now, until 10:20:30.");
}

TEST(HoursInWords, she_is_spoken_to_as_you) {
    auto const berlin = zone("Europe/Berlin");
    auto const first = [&](std::string const& window) {
        return calendar_in_words(published({window}), "You", berlin, utc(now)).front();
    };
    EXPECT_EQ(first("2026-07-28T07:00/2026-07-28T10:00"), "You read messages now, until 12:00.");
    EXPECT_EQ(first("2026-07-29T12:00/2026-07-29T14:00"), "You do not read messages now. Next: tomorrow 14:00-16:00.");
}

TEST(HoursInWords, nothing_published_and_hours_that_ran_out_are_said_so) {
    auto const berlin = zone("Europe/Berlin");
    EXPECT_EQ(calendar_in_words(Calendar(), "Dr N.", berlin, utc(now)),
              std::vector<std::string>{"Dr N. has not published any hours yet."});
    EXPECT_EQ(calendar_in_words(published({}), "Dr N.", berlin, utc(now)).front(),
              "Dr N. does not read messages now. No opening is published.");
    EXPECT_EQ(calendar_in_words(published({}), "Dr N.", berlin, utc("2027-03-01")).front(),
              "Dr N. does not read messages now. The published hours ran out.");
}

TEST(HoursInWords, instants_are_told_by_the_nearest_name) {
    auto const berlin = zone("Europe/Berlin");
    auto const words = [&](std::string const& t) { return instant_in_words(utc(t), berlin, utc(now)); };
    EXPECT_EQ(words("2026-07-28T21:59"), "today 23:59");
    EXPECT_EQ(words("2026-07-28T22:00"), "tomorrow 00:00");
    EXPECT_EQ(words("2026-08-03T07:00"), "Monday 09:00");
    EXPECT_EQ(words("2026-08-04T07:00"), "Tue 4 Aug 09:00");
    EXPECT_EQ(words("2027-02-01T08:00"), "Mon 1 Feb 2027 09:00");
    EXPECT_EQ(words("2026-07-20T07:00"), "Mon 20 Jul 09:00");
}

TEST(HoursInWords, a_window_over_midnight_belongs_to_the_day_it_begins_on) {
    auto const c = published({"2026-07-29T20:00/2026-07-30T00:00", "2026-07-31T10:00/2026-08-02T10:00"});
    EXPECT_EQ(calendar_in_words(c, "Dr N.", zone("Europe/Berlin"), utc(now)).back(),
              "Coming days: tomorrow 22:00-02:00, Fri 12:00 to Sun 12:00 (your time, Europe/Berlin).");
}

TEST(WeekPicture, seven_days_with_half_hour_cells) {
    auto const c = published({"2026-07-28T12:00/2026-07-28T14:00", "2026-07-29T07:00/2026-07-29T07:20",
                              "2026-07-31T20:00/2026-08-01T00:00"});
    EXPECT_EQ(week_picture(c, zone("Europe/Berlin"), utc(now), {.unicode = false, .minutes_per_cell = 60}),
              (std::vector<std::string>{
                  "            00 03 06 09 12 15 18 21 24",
                  "Tue 28 Jul  ..........|...##........",
                  "Wed 29 Jul  .........+..............",
                  "Thu 30 Jul  ........................",
                  "Fri 31 Jul  ......................##",
                  "Sat 1 Aug   ##......................",
                  "Sun 2 Aug   ........................",
                  "Mon 3 Aug   ........................",
                  "            # open  + partly open  . closed  | now, 10:15 Europe/Berlin",
              }));
    auto const drawn = week_picture(c, zone("Europe/Berlin"), utc(now));
    EXPECT_NE(drawn[1].find("|·······████"), std::string::npos) << drawn[1];
}

TEST(WeekPicture, wall_clock_time_that_the_clocks_leave_out_is_blank) {
    auto const c = published({"2026-03-29T00:00/2026-03-29T03:00"});
    auto const drawn =
        week_picture(c, zone("Europe/Berlin"), utc("2026-03-28T12:00"), {.unicode = false, .minutes_per_cell = 60});
    EXPECT_EQ(drawn[2], "Sun 29 Mar  .# ##...................");
}

}  // namespace
}  // namespace interlude::schedule
