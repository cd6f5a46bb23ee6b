// decide_submission: who may write here, into which epoch, how much, and for whom it is held.
#include "server/core/decide.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/parts.hpp"

namespace interlude::core {
namespace {

using namespace test;

AccountId const therapist = account(1), client = account(2), partner = account(3);
DeviceRef device_of(AccountId const& account) {
    DeviceRef device{account, {}};
    device.device.bytes.fill(account.bytes[0]);
    return device;
}

struct Decide : testing::Test {
    Decide() {
        facts.member = true;
        facts.epoch = 5;
        facts.epoch_began = monday_noon - 1h;
        facts.group_id = Bytes(32, 9);
        facts.next_seq = 17;
        facts.members = {{therapist, Side::therapist, nullptr, 0, 0}, {client, Side::client, nullptr, 0, 0}};
        submission = message(client);
    }
    Submission message(AccountId const& from, std::uint64_t epoch = 5) const {
        Submission made;
        made.sender = device_of(from);
        made.request.bytes.fill(7);
        made.send.epoch = epoch;
        made.send.mls = application_message(facts.group_id, epoch);
        made.stamp = monday_noon;
        return made;
    }
    Verdict decide() const { return decide_submission(facts, submission, {monday_noon, true}, policy); }
    wire::Rule refusal() const {
        auto const verdict = decide();
        return std::holds_alternative<wire::Refused>(verdict) ? std::get<wire::Refused>(verdict).rule : wire::Rule{};
    }
    Acceptance acceptance() const {
        auto const verdict = decide();
        EXPECT_TRUE(std::holds_alternative<Acceptance>(verdict)) << verdict.index();
        return std::holds_alternative<Acceptance>(verdict) ? std::get<Acceptance>(verdict) : Acceptance{};
    }
    void open(std::vector<base::Interval> windows) { facts.members[0].calendar = open_in(std::move(windows)); }

