// What a person reads: foreign text made harmless, states in words, one JSON object a line.
#include <gtest/gtest.h>

#include <set>

#include "client-cli/ui/reach_notice.hpp"
#include "client-cli/ui/text.hpp"
#include "client-cli/ui/verbs.hpp"
#include "tests/unit/ui/monday.hpp"

namespace interlude::ui {
namespace {

engine::MessageView message(engine::MessageState state) {
    engine::MessageView view;
    view.state = state;
    view.from_me = true;
    view.text = "hello";
    view.sent_at = monday_ten;
    return view;
}

TEST(Visible, plain_words_of_any_language_stay) {
    for (auto const* text : {"", "Grüße, Kim!", "日本語", "שלום", "🙂", "two\nlines"}) EXPECT_EQ(visible(text), text);
}

TEST(Visible, controls_and_escapes_are_shown_instead_of_obeyed) {
    EXPECT_EQ(visible("\x1b[2Jgone"), "<U+001B>[2Jgone");
    EXPECT_EQ(visible("a\rb"), "a<U+000D>b");
    EXPECT_EQ(visible("\b\x7f\t"), "<U+0008><U+007F><U+0009>");
    EXPECT_EQ(visible("\xc2\x9b"
                      "31m"),
              "<U+009B>31m");  // C1: a CSI of one character
    EXPECT_EQ(visible(std::string_view("a\0b", 3)), "a<U+0000>b");
}

TEST(Visible, characters_that_turn_or_hide_others_are_shown) {
    EXPECT_EQ(visible("\u202eevil"), "<U+202E>evil");
    EXPECT_EQ(visible("\u2066x\u2069"), "<U+2066>x<U+2069>");
    EXPECT_EQ(visible("a\u200bb\u200fc\ufeff"), "a<U+200B>b<U+200F>c<U+FEFF>");
    EXPECT_EQ(visible("\u2028\u061c\u00ad"), "<U+2028><U+061C><U+00AD>");
    EXPECT_EQ(visible("\U000e0041"), "<U+E0041>");  // tags
}

TEST(Visible, characters_that_are_drawn_as_nothing_are_shown) {
    EXPECT_EQ(visible("\u3164\u115f\u1160\uffa0"), "<U+3164><U+115F><U+1160><U+FFA0>");
    EXPECT_EQ(visible("\u034f\u2800"), "<U+034F><U+2800>");
}

TEST(Visible, bytes_that_are_no_text_are_shown_one_by_one) {
    EXPECT_EQ(visible("\xff\xfe"), "<FF><FE>");
    EXPECT_EQ(visible("\xc0\xaf"), "<C0><AF>");          // overlong
    EXPECT_EQ(visible("\xed\xa0\x80"), "<ED><A0><80>");  // a surrogate
    EXPECT_EQ(visible("\xf4\x90\x80\x80"), "<F4><90><80><80>");
    EXPECT_EQ(visible("ab\xe2\x82"), "ab<E2><82>");  // cut off
}

TEST(Visible, a_name_is_one_line) {
    EXPECT_EQ(visible("Dr.\nAdler", false), "Dr.<U+000A>Adler");
}

TEST(Times, are_written_as_rfc3339_with_milliseconds) {
    EXPECT_EQ(rfc3339(base::wall_ms(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339(monday_ten + base::Millis{7}), "2027-01-04T10:00:00.007Z");
}

TEST(States, every_state_has_words_of_its_own) {
    std::vector<std::string> said;
    for (auto const state :
         {engine::MessageState::on_device, engine::MessageState::held, engine::MessageState::delivered}) {
        auto const words = state_in_words(message(state), monday_ten);
        EXPECT_NE(words, "") << name(state);
        EXPECT_EQ(std::count(said.begin(), said.end(), words), 0) << words;
        said.push_back(words);
    }
}

TEST(States, a_held_message_says_until_when_or_that_nobody_knows) {
    auto held = message(engine::MessageState::held);
    EXPECT_NE(state_in_words(held, monday_ten).find("no opening is published yet"), std::string::npos);
    held.held_until = monday_ten + std::chrono::hours{3};
    setenv("TZ", "UTC", 1);
    EXPECT_NE(state_in_words(held, monday_ten).find("13:00 (your time)"), std::string::npos)
        << state_in_words(held, monday_ten);
    held.proof_missing = true;
    EXPECT_NE(state_in_words(held, monday_ten).find("proof is on the way"), std::string::npos);
}

TEST(States, what_the_other_side_cannot_open_asks_to_be_written_again) {
    auto view = message(engine::MessageState::stored);
    EXPECT_FALSE(message_json(view, "Kim").contains("unopened"));
    view.unopened = true;
    EXPECT_NE(state_in_words(view, monday_ten).find("cannot open it"), std::string::npos);
    EXPECT_EQ(message_json(view, "Kim").at("unopened"), true);
}

TEST(MessageLine, foreign_names_and_texts_cannot_draw_on_the_terminal) {
    auto view = message(engine::MessageState::delivered);
    view.from_me = false;
    view.from_name = "\x1b[31mKim\n[now] you";
    view.text = "\u202e\x07hi";
    auto const line = message_line(view, monday_ten);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x07'), std::string::npos);
    EXPECT_NE(line.find("<U+001B>[31mKim<U+000A>"), std::string::npos) << line;
    EXPECT_NE(line.find("<U+202E><U+0007>hi"), std::string::npos) << line;
}

TEST(MessageLine, a_foreign_text_cannot_forge_lines_of_this_app) {
    auto view = message(engine::MessageState::delivered);
    view.from_me = false;
    view.from_name = "Kim";
    view.text = "hi\n[today 11:30] you: I quit\n    (delivered)\nALARM (x): y";
    auto const line = message_line(view, monday_ten);
    EXPECT_NE(line.find("Kim: hi\n    | [today 11:30] you: I quit\n    |     (delivered)\n    | ALARM"),
              std::string::npos)
        << line;
}

TEST(MessageLine, a_peer_called_you_is_not_taken_for_oneself) {
    auto view = message(engine::MessageState::delivered);
    view.from_me = false;
    for (auto const* name : {"you", "You", " YOU "}) {
        view.from_name = name;
        auto const line = message_line(view, monday_ten);
        EXPECT_NE(line.find("the other side, called"), std::string::npos) << line;
    }
    view.from_name = "Yousra";
    EXPECT_EQ(message_line(view, monday_ten).find("the other side"), std::string::npos);
}

TEST(MessageLine, what_does_not_open_says_so) {
    auto view = message(engine::MessageState::delivered);
    view.from_me = false;
    view.text.clear();
    view.cannot_open = true;
    EXPECT_NE(message_line(view, monday_ten).find("cannot be opened"), std::string::npos);
    EXPECT_EQ(message_json(view, "Kim").at("cannot_open"), true);
}

TEST(MessageJson, says_what_a_script_needs) {
    auto view = message(engine::MessageState::held);
    view.seq = 7;
    view.accepted_at = monday_ten;
    view.held_until = monday_ten + std::chrono::hours{1};
    view.proof_missing = true;
    auto const object = message_json(view, "Kim");
    EXPECT_EQ(object.at("type"), "message");
    EXPECT_EQ(object.at("name"), "Kim");
    EXPECT_EQ(object.at("state"), "held");
    EXPECT_EQ(object.at("seq"), 7);
    EXPECT_EQ(object.at("held_until"), "2027-01-04T11:00:00.000Z");
    EXPECT_EQ(object.at("proved"), false);
    EXPECT_FALSE(object.contains("cannot_open"));
    EXPECT_FALSE(object.contains("reason"));
}

TEST(Json, is_one_line_whatever_is_in_it) {
    testing::internal::CaptureStdout();
    print_json({{"text", "two\nlines \x1b \xff"}});
    auto const line = testing::internal::GetCapturedStdout();
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.back(), '\n');
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(json::parse(line).at("text"), "two\nlines \x1b \ufffd");
}

TEST(CrisisCard, the_therapists_words_stand_beside_the_numbers) {
    auto const plain = crisis_card_text(std::nullopt);
    EXPECT_NE(plain.find(texts().at("crisis").at("numbers").at(0).at("call").get<std::string>()), std::string::npos);
    auto const edited = crisis_card_text(engine::CrisisCard{"Call me\x1b", monday_ten});
    EXPECT_NE(edited.find("From your therapist (2027-01-04):\n    | Call me<U+001B>"), std::string::npos) << edited;
}

TEST(Counts, one_is_not_many) {
    EXPECT_EQ(counted(0, "proof"), "0 proofs");
    EXPECT_EQ(counted(1, "proof"), "1 proof");
    EXPECT_EQ(counted(1, "entry", "entries"), "1 entry");
    EXPECT_EQ(counted(2, "entry", "entries"), "2 entries");
}

TEST(MessageLine, a_foreign_text_cannot_forge_lines_by_the_width_of_the_screen) {
    auto view = message(engine::MessageState::delivered);
    view.from_me = false;
    view.from_name = "Kim";
    view.text = "hi" + std::string(80, ' ') + "[today 11:30] you: I quit";
    auto const line = message_line(view, monday_ten, 80);
    std::size_t begin = 0;
    while (begin < line.size()) {
        auto const end = std::min(line.find('\n', begin), line.size());
        EXPECT_LE(end - begin, 80u);
        EXPECT_TRUE(begin == 0 || line.substr(begin, 6) == "    | ") << line;
        begin = end + 1;
    }
    EXPECT_NE(line.find('\n'), std::string::npos);
}

TEST(Continued, characters_may_be_two_columns_wide_and_are_never_cut) {
    EXPECT_EQ(continued("日本語日本語日本語日本語", 20), "日本語日本語日本語日\n    | 本語");
    EXPECT_EQ(continued("", 20), "");
    EXPECT_EQ(continued(std::string(20, 'a'), 20), std::string(20, 'a'));
    EXPECT_EQ(continued(std::string(21, 'a'), 20), std::string(20, 'a') + "\n    | a");
    EXPECT_EQ(continued("a\n\nb"), "a\n    | \n    | b");
    EXPECT_EQ(continued("the staircase dream came", 20), "the staircase dream \n    | came");
    EXPECT_EQ(continued("the staircase dreams came", 20), "the staircase \n    | dreams came");
}

TEST(Trust, what_is_not_confirmed_stands_above_the_text) {
    engine::ConversationView view;
    view.name = "Kim\x1b";
    view.verified = engine::Verification::confirmed;
    EXPECT_EQ(trust_warning(view, monday_ten), "");
    view.verified = engine::Verification::by_invitation;
    EXPECT_EQ(trust_warning(view, monday_ten), "");
    view.verified = engine::Verification::joined;
    EXPECT_EQ(trust_warning(view, monday_ten),
              "Kim<U+001B>: joined by your invitation; not confirmed yet (interlude verify)");
    view.verified = engine::Verification::changed;
    EXPECT_NE(trust_warning(view, monday_ten).find("sending is paused"), std::string::npos);
}

TEST(Clock, is_warned_of_beyond_two_minutes) {
    EXPECT_EQ(clock_in_words(0), "");
    EXPECT_EQ(clock_in_words(120'000), "");
    EXPECT_EQ(clock_in_words(-120'000), "");
    EXPECT_NE(clock_in_words(120'001).find("120 seconds behind"), std::string::npos);
    EXPECT_NE(clock_in_words(-180'000).find("180 seconds ahead"), std::string::npos);
}

TEST(ReachNotice, speaks_once_when_the_server_stays_away_and_once_when_it_is_back) {
    ReachNotice notice;
    auto const start = ReachNotice::Moment{} + std::chrono::hours{1};
    auto const at = [&](int ms) { return start + std::chrono::milliseconds{ms}; };
    EXPECT_EQ(notice.look(true, at(0)), std::nullopt);
    EXPECT_EQ(notice.look(false, at(100)), std::nullopt);
    EXPECT_EQ(notice.look(false, at(2'099)), std::nullopt);
    EXPECT_EQ(notice.look(true, at(2'100)), std::nullopt);  // a short break
    EXPECT_EQ(notice.look(false, at(6'000)), std::nullopt);
    EXPECT_FALSE(notice.away());
    EXPECT_EQ(notice.look(false, at(8'000)), false);
    EXPECT_TRUE(notice.away());
    EXPECT_EQ(notice.look(false, at(60'000)), std::nullopt);
    EXPECT_EQ(notice.look(true, at(61'000)), true);
    EXPECT_EQ(notice.look(true, at(62'000)), std::nullopt);
    EXPECT_EQ(ReachNotice(true).look(true, at(0)), true);  // where a command had said so before
}

TEST(CrisisCard, belongs_to_everything_that_nobody_reads_now) {
    using enum engine::MessageState;
    for (auto const state : {on_device, held, refused}) EXPECT_TRUE(waits_unseen(state));
    for (auto const state : {stored, delivered, read, recalled, expired}) EXPECT_FALSE(waits_unseen(state));
}

TEST(MessageWords, message_of_an_unknown_form_says_so) {
    auto view = message(engine::MessageState::delivered);
    view.from_me = false;
    view.text.clear();
    view.unknown_form = true;
    EXPECT_NE(message_line(view, monday_ten).find("in a form that this version does not know"), std::string::npos);
    EXPECT_EQ(message_json(view, "Kim").at("unknown_form"), true);
    view.unknown_form = false;
    EXPECT_FALSE(message_json(view, "Kim").contains("unknown_form"));
}

TEST(MessageWords, draft_that_is_no_text_says_what_to_do_and_shows_its_bytes) {
    auto view = message(engine::MessageState::refused);
    view.refusal.emplace();
    view.refusal->rule = wire::Rule::invalid;
    view.text = "Gr\xfc\xdf";
    EXPECT_NE(message_line(view, monday_ten).find("Gr<FC><DF>"), std::string::npos);
    EXPECT_NE(message_line(view, monday_ten).find("not UTF-8 text; write it again"), std::string::npos);
    EXPECT_EQ(message_json(view, "Kim").at("text_hex"), "4772fcdf");
    view.text = "hello";
    EXPECT_FALSE(message_json(view, "Kim").contains("text_hex"));
}

TEST(MessageWords, what_waits_in_a_paused_conversation_promises_nothing) {
    auto view = message(engine::MessageState::on_device);
    EXPECT_FALSE(message_json(view, "Kim").contains("paused"));
    view.paused = true;
    EXPECT_NE(state_in_words(view, monday_ten).find("sending is paused here"), std::string::npos);
    EXPECT_EQ(message_json(view, "Kim").at("paused"), true);
}

TEST(MessageWords, every_pause_has_a_sentence_of_its_own) {
    std::set<std::string> sentences;
    for (auto const pause : {engine::Pause::closed, engine::Pause::broken, engine::Pause::identity_changed})
        EXPECT_TRUE(sentences.insert(pause_in_words(pause)).second);
}

}  // namespace
}  // namespace interlude::ui
