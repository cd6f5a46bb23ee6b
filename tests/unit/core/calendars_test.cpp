// The gate of one account among the calendars of a conversation (exact.md, Gate), to the millisecond.
#include "server/core/calendars.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/parts.hpp"

namespace interlude::test {
namespace {

using namespace core;

class Gates : public testing::Test {
  protected:
    Origin from_client(WallTime stamp) const { return {client, std::nullopt, stamp}; }
    Origin from_her(WallTime stamp) const { return {therapist, therapist, stamp}; }

    crypto::SeededEntropy entropy{5};
    AccountId therapist = entropy.id<AccountId>(), colleague = entropy.id<AccountId>(),
              client = entropy.id<AccountId>();
    WallTime const opening = monday_noon + 1h, closing = monday_noon + 2h, next = monday_noon + 25h;
    Calendars calendars{{therapist, open_in({span(opening, 1h), span(next, 1h)})}};
};

TEST_F(Gates, of_who_has_no_calendar_among_them_are_none) {
    EXPECT_EQ(gate_of(client, calendars), nullptr);
    EXPECT_TRUE(open_at(client, calendars, monday_noon));
    EXPECT_TRUE(passes(from_client(monday_noon), client, calendars, monday_noon));
    EXPECT_EQ(gate_numbers(client, calendars, monday_noon), audit::GateNumbers{});
}

TEST_F(Gates, of_a_therapist_who_published_nothing_are_closed_for_good) {
    calendars[therapist] = nullptr;
    ASSERT_TRUE(gate_of(therapist, calendars));
    EXPECT_FALSE(open_at(therapist, calendars, opening));
    EXPECT_FALSE(passes(from_client(monday_noon), therapist, calendars, monday_noon + std::chrono::days{300}));
    EXPECT_FALSE(passes_at(from_client(monday_noon), therapist, calendars));
}

TEST_F(Gates, open_and_close_at_the_millisecond) {
    EXPECT_FALSE(open_at(therapist, calendars, opening - 1ms));
    EXPECT_TRUE(open_at(therapist, calendars, opening));
    EXPECT_TRUE(open_at(therapist, calendars, closing - 1ms));
    EXPECT_FALSE(open_at(therapist, calendars, closing));
    EXPECT_EQ(gate_numbers(therapist, calendars, opening).calendar, 1u);
}

TEST_F(Gates, let_pass_what_came_before_the_end_of_the_last_window_for_ever) {
    auto const early = from_client(monday_noon), last = from_client(closing - 1ms), late = from_client(closing);
    EXPECT_FALSE(passes(early, therapist, calendars, opening - 1ms));
    EXPECT_TRUE(passes(early, therapist, calendars, opening));
    EXPECT_TRUE(passes(early, therapist, calendars, closing + 5h));
    EXPECT_FALSE(passes(last, therapist, calendars, closing - 2ms));  // not before it was sent
    EXPECT_TRUE(passes(last, therapist, calendars, closing + 5h));
    EXPECT_FALSE(passes(late, therapist, calendars, next - 1ms));
    EXPECT_TRUE(passes(late, therapist, calendars, next));
    EXPECT_EQ(passes_at(early, therapist, calendars), opening);
    EXPECT_EQ(passes_at(last, therapist, calendars), closing - 1ms);
    EXPECT_EQ(passes_at(late, therapist, calendars), next);
    EXPECT_FALSE(passes_at(from_client(next + 1h), therapist, calendars));
}

TEST_F(Gates, hold_a_late_reply_for_others_until_its_senders_opening) {
    auto const reply = from_her(monday_noon);
    EXPECT_EQ(passes_from(reply, client, calendars), opening);
    EXPECT_FALSE(passes(reply, client, calendars, opening - 1ms));
    EXPECT_TRUE(passes(reply, client, calendars, opening));
    EXPECT_EQ(passes_from(reply, therapist, calendars), monday_noon);  // never for her own account
    EXPECT_FALSE(passes_from(from_her(next + 1h), client, calendars));
}

TEST_F(Gates, of_two_therapists_both_count_for_what_one_sends_the_other_late) {
    calendars[colleague] = open_in({span(closing + 3h, 1h)});
    auto const reply = from_her(monday_noon);
    EXPECT_EQ(passes_at(reply, colleague, calendars), closing + 3h);
    EXPECT_EQ(passes_at(reply, client, calendars), opening);
    calendars[colleague] = open_in({span(monday_noon, 10min)});  // over before hers begins
    EXPECT_FALSE(passes_at(reply, colleague, calendars));
}

}  // namespace
}  // namespace interlude::test
