// put, list and revoke invitations; redeem: account, list, conversation and group in one transaction.
#include "common/identity/invitation.hpp"
#include "common/mls_framing/outer.hpp"
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class Invitations : public World {
  protected:
    static base::InvitationId id_of(crypto::SigningKey const& key) { return identity::invitation_id(key.public_key()); }
    ports::PutAnswer put(crypto::SigningKey const& key, WallTime expiry) {
        return run(store->put_invitation(therapist.device(), signed_invitation(therapist, key, expiry)));
    }
    crypto::SigningKey new_key() { return crypto::SigningKey::generate(pair.entropy); }
    std::optional<wire::InvitationInfo> listed(base::InvitationId const& id) {
        for (auto const& info : run(store->list_invitations(therapist.device())).invitations)
            if (info.invitation == id) return info;
        return std::nullopt;
    }
    wire::InvitationPhase phase(crypto::SigningKey const& key) { return listed(id_of(key)).value().phase; }
};
INTERLUDE_BOTH_STORES(Invitations);

TEST_P(Invitations, are_neither_shown_to_a_device_that_was_removed_nor_revoked_by_it) {
    meet(true);
    auto const key = invite(therapist);
    ASSERT_TRUE(done(run(store->put_device_list(therapist.device(), therapist.next_list({0}, noon), seed()))));
    EXPECT_THAT(run(store->list_invitations(therapist.device(1))).invitations, IsEmpty());
    EXPECT_EQ(rule_of(run(store->revoke_invitation(therapist.device(1), id_of(key)))), Rule::invalid);
    EXPECT_EQ(phase(key), wire::InvitationPhase::open);
}

TEST_P(Invitations, that_are_not_open_read_no_device_lists) {
    join(therapist);
    auto const key = invite(therapist, noon + 1h);
    auto const readable = [&] {
        return run(store->device_lists_after(id_of(key), therapist.account(), {0, 0})).has_value();
    };
    now = noon + 1h - 1ms;
    EXPECT_TRUE(readable());
    now = noon + 1h;
    EXPECT_FALSE(readable());
    now = noon;
    run(store->revoke_invitation(therapist.device(), id_of(key)));
    EXPECT_FALSE(readable());
}

// ---- Putting -------------------------------------------------------------------------------------------------------

TEST_P(Invitations, are_kept_as_they_were_signed) {
    join(therapist);
    auto const key = new_key();
    auto const document = signed_invitation(therapist, key, noon + 1h);
    EXPECT_TRUE(done(run(store->put_invitation(therapist.device(), document))));
    auto const row = run(store->invitation(id_of(key)));
    ASSERT_TRUE(row);
    EXPECT_EQ(row->as_signed, document);
    EXPECT_FALSE(row->revoked || row->second_attempt || row->redemption || row->answer);
    EXPECT_FALSE(run(store->invitation(id_of(new_key()))));
}

TEST_P(Invitations, may_be_put_again_but_not_changed) {
    join(therapist);
    auto const key = new_key();
    EXPECT_TRUE(done(put(key, noon + 1h)));
    EXPECT_TRUE(done(put(key, noon + 1h)));
    EXPECT_EQ(rule_of(put(key, noon + 2h)), Rule::invalid);
    EXPECT_THAT(run(store->list_invitations(therapist.device())).invitations, SizeIs(1));
    run(store->revoke_invitation(therapist.device(), id_of(key)));
    EXPECT_TRUE(done(put(key, noon + 1h)));
    EXPECT_EQ(phase(key), wire::InvitationPhase::revoked);
}

TEST_P(Invitations, of_who_may_not_invite_are_refused) {
    meet();
    auto const key = new_key();
    Person const stranger(Side::therapist, pair.entropy, noon);
    EXPECT_EQ(rule_of(run(store->put_invitation(stranger.device(), signed_invitation(stranger, key, noon + 1h)))),
              Rule::invalid);
    EXPECT_EQ(rule_of(run(store->put_invitation(client.device(), signed_invitation(client, key, noon + 1h)))),
              Rule::invalid);
    EXPECT_EQ(rule_of(run(store->put_invitation(client.device(), signed_invitation(therapist, key, noon + 1h)))),
              Rule::invalid);
    auto forged = signed_invitation(therapist, key, noon + 1h);
    forged.signature[5] ^= 1;
    EXPECT_EQ(rule_of(run(store->put_invitation(therapist.device(), forged))), Rule::invalid);
    EXPECT_FALSE(run(store->invitation(id_of(key))));
}

