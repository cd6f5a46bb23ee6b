// recall, close_conversation: what ends a message or a conversation before its time.
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class Recall : public World {
  protected:
    ports::RecallAnswer recall(DeviceRef const& by, std::uint64_t seq) {
        return run(store->recall(by, pair.conversation, seq, seed()));
    }
    static bool too_late(ports::RecallAnswer const& answer) { return std::holds_alternative<wire::TooLate>(answer); }
};
INTERLUDE_BOTH_STORES(Recall);

TEST_P(Recall, while_it_is_held_it_is_gone_with_an_entry_and_a_notice_to_its_author) {
    meet_with_hours(13, 14);
    auto const outcome = run(store->accept(message(client, 1, noon)));
    send(client, 2);
    auto const before = entries();
    announced();
    EXPECT_TRUE(done(recall(client.device(), 1)));
    EXPECT_EQ(entries(), before + 1);
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(changes[0].accounts, ElementsAre(client.account()));  // nobody else hears of it
    EXPECT_EQ(changes[0].up_to, 0u);

    auto const payloads = opened(client.device(), subject());
    auto const& recalled = std::get<audit::Recalled>(payloads.back().body);
    EXPECT_EQ(recalled, (audit::Recalled{1, accepted(outcome).envelope, client.account(), client.device().device}));
    EXPECT_THAT(items<wire::Fate>(offer(client.device())),
                ElementsAre(wire::Fate{pair.conversation, 1, wire::FateKind::recalled, std::nullopt}));
    EXPECT_EQ(envelopes(), 1u);
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2));
    EXPECT_THAT(items<wire::Fate>(offer(therapist.device())), IsEmpty());
}

TEST_P(Recall, again_is_done_already) {
    meet_with_hours(13, 14);
    send(client, 1);
    EXPECT_TRUE(done(recall(client.device(), 1)));
    auto const before = entries();
    announced();
    EXPECT_TRUE(done(recall(client.device(), 1)));
    EXPECT_EQ(entries(), before);
    EXPECT_THAT(announced(), IsEmpty());
}

TEST_P(Recall, is_possible_until_the_millisecond_before_it_passes) {
    meet_with_hours(13, 14);
    send(client, 1);
    send(client, 2);
    now = noon + 1h - 1ms;
    EXPECT_TRUE(done(recall(client.device(), 1)));
    now = noon + 1h;
    EXPECT_TRUE(too_late(recall(client.device(), 2)));
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2));
}

TEST_P(Recall, of_a_late_reply_ends_with_her_own_opening) {
    meet_with_hours(13, 14);
    send(therapist, 1);
    send(therapist, 2);
    now = noon + 1h - 1ms;
    EXPECT_TRUE(done(recall(therapist.device(), 1)));
    now = noon + 1h;
    EXPECT_TRUE(too_late(recall(therapist.device(), 2)));
}

TEST_P(Recall, in_an_open_window_is_too_late) {
    meet_with_hours(9, 17);
    send(client, 1);
    auto const before = entries();
    EXPECT_TRUE(too_late(recall(client.device(), 1)));
    EXPECT_EQ(entries(), before);
}

TEST_P(Recall, of_what_is_not_ones_own_looks_like_what_never_was) {
    meet_with_hours(13, 14, true);
    send(client, 1);
    send(therapist, 2);
    EXPECT_TRUE(too_late(recall(therapist.device(), 1)));
    EXPECT_TRUE(too_late(recall(therapist.device(1), 2)));  // of her other device
    EXPECT_TRUE(too_late(recall(client.device(), 99)));
    EXPECT_EQ(envelopes(), 2u);
}

TEST_P(Recall, by_who_is_no_member_is_refused) {
    meet();
    send(client, 1);
    EXPECT_EQ(rule_of(recall(client.device(1), 1)), Rule::not_a_member);
    auto const elsewhere = pair.entropy.id<ConversationId>();
    EXPECT_EQ(rule_of(run(store->recall(client.device(), elsewhere, 1, seed()))), Rule::not_a_member);
}

TEST_P(Recall, makes_room_for_others_and_keeps_its_number) {
    policy.undelivered_messages_max = 1;
    open();
    meet_with_hours(13, 14);
    send(client, 1);
    EXPECT_EQ(rule_of(run(store->accept(message(client, 2, noon))).verdict), Rule::quota);
    recall(client.device(), 1);
    EXPECT_EQ(accepted(run(store->accept(message(client, 2, noon)))).seq, 2u);
    // The id stays bound: the app asked for it once.
    EXPECT_TRUE(std::holds_alternative<core::BoundAnswer>(run(store->accept(message(client, 1, noon))).verdict));
}

