// What interlude-load understands, and that whatever it does not is named.
#include "tests/bench/load_options.hpp"

#include <gmock/gmock.h>

namespace interlude::test {
namespace {

using bench::LoadOptions;
using bench::Mode;
using testing::HasSubstr;

std::vector<std::string> const known{"--url", "https://localhost:7443", "--ca", "ca.pem", "--admin-socket", "admin"};

LoadOptions parse(std::vector<std::string> const& more) {
    auto all = known;
    all.insert(all.end(), more.begin(), more.end());
    return bench::parse_load_options(all);
}
std::string why_not(std::vector<std::string> const& arguments) {
    try {
        bench::parse_load_options(arguments);
    } catch (bench::UsageError const& error) {
        return error.what();
    }
    return "nothing";
}
std::string why_not_beside_known(std::vector<std::string> const& more) {
    auto all = known;
    all.insert(all.end(), more.begin(), more.end());
    return why_not(all);
}

TEST(LoadOptions, say_where_and_how_much) {
    auto const options = parse({"--rate", "500", "--conversations", "50", "--seconds", "30", "--size", "2048",
                                "--threads", "2", "--server-pid", "4711", "--json"});
    EXPECT_EQ(options.mode, Mode::rate);
    EXPECT_EQ(options.host, "localhost");
    EXPECT_EQ(options.port, 7443);
    EXPECT_EQ(options.rate, 500);
    EXPECT_EQ(options.conversations, 50u);
    EXPECT_EQ(options.seconds, 30u);
    EXPECT_EQ(options.size, 2048u);
    EXPECT_EQ(options.threads, 2u);
    EXPECT_EQ(options.server_pid, 4711);
    EXPECT_TRUE(options.json);
}

TEST(LoadOptions, know_each_thing_to_do) {
    EXPECT_EQ(parse({"--rate", "max"}).mode, Mode::max);
    EXPECT_EQ(parse({"--rate", "0.5"}).mode, Mode::rate);
    EXPECT_EQ(parse({"--prepare", "--world", "w"}).mode, Mode::prepare);
    EXPECT_EQ(parse({"--idle", "1000"}).mode, Mode::idle);
    EXPECT_EQ(parse({"--logins", "16"}).mode, Mode::login);
    EXPECT_EQ(parse({"--handshakes", "16"}).mode, Mode::handshake);
    EXPECT_EQ(parse({"--back", "1000"}).mode, Mode::back);
    auto const opening = parse({"--rate", "100", "--due", "10000", "--opens-in", "60"});
    EXPECT_EQ(opening.mode, Mode::opening);
    EXPECT_EQ(opening.rate, 100);
}

TEST(LoadOptions, say_how_many_people_a_run_needs) {
    EXPECT_EQ(parse({"--rate", "max", "--conversations", "50"}).open_needed(), 50u);
    EXPECT_EQ(parse({"--idle", "1001"}).open_needed(), 501u);
    EXPECT_EQ(parse({"--handshakes", "8"}).open_needed(), 0u);
    auto const opening = parse({"--due", "10001", "--opens-in", "60"});
    EXPECT_EQ(opening.open_needed(), 0u);
    EXPECT_EQ(opening.closed_needed(), 101u);
    EXPECT_EQ(parse({"--due", "1", "--opens-in", "60", "--rate", "10", "--conversations", "7"}).open_needed(), 7u);
    auto const prepare = parse({"--prepare", "--world", "w", "--conversations", "3", "--closed", "2"});
    EXPECT_EQ(prepare.open_needed(), 3u);
    EXPECT_EQ(prepare.closed_needed(), 2u);
}

TEST(LoadOptions, want_one_thing_to_do) {
    EXPECT_THAT(why_not_beside_known({}), HasSubstr("one of --prepare"));
    EXPECT_THAT(why_not_beside_known({"--idle", "5", "--back", "5"}), HasSubstr("only one"));
    EXPECT_THAT(why_not_beside_known({"--idle", "5", "--rate", "5"}), HasSubstr("only one"));
}

TEST(LoadOptions, name_what_is_missing) {
    EXPECT_THAT(why_not({"--rate", "1", "--ca", "c", "--world", "w"}), HasSubstr("--url is missing"));
    EXPECT_THAT(why_not({"--rate", "1", "--url", "https://a:1", "--world", "w"}), HasSubstr("--ca is missing"));
    EXPECT_THAT(why_not({"--rate", "1", "--url", "https://a:1", "--ca", "c"}), HasSubstr("--admin-socket"));
    EXPECT_EQ(why_not({"--rate", "1", "--url", "https://a:1", "--ca", "c", "--world", "w"}), "nothing");
    EXPECT_EQ(why_not({"--rate", "1", "--url", "https://a:1", "--ca", "c", "--plain-relay"}), "nothing");
    EXPECT_EQ(why_not({"--handshakes", "1", "--url", "https://a:1", "--ca", "c"}), "nothing");
    EXPECT_THAT(why_not_beside_known({"--prepare"}), HasSubstr("--world"));
    EXPECT_THAT(why_not_beside_known({"--due", "5"}), HasSubstr("--opens-in"));
    EXPECT_THAT(why_not_beside_known({"--rate"}), HasSubstr("wants a value"));
}

TEST(LoadOptions, refuse_what_a_relay_cannot_do) {
    EXPECT_THAT(why_not_beside_known({"--plain-relay", "--due", "5", "--opens-in", "9"}), HasSubstr("holds messages"));
    EXPECT_THAT(why_not_beside_known({"--plain-relay", "--prepare", "--world", "w"}), HasSubstr("nothing to do"));
}

TEST(LoadOptions, refuse_what_is_no_number_or_out_of_range) {
    std::vector<std::vector<std::string>> const wrong{
        {"--rate", "fast"},   {"--rate", "0"},        {"--rate", "-3"},    {"--rate", "nan"},
        {"--rate", "5x"},     {"--idle", "0"},        {"--idle", "-1"},    {"--idle", "1.5"},
        {"--seconds", "0"},   {"--seconds", "99999"}, {"--size", "1"},     {"--window", "0"},
        {"--threads", "100"}, {"--server-pid", "0"},  {"--opens-in", "0"}, {"--conversations", ""}};
    for (auto const& arguments : wrong)
        EXPECT_THAT(why_not_beside_known(arguments), HasSubstr(arguments[0] + " wants a number")) << arguments[1];
}

TEST(LoadOptions, refuse_urls_of_another_form) {
    for (auto const* url :
         {"http://a:1", "https://a", "https://:1", "https://a:1/", "https://a:0", "https://a:x", "a:1"})
        EXPECT_THAT(why_not({"--url", url, "--ca", "c", "--rate", "1"}), HasSubstr("--url wants")) << url;
}

TEST(LoadOptions, refuse_what_they_do_not_know) {
    EXPECT_THAT(why_not_beside_known({"--idle", "10", "--threads", "2"}), HasSubstr("only --rate"));
    EXPECT_THAT(why_not_beside_known({"--fast"}), HasSubstr("no option --fast"));
    EXPECT_THAT(why_not_beside_known({"--rate", "max", "--due", "5", "--opens-in", "9"}), HasSubstr("wants a number"));
}

}  // namespace
}  // namespace interlude::test
