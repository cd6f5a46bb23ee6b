// Hours as people type and read them.
#include "common/schedule/hours_text.hpp"

#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {

void PrintTo(WeeklyInterval const& interval, std::ostream* out) {
    *out << name(interval.day) << " " << interval.start << "-" << interval.end;
}

namespace {

using test::weekly;

TEST(HoursText, weekdays_twice_a_day_and_a_saturday) {
    auto const hours = weekly("Mon-Fri 09:00-12:00,14:00-17:00; Sat 10:00-12:00");
    ASSERT_EQ(hours.size(), 11u);
    EXPECT_EQ(hours.front(), (WeeklyInterval{Weekday::monday, 540, 720}));
    EXPECT_EQ(hours[1], (WeeklyInterval{Weekday::monday, 840, 1020}));
    EXPECT_EQ(hours.back(), (WeeklyInterval{Weekday::saturday, 600, 720}));
    EXPECT_EQ(format_hours(hours), "Mon-Fri 09:00-12:00,14:00-17:00; Sat 10:00-12:00");
    EXPECT_EQ(hours_in_words(hours), "Monday to Friday 09:00-12:00 and 14:00-17:00, Saturday 10:00-12:00");
}

TEST(HoursText, many_spellings_mean_the_same) {
    auto const hours = weekly("Tue,Thu 09:00-17:30");
    for (auto const* text : {"tuesday, thursday 9-17:30", " TUE,THU  9:00 - 17:30 ;", "Tue 9-17:30; Thu 9-17:30",
                             "Thu,Tues 09:00\u201317:30"})
        EXPECT_EQ(weekly(text), hours) << text;
    EXPECT_EQ(weekly("daily 8-9"), weekly("Mon-Sun 08:00-09:00"));
    EXPECT_EQ(weekly("Fri-Mon 8-9"), weekly("Fri,Sat,Sun,Mon 8-9"));
    EXPECT_TRUE(weekly("none").empty());
    EXPECT_EQ(format_hours({}), "none");
    EXPECT_EQ(hours_in_words({}), "no weekly hours");
    EXPECT_EQ(hours_in_words(weekly("daily 8-9")), "every day 08:00-09:00");
    EXPECT_EQ(hours_in_words(hours), "Tuesday and Thursday 09:00-17:30");
    EXPECT_EQ(hours_in_words(weekly("Sat,Sun,Mon 8-9")), "Monday, Saturday and Sunday 08:00-09:00");
}

TEST(HoursText, a_span_over_midnight_ends_on_the_next_day) {
    EXPECT_EQ(weekly("Fri 22:00-02:00"), (std::vector<WeeklyInterval>{{Weekday::friday, 1320, 1560}}));
    EXPECT_EQ(weekly("Fri 22:00-26:00"), weekly("Fri 22:00-02:00"));
    EXPECT_EQ(weekly("Fri 00:00-24:00"), (std::vector<WeeklyInterval>{{Weekday::friday, 0, 1440}}));
    EXPECT_EQ(weekly("Fri 18:00-00:00"), weekly("Fri 18:00-24:00"));
    EXPECT_EQ(format_hours(weekly("Fri 22:00-26:00")), "Fri 22:00-02:00");
}

TEST(HoursText, a_schedule_that_overlaps_itself_is_refused_and_says_where) {
    struct Case {
        char const* text;
        char const* says;
    };
    for (auto const& [text, says] : {
             Case{"Mon 09:00-12:00,11:00-13:00", "Monday 09:00-12:00 and Monday 11:00-13:00 overlap"},
             Case{"Mon 09:00-12:00; Mon 09:00-12:00", "Monday 09:00-12:00 and Monday 09:00-12:00 overlap"},
             Case{"Mon 22:00-02:00; Tue 01:00-03:00", "Monday 22:00-02:00 and Tuesday 01:00-03:00 overlap"},
             Case{"Sun 22:00-02:00; Mon 01:59-03:00", "Sunday 22:00-02:00 and Monday 01:59-03:00 overlap"},
         }) {
        auto const refused = parse_hours(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_NE(refused.error().text.find(says), std::string::npos) << refused.error().text;
        EXPECT_NE(refused.error().hint, "");
    }
    EXPECT_TRUE(parse_hours("Sun 22:00-02:00; Mon 02:00-03:00")) << "touching is not overlapping";
    EXPECT_TRUE(parse_hours("Mon 09:00-12:00,12:00-13:00"));
}

TEST(HoursText, what_cannot_be_read_is_quoted_with_what_to_type) {
    struct Case {
        char const* text;
        char const* quotes;
    };
    for (auto const& [text, quotes] : {
             Case{"", "names no day"},
             Case{"Mon", "\"Mon\" names no time"},
             Case{"09:00-12:00", "\"09:00-12:00\" names no day"},
             Case{"Mo 09:00-12:00", "\"Mo\""},
             Case{"Funday 09:00-12:00", "\"Funday\""},
             Case{"Mon-Tue-Wed 9-10", "too many dashes"},
             Case{"Mon 09:00", "\"09:00\""},
             Case{"Mon 9:0-10:00", "\"9:0-10:00\""},
             Case{"Mon 09:60-10:00", "\"09:60-10:00\""},
             Case{"Mon 25:00-26:00", "\"25:00-26:00\""},
             Case{"Mon 09:00-09:00", "empty"},
             Case{"Mon 09:00-34:00", "longer than a day"},
             Case{"Mon 09:00-12:00,", "\"\""},
             Case{"Mon 09:00-12:00 noon", "noon"},
             Case{"Mon 09:00-48:00", "\"09:00-48:00\""},
         }) {
        auto const refused = parse_hours(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_NE(refused.error().text.find(quotes), std::string::npos) << text << ": " << refused.error().text;
        EXPECT_NE(refused.error().hint, "") << text;
    }
    std::string many = "Mon 00:00-00:01";
    for (int i = 0; i < 600; ++i) many += ",00:00-00:01";
    EXPECT_FALSE(parse_hours(many));
}

TEST(HoursText, what_is_written_reads_back_the_same) {
    EXPECT_TRUE(rc::check([] {
        auto const day = rc::gen::inRange(0, 7);
        auto const start = rc::gen::inRange(0, minutes_per_day);
        auto const length = rc::gen::inRange(1, minutes_per_day + 1);
        std::vector<WeeklyInterval> hours;
        for (auto const& [d, s, l] :
             *rc::gen::container<std::vector<std::tuple<int, int, int>>>(rc::gen::tuple(day, start, length))) {
            auto more = hours;
            more.push_back({static_cast<Weekday>(d), static_cast<std::uint16_t>(s), static_cast<std::uint16_t>(s + l)});
            if (!overlapping(more)) hours = more;
        }
        std::sort(hours.begin(), hours.end());
        auto const again = parse_hours(format_hours(hours));
        RC_ASSERT(again.has_value());
        RC_ASSERT(*again == hours);
    }));
}

TEST(HoursText, any_bytes_are_answered) {
    EXPECT_TRUE(rc::check([] {
        auto const alphabet = rc::gen::elementOf(std::string("MonTueFri-,;: 0192none\xe2\x80\x93\xff"));
        auto const text = *rc::gen::container<std::string>(alphabet);
        if (auto const hours = parse_hours(text)) RC_ASSERT(!overlapping(*hours));
    }));
}

}  // namespace
}  // namespace interlude::schedule
