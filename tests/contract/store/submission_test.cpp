// accept, confirm: what a submission becomes, what it is answered when it comes again, and where the gate lies.
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class Submissions : public World {
  protected:
    ports::AcceptOutcome submit(core::Submission submission) { return run(store->accept(std::move(submission))); }
};
INTERLUDE_BOTH_STORES(Submissions);

// ---- Accepted ------------------------------------------------------------------------------------------------------

TEST_P(Submissions, in_an_open_window_are_stored_without_holds_or_an_entry) {
    meet_with_hours(9, 17);
    auto const before = entries();
    auto const outcome = submit(message(client, 1, noon));
    auto const& acceptance = accepted(outcome);
    EXPECT_EQ(acceptance.seq, 1u);
    EXPECT_EQ(acceptance.stamp, noon);
    EXPECT_THAT(acceptance.holds, IsEmpty());
    EXPECT_FALSE(acceptance.late_sender);
    EXPECT_FALSE(outcome.entry);
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(envelopes(), 1u);
}

TEST_P(Submissions, of_both_are_numbered_in_one_row) {
    meet_with_hours(9, 17);
    for (std::uint64_t number = 1; number <= 6; ++number)
        EXPECT_EQ(send(number % 2 ? client : therapist, number), number);
    EXPECT_EQ(run(store->snapshot(client.device())).conversations.at(0).last_own_seq, 5u);
    EXPECT_EQ(run(store->snapshot(therapist.device())).conversations.at(0).last_own_seq, 6u);
}

TEST_P(Submissions, in_a_closed_window_are_held_with_an_entry_that_says_so) {
    meet_with_hours(13, 14);
    auto const before = entries();
    auto const outcome = submit(message(client, 1, noon));
    auto const& acceptance = accepted(outcome);
    EXPECT_THAT(acceptance.holds, ElementsAre(wire::Hold{therapist.account(), noon + 1h}));
    ASSERT_TRUE(outcome.entry);
    EXPECT_EQ(entries(), before + 1);
    EXPECT_EQ(outcome.entry->index, before);
    EXPECT_EQ(outcome.entry->subject, subject());
    EXPECT_EQ(outcome.entry->counter, 2u);  // after the founding

    auto const payload = audit::decode_payload(outcome.entry->payload).value();
    auto const& held = std::get<audit::Held>(payload.body);
    EXPECT_EQ(held.seq, 1u);
    EXPECT_EQ(held.stamp, noon);
    EXPECT_EQ(held.envelope, acceptance.envelope);
    EXPECT_EQ(held.instance, run(store->open_info()).instance);
    for (auto const& party : held.parties) {
        bool const hers = party.account == therapist.account();
        EXPECT_EQ(party.verdict, hers ? audit::Verdict::hold : audit::Verdict::pass);
        EXPECT_EQ(party.until, hers ? std::optional(noon + 1h) : std::nullopt);
        EXPECT_EQ(party.gate.has_value(), hers);
    }
}

TEST_P(Submissions, before_any_hours_are_published_are_held_without_a_time) {
    meet();
    auto const outcome = submit(message(client, 1, noon));
    EXPECT_THAT(accepted(outcome).holds, ElementsAre(wire::Hold{therapist.account(), std::nullopt}));
    EXPECT_TRUE(outcome.entry);
}

TEST_P(Submissions, of_a_therapist_in_a_closed_window_wait_for_her_own_opening) {
    meet_with_hours(13, 14);
    auto const outcome = submit(message(therapist, 1, noon));
    EXPECT_EQ(accepted(outcome).late_sender, therapist.account());
    EXPECT_THAT(accepted(outcome).holds, ElementsAre(wire::Hold{client.account(), noon + 1h}));
    EXPECT_THAT(seqs_offered(client.device()), IsEmpty());
    now = noon + 1h - 1ms;
    EXPECT_THAT(seqs_offered(client.device()), IsEmpty());
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(client.device()), ElementsAre(1));
}

TEST_P(Submissions, are_announced_to_every_account_of_the_conversation) {
    meet();
    send(client, 1);
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_EQ(changes[0].conversation, pair.conversation);
    EXPECT_EQ(changes[0].up_to, 1u);
    EXPECT_THAT(changes[0].accounts, testing::UnorderedElementsAre(therapist.account(), client.account()));
    EXPECT_THAT(changes[0].dropped, IsEmpty());
}

// ---- The gate, to the millisecond ----------------------------------------------------------------------------------

struct Moment {
    char const* what;
    base::Millis after_noon;
    std::optional<base::Millis> held_until;
};

