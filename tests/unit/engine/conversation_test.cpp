// A conversation from the operator's invitation to messages that were opened, held, delivered.
#include "tests/unit/engine/world.hpp"

#include <gmock/gmock.h>

namespace interlude::tests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Conversation : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }
    World world;
};

TEST_F(Conversation, begins_with_everybody_in_it_and_no_alarm) {
    auto const at_client = world.client.engine().conversations();
    auto const at_therapist = world.therapist.engine().conversations();
    ASSERT_EQ(at_client.size(), 1u);
    ASSERT_EQ(at_therapist.size(), 1u);
    EXPECT_EQ(at_client.front().id, at_therapist.front().id);
    EXPECT_EQ(at_client.front().name, "therapy");
    EXPECT_EQ(at_therapist.front().name, "Kim");
    EXPECT_EQ(at_client.front().verified, engine::Verification::by_invitation);
    EXPECT_EQ(at_therapist.front().verified, engine::Verification::joined);
    EXPECT_TRUE(at_therapist.front().invited_at);
    EXPECT_EQ(at_client.front().members.size(), 2u);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
}

TEST_F(Conversation, both_sides_read_the_same_four_words) {
    auto const ours = world.client.engine().safety_words(world.conversation);
    auto const theirs = world.therapist.engine().safety_words(world.conversation);
    ASSERT_TRUE(ours && theirs);
    EXPECT_EQ(*ours, *theirs);
    ASSERT_TRUE(world.therapist.engine().confirm_words(world.conversation));
    EXPECT_EQ(world.therapist.engine().conversations().front().verified, engine::Verification::confirmed);
}

TEST_F(Conversation, words_that_differ_pause_sending_until_they_are_confirmed) {
    auto const waiting = world.send(world.therapist, "before");
    ASSERT_TRUE(world.therapist.engine().reject_words(world.conversation, world.now));
    EXPECT_EQ(world.therapist.engine().conversations().front().verified, engine::Verification::changed);
    auto const alarms = world.therapist.engine().alarms();
    ASSERT_EQ(alarms.size(), 1u);
    EXPECT_EQ(alarms.front().code, "words_differ");
    EXPECT_EQ(world.therapist.engine().send(world.conversation, "after", world.now).error(), base::Errc::not_allowed);
    world.sync(world.therapist);
    EXPECT_EQ(world.view(world.therapist, waiting)->state, MessageState::on_device);
    ASSERT_TRUE(world.therapist.engine().confirm_words(world.conversation));
    world.sync(world.therapist);
    EXPECT_EQ(world.view(world.therapist, waiting)->state, MessageState::stored);
}

TEST_F(Conversation, message_in_an_open_window_is_stored_then_delivered) {
    auto const id = world.send(world.client, "Good morning");
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::on_device);
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::stored);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("Good morning"));
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::delivered);
    auto const read = world.therapist.engine().messages(world.conversation, world.now).front();
    EXPECT_EQ(read.from_name, "Kim");
    EXPECT_FALSE(read.from_me);
}

TEST_F(Conversation, talk_goes_both_ways_in_the_order_of_the_server) {
    world.send(world.client, "one");
    world.sync_both();
    world.send(world.therapist, "two");
    world.sync_both();
    world.send(world.client, "three");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("one", "two", "three"));
    EXPECT_THAT(world.texts(world.client), ElementsAre("one", "two", "three"));
}

TEST_F(Conversation, message_in_a_closed_window_is_held_with_its_proof_until_the_opening) {
    world.at_hour(22);
    auto const id = world.send(world.client, "I cannot sleep");
    world.sync(world.client);
    auto const held = world.view(world.client, id);
    EXPECT_EQ(held->state, MessageState::held);
    EXPECT_FALSE(held->proof_missing);
    auto const morning = *held->held_until;
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    EXPECT_EQ(world.therapist.engine().conversations().front().unread, 0u);
    world.at_hour(9);
    EXPECT_EQ(world.now, morning);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("I cannot sleep"));
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::delivered);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
}

TEST_F(Conversation, therapists_own_late_reply_waits_for_her_opening) {
    world.at_hour(23);
    auto const id = world.send(world.therapist, "Thinking of what you said");
    world.sync(world.therapist);
    EXPECT_EQ(world.view(world.therapist, id)->state, MessageState::held);
    world.sync(world.client);
    EXPECT_THAT(world.texts(world.client), IsEmpty());
    world.at_hour(9);
    world.sync(world.client);
    EXPECT_THAT(world.texts(world.client), ElementsAre("Thinking of what you said"));
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
}

TEST_F(Conversation, opened_is_said_only_while_the_window_is_open) {
    world.at_hour(16);
    world.send(world.client, "just in time");
    world.sync(world.client);
    world.at_hour(18);
    auto const before = world.relay.conversations.at(world.conversation).envelopes.size();
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("just in time"));  // it passed at 16:00
    EXPECT_EQ(world.relay.conversations.at(world.conversation).envelopes.size(), before);
    world.at_hour(9);
    world.sync(world.therapist);
    EXPECT_EQ(world.relay.conversations.at(world.conversation).envelopes.size(), before + 1);
}

