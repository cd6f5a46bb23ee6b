// The command line: what is understood, and that what is not says what to write instead.
#include "client-cli/ui/options.hpp"

#include <gtest/gtest.h>

#include "client-cli/ui/moments.hpp"
#include "client-cli/ui/verbs.hpp"
#include "tests/unit/ui/monday.hpp"

namespace interlude::ui {
namespace {

Exit refusal(std::vector<std::string> const& words) {
    try {
        (void)parse_options(words);
    } catch (Failure const& failure) {
        EXPECT_NE(failure.what()[0], '\0');
        EXPECT_NE(failure.hint, "") << failure.what();
        return failure.exit;
    }
    return done;
}

TEST(Options, the_verbs_own_options_stand_anywhere) {
    auto const options = parse_options({"--json", "send", "--home=/h", "Kim", "hello", "--timeout", "3"});
    EXPECT_EQ(options.verb, "send");
    EXPECT_TRUE(options.json);
    EXPECT_EQ(options.home, "/h");
    EXPECT_EQ(options.timeout, std::chrono::seconds{3});
    EXPECT_EQ(options.words, (std::vector<std::string>{"Kim", "hello"}));
}

TEST(Options, two_words_can_be_one_verb) {
    EXPECT_EQ(parse_options({"audit", "verify"}).verb, "audit verify");
}

TEST(Options, after_two_dashes_everything_is_words) {
    EXPECT_EQ(parse_options({"send", "--", "--json"}).words, std::vector<std::string>{"--json"});
    EXPECT_FALSE(parse_options({"send", "--", "--json"}).json);
}

TEST(Options, what_makes_no_sense_ends_with_the_usage_code) {
    EXPECT_EQ(refusal({}), usage);
    EXPECT_EQ(refusal({"sing"}), usage);
    EXPECT_EQ(refusal({"send"}), usage);
    EXPECT_EQ(refusal({"send", "a", "b", "c"}), usage);
    EXPECT_EQ(refusal({"send", "--peek", "hello"}), usage);
    EXPECT_EQ(refusal({"send", "hello", "--home"}), usage);
    EXPECT_EQ(refusal({"send", "hello", "--timeout", "soon"}), usage);
}

TEST(ExitCodes, a_home_that_is_not_there_is_no_crash) {
    auto options = parse_options({"list", "--json"});
    options.home = testing::TempDir() + "interlude-no-such-home";
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    auto const code = run_verb(options);
    auto const out = testing::internal::GetCapturedStdout();
    auto const err = testing::internal::GetCapturedStderr();
    EXPECT_GT(code, 1);
    EXPECT_NE((out + err).find("join"), std::string::npos) << "says how to begin: " << out << err;
}

TEST(ExitCodes, the_crisis_card_needs_no_home) {
    auto options = parse_options({"crisis"});
    options.home = testing::TempDir() + "interlude-no-such-home";
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_verb(options), done);
    EXPECT_NE(testing::internal::GetCapturedStdout(), "");
}

TEST(Options, words_and_names_that_are_no_text_are_turned_away_before_anything_is_kept) {
    for (auto const& words : std::vector<std::vector<std::string>>{{"send", "Gr\xfc\xdf"},
                                                                   {"send", "Kim", "\xc3("},
                                                                   {"name", "Kim\xff"},
                                                                   {"invite", "--name", "\xed\xa0\x80"},
                                                                   {"join", "LINK", "--my-name=\xff"}})
        EXPECT_EQ(refusal(words), usage) << words.back();
    EXPECT_EQ(refusal({"send", "Gr\xc3\xbc\xc3\x9f"}), done);
    EXPECT_EQ(refusal({"list", "--home", "/h\xff"}), done);
}

struct Typed {
    char const* text;
    std::optional<base::WallTime> meant;
};

TEST(Moments, are_understood_as_a_person_types_them) {
    using namespace std::chrono_literals;
    auto const utc = schedule::ZoneRules::utc();
    auto const base = monday_ten + 1h;
    Typed const table[] = {{"now", monday_ten},
                           {"+90m", base + 90min},
                           {"+1d", base + 24h},
                           {"18:00", monday_ten + 8h},
                           {"18:00:30", monday_ten + 8h + 30s},
                           {"2027-01-05 18:00", monday_ten + 32h},
                           {"2027-01-05T18:00:00Z", monday_ten + 32h},
                           {"2027-01-05T18:00:00+01:00", monday_ten + 31h},
                           {"2027-01-05", monday_ten + 14h},
                           {"today 18:00", monday_ten + 8h},
                           {"Tomorrow", monday_ten + 14h},
                           {"tomorrow 09:30", monday_ten + 23h + 30min},
                           {"tue 09:00", monday_ten + 23h},
                           {"Sunday 09:00:30", monday_ten + 143h + 30s},
                           {"Mon 10:00", monday_ten + 168h},  // the coming one
                           {"", {}},
                           {"soon", {}},
                           {"Mon09:00", {}},
                           {"mo 09:00", {}},
                           {"tomorrow ", {}},
                           {"tomorrow soon", {}},
                           {"2027-01-05x18:00", {}},
                           {"-2027-01-05", {}},
                           {"+90", {}},
                           {"+-5m", {}},
                           {"25:00", {}},
                           {"18:60", {}},
                           {"2027-02-30 10:00", {}},
                           {"2027-01-05T18:00:00Zulu", {}}};
    for (auto const& [text, meant] : table) EXPECT_EQ(parse_moment(text, utc, monday_ten, base), meant) << text;
}

}  // namespace
}  // namespace interlude::ui