TEST_P(Submissions, are_held_or_not_by_the_millisecond_of_their_stamp) {
    meet_with_hours(13, 14);
    std::uint64_t number = 0;
    for (auto const& [what, after, until] :
         {Moment{"before the opening", 1h - 1ms, 1h}, Moment{"at the opening", 1h, std::nullopt},
          Moment{"before the end", 2h - 1ms, std::nullopt}, Moment{"at the end", 2h, 25h},
          Moment{"before the next opening", 25h - 1ms, 25h}, Moment{"at the next opening", 25h, std::nullopt}}) {
        SCOPED_TRACE(what);
        now = noon + after;
        auto const outcome = submit(message(client, ++number, noon + after));
        auto const& holds = accepted(outcome).holds;
        if (until)
            EXPECT_THAT(holds, ElementsAre(wire::Hold{therapist.account(), noon + *until}));
        else
            EXPECT_THAT(holds, IsEmpty());
        EXPECT_EQ(outcome.entry.has_value(), until.has_value());
    }
}

TEST_P(Submissions, count_from_their_stamp_unless_they_waited_too_long_for_the_store) {
    meet_with_hours(13, 14);
    now = noon + 1h + 5s;  // her window has opened meanwhile
    EXPECT_THAT(accepted(submit(message(client, 1, noon + 1h - 1ms))).holds, IsEmpty());  // stamped anew
    auto const in_time = submit(message(client, 2, noon + 1h));
    EXPECT_EQ(accepted(in_time).stamp, noon + 1h);
    now = noon + 1h + 4s;
    auto const held = submit(message(client, 3, noon + 1h - 1ms));
    EXPECT_EQ(accepted(held).stamp, noon + 1h - 1ms);
    EXPECT_THAT(accepted(held).holds, SizeIs(1));
}

TEST_P(Submissions, are_taken_and_held_while_the_time_is_not_believed) {
    meet_with_hours(9, 17);
    believed = false;
    send(client, 1);
    EXPECT_THAT(seqs_offered(therapist.device()), IsEmpty());
    believed = true;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1));
}

// ---- Again ---------------------------------------------------------------------------------------------------------

TEST_P(Submissions, that_come_again_get_the_same_answer_and_the_same_entry) {
    meet_with_hours(13, 14);
    auto const first = submit(message(client, 1, noon));
    auto const before = entries();
    announced();
    now = noon + 3h;
    auto const again = submit(message(client, 1, noon + 3h));
    auto const* bound = std::get_if<core::BoundAnswer>(&again.verdict);
    ASSERT_TRUE(bound);
    EXPECT_EQ(bound->seq, 1u);
    EXPECT_EQ(bound->stamp, noon);
    EXPECT_EQ(bound->envelope, accepted(first).envelope);
    EXPECT_EQ(bound->holds, accepted(first).holds);
    EXPECT_EQ(again.entry, first.entry);
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(envelopes(), 1u);
    EXPECT_THAT(announced(), IsEmpty());
}

TEST_P(Submissions, that_come_again_sealed_anew_name_the_envelope_that_was_accepted) {
    meet();
    auto const first = submit(message(client, 1, noon));
    auto resealed = message(client, 1, noon, 400);
    auto const again = submit(resealed);
    auto const* bound = std::get_if<core::BoundAnswer>(&again.verdict);
    ASSERT_TRUE(bound);
    EXPECT_EQ(bound->envelope, accepted(first).envelope);
}

TEST_P(Submissions, that_come_again_are_answered_whatever_became_of_the_conversation) {
    meet_with_hours(9, 17);
    auto const first = message(client, 1, noon);
    submit(first);
    ASSERT_TRUE(std::holds_alternative<wire::Accepted>(run(store->accept_commit(pair.healing(1, noon))).answer));
    ASSERT_TRUE(done(run(store->close_conversation(therapist.device(), pair.conversation))));
    now = noon + std::chrono::days{1};
    EXPECT_TRUE(std::holds_alternative<core::BoundAnswer>(submit(first).verdict));
}

TEST_P(Submissions, under_a_used_id_with_another_meaning_are_refused) {
    meet();
    submit(message(client, 1, noon));
    auto other = message(client, 1, noon);
    other.send.wish = wire::Wish::hold;
    EXPECT_EQ(rule_of(submit(other).verdict), Rule::invalid);
    other = message(client, 1, noon);
    other.send.replaces = 1;
    EXPECT_EQ(rule_of(submit(other).verdict), Rule::invalid);
    other = message(client, 1, noon);
    other.send.conversation = pair.entropy.id<ConversationId>();
    EXPECT_EQ(rule_of(submit(other).verdict), Rule::invalid);
    EXPECT_EQ(envelopes(), 1u);
}