    SubmissionFacts facts;
    Submission submission;
    Policy policy;
};

TEST_F(Decide, an_open_window_takes_it_without_an_entry) {
    open({span(monday_noon - 1h, 2h)});
    auto const accepted = acceptance();
    EXPECT_EQ(accepted.seq, 17u);
    EXPECT_EQ(accepted.stamp, monday_noon);
    EXPECT_TRUE(accepted.holds.empty());
    EXPECT_FALSE(accepted.entry);
    EXPECT_FALSE(accepted.late_sender);
}

TEST_F(Decide, the_window_begins_inclusive_and_ends_exclusive) {
    struct Case {
        Millis after_opening;
        bool held;
    };
    for (auto const& [after, held] :
         {Case{-1ms, true}, {0ms, false}, {1h - 1ms, false}, {1h, true}, {1h + 1ms, true}}) {
        open({span(monday_noon - after, 1h)});
        EXPECT_EQ(!acceptance().holds.empty(), held) << after.count();
    }
}

TEST_F(Decide, a_closed_window_holds_until_its_next_opening_and_logs_it) {
    auto const opening = monday_noon + 21h;
    open({span(monday_noon - 2h, 1h), span(opening, 3h)});
    auto const accepted = acceptance();
    EXPECT_EQ(accepted.holds, (std::vector<wire::Hold>{{therapist, opening}}));
    ASSERT_TRUE(accepted.entry);
    EXPECT_EQ(accepted.entry->subject, audit::subject_of(submission.send.conversation));
    auto const& held = std::get<audit::Held>(accepted.entry->body);
    EXPECT_EQ(held.seq, 17u);
    EXPECT_EQ(held.stamp, monday_noon);
    EXPECT_EQ(held.envelope, accepted.envelope);
    ASSERT_EQ(held.parties.size(), 2u);
    EXPECT_EQ(held.parties[0],
              (audit::Party{therapist, false, audit::Verdict::hold, opening, audit::GateNumbers{1, 0}}));
    EXPECT_EQ(held.parties[1], (audit::Party{client, true, audit::Verdict::pass, std::nullopt, std::nullopt}));
    EXPECT_EQ(accepted.entry->veil->origin.sender, client);
}

TEST_F(Decide, without_a_schedule_it_is_held_without_an_instant) {
    EXPECT_EQ(acceptance().holds, (std::vector<wire::Hold>{{therapist, std::nullopt}}));
    open({span(monday_noon - 2h, 1h)});  // ran out
    EXPECT_EQ(acceptance().holds, (std::vector<wire::Hold>{{therapist, std::nullopt}}));
}

TEST_F(Decide, a_late_reply_waits_for_everybody_but_its_own_account) {
    auto const opening = monday_noon + 9h;
    open({span(opening, 1h)});
    facts.members.push_back({partner, Side::client, nullptr, 0, 0});
    submission = message(therapist);
    auto const accepted = acceptance();
    EXPECT_EQ(accepted.late_sender, therapist);
    EXPECT_EQ(accepted.holds, (std::vector<wire::Hold>{{client, opening}, {partner, opening}}));
    open({span(monday_noon, 1h)});
    EXPECT_FALSE(acceptance().late_sender);
    EXPECT_TRUE(acceptance().holds.empty());
}

TEST_F(Decide, a_partner_gets_it_at_once_while_the_therapist_does_not) {
    open({span(monday_noon + 9h, 1h)});
    facts.members.push_back({partner, Side::client, nullptr, 0, 0});
    EXPECT_EQ(acceptance().holds, (std::vector<wire::Hold>{{therapist, monday_noon + 9h}}));
}

TEST_F(Decide, a_bound_request_is_answered_before_any_rule) {
    BoundAnswer const bound{
        submission.send.conversation, wire::Wish::normal, 3, monday_noon - 1h, {}, {}, std::nullopt};
    facts = {};
    facts.bound = bound;
    EXPECT_EQ(std::get<BoundAnswer>(decide()), bound);
    submission.send.mls.clear();  // the same meaning, not the same bytes
    EXPECT_EQ(std::get<BoundAnswer>(decide()), bound);
    submission.send.conversation.bytes.fill(4);
    EXPECT_EQ(refusal(), wire::Rule::invalid);
}

TEST_F(Decide, rules_refuse_in_their_order) {
    auto const good = submission;
    auto const good_facts = facts;
    struct Case {
        char const* what;
        wire::Rule rule;
        std::function<void(Decide&)> spoil;
    };
    Case const cases[] = {
        {"another generation", wire::Rule::not_yet, [](Decide& d) { d.submission.send.generation = 2; }},
        {"a wish", wire::Rule::not_yet, [](Decide& d) { d.submission.send.wish = wire::Wish::refuse; }},
        {"send now", wire::Rule::not_yet, [](Decide& d) { d.submission.send.send_now = wire::SignedDocument{}; }},
        {"a blob", wire::Rule::not_yet, [](Decide& d) { d.submission.send.blobs = {Bytes(16)}; }},
        {"no member", wire::Rule::not_a_member, [](Decide& d) { d.facts.member = false; }},
        {"closed", wire::Rule::closed_conversation, [](Decide& d) { d.facts.closed = true; }},
        {"too big", wire::Rule::too_big, [](Decide& d) { d.policy.message_bytes_max = 100; }},
        {"no MLS", wire::Rule::invalid, [](Decide& d) { d.submission.send.mls = Bytes(20, 1); }},
        {"another group", wire::Rule::invalid, [](Decide& d) { d.facts.group_id[0] ^= 1; }},
        {"another epoch inside", wire::Rule::invalid, [](Decide& d) { d.submission.send.epoch = 4; }},
        {"authenticated data", wire::Rule::invalid,
         [](Decide& d) { d.submission.send.mls = application_message(d.facts.group_id, 5, 300, 1, Bytes(3, 3)); }},
        {"a commit", wire::Rule::invalid,
         [](Decide& d) { d.submission.send.mls = commit_message(d.facts.group_id, 5, Bytes(3, 3)); }},
    };
    for (auto const& one : cases) {
        submission = good;
        facts = good_facts;
        policy = {};
        EXPECT_TRUE(std::holds_alternative<Acceptance>(decide()));
        one.spoil(*this);
        EXPECT_EQ(refusal(), one.rule) << one.what;
    }
}

TEST_F(Decide, the_epoch_before_is_taken_for_thirty_seconds) {
    submission = message(client, 4);
    for (auto const& [since, stale] :
         {std::pair<Millis, bool>{0ms, false}, {30s - 1ms, false}, {30s, true}, {31s, true}}) {
        facts.epoch_began = monday_noon - since;
        EXPECT_EQ(std::holds_alternative<wire::EpochStale>(decide()), stale) << since.count();
    }
    facts.epoch_began = monday_noon;
    for (auto const epoch : {3u, 6u}) {
        submission = message(client, epoch);
        auto const verdict = decide();
        ASSERT_TRUE(std::holds_alternative<wire::EpochStale>(verdict)) << epoch;
        EXPECT_EQ(std::get<wire::EpochStale>(verdict).epoch, 5u);
    }
}

TEST_F(Decide, a_recipients_quota_counts_messages_and_bytes) {
    auto const size = submission.send.mls.size();
    auto& recipient = facts.members[0];
    recipient.undelivered_messages = policy.undelivered_messages_max - 1;
    recipient.undelivered_bytes = policy.undelivered_bytes_max - size;
    EXPECT_TRUE(std::holds_alternative<Acceptance>(decide()));
    recipient.undelivered_messages += 1;
    EXPECT_EQ(refusal(), wire::Rule::quota);
    recipient.undelivered_messages -= 1;
    recipient.undelivered_bytes += 1;
    EXPECT_EQ(refusal(), wire::Rule::quota);
    recipient = {therapist, Side::therapist, nullptr, 0, 0};
    recipient.undelivered_messages_here = policy.undelivered_messages_per_conversation_max - 1;
    recipient.undelivered_bytes_here = policy.undelivered_bytes_per_conversation_max - size;
    EXPECT_TRUE(std::holds_alternative<Acceptance>(decide()));
    recipient.undelivered_messages_here += 1;
    EXPECT_EQ(refusal(), wire::Rule::quota);
    recipient.undelivered_messages_here -= 1;
    recipient.undelivered_bytes_here += 1;
    EXPECT_EQ(refusal(), wire::Rule::quota);
    facts.members[1].undelivered_messages = 1'000'000;  // the sender's own
    recipient = {therapist, Side::therapist, nullptr, 0, 0};
    EXPECT_TRUE(std::holds_alternative<Acceptance>(decide()));
}

TEST_F(Decide, arriving_in_time_counts_unless_the_store_was_slow) {
    open({span(monday_noon - 1h, 1h)});  // closes at noon
    submission.stamp = monday_noon - 1ms;
    EXPECT_TRUE(acceptance().holds.empty());  // decided at noon, arrived before
    EXPECT_EQ(effective_stamp(monday_noon - 5s, monday_noon, policy), monday_noon - 5s);
    EXPECT_EQ(effective_stamp(monday_noon - 5s - 1ms, monday_noon, policy), monday_noon);
    submission.stamp = monday_noon - 5s - 1ms;
    EXPECT_FALSE(acceptance().holds.empty());
    EXPECT_EQ(acceptance().stamp, monday_noon);
}

// ---- Replacing -----------------------------------------------------------------------------------------------------

struct Replacing : Decide {
    Replacing() {
        open({span(monday_noon + 1h, 1h)});
        submission.send.replaces = 16;
        EnvelopeRow old;
        old.seq = 16;
        old.sender = device_of(client);
        old.stamp = monday_noon - 10min;
        old.hash.bytes.fill(3);
        old.size = 300;
        facts.replaced = old;
    }
    bool too_late() const { return std::holds_alternative<wire::TooLate>(decide()); }
};

TEST_F(Replacing, recalls_the_old_one_and_takes_the_new_one) {
    auto const accepted = acceptance();
    EXPECT_EQ(accepted.seq, 17u);
    ASSERT_TRUE(accepted.recall && accepted.entry);
    EXPECT_EQ(std::get<audit::Recalled>(accepted.recall->body),
              (audit::Recalled{16, facts.replaced->hash, client, device_of(client).device}));
    EXPECT_TRUE(std::holds_alternative<audit::Held>(accepted.entry->body));
    EXPECT_EQ(accepted.recall->subject, accepted.entry->subject);
}

TEST_F(Replacing, is_too_late_when_the_old_one_passes_for_anybody) {
    open({span(monday_noon, 1h)});
    EXPECT_TRUE(too_late());
    open({span(monday_noon + 1ms, 1h)});
    EXPECT_FALSE(too_late());
    facts.members.push_back({partner, Side::client, nullptr, 0, 0});  // who has it already
    EXPECT_TRUE(too_late());
}

TEST_F(Replacing, is_too_late_for_what_is_gone_or_another_devices) {
    facts.replaced->sender = device_of(partner);
    EXPECT_TRUE(too_late());
    facts.replaced->sender = device_of(client);
    facts.replaced->sender.device.bytes[0] ^= 1;
    EXPECT_TRUE(too_late());
    facts.replaced.reset();
    EXPECT_TRUE(too_late());
}

TEST_F(Replacing, needs_no_room_but_what_it_is_longer_by) {
    auto& hers = facts.members[0];
    hers.undelivered_messages = hers.undelivered_messages_here = policy.undelivered_messages_per_conversation_max;
    hers.undelivered_bytes = hers.undelivered_bytes_here = policy.undelivered_bytes_per_conversation_max;
    submission.send.mls = application_message(facts.group_id, 5, 200);
    facts.replaced->size = submission.send.mls.size();
    EXPECT_EQ(acceptance().seq, 17u);
    --facts.replaced->size;
    EXPECT_EQ(refusal(), wire::Rule::quota);
    submission.send.replaces.reset();
    facts.replaced.reset();
    EXPECT_EQ(refusal(), wire::Rule::quota);
}

TEST_F(Replacing, under_a_bound_id_means_the_same_only_for_the_same_old_one) {
    BoundAnswer bound;
    bound.conversation = submission.send.conversation;
    bound.replaced = 16;
    facts.bound = bound;
    EXPECT_TRUE(std::holds_alternative<BoundAnswer>(decide()));
    submission.send.replaces = 15;
    EXPECT_EQ(refusal(), wire::Rule::invalid);
    submission.send.replaces.reset();
    EXPECT_EQ(refusal(), wire::Rule::invalid);
}

}  // namespace
}  // namespace interlude::core
