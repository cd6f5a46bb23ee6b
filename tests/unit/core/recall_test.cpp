// Recall and expiry: how a message ends without having been fetched, and how long things are kept.
#include "server/core/recall.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/parts.hpp"

namespace interlude::test {
namespace {

using namespace core;

class RecallDecision : public testing::Test {
  protected:
    RecallDecision() {
        facts.member = true;
        facts.recipients = {therapist.account, client.account};
        facts.calendars = {{therapist.account, open_in({span(monday_noon + 1h, 1h)})}};
        EnvelopeRow row;
        row.seq = 5;
        row.sender = client;
        row.stamp = monday_noon;
        row.hash.bytes[0] = 9;
        facts.envelope = row;
    }
    RecallVerdict decide(DeviceRef const& by, WallTime at, bool believed = true) {
        return decide_recall(facts, by, conversation, {at, believed});
    }
    static bool too_late(RecallVerdict const& verdict) { return std::holds_alternative<wire::TooLate>(verdict); }

    crypto::SeededEntropy entropy{4};
    DeviceRef therapist{entropy.id<AccountId>(), entropy.id<DeviceId>()};
    DeviceRef client{entropy.id<AccountId>(), entropy.id<DeviceId>()};
    ConversationId conversation = entropy.id<ConversationId>();
    RecallFacts facts;
};

TEST_F(RecallDecision, ends_what_passes_for_nobody_else_with_an_entry_behind_its_veil) {
    auto const verdict = decide(client, monday_noon + 1h - 1ms);
    ASSERT_TRUE(std::holds_alternative<Recalling>(verdict));
    auto const& entry = std::get<Recalling>(verdict).entry;
    EXPECT_EQ(entry.subject, audit::subject_of(conversation));
    EXPECT_EQ(entry.decided_at, monday_noon + 1h - 1ms);
    EXPECT_EQ(std::get<audit::Recalled>(entry.body),
              (audit::Recalled{5, facts.envelope->hash, client.account, client.device}));
    EXPECT_EQ(entry.veil, (core::Veil{conversation, facts.envelope->origin()}));
}

TEST_F(RecallDecision, is_too_late_from_the_millisecond_at_which_it_passes) {
    EXPECT_TRUE(too_late(decide(client, monday_noon + 1h)));
    EXPECT_TRUE(too_late(decide(client, monday_noon + 5h)));
}

TEST_F(RecallDecision, is_too_late_as_soon_as_it_passes_for_one_of_several) {
    facts.recipients.push_back(entropy.id<AccountId>());  // a partner, without a gate
    EXPECT_TRUE(too_late(decide(client, monday_noon)));
}

TEST_F(RecallDecision, of_a_late_reply_waits_for_nobody_until_her_opening) {
    facts.envelope->sender = therapist;
    facts.envelope->late_sender = therapist.account;
    EXPECT_TRUE(std::holds_alternative<Recalling>(decide(therapist, monday_noon + 1h - 1ms)));
    EXPECT_TRUE(too_late(decide(therapist, monday_noon + 1h)));
}

TEST_F(RecallDecision, shows_no_difference_between_what_is_anothers_and_what_never_was) {
    EXPECT_TRUE(too_late(decide(therapist, monday_noon)));
    EXPECT_TRUE(too_late(decide({client.account, therapist.device}, monday_noon)));
    facts.envelope.reset();
    EXPECT_TRUE(too_late(decide(client, monday_noon)));
}

TEST_F(RecallDecision, again_is_done) {
    facts.envelope.reset();
    facts.recalled_before = true;
    EXPECT_TRUE(std::holds_alternative<wire::Done>(decide(client, monday_noon + 5h)));
}

TEST_F(RecallDecision, is_refused_to_who_is_no_member) {
    facts.member = false;
    auto const verdict = decide(client, monday_noon);
    ASSERT_TRUE(std::holds_alternative<wire::Refused>(verdict));
    EXPECT_EQ(std::get<wire::Refused>(verdict).rule, wire::Rule::not_a_member);
}

TEST_F(RecallDecision, and_expiry_name_the_envelope_and_who_was_never_reached) {
    auto const entry = expired_entry(conversation, *facts.envelope, {therapist.account}, monday_noon + 1h);
    auto const& expired = std::get<audit::Expired>(entry.body);
    EXPECT_EQ(expired.seq, 5u);
    EXPECT_EQ(expired.envelope, facts.envelope->hash);
    ASSERT_EQ(expired.unreached.size(), 1u);
    EXPECT_EQ(expired.unreached[0], therapist.account);
    EXPECT_EQ(entry.subject, audit::subject_of(conversation));
    EXPECT_TRUE(entry.veil);
}

TEST(KeepUntil, is_what_the_design_says) {
    Policy policy;
    policy.hold_life = std::chrono::days{10};
    EXPECT_EQ(KeepUntil::handshake(monday_noon, policy), monday_noon + std::chrono::days{20});
    EXPECT_EQ(KeepUntil::request(monday_noon, policy), monday_noon + std::chrono::days{20});
    EXPECT_EQ(KeepUntil::fate(monday_noon, policy), monday_noon + std::chrono::days{20});
    EXPECT_EQ(KeepUntil::payload(monday_noon, policy), monday_noon + std::chrono::days{100});
}

}  // namespace
}  // namespace interlude::test