TEST_P(Submissions, of_two_devices_may_have_the_same_id) {
    meet();
    EXPECT_EQ(accepted(submit(message(client, 1, noon))).seq, 1u);
    EXPECT_EQ(accepted(submit(message(therapist, 1, noon))).seq, 2u);
}

TEST_P(Submissions, that_are_refused_leave_their_id_free) {
    meet();
    auto const before = entries();
    announced();
    EXPECT_EQ(rule_of(submit(message(client, 1, noon, policy.message_bytes_max)).verdict), Rule::too_big);
    EXPECT_TRUE(std::holds_alternative<wire::EpochStale>(submit(message(client, 1, noon, 300, 2)).verdict));
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(envelopes(), 0u);
    EXPECT_THAT(announced(), IsEmpty());
    EXPECT_EQ(accepted(submit(message(client, 1, noon))).seq, 1u);
}

TEST_P(Submissions, that_were_confirmed_are_forgotten) {
    meet();
    auto const first = message(client, 1, noon), second = message(client, 2, noon);
    submit(first);
    submit(second);
    run(store->confirm(therapist.device(), {second.request}));  // not hers
    run(store->confirm(client.device(), {first.request, pair.entropy.id<RequestId>()}));
    run(store->confirm(client.device(), {first.request}));
    now = noon + 1h;
    run(store->purge(1000, seed()));
    EXPECT_TRUE(std::holds_alternative<core::BoundAnswer>(submit(second).verdict));
    EXPECT_EQ(accepted(submit(first)).seq, 3u);
    EXPECT_EQ(envelopes(), 3u);
}

// ---- Refused -------------------------------------------------------------------------------------------------------

TEST_P(Submissions, of_who_is_no_member_are_refused) {
    meet(true);
    auto stranger = message(client, 1, noon);
    stranger.sender = client.device(1);
    EXPECT_EQ(rule_of(submit(stranger).verdict), Rule::not_a_member);
    auto elsewhere = message(client, 1, noon);
    elsewhere.send.conversation = pair.entropy.id<ConversationId>();
    EXPECT_EQ(rule_of(submit(elsewhere).verdict), Rule::not_a_member);
    auto dropped = message(therapist, 1, noon);
    dropped.sender = therapist.device(1);
    ASSERT_TRUE(done(run(store->put_device_list(therapist.device(), therapist.next_list({0}, noon), seed()))));
    EXPECT_EQ(rule_of(submit(dropped).verdict), Rule::not_a_member);
}

TEST_P(Submissions, with_wishes_of_a_later_version_are_refused) {
    meet();
    auto submission = message(client, 1, noon);
    submission.send.generation = 2;
    EXPECT_EQ(rule_of(submit(submission).verdict), Rule::not_yet);
    submission = message(client, 1, noon);
    submission.send.wish = wire::Wish::refuse;
    EXPECT_EQ(rule_of(submit(submission).verdict), Rule::not_yet);
    submission = message(client, 1, noon);
    submission.send.send_now = wire::SignedDocument{};
    EXPECT_EQ(rule_of(submit(submission).verdict), Rule::not_yet);
}

TEST_P(Submissions, that_are_no_message_of_this_group_are_refused) {
    meet();
    auto submission = message(client, 1, noon);
    submission.send.mls = application_message(Bytes(32, 9), 1, Bytes(300));
    EXPECT_EQ(rule_of(submit(submission).verdict), Rule::invalid);
    submission.send.mls = application_message(pair.group_id, 2, Bytes(300));
    EXPECT_EQ(rule_of(submit(submission).verdict), Rule::invalid);
    submission.send.mls = pair.healing(1, noon).commit.mls;
    EXPECT_EQ(rule_of(submit(submission).verdict), Rule::invalid);
    submission.send.mls = Bytes(300, 7);
    EXPECT_EQ(rule_of(submit(submission).verdict), Rule::invalid);
}

TEST_P(Submissions, may_be_as_big_as_the_limit_and_no_byte_bigger) {
    meet();
    auto submission = message(client, 1, noon, 1000);
    auto const around = submission.send.mls.size() - 1000;
    // The length of a longer ciphertext takes two bytes more.
    auto exact = message(client, 1, noon, policy.message_bytes_max - around - 2);
    ASSERT_EQ(exact.send.mls.size(), policy.message_bytes_max);
    auto bigger = message(client, 2, noon, policy.message_bytes_max - around - 1);
    EXPECT_EQ(rule_of(submit(bigger).verdict), Rule::too_big);
    EXPECT_EQ(accepted(submit(exact)).seq, 1u);
}

// ---- Epochs --------------------------------------------------------------------------------------------------------