TEST_P(Recall, by_what_replaces_it_is_one_step) {
    meet_with_hours(13, 14);
    send(client, 1);
    auto other = message(client, 2, now.load());
    other.send.replaces = 1;
    auto const before = entries();
    announced();
    auto const outcome = run(store->accept(other));
    EXPECT_EQ(accepted(outcome).seq, 2u);
    EXPECT_EQ(entries(), before + 2);
    EXPECT_EQ(envelopes(), 1u);
    auto const payloads = opened(client.device(), subject());
    EXPECT_EQ(std::get<audit::Recalled>(payloads.at(payloads.size() - 2).body).seq, 1u);
    EXPECT_EQ(std::get<audit::Held>(payloads.back().body).seq, 2u);
    EXPECT_THAT(items<wire::Fate>(offer(client.device())),
                ElementsAre(wire::Fate{pair.conversation, 1, wire::FateKind::recalled, std::nullopt}));
    open();
    auto const again = run(store->accept(other));
    ASSERT_TRUE(std::holds_alternative<core::BoundAnswer>(again.verdict));
    EXPECT_EQ(std::get<core::BoundAnswer>(again.verdict).replaced, 1u);
    EXPECT_EQ(entries(), before + 2);
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2));
}

TEST_P(Recall, by_what_would_replace_it_too_late_changes_nothing) {
    meet_with_hours(13, 14);
    send(client, 1);
    now = noon + 1h;
    auto other = message(client, 2, now.load());
    other.send.replaces = 1;
    auto const before = entries();
    EXPECT_TRUE(std::holds_alternative<wire::TooLate>(run(store->accept(other)).verdict));
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(envelopes(), 1u);
    other.send.replaces.reset();
    EXPECT_EQ(accepted(run(store->accept(other))).seq, 2u);  // its id is free
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1, 2));
}

TEST_P(Recall, has_an_entry_that_the_other_side_opens_when_the_message_would_have_passed) {
    meet_with_hours(13, 14);
    send(client, 1);
    recall(client.device(), 1);
    EXPECT_THAT(opened(client.device(), subject()), SizeIs(3));  // founding, held, recalled
    now = noon + 1h - 1ms;
    EXPECT_THAT(opened(therapist.device(), subject()), SizeIs(1));
    now = noon + 1h;
    EXPECT_THAT(opened(therapist.device(), subject()), SizeIs(3));
}

// ---- Closing -------------------------------------------------------------------------------------------------------

class Closing : public World {};
INTERLUDE_BOTH_STORES(Closing);

TEST_P(Closing, by_either_of_two_ends_what_may_be_sent) {
    for (auto const* by : {&therapist, &client}) {
        Person& one = by == &therapist ? therapist : client;
        if (by == &therapist) meet();
        EXPECT_TRUE(done(run(store->close_conversation(one.device(), pair.conversation))));
        EXPECT_EQ(rule_of(run(store->accept(message(client, 1, noon))).verdict), Rule::closed_conversation);
        EXPECT_EQ(rule_of(run(store->accept_commit(pair.healing(1, noon))).answer), Rule::closed_conversation);
        EXPECT_TRUE(run(store->snapshot(client.device())).conversations.at(0).closed);
    }
}

TEST_P(Closing, is_announced_and_shown_to_links_that_know_it_open) {
    meet();
    auto const seen = offer(client.device()).seen;
    announced();
    EXPECT_TRUE(done(run(store->close_conversation(client.device(), pair.conversation))));
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(changes[0].accounts, testing::UnorderedElementsAre(therapist.account(), client.account()));
    auto const states = items<wire::StateChanged>(offer(client.device(), seen));
    ASSERT_THAT(states, SizeIs(1));
    EXPECT_TRUE(states[0].conversations.at(0).closed);
}

TEST_P(Closing, leaves_what_was_held_to_be_delivered) {
    meet_with_hours(13, 14);
    send(client, 1);
    run(store->close_conversation(therapist.device(), pair.conversation));
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1));
    run(store->ack(therapist.device(), pair.conversation, {1}));
    EXPECT_EQ(envelopes(), 0u);
}

TEST_P(Closing, by_who_is_no_member_is_refused) {
    meet();
    EXPECT_EQ(rule_of(run(store->close_conversation(therapist.device(1), pair.conversation))), Rule::not_a_member);
    auto const elsewhere = pair.entropy.id<ConversationId>();
    EXPECT_EQ(rule_of(run(store->close_conversation(client.device(), elsewhere))), Rule::not_a_member);
    EXPECT_FALSE(run(store->snapshot(client.device())).conversations.at(0).closed);
}

}  // namespace
}  // namespace interlude::test
