// check_epoch: the first commit of its epoch, declared truly, by somebody who may change what it changes.
#include "server/core/epoch_gate.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "common/crypto/hash.hpp"
#include "tests/unit/core/parts.hpp"

namespace interlude::core {
namespace {

using namespace test;
using mls_framing::Declaration;

struct State {
    State() {
        facts.member = true;
        facts.epoch = 5;
        facts.group_id = Bytes(32, 9);
        facts.roster = {{therapist.account(), Side::therapist, {therapist.device(0).device}},
                        {client.account(), Side::client, {client.device(0).device, client.device(1).device}}};
        facts.lists = {{therapist.account(), therapist.list().list()}, {client.account(), client.list().list()}};
        declaration.epoch_before = 5;
        declaration.conversation.bytes.fill(3);
        sign();
    }
    /// Puts the present declaration under the commit.
    void sign(DeviceRef const& sender = {}, std::uint8_t fill = 1) {
        submission.sender = sender == DeviceRef{} ? therapist.device() : sender;
        submission.stamp = monday_noon;
        submission.commit.conversation = declaration.conversation;
        submission.commit.epoch = declaration.epoch_before;
        submission.commit.declaration = mls_framing::encode(declaration);
        submission.commit.mls =
            commit_message(facts.group_id, declaration.epoch_before, submission.commit.declaration, fill);
        submission.commit.welcomes.clear();
        std::vector<KeyPackageRef> refs;
        for (auto const& added : declaration.added) refs.push_back(added.ref);
        if (!refs.empty()) submission.commit.welcomes = {welcome_message(refs)};
    }
    void declare_own_new_device() {
        therapist.add_device(entropy, monday_noon);
        facts.lists.at(therapist.account()) = therapist.list().list();
        auto const ref = entropy.id<KeyPackageRef>();
        declaration.added = {{therapist.account(), Side::therapist, therapist.device(1).device, ref}};
        facts.packages[ref] = therapist.device(1);
        sign();
    }
    CommitVerdict check() const { return check_epoch(facts, submission, monday_noon, policy); }
    wire::Rule refusal() const {
        auto const verdict = check();
        return std::holds_alternative<wire::Refused>(verdict) ? std::get<wire::Refused>(verdict).rule : wire::Rule{};
    }
    bool accepted() const { return std::holds_alternative<CommitAcceptance>(check()); }