TEST_P(Invitations, that_ran_out_or_run_too_long_are_refused) {
    join(therapist);
    EXPECT_EQ(rule_of(put(new_key(), noon)), Rule::expired);
    EXPECT_TRUE(done(put(new_key(), noon + 1ms)));
    EXPECT_EQ(rule_of(put(new_key(), noon + policy.invitation_life_max + 1ms)), Rule::invalid);
    EXPECT_TRUE(done(put(new_key(), noon + policy.invitation_life_max)));
}

TEST_P(Invitations, that_are_open_have_a_limit) {
    join(therapist);
    std::vector<crypto::SigningKey> keys;
    for (int i = 0; i < policy.open_invitations_max; ++i) keys.push_back(invite(therapist, noon + 1h + i * 1ms));
    auto const next = new_key();
    EXPECT_EQ(rule_of(put(next, noon + 5h)), Rule::quota);
    EXPECT_TRUE(done(put(keys[0], noon + 1h)));  // it is there already
    run(store->revoke_invitation(therapist.device(), id_of(keys[3])));
    EXPECT_TRUE(done(put(next, noon + 5h)));
    auto const another = new_key();
    EXPECT_EQ(rule_of(put(another, noon + 5h)), Rule::quota);
    now = noon + 1h;  // the first runs out
    EXPECT_TRUE(done(put(another, noon + 5h)));
}

TEST_P(Invitations, of_the_operator_have_an_entry_and_no_signature) {
    auto const key = new_key();
    run(store->put_operator_invitation(identity::operators_invitation(key.public_key(), noon + 1h), seed()));
    EXPECT_EQ(entries(), 1u);
    auto const row = run(store->invitation(id_of(key)));
    ASSERT_TRUE(row);
    EXPECT_THAT(row->as_signed.signature, IsEmpty());
    EXPECT_EQ(row->document.kind, identity::InvitationKind::therapist);
}

TEST_P(Invitations, are_listed_to_their_inviter_alone_with_what_became_of_them) {
    meet();
    auto const open_one = invite(therapist, noon + 2h), short_one = invite(therapist, noon + 1h),
               taken_back = invite(therapist, noon + 2h);
    run(store->revoke_invitation(therapist.device(), id_of(taken_back)));
    now = noon + 1h - 1ms;
    EXPECT_EQ(phase(short_one), wire::InvitationPhase::open);
    now = noon + 1h;
    EXPECT_EQ(phase(short_one), wire::InvitationPhase::expired);
    EXPECT_EQ(phase(open_one), wire::InvitationPhase::open);
    EXPECT_EQ(phase(taken_back), wire::InvitationPhase::revoked);
    auto const all = run(store->list_invitations(therapist.device())).invitations;
    EXPECT_THAT(all, SizeIs(4));  // and the client's
    EXPECT_EQ(std::count_if(all.begin(), all.end(),
                            [](auto const& one) { return one.phase == wire::InvitationPhase::redeemed; }),
              1);
    EXPECT_THAT(run(store->list_invitations(client.device())).invitations, IsEmpty());
}

TEST_P(Invitations, are_revoked_by_their_inviter_until_they_are_spent) {
    meet();
    auto const key = invite(therapist);
    EXPECT_EQ(rule_of(run(store->revoke_invitation(client.device(), id_of(key)))), Rule::invalid);
    EXPECT_EQ(rule_of(run(store->revoke_invitation(therapist.device(), id_of(new_key())))), Rule::invalid);
    EXPECT_TRUE(done(run(store->revoke_invitation(therapist.device(), id_of(key)))));
    EXPECT_TRUE(done(run(store->revoke_invitation(therapist.device(), id_of(key)))));
    for (auto const& info : run(store->list_invitations(therapist.device())).invitations) {
        if (info.phase != wire::InvitationPhase::redeemed) continue;
        EXPECT_EQ(rule_of(run(store->revoke_invitation(therapist.device(), info.invitation))), Rule::spent);
    }
}

// ---- Redeeming -----------------------------------------------------------------------------------------------------

class Redeem : public Invitations {
  protected:
    Redeem() {
        join(therapist);
        stock(therapist, 5);
        announced();
    }
    ports::RedeemAnswer redeem(core::RedeemRequest const& request) { return run(store->redeem(request)); }
    /// Nothing of the client or the conversation is there.
    void expect_nothing_happened(std::uint64_t entries_before) {
        EXPECT_EQ(entries(), entries_before);
        EXPECT_FALSE(run(store->login_facts(client.device())));
        EXPECT_EQ(run(store->counts()).conversations, 0u);
        EXPECT_THAT(announced(), IsEmpty());
    }
};
INTERLUDE_BOTH_STORES(Redeem);