TEST_F(Conversation, unread_marks_follow_what_was_shown) {
    world.send(world.client, "one");
    world.send(world.client, "two");
    world.sync_both();
    EXPECT_EQ(world.therapist.engine().conversations().front().unread, 2u);
    auto const first = world.therapist.engine().messages(world.conversation, world.now).front();
    world.therapist.engine().mark_read(world.conversation, *first.seq);
    EXPECT_EQ(world.therapist.engine().conversations().front().unread, 1u);
}

TEST_F(Conversation, without_a_link_a_message_waits_on_the_device) {
    auto const id = world.send(world.client, "later");
    auto const view = world.view(world.client, id);
    EXPECT_EQ(view->state, MessageState::on_device);
    EXPECT_FALSE(view->seq);
    EXPECT_EQ(world.client.engine().status().waiting, 1u);
    EXPECT_EQ(world.client.engine().conversations().front().waiting, 1u);
}

TEST_F(Conversation, refused_message_keeps_its_draft_and_is_not_sent_again) {
    world.relay.refuse_sends = true;
    auto const id = world.send(world.client, "too much");
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::refused);
    EXPECT_EQ(world.view(world.client, id)->text, "too much");
    world.relay.refuse_sends = false;
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::refused);
}

TEST_F(Conversation, hours_of_the_therapist_reach_the_client_and_their_exceptions_too) {
    auto const hours = world.client.engine().hours_of(world.conversation, world.now);
    ASSERT_TRUE(hours);
    EXPECT_EQ(hours->state, engine::HoursState::open);
    EXPECT_EQ(hours->number, 1u);
    world.at_hour(20);
    auto const evening = base::Interval{world.now + 1h, world.now + 2h};
    ASSERT_TRUE(world.therapist.engine().hours_open(evening, world.now));
    world.sync(world.therapist);
    world.sync(world.client);
    auto const changed = world.client.engine().hours_of(world.conversation, world.now);
    EXPECT_EQ(changed->number, 2u);
    EXPECT_EQ(changed->next_opening, evening.start);
    EXPECT_TRUE(world.client.has<engine::HoursChanged>());
}

TEST_F(Conversation, schedule_that_the_server_refuses_is_dropped_and_told) {
    World other = world;  // another process signs number 2 first
    ASSERT_TRUE(world.therapist.engine().hours_close({world.now + 24h, world.now + 48h}, world.now));
    world.sync(world.therapist);
    other.relay = world.relay;
    ASSERT_TRUE(other.therapist.engine().hours_close({world.now + 24h, world.now + 47h}, world.now));
    other.therapist.events.clear();
    other.sync(other.therapist);
    auto const answers = other.therapist.all<engine::RequestAnswered>();
    ASSERT_FALSE(answers.empty());
    EXPECT_EQ(answers.front().refused->problem, wire::ScheduleProblem::wrong_number);
}

TEST_F(Conversation, crisis_card_of_the_therapist_is_kept_by_the_client) {
    ASSERT_TRUE(world.therapist.engine().set_crisis_card("Call 112", world.now));
    world.sync_both();
    ASSERT_TRUE(world.client.engine().crisis_card());
    EXPECT_EQ(world.client.engine().crisis_card()->text, "Call 112");
    EXPECT_THAT(world.texts(world.client), IsEmpty());
}

TEST_F(Conversation, key_packages_are_kept_in_stock) {
    for (auto const& [device, stock] : world.relay.key_packages) EXPECT_EQ(stock.size(), 3u);
    EXPECT_EQ(world.relay.key_packages.size(), 2u);
}

TEST_F(Conversation, message_of_an_old_epoch_is_sealed_again_and_accepted_once) {
    world.now += std::chrono::days{8};  // healing is due
    world.at_hour(10);
    world.sync(world.therapist);
    ASSERT_EQ(world.relay.commits_received, 1);
    // The client seals before it has seen the commit.
    auto const id = world.send(world.client, "after a week");
    auto& conversation = world.relay.conversations.at(world.conversation);
    auto const handshakes = std::exchange(conversation.handshakes, {});
    auto const epoch = std::exchange(conversation.epoch, 1);
    {
        TestLink link(world.client, world.relay, world.now);
        conversation.epoch = epoch;  // it moves between ready and send
        link.run(world.now);
        EXPECT_EQ(world.view(world.client, id)->state, MessageState::on_device);
        conversation.handshakes = handshakes;
        link.run(world.now);
        EXPECT_EQ(world.view(world.client, id)->state, MessageState::stored);
    }
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("after a week"));
}

TEST_F(Conversation, answers_are_confirmed_together_and_soon) {
    TestLink link(world.client, world.relay, world.now);
    link.run(world.now);
    for (auto text : {"one", "two", "three"}) world.send(world.client, text);
    link.run(world.now);
    world.now += 4s;
    link.run(world.now);
    EXPECT_THAT(world.relay.confirms_received, testing::IsEmpty());
    EXPECT_EQ(world.relay.bound(), 3u);
    world.now += 1s;
    link.run(world.now);
    EXPECT_THAT(world.relay.confirms_received, testing::ElementsAre(3u));
    EXPECT_EQ(world.relay.bound(), 0u);
}

