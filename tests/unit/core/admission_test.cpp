// Invitations: putting one, and what redeeming it does.
#include "server/core/admission.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/core/parts.hpp"

namespace interlude::core {
namespace {

using namespace test;

constexpr auto server = "interlude.example";

RedeemRequest request_for(crypto::SigningKey const& key, identity::Redemption const& redemption) {
    auto const made = identity::sign_redemption(key, redemption);
    return {server, redemption.invitation, made.bytes, bytes::copy(made.signature.span()), {}};
}

struct State {
    State() {
        auto const package = therapist.key_package(entropy, monday_noon);
        ref = ref_of(package);
        InvitationRow row;
        row.document = invitation_by(therapist, key, monday_noon + std::chrono::days{7});
        facts.invitation = row;
        facts.inviter = therapist.list().list();
        facts.reserved = {{ref, therapist.device()}};

        declaration.conversation.bytes.fill(3);
        declaration.added = {{therapist.account(), Side::therapist, therapist.device().device, ref}};
        redemption.invitation = row.document.id();
        redemption.server_name = server;
        redemption.kind = row.document.kind;
        redemption.account = client.account();
        redemption.device_list = client.list().as_signed();
        redemption.device = client.device().device;
        redemption.founding = identity::Founding{declaration.conversation, 1, Bytes(32, 9), {}, {}};
        welcomes = {welcome_message({ref})};
        sign();
    }
    void sign() {
        redemption.founding->declaration = mls_framing::encode(declaration);
        redemption.founding->welcomes = welcomes;
        request = request_for(key, redemption);
    }
    RedeemVerdict decide(WallTime now = monday_noon) const { return decide_redemption(facts, request, now); }
    wire::Rule refusal(WallTime now = monday_noon) const {
        auto const verdict = decide(now);
        return std::holds_alternative<wire::Refused>(verdict) ? std::get<wire::Refused>(verdict).rule : wire::Rule{};
    }
    bool admitted() const { return std::holds_alternative<Admission>(decide()); }