TEST_P(Redeem, of_the_operators_invitation_makes_a_therapists_account) {
    Person another(Side::therapist, pair.entropy, noon);
    auto const before = entries();
    auto const answer = join(another);
    EXPECT_EQ(std::get<wire::Redeemed>(answer), (wire::Redeemed{another.account(), std::nullopt}));
    EXPECT_EQ(entries(), before + 2);  // the operator's action, her list
    auto const facts = run(store->login_facts(another.device()));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->side, Side::therapist);
    EXPECT_THAT(announced().back().accounts, ElementsAre(another.account()));
}

TEST_P(Redeem, founds_account_list_and_conversation_in_one) {
    auto const key = invite(therapist);
    auto const before = entries();
    auto const answer = redeem(founding(key, client, pair.conversation, fetched(key, therapist)));
    EXPECT_EQ(std::get<wire::Redeemed>(answer), (wire::Redeemed{client.account(), pair.conversation}));
    EXPECT_EQ(entries(), before + 2);  // his list, the founding
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_EQ(changes[0].conversation, pair.conversation);
    EXPECT_THAT(changes[0].accounts, testing::UnorderedElementsAre(client.account(), therapist.account()));
    for (auto const& device : {client.device(), therapist.device()}) {
        auto const conversations = run(store->snapshot(device)).conversations;
        ASSERT_THAT(conversations, SizeIs(1));
        EXPECT_EQ(conversations[0].epoch, 1u);
    }
    EXPECT_EQ(run(store->login_facts(client.device()))->side, Side::client);
    EXPECT_EQ(phase(key), wire::InvitationPhase::redeemed);
    EXPECT_EQ(accepted(run(store->accept(message(client, 1, noon)))).seq, 1u);  // he may write at once
}

TEST_P(Redeem, hands_the_inviter_her_welcome_with_invitation_and_redemption) {
    auto const key = invite(therapist);
    auto const request = founding(key, client, pair.conversation, fetched(key, therapist));
    redeem(request);
    auto const welcomes = items<wire::Welcome>(offer(therapist.device()));
    ASSERT_THAT(welcomes, SizeIs(1));
    EXPECT_EQ(welcomes[0].epoch, 1u);
    EXPECT_EQ(welcomes[0].sender_device, client.device().device);
    EXPECT_EQ(welcomes[0].redemption, request.redemption);
    EXPECT_EQ(welcomes[0].redemption_signature, request.signature);
    EXPECT_EQ(welcomes[0].invitation, run(store->invitation(id_of(key)))->as_signed);
}

TEST_P(Redeem, again_with_the_same_bytes_is_answered_the_same) {
    auto const key = invite(therapist);
    auto const request = founding(key, client, pair.conversation, fetched(key, therapist));
    auto const first = redeem(request);
    auto const before = entries();
    announced();
    open();
    now = noon + std::chrono::days{60};  // whenever it comes
    EXPECT_EQ(std::get<wire::Redeemed>(redeem(request)), std::get<wire::Redeemed>(first));
    EXPECT_EQ(entries(), before);
    EXPECT_THAT(announced(), IsEmpty());
    EXPECT_FALSE(listed(id_of(key))->second_attempt);
}

TEST_P(Redeem, by_somebody_else_afterwards_is_spent_and_told_to_the_inviter) {
    auto const key = invite(therapist);
    auto const packages = fetched(key, therapist);
    redeem(founding(key, client, pair.conversation, packages));
    auto const before = entries();
    announced();
    Person const thief(Side::client, pair.entropy, noon);
    auto const attempt = founding(key, thief, pair.entropy.id<ConversationId>(), packages);
    EXPECT_EQ(rule_of(redeem(attempt)), Rule::spent);
    EXPECT_TRUE(listed(id_of(key))->second_attempt);
    EXPECT_EQ(entries(), before);
    EXPECT_FALSE(run(store->login_facts(thief.device())));
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(changes[0].accounts, ElementsAre(therapist.account()));
}