TEST_F(Conversation, many_answers_are_confirmed_without_waiting) {
    TestLink link(world.client, world.relay, world.now);
    for (int i = 0; i < 40; ++i) world.send(world.client, std::to_string(i));
    link.run(world.now);
    ASSERT_EQ(world.relay.confirms_received.size(), 1u);
    EXPECT_GE(world.relay.confirms_received.front(), 32u);
}

TEST_F(Conversation, what_a_link_did_not_confirm_the_next_hello_does) {
    {
        TestLink link(world.client, world.relay, world.now);
        world.send(world.client, "one");
        link.run(world.now);
    }
    EXPECT_EQ(world.relay.bound(), 1u);
    TestLink again(world.client, world.relay, world.now);
    again.run(world.now);
    EXPECT_THAT(world.relay.confirms_received, testing::IsEmpty());
    EXPECT_EQ(world.relay.bound(), 0u);
}

TEST_F(Conversation, proofs_that_do_not_come_stop_nothing_else) {
    world.at_hour(22);
    world.relay.withhold_proofs = true;
    std::vector<engine::MessageId> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(world.send(world.client, "number " + std::to_string(i)));
    TestLink link(world.client, world.relay, world.now);
    for (int minute = 0; minute < 5; ++minute) {
        link.run(world.now);
        world.now += 1min;
    }
    for (auto const& id : ids) EXPECT_EQ(world.view(world.client, id)->state, MessageState::held);
    EXPECT_LE(world.relay.sends_received, 40 * 6);  // asked again now and then, not without end
}

TEST_F(Conversation, proof_that_came_with_the_log_proves_a_held_message) {
    world.at_hour(22);
    world.relay.withhold_proofs = true;  // another process of this home fetched the entry, and said so
    auto const id = world.send(world.client, "Good night");
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::held);
    EXPECT_TRUE(world.view(world.client, id)->proof_missing);
    EXPECT_TRUE(world.audit(world.client).ok());
    world.now += 1min;
    world.sync(world.client);
    EXPECT_FALSE(world.view(world.client, id)->proof_missing);
    EXPECT_EQ(world.client.engine().status().waiting, 0u);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
}

TEST_F(Conversation, link_catches_up_though_others_never_stop_writing) {
    world.send(world.therapist, "before");
    world.sync(world.therapist);
    TestLink link(world.client, world.relay, world.now);
    for (int tenth = 0; tenth < 10; ++tenth) {
        link.run(world.now);
        world.now += 100ms;
        world.send(world.therapist, "more");
        TestLink other(world.therapist, world.relay, world.now);
        other.run(world.now);
    }
    EXPECT_TRUE(link.driver().caught_up());
    EXPECT_GE(world.texts(world.client).size(), 9u);
}

TEST_F(Conversation, reports_that_wait_are_nothing_that_a_person_waits_for) {
    world.send(world.therapist, "read this");
    world.sync(world.therapist);
    world.relay.refuse_sends = true;
    world.sync(world.client);
    EXPECT_THAT(world.texts(world.client), ElementsAre("read this"));
    EXPECT_EQ(world.client.engine().status().waiting, 0u);
}

TEST_F(Conversation, two_commits_for_one_epoch_leave_one_group) {
    world.now += std::chrono::days{9};
    world.at_hour(10);
    TestLink ours(world.client, world.relay, world.now);
    TestLink theirs(world.therapist, world.relay, world.now);
    ours.run(world.now);
    theirs.run(world.now);
    for (int second = 0; second < 120; second += 10) {
        world.now += 10s;
        ours.run(world.now);
        theirs.run(world.now);
    }
    EXPECT_GE(world.relay.commits_received, 2);
    world.send(world.client, "still here");
    world.send(world.therapist, "me too");
    for (int round = 0; round < 3; ++round) {
        ours.run(world.now);
        theirs.run(world.now);
    }
    EXPECT_EQ(world.texts(world.client), world.texts(world.therapist));
    EXPECT_EQ(world.texts(world.client).size(), 2u);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
}

TEST_F(Conversation, held_messages_open_after_the_groups_keys_moved_on) {
    world.at_hour(20);
    world.send(world.client, "before the commit");
    world.sync(world.client);
    world.relay.withheld.insert(1);  // the therapist does not fetch it yet
    world.now += std::chrono::days{8};
    world.at_hour(20);
    world.sync(world.client);  // heals
    world.now += 25h;
    world.sync(world.client);
    EXPECT_GE(world.relay.commits_received, 1);
    world.sync(world.therapist);  // follows the commit, not yet the message
    world.relay.withheld.clear();
    world.at_hour(9);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("before the commit"));
}

TEST_F(Conversation, a_hundred_messages_bring_fresh_keys) {
    for (int n = 0; n < 101; ++n) world.send(world.client, "message " + std::to_string(n));
    world.sync_both();
    EXPECT_EQ(world.texts(world.therapist).size(), 101u);
    world.sync_both();
    EXPECT_GE(world.relay.commits_received, 1);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
}

}  // namespace
}  // namespace interlude::tests