    crypto::SeededEntropy entropy{6};
    Human therapist{Side::therapist, entropy, monday_noon - 24h};
    Human client{Side::client, entropy, monday_noon};
    crypto::SigningKey key = crypto::SigningKey::generate(entropy);
    KeyPackageRef ref;
    mls_framing::Declaration declaration;
    std::vector<Bytes> welcomes;
    identity::Redemption redemption;
    RedeemFacts facts;
    RedeemRequest request;
};

struct Redeeming : testing::Test, State {};

TEST_F(Redeeming, founds_the_conversation_with_the_inviters_devices) {
    auto const verdict = decide();
    ASSERT_TRUE(std::holds_alternative<Admission>(verdict));
    auto const& admission = std::get<Admission>(verdict);
    EXPECT_EQ(admission.side, Side::client);
    EXPECT_EQ(admission.answer, (wire::Redeemed{client.account(), declaration.conversation}));
    EXPECT_EQ(std::get<audit::DeviceListPublished>(admission.list_entry.body),
              (audit::DeviceListPublished{client.account(), 1, 1, client.list().hash()}));
    ASSERT_TRUE(admission.founded);
    EXPECT_EQ(admission.founded->founder, client.device());
    EXPECT_EQ(admission.founded->joined,
              (std::vector<JoinedDevice>{{therapist.device(), Side::therapist, welcomes[0]}}));
    EXPECT_EQ(std::get<audit::EpochAccepted>(admission.founded->entry.body).epoch, 1u);
}

TEST_F(Redeeming, the_operators_invitation_begins_a_therapists_account_alone) {
    Human newcomer{Side::therapist, entropy, monday_noon};
    facts = {};
    facts.invitation = InvitationRow{};
    facts.invitation->document = identity::operators_invitation(key.public_key(), monday_noon + 1h);
    identity::Redemption joining;
    joining.invitation = facts.invitation->document.id();
    joining.server_name = server;
    joining.kind = identity::InvitationKind::therapist;
    joining.account = newcomer.account();
    joining.device_list = newcomer.list().as_signed();
    joining.device = newcomer.device().device;
    request = request_for(key, joining);
    auto const verdict = decide();
    ASSERT_TRUE(std::holds_alternative<Admission>(verdict));
    EXPECT_EQ(std::get<Admission>(verdict).side, Side::therapist);
    EXPECT_FALSE(std::get<Admission>(verdict).founded);
}

TEST_F(Redeeming, ends_at_the_expiry_but_a_repetition_is_answered_later_too) {
    auto const expiry = facts.invitation->document.expiry;
    EXPECT_TRUE(std::holds_alternative<Admission>(decide(expiry - 1ms)));
    EXPECT_EQ(refusal(expiry), wire::Rule::expired);
    EXPECT_EQ(refusal(expiry + 1ms), wire::Rule::expired);
    facts.invitation->redemption = identity::redemption_hash(request.redemption);
    facts.invitation->answer = wire::Redeemed{client.account(), declaration.conversation};
    auto const again = decide(expiry + 1h);
    ASSERT_TRUE(std::holds_alternative<wire::Redeemed>(again));
    EXPECT_EQ(std::get<wire::Redeemed>(again), *facts.invitation->answer);
}

TEST_F(Redeeming, another_redemption_of_a_spent_invitation_is_a_second_attempt) {
    facts.invitation->redemption = base::Hash32{};
    facts.invitation->answer = wire::Redeemed{};
    auto const verdict = decide();
    ASSERT_TRUE(std::holds_alternative<SecondAttempt>(verdict));
    EXPECT_EQ(std::get<SecondAttempt>(verdict).answer.rule, wire::Rule::spent);
    request.signature[0] ^= 1;  // somebody without the key makes no attempt
    EXPECT_EQ(refusal(), wire::Rule::invalid);
}

TEST_F(Redeeming, welcomes_that_do_not_cover_the_newest_list_spend_nothing) {
    therapist.add_device(entropy, monday_noon);
    facts.inviter = therapist.list().list();
    EXPECT_TRUE(std::holds_alternative<wire::ListChanged>(decide()));
    facts.inviter->devices.erase(facts.inviter->devices.begin());  // replaced
    EXPECT_TRUE(std::holds_alternative<wire::ListChanged>(decide()));
}

TEST_F(Redeeming, what_does_not_hold_is_refused) {
    struct Case {
        char const* what;
        wire::Rule rule;
        std::function<void(State&)> spoil;
    };
    Case const cases[] = {
        {"unknown invitation", wire::Rule::invalid, [](State& t) { t.facts.invitation.reset(); }},
        {"revoked", wire::Rule::expired, [](State& t) { t.facts.invitation->revoked = true; }},
        {"another server", wire::Rule::invalid, [](State& t) { t.request.server_name = "other.example"; }},
        {"a changed byte", wire::Rule::invalid, [](State& t) { t.request.redemption.back() ^= 1; }},
        {"a cut signature", wire::Rule::invalid, [](State& t) { t.request.signature.pop_back(); }},
        {"an account that exists", wire::Rule::invalid, [](State& t) { t.facts.account_exists = true; }},
        {"a conversation that exists", wire::Rule::invalid, [](State& t) { t.facts.conversation_exists = true; }},
        {"a package not reserved", wire::Rule::invalid, [](State& t) { t.facts.reserved.clear(); }},
        {"a package of another device", wire::Rule::invalid,
         [](State& t) { t.facts.reserved.begin()->second = t.client.device(); }},
        {"a Welcome for somebody else", wire::Rule::invalid,
         [](State& t) {
             KeyPackageRef other;
             other.bytes.fill(5);
             t.welcomes = {welcome_message({other})};
             t.sign();
         }},
        {"somebody else added", wire::Rule::invalid,
         [](State& t) {
             KeyPackageRef other;
             other.bytes.fill(5);
             t.declaration.added.push_back({t.client.account(), Side::client, t.client.device().device, other});
             t.welcomes = {welcome_message({t.ref, other})};
             t.sign();
         }},
        {"an epoch before", wire::Rule::invalid,
         [](State& t) {
             t.declaration.epoch_before = 1;
             t.sign();
         }},
        {"another conversation declared", wire::Rule::invalid,
         [](State& t) {
             t.declaration.conversation.bytes.fill(4);
             t.sign();
         }},
    };
    for (auto const& one : cases) {
        State state;
        ASSERT_TRUE(state.admitted());
        one.spoil(state);
        EXPECT_EQ(state.refusal(), one.rule) << one.what;
    }
}

// ---- Putting one ---------------------------------------------------------------------------------------------------

struct Inviting : testing::Test, State {
    using Outcome = std::variant<InvitationAccepted, wire::Refused>;
    Outcome put(identity::InvitationDocument const& what, WallTime now = monday_noon) const {
        auto const made = identity::sign_invitation(therapist.device_key(), what);
        return decide_invitation(put_facts, therapist.device(), signed_document(made), now, policy);
    }
    wire::Rule refusal_of(Outcome const& outcome) const {
        return std::holds_alternative<wire::Refused>(outcome) ? std::get<wire::Refused>(outcome).rule : wire::Rule{};
    }
    InvitationPutFacts put_facts{therapist.list().list(), 0, std::nullopt};
    Policy policy;
    identity::InvitationDocument document = invitation_by(therapist, key, monday_noon + std::chrono::days{7});
};

TEST_F(Inviting, is_for_a_therapists_device_and_a_client) {
    EXPECT_TRUE(std::holds_alternative<InvitationAccepted>(put(document)));
    auto const made = identity::sign_invitation(therapist.device_key(), document);
    auto const by_other = decide_invitation(put_facts, client.device(), signed_document(made), monday_noon, policy);
    EXPECT_EQ(refusal_of(by_other), wire::Rule::invalid);
    document.kind = identity::InvitationKind::join;
    document.conversation.bytes.fill(1);
    EXPECT_EQ(refusal_of(put(document)), wire::Rule::not_yet);
}

TEST_F(Inviting, knows_its_limits) {
    EXPECT_EQ(refusal_of(put(document, document.expiry)), wire::Rule::expired);
    put_facts.open_invitations = policy.open_invitations_max;
    EXPECT_EQ(refusal_of(put(document)), wire::Rule::quota);
    put_facts.open_invitations = policy.open_invitations_max - 1;
    EXPECT_TRUE(std::holds_alternative<InvitationAccepted>(put(document)));
    document.expiry = monday_noon + policy.invitation_life_max + 1s;
    EXPECT_EQ(refusal_of(put(document)), wire::Rule::invalid);
}

TEST_F(Inviting, the_same_bytes_again_are_the_same_invitation) {
    put_facts.stored = identity::encode(document);
    auto const again = put(document);
    ASSERT_TRUE(std::holds_alternative<InvitationAccepted>(again));
    EXPECT_TRUE(std::get<InvitationAccepted>(again).repeated);
    document.expiry += 1h;
    EXPECT_EQ(refusal_of(put(document)), wire::Rule::invalid);
}

}  // namespace
}  // namespace interlude::core