TEST_P(Redeem, of_two_at_once_one_comes_in) {
    auto const key = invite(therapist);
    auto const packages = fetched(key, therapist);
    Person const another(Side::client, pair.entropy, noon);
    int in = 0, out = 0;
    auto const note = [&](std::exception_ptr error, ports::RedeemAnswer answer) {
        EXPECT_FALSE(error);
        in += std::holds_alternative<wire::Redeemed>(answer);
        out += rule_of(answer) == Rule::spent;
    };
    auto const other = pair.entropy.id<ConversationId>();
    boost::asio::co_spawn(io, store->redeem(founding(key, client, pair.conversation, packages)), note);
    boost::asio::co_spawn(io, store->redeem(founding(key, another, other, packages)), note);
    io.restart();
    io.run();
    EXPECT_EQ(in, 1);
    EXPECT_EQ(out, 1);
    EXPECT_EQ(run(store->counts()).conversations, 1u);
}

TEST_P(Redeem, ends_at_the_millisecond_of_the_expiry) {
    auto const late = invite(therapist, noon + 1h), in_time = invite(therapist, noon + 1h);
    auto const too_late = founding(late, client, pair.conversation, fetched(late, therapist));
    auto const request = founding(in_time, client, pair.conversation, fetched(in_time, therapist));
    auto const before = entries();
    announced();
    now = noon + 1h;
    EXPECT_EQ(rule_of(redeem(too_late)), Rule::expired);
    expect_nothing_happened(before);
    now = noon + 1h - 1ms;
    EXPECT_TRUE(std::holds_alternative<wire::Redeemed>(redeem(request)));
}

TEST_P(Redeem, of_a_revoked_or_unknown_invitation_is_refused) {
    auto const key = invite(therapist);
    auto const packages = fetched(key, therapist);
    auto const request = founding(key, client, pair.conversation, packages);
    run(store->revoke_invitation(therapist.device(), id_of(key)));
    auto const before = entries();
    announced();
    EXPECT_EQ(rule_of(redeem(request)), Rule::expired);
    EXPECT_EQ(rule_of(redeem(founding(new_key(), client, pair.conversation, packages))), Rule::invalid);
    expect_nothing_happened(before);
}

TEST_P(Redeem, that_does_not_hold_is_refused_and_spends_nothing) {
    auto const key = invite(therapist);
    auto const request = founding(key, client, pair.conversation, fetched(key, therapist));
    auto const before = entries();
    announced();
    auto forged = request;
    forged.signature[3] ^= 1;
    EXPECT_EQ(rule_of(redeem(forged)), Rule::invalid);
    auto elsewhere = request;
    elsewhere.server_name = "another.example";
    EXPECT_EQ(rule_of(redeem(elsewhere)), Rule::invalid);
    auto changed = request;
    changed.redemption[40] ^= 1;
    EXPECT_EQ(rule_of(redeem(changed)), Rule::invalid);
    wire::KeyPackages others;
    others.packages.push_back({therapist.device().device, therapist.key_package(pair.entropy, noon), false});
    EXPECT_EQ(rule_of(redeem(founding(key, client, pair.conversation, others))), Rule::invalid);
    expect_nothing_happened(before);
    EXPECT_TRUE(std::holds_alternative<wire::Redeemed>(redeem(request)));
}

TEST_P(Redeem, where_the_inviters_list_changed_spends_nothing_and_works_once_founded_anew) {
    auto const key = invite(therapist);
    auto const stale = founding(key, client, pair.conversation, fetched(key, therapist));
    ASSERT_TRUE(done(run(store->put_device_list(therapist.device(), therapist.next_list({0, 1}, noon), seed()))));
    stock(therapist, 2, 1);
    auto const before = entries();
    announced();
    EXPECT_TRUE(std::holds_alternative<wire::ListChanged>(redeem(stale)));
    expect_nothing_happened(before);
    auto const packages = fetched(key, therapist);
    ASSERT_THAT(packages.packages, SizeIs(2));
    EXPECT_TRUE(std::holds_alternative<wire::Redeemed>(redeem(founding(key, client, pair.conversation, packages))));
    EXPECT_THAT(items<wire::Welcome>(offer(therapist.device(1))), SizeIs(1));
}

TEST_P(Redeem, with_an_account_or_conversation_that_there_is_is_refused) {
    auto const first = invite(therapist), second = invite(therapist);
    redeem(founding(first, client, pair.conversation, fetched(first, therapist)));
    auto const packages = fetched(second, therapist);
    auto const before = entries();
    EXPECT_EQ(rule_of(redeem(founding(second, client, pair.entropy.id<ConversationId>(), packages))), Rule::invalid);
    Person const another(Side::client, pair.entropy, noon);
    EXPECT_EQ(rule_of(redeem(founding(second, another, pair.conversation, packages))), Rule::invalid);
    EXPECT_EQ(entries(), before);
    EXPECT_FALSE(run(store->login_facts(another.device())));
}

}  // namespace
}  // namespace interlude::test
