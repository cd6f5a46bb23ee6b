// What is typed, and small formats of text and bytes.
#include "common/bytes/text.hpp"
#include "common/crypto/hpke_context.hpp"
#include "server/core/acked.hpp"
#include "tests/fuzz/make_corpus.hpp"
#include "tests/unit/mls/tree_members.hpp"

namespace interlude::fuzz {

namespace {

void make_typed_seeds() {
    std::pair<char const*, char const*> const moments[] = {{"now", "now"},
                                                           {"minutes", "+90m"},
                                                           {"seconds", "+5s"},
                                                           {"hours", "+2h"},
                                                           {"days", "+3d"},
                                                           {"clock", "18:00"},
                                                           {"date", "2026-11-23 18:00:30"},
                                                           {"utc", "2026-11-23T18:00:00Z"},
                                                           {"east", "2026-11-23T18:00:00.5+01:00"},
                                                           {"west", "2026-11-23T18:00:00-01:00"},
                                                           {"bad_unit", "+2w"},
                                                           {"bad_number", "+xm"},
                                                           {"bad_date", "2026-02-30 18:00"},
                                                           {"bad_clock", "25:00"},
                                                           {"bad_second", "18:00:x"},
                                                           {"bad_zone", "18:00+1"},
                                                           {"bad_word", "tomorrow"}};
    for (auto const& [name, text] : moments) seed_text("typed_text", std::string("moment_") + name, 0, text);
    std::pair<char const*, char const*> const commands[] = {
        {"send", "--json\n--home=/home/anna\nsend\n--\nKim\nhello"},
        {"hours", "hours\nset\n--zone\nEurope/Berlin\nmon 9-17"},
        {"watch", "watch\n--for\n5\n--count=2\n--ca\na\n--timeout=7"},
        {"verify", "verify\n--confirm"},
        {"help", "--help"},
        {"bad_number", "watch\n--for\nlong"},
        {"bad_value", "watch\n--for"},
        {"bad_option", "list\n--peek"},
        {"bad_text", "send\n\xff"},
        {"bad_words", "list\nmore"},
        {"bad_verb", "dance"},
        {"bad_nothing", "--json"}};
    for (auto const& [name, text] : commands) seed_text("typed_text", std::string("command_") + name, 1, text);
}

void make_config_seeds() {
    std::string const required =
        "server_name = \"relay.example\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"\n[store]\nurl = \"sqlite:c\"\n";
    auto const config = [&](char const* name, std::string_view text) { seed_text("server_config", name, text); };
    config("whole", "listen = [\"127.0.0.1:8443\"]\n" + required +
                        "[limits]\nidle_seconds = 60\n[log]\nkey = \"d\"\n[admin]\nsocket = \"e\"\n");
    config("least", required);
    config("tls_1_2", required + "[web]\norigins = [\"https://a\"]\n" + std::string("\0tls.min=\"1.2\"", 14));
    config("bad_toml", "server_name = ");
    config("bad_type", "server_name = 1");
    config("bad_list", "listen = 1");
    config("bad_number", "[limits]\nidle_seconds = 1");
    config("bad_tls", "[tls]\nmin = \"1.1\"");
    config("bad_store", "[store]\nurl = \"memory\"");
    config("bad_web", "[web]\nroot = \"a\"");
    config("bad_credential", "[tls]\nkey = \"${CREDENTIALS_DIRECTORY}/a\"");
    config("bad_key", "server_nam = \"a\"");
    config("bad_section", "[limit]\na = 1");
    config("bad_table", "[server_name]\na = 1");
    config("missing", "server_name = \"a\"");
    auto const setting = [&](char const* name, std::string_view text) {
        config(name, required + '\0' + std::string(text));
    };
    setting("settings", "limits.idle_seconds=60\nstore.url=sqlite:d\nserver_name=\"b\"");
    setting("bad_setting", "limits");
    setting("bad_setting_key", "limits.idle=1");
}

}  // namespace

void make_text_seeds() {
    Bytes const some{0, 1, 0xfe, 0xff};
    std::pair<char const*, std::string> const texts[] = {{"hex", bytes::to_hex(some)},
                                                         {"hex_high", "00FE"},
                                                         {"base64", bytes::to_base64(some)},
                                                         {"base64_whole", "AAAA"},
                                                         {"base64_two", "AAA="},
                                                         {"base64url", bytes::to_base64url(some)},
                                                         {"odd", "0"},
                                                         {"lone", "AAAAA"},
                                                         {"bits", "AB=="},
                                                         {"utf8", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x8a"},
                                                         {"utf8_cut", "\xe2\x82"},
                                                         {"utf8_follow", "\xc3("},
                                                         {"utf8_long", "\xe0\x80\x80"},
                                                         {"utf8_half", "\xed\xa0\x80"},
                                                         {"utf8_high", "\xf5\x80\x80\x80"}};
    for (auto const& [name, text] : texts) seed_text("byte_text", name, text);

    core::AckedSet acked;
    acked.advance_to(7);
    seed("acked_set", "cursor", acked.encode());
    for (std::uint64_t const seq : {9, 10, 20}) acked.add(seq);
    seed("acked_set", "ranges", acked.encode());
    core::AckedSet joined;
    for (std::uint64_t const seq : {1, 2}) joined.add(seq);  // 0 is missing: acking it joins all
    seed("acked_set", "before_a_range", joined.encode());
    seed("acked_set", "bad_order", Bytes{0, 0, 0, 0, 0, 0, 0, 9, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1});

    auto const& suite = mls::tests::suite();
    auto const recipient = crypto::hpke_derive_key_pair(suite, Bytes(32, 1));
    crypto::SeededEntropy entropy(2);
    auto const sealed =
        crypto::hpke_seal(suite, recipient.public_key, bytes::view("fuzz"), {}, bytes::view("sealed once"), entropy)
            .value();
    auto whole = sealed.kem_output;
    bytes::append(whole, sealed.ciphertext);
    seed("hpke", "sealed", whole);
    whole.back() ^= 1;
    seed("hpke", "bad_tag", whole);
    seed("hpke", "bad_point", Bytes(48));
    seed("hpke", "bad_size", Bytes(31, 9));
    for (auto const& [name, hours] :
         {std::pair("none", "none"), std::pair("weekdays", "Mon-Fri 09:00-12:00,14:00-17:00; Sat 10:00-12:00"),
          std::pair("over_midnight", "Fri,Sun 22:00-02:00"), std::pair("daily", "daily 9-24;"),
          std::pair("around_the_week", "Sat-Tue 9:00-10:00"),
          std::pair("dashes",
                    "Mon\xe2\x80\x93Tue 9\xe2\x80\x94"
                    "10"),
          std::pair("bad_overlap", "Mon 9-12; Mon 11-13"), std::pair("bad_day", "Moo 9-12"),
          std::pair("bad_time", "Mon 25-26"), std::pair("bad_span", "Mon 9"), std::pair("bad_minutes", "Mon 9:5-10"),
          std::pair("bad_no_day", "9-12"), std::pair("bad_no_time", "Mon"), std::pair("bad_range", "Mon-Tue-Wed 9-10"),
          std::pair("bad_empty_span", "Mon 9-9")})
        seed_text("hours_text", name, hours);

    make_typed_seeds();
    make_config_seeds();
}

}  // namespace interlude::fuzz