    crypto::SeededEntropy entropy{5};
    Human therapist{Side::therapist, entropy, monday_noon - 24h};
    Human client{Side::client, entropy, monday_noon - 24h, 2};
    Declaration declaration;
    CommitFacts facts;
    CommitSubmission submission;
    Policy policy;
};

struct EpochGate : testing::Test, State {};

TEST_F(EpochGate, an_empty_commit_begins_the_next_epoch_and_is_logged) {
    auto const verdict = check();
    ASSERT_TRUE(std::holds_alternative<CommitAcceptance>(verdict));
    auto const& acceptance = std::get<CommitAcceptance>(verdict);
    EXPECT_EQ(acceptance.epoch_begun, 6u);
    EXPECT_TRUE(acceptance.added.empty() && acceptance.removed.empty());
    EXPECT_EQ(acceptance.entry.subject, audit::subject_of(declaration.conversation));
    EXPECT_EQ(std::get<audit::EpochAccepted>(acceptance.entry.body),
              (audit::EpochAccepted{1, 6, crypto::sha256(submission.commit.mls),
                                    mls_framing::declaration_hash(submission.commit.declaration)}));
}

TEST_F(EpochGate, what_is_not_declared_truly_is_refused) {
    struct Case {
        char const* what;
        wire::Rule rule;
        std::function<void(State&)> spoil;
    };
    Case const cases[] = {
        {"no member", wire::Rule::not_a_member, [](State& t) { t.facts.member = false; }},
        {"closed", wire::Rule::closed_conversation, [](State& t) { t.facts.closed = true; }},
        {"another generation", wire::Rule::not_yet, [](State& t) { t.submission.commit.generation = 2; }},
        {"another group", wire::Rule::invalid, [](State& t) { t.facts.group_id[0] ^= 1; }},
        {"another declaration", wire::Rule::invalid,
         [](State& t) {
             auto other = t.declaration;
             other.removed = {{t.client.account(), t.client.device().device}};
             t.submission.commit.declaration = mls_framing::encode(other);
         }},
        {"a declaration of another conversation", wire::Rule::invalid,
         [](State& t) { t.submission.commit.conversation.bytes.fill(4); }},
        {"an application message", wire::Rule::invalid,
         [](State& t) { t.submission.commit.mls = application_message(t.facts.group_id, 5); }},
        {"a Welcome for nobody", wire::Rule::invalid,
         [](State& t) { t.submission.commit.welcomes = {welcome_message({KeyPackageRef{}})}; }},
        {"too big", wire::Rule::too_big,
         [](State& t) {
             t.submission.commit.mls =
                 commit_message(t.facts.group_id, 5, t.submission.commit.declaration, 1, 8 * 1024);
         }},
    };
    auto const good = submission;
    auto const good_facts = facts;
    for (auto const& one : cases) {
        submission = good;
        facts = good_facts;
        ASSERT_TRUE(accepted());
        one.spoil(*this);
        EXPECT_EQ(refusal(), one.rule) << one.what;
    }
}

TEST_F(EpochGate, the_first_commit_of_an_epoch_wins_and_its_author_may_ask_again) {
    wire::Handshake winner;
    winner.epoch = 5;
    winner.sender_device = client.device().device;
    winner.mls = commit_message(facts.group_id, 5, submission.commit.declaration, 2);
    facts.epoch = 6;
    facts.winner = winner;
    auto const lost = check();
    ASSERT_TRUE(std::holds_alternative<wire::Conflict>(lost));
    EXPECT_EQ(std::get<wire::Conflict>(lost).winner, winner);

    submission.sender = client.device();
    submission.commit.mls = winner.mls;
    auto const again = check();
    ASSERT_TRUE(std::holds_alternative<wire::Accepted>(again));
    EXPECT_EQ(std::get<wire::Accepted>(again).epoch, 6u);

    facts.epoch = 4;  // a commit from the future has no winner
    facts.winner.reset();
    ASSERT_TRUE(std::holds_alternative<wire::Conflict>(check()));
    EXPECT_FALSE(std::get<wire::Conflict>(check()).winner);
}

TEST_F(EpochGate, a_device_adds_a_listed_device_of_its_own_account) {
    declare_own_new_device();
    auto const verdict = check();
    ASSERT_TRUE(std::holds_alternative<CommitAcceptance>(verdict));
    EXPECT_EQ(std::get<CommitAcceptance>(verdict).added,
              (std::vector<JoinedDevice>{{therapist.device(1), Side::therapist, submission.commit.welcomes[0]}}));
}

TEST_F(EpochGate, an_added_device_must_be_listed_ours_and_bring_its_own_package) {
    struct Case {
        char const* what;
        wire::Rule rule;
        std::function<void(State&)> spoil;
    };
    Case const cases[] = {
        {"not in the newest list", wire::Rule::invalid,
         [](State& t) {
             t.therapist.drop_device(1, monday_noon);
             t.facts.lists.at(t.therapist.account()) = t.therapist.list().list();
         }},
        {"another side", wire::Rule::invalid,
         [](State& t) {
             t.declaration.added[0].side = Side::client;
             t.sign();
         }},
        {"added by somebody else", wire::Rule::invalid, [](State& t) { t.sign(t.client.device()); }},
        {"a package of another device", wire::Rule::invalid,
         [](State& t) { t.facts.packages.begin()->second = t.therapist.device(0); }},
        {"an unknown package", wire::Rule::invalid, [](State& t) { t.facts.packages.clear(); }},
        {"no Welcome", wire::Rule::invalid, [](State& t) { t.submission.commit.welcomes.clear(); }},
        {"a Welcome twice", wire::Rule::invalid,
         [](State& t) { t.submission.commit.welcomes.push_back(t.submission.commit.welcomes[0]); }},
        {"a Welcome for nobody", wire::Rule::invalid,
         [](State& t) {
             auto const welcomes = t.submission.commit.welcomes;
             t.declaration.added.clear();
             t.sign();
             t.submission.commit.welcomes = welcomes;
         }},
        {"in the roster already", wire::Rule::invalid,
         [](State& t) { t.facts.roster[0].devices.push_back(t.therapist.device(1).device); }},
        {"of a new account", wire::Rule::not_yet,
         [](State& t) {
             t.declaration.added[0].account.bytes.fill(8);
             t.sign();
         }},
    };
    for (auto const& one : cases) {
        State state;
        state.declare_own_new_device();
        ASSERT_TRUE(state.accepted());
        one.spoil(state);
        EXPECT_EQ(state.refusal(), one.rule) << one.what;
    }
}

TEST_F(EpochGate, anybody_removes_a_device_that_its_list_dropped) {
    auto const gone = client.device(1);
    declaration.removed = {{gone.account, gone.device}};
    sign();
    EXPECT_EQ(refusal(), wire::Rule::invalid);  // still listed
    client.drop_device(1, monday_noon);
    facts.lists.at(client.account()) = client.list().list();
    auto const verdict = check();
    ASSERT_TRUE(std::holds_alternative<CommitAcceptance>(verdict));
    EXPECT_EQ(std::get<CommitAcceptance>(verdict).removed, std::vector{gone});
    facts.roster[1].devices.pop_back();  // not in the group
    EXPECT_EQ(refusal(), wire::Rule::invalid);
}

TEST_F(EpochGate, an_own_device_that_lost_its_state_is_removed_and_added_anew) {
    auto const lost = client.device(1);
    auto const ref = entropy.id<KeyPackageRef>();
    declaration.removed = {{lost.account, lost.device}};
    declaration.added = {{lost.account, Side::client, lost.device, ref}};
    facts.packages[ref] = lost;
    sign(client.device(0));
    EXPECT_TRUE(accepted());
    sign(lost);  // nobody removes itself
    EXPECT_EQ(refusal(), wire::Rule::invalid);
}

TEST_F(EpochGate, commits_are_limited_by_the_hour_and_in_closed_windows_by_the_day) {
    facts.commits_last_hour = policy.commits_per_hour_max - 1;
    EXPECT_TRUE(accepted());
    facts.commits_last_hour += 1;
    EXPECT_EQ(refusal(), wire::Rule::too_fast);
    facts.sent_since_commit = 500;  // the one due after 500 generations is never refused
    EXPECT_TRUE(accepted());

    facts.commits_last_hour = 0;
    facts.sent_since_commit = 499;
    facts.committed_today = true;
    EXPECT_TRUE(accepted());
    facts.gate_closed = true;
    EXPECT_EQ(refusal(), wire::Rule::too_fast);
    facts.committed_today = false;
    facts.retained_epochs = 48;
    EXPECT_TRUE(accepted());
    facts.retained_epochs = 49;
    EXPECT_EQ(refusal(), wire::Rule::too_fast);
    declare_own_new_device();  // adding is no healing
    EXPECT_TRUE(accepted());
}

TEST_F(EpochGate, a_conversation_has_eight_accounts_two_of_them_gated) {
    std::vector<wire::MemberState> roster;
    auto const add = [&](Side side) {
        wire::MemberState member{entropy.id<AccountId>(), side, {entropy.id<DeviceId>()}};
        roster.push_back(member);
    };
    for (int i = 0; i < 2; ++i) add(Side::therapist);
    for (int i = 0; i < 6; ++i) add(Side::client);
    EXPECT_TRUE(roster_fits(roster));
    add(Side::client);
    EXPECT_FALSE(roster_fits(roster));
    roster.pop_back();
    roster[5].side = Side::therapist;
    EXPECT_FALSE(roster_fits(roster));
}

}  // namespace
}  // namespace interlude::core