TEST_P(Submissions, of_the_epoch_before_are_taken_for_half_a_minute) {
    meet_with_hours(9, 17);
    ASSERT_TRUE(std::holds_alternative<wire::Accepted>(run(store->accept_commit(pair.healing(1, noon))).answer));
    now = noon + 30s - 1ms;
    EXPECT_EQ(accepted(submit(message(client, 1, now.load()))).seq, 1u);
    now = noon + 30s;
    auto const late = submit(message(client, 2, now.load()));
    ASSERT_TRUE(std::holds_alternative<wire::EpochStale>(late.verdict));
    EXPECT_EQ(std::get<wire::EpochStale>(late.verdict).epoch, 2u);
    EXPECT_EQ(accepted(submit(message(client, 2, now.load(), 300, 2))).seq, 2u);
}

TEST_P(Submissions, of_an_epoch_that_is_not_yet_are_stale) {
    meet();
    EXPECT_TRUE(std::holds_alternative<wire::EpochStale>(submit(message(client, 1, noon, 300, 2)).verdict));
}

// ---- How much may wait ---------------------------------------------------------------------------------------------

core::Policy small_quota() {
    core::Policy policy;
    policy.undelivered_messages_max = 3;
    policy.undelivered_bytes_max = 3000;
    return policy;
}
class Quota : public Submissions {
  protected:
    Quota() { rebuild(); }
    void rebuild() {
        policy = small_quota();
        open();
        meet_with_hours(9, 17);
    }
};
INTERLUDE_BOTH_STORES(Quota);

TEST_P(Quota, lets_no_more_messages_wait_than_its_number) {
    for (std::uint64_t number = 1; number <= 3; ++number) send(client, number);
    EXPECT_EQ(rule_of(submit(message(client, 4, noon)).verdict), Rule::quota);
    EXPECT_EQ(send(therapist, 1), 4u);  // nothing waits for the client
    run(store->ack(therapist.device(), pair.conversation, {2}));
    EXPECT_EQ(accepted(submit(message(client, 4, noon))).seq, 5u);
}

TEST_P(Quota, lets_no_more_bytes_wait_than_its_number) {
    auto const big = message(client, 1, noon, 2000);
    submit(big);
    auto const room = policy.undelivered_bytes_max - big.send.mls.size();
    auto const around = big.send.mls.size() - 2000;
    EXPECT_EQ(rule_of(submit(message(client, 2, noon, room - around + 1)).verdict), Rule::quota);
    auto const exact = message(client, 2, noon, room - around);
    ASSERT_EQ(exact.send.mls.size(), room);
    EXPECT_EQ(accepted(submit(exact)).seq, 2u);
}

TEST_P(Quota, counts_over_all_conversations_of_the_account) {
    Person another(Side::client, pair.entropy, noon);
    auto const key = invite(therapist);
    auto const id = pair.entropy.id<ConversationId>();
    auto const founded = run(store->redeem(founding(key, another, id, fetched(key, therapist))));
    ASSERT_TRUE(std::holds_alternative<wire::Redeemed>(founded));
    for (std::uint64_t number = 1; number <= 3; ++number) send(client, number);
    auto elsewhere = message(another, 1, noon);
    elsewhere.send.conversation = id;
    EXPECT_EQ(rule_of(submit(elsewhere).verdict), Rule::quota);
    run(store->ack(therapist.device(), pair.conversation, {1}));
    EXPECT_EQ(accepted(submit(elsewhere)).seq, 1u);
}

TEST_P(Quota, of_one_conversation_leaves_room_for_another) {
    policy = core::Policy{};
    policy.undelivered_messages_per_conversation_max = 2;
    open();
    Person another(Side::client, pair.entropy, noon);
    auto const key = invite(therapist);
    auto const id = pair.entropy.id<ConversationId>();
    auto const founded = run(store->redeem(founding(key, another, id, fetched(key, therapist))));
    ASSERT_TRUE(std::holds_alternative<wire::Redeemed>(founded));
    for (std::uint64_t number = 1; number <= 2; ++number) send(client, number);
    EXPECT_EQ(rule_of(submit(message(client, 3, noon)).verdict), Rule::quota);
    auto elsewhere = message(another, 1, noon);
    elsewhere.send.conversation = id;
    EXPECT_EQ(accepted(submit(elsewhere)).seq, 1u);
    EXPECT_EQ(send(therapist, 1), 3u);  // what she writes is not what waits for her
    run(store->ack(therapist.device(), pair.conversation, {1}));
    EXPECT_EQ(accepted(submit(message(client, 3, noon))).seq, 4u);
}

}  // namespace
}  // namespace interlude::test
