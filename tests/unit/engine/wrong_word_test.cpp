// What nobody has proven harms nothing for good: a clock that is off, a copy of a home, one bad frame of the server, a
// member's word.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/content.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/hours.hpp"
#include "client-cli/engine/joining.hpp"
#include "client-cli/engine/log_keeper.hpp"
#include "client-cli/engine/membership.hpp"
#include "client-cli/engine/turn.hpp"
#include "tests/unit/engine/craft.hpp"

namespace interlude::tests {
namespace {

using engine::Table;
using engine::Turn;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using days = std::chrono::days;

/// One link of a home whose clock differs from the server's.
void sync_with_clock_off(World& world, Home& home, base::Millis by) {
    TestLink link(home, world.relay, world.now);
    link.run(world.now + by);
    world.now += 1s;
    link.run(world.now + by);
}

// ---- A clock that is off -------------------------------------------------------------------------------------------

TEST(WrongClock, one_run_far_ahead_loses_no_client_who_comes_next) {
    World world;
    world.therapist_joins();
    world.publishes_hours();
    sync_with_clock_off(world, world.therapist, days{200});
    world.client_joins(world.invites());
    world.send(world.client, "hello");
    world.sync_both();
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("hello"));
}

TEST(WrongClock, old_packages_go_only_by_a_time_that_both_clocks_tell) {
    World world;
    auto const real = world.now;
    world.now = real - days{200};
    world.therapist_joins();
    auto const kept = [&] {
        std::set<Bytes> keys;
        Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        for (auto const& row : turn.rows.scan<engine::KeyPackageRecord>(Table::key_packages)) keys.insert(row.key);
        return keys;
    };
    auto const old = kept();
    ASSERT_FALSE(old.empty());
    auto const still_there = [&] {
        auto const now = kept();
        return std::count_if(old.begin(), old.end(), [&](auto const& key) { return now.contains(key); });
    };
    world.now = real;
    sync_with_clock_off(world, world.therapist, days{-200});
    EXPECT_EQ(still_there(), std::ssize(old));
    world.sync(world.therapist);
    EXPECT_EQ(still_there(), 0);
}

TEST(WrongClock, one_run_far_ahead_keeps_the_keys_of_ended_epochs) {
    World world;
    world.begin();
    world.send(world.client, "first");
    world.sync_both();
    world.now += days{8};
    world.at_hour(10);
    world.relay.withheld = {2};
    world.send(world.client, "on its way for long");
    world.sync(world.client);  // and its healing follows
    world.now += 11s;
    world.sync(world.client);
    ASSERT_GE(world.relay.commits_received, 1);
    world.sync(world.therapist);
    sync_with_clock_off(world, world.therapist, days{365});
    world.relay.withheld.clear();
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("first", "on its way for long"));
}

TEST(WrongClock, early_message_is_no_accusation_while_the_clocks_differ) {
    World world;
    world.begin();
    world.at_hour(22);
    world.send(world.client, "for the morning");
    world.sync(world.client);
    world.at_hour(9);
    world.relay.deliver_early = true;  // the fake one judges by the app's clock
    sync_with_clock_off(world, world.therapist, -1h);
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("clock_differs"));
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
    world.sync_both();
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("for the morning"));
}

// ---- A copy of a home ----------------------------------------------------------------------------------------------

TEST(RestoredCopy, with_one_unanswered_message_renews_its_keys_before_it_seals_anything) {
    World world;
    world.begin();
    world.send(world.client, "zero");
    world.sync_both();
    world.send(world.client, "one");
    {
        auto const before = world.relay.sends_received;
        TestLink link(world.client, world.relay, world.now);
        for (int i = 0; i < 200 && world.relay.sends_received == before; ++i) link.step(world.now);
    }
    Home copy = world.client;  // sealed, sent, and not answered
    world.sync_both();
    for (auto const* text : {"two", "three"}) {
        world.send(world.client, text);
        world.sync_both();
    }
    copy.entropy = crypto::SeededEntropy(4711);  // dice are not in the copy
    world.client = copy;
    world.send(world.client, "after the restore");
    world.sync_both();
    world.now += 11s;
    world.sync_both();
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("restored_copy"));
    EXPECT_GE(world.relay.commits_received, 1);
    // The copy sends "one" once more as it was sealed; its key is spent.
    EXPECT_THAT(world.texts(world.therapist),
                ElementsAre("zero", "one", "two", "three", "(cannot open)", "after the restore"));
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
}

// ---- Hours that run out --------------------------------------------------------------------------------------------

TEST(Hours, therapists_app_signs_them_anew_so_that_they_never_end) {
    World world;
    world.begin();
    for (int day = 0; day < 420; day += 20) {
        world.now += days{20};
        world.at_hour(10);
        world.sync_both();
        auto const hours = world.client.engine().hours_of(world.conversation, world.now);
        ASSERT_TRUE(hours);
        EXPECT_EQ(hours->state, engine::HoursState::open) << day;
    }
    Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
    EXPECT_EQ(engine::calendar_chain(turn, turn.account().account).size(), 2u);  // one renewal, not one a day
}

// ---- The server's word ---------------------------------------------------------------------------------------------

TEST(WrongWord, hours_that_are_known_excuse_no_other_signature) {
    World world;
    world.begin();
    auto const therapist = world.therapist.engine().status().account;
    auto const show = [&](bool change_signature) {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        auto shown = engine::calendar_chain(turn, therapist).back().record.published;
        if (change_signature) shown.document.signature[0] ^= 1;
        engine::take_document(turn, test_options().load_zone, shown);
        turn.rows.commit();
    };
    show(false);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
    show(true);
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("bad_document"));
}

TEST(WrongWord, server_does_not_say_for_ever_how_long_keys_live) {
    World world;
    world.begin();
    auto const kept = [&](std::uint64_t says) {
        world.relay.hold_life_seconds = static_cast<std::uint32_t>(says);
        world.sync(world.client);
        Turn turn(world.client.vault, world.client.entropy, world.now);
        return turn.server().hold_life_seconds;
    };
    std::uint64_t const day = 24 * 3600;
    EXPECT_EQ(kept(0xffffffff), 35 * day);
    EXPECT_EQ(kept(20 * day), 20 * day);
    EXPECT_EQ(kept(1), day);
}

TEST(WrongWord, epoch_that_does_not_exist_stops_sending_for_one_link_at_most) {
    World world;
    world.begin();
    auto const id = world.conversation;
    auto const true_epoch = std::exchange(world.relay.conversations.at(id).epoch, 1'000'000);
    world.sync(world.client);
    world.relay.conversations.at(id).epoch = true_epoch;
    world.send(world.client, "hello");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("hello"));
}

TEST(WrongWord, envelope_that_is_never_due_keeps_no_keys_for_ever) {
    World world;
    world.begin();
    world.send(world.client, "first");
    world.sync_both();
    auto& envelopes = world.relay.conversations.at(world.conversation).envelopes;
    auto never = envelopes.front();
    never.envelope.seq = envelopes.size() + 1;
    never.envelope.epoch = 0;
    never.envelope.stamp = world.now + days{10'000};
    never.envelope.mls = Bytes(100, 7);
    never.envelope.hash = crypto::sha256(never.envelope.mls);
    envelopes.push_back(never);
    world.relay.deliver_early = true;
    world.sync(world.therapist);
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("early_delivery"));
    world.now += days{8};
    world.at_hour(10);
    world.relay.withheld = {envelopes.size() + 1};
    world.send(world.client, "intercepted");
    world.sync(world.client);  // and its healing follows
    world.now += 11s;
    world.sync(world.client);
    ASSERT_GE(world.relay.commits_received, 1);
    world.sync(world.therapist);
    world.now += days{80};
    world.at_hour(10);
    world.sync(world.therapist);
    world.relay.withheld.clear();
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("first", "(cannot open)"));
}

class WrongHandshake : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }
    /// The client heals its keys; the therapist did not see it yet.
    std::vector<wire::Handshake>& client_heals() {
        world.send(world.client, "first");
        world.sync_both();
        world.now += days{8};
        world.at_hour(10);
        world.sync(world.client);
        world.now += 11s;
        world.sync(world.client);
        auto& handshakes = world.relay.conversations.at(world.conversation).handshakes;
        EXPECT_FALSE(handshakes.empty());
        return handshakes;
    }
    void both_can_write() {
        world.send(world.client, "to you");
        world.send(world.therapist, "and back");
        world.sync_both();
        world.sync_both();
        EXPECT_THAT(world.texts(world.therapist), Contains("to you"));
        EXPECT_THAT(world.texts(world.client), Contains("and back"));
    }
    World world;
};

TEST_F(WrongHandshake, garbage_ends_neither_the_link_nor_the_conversation) {
    auto& handshakes = world.relay.conversations.at(world.conversation).handshakes;
    handshakes.push_back(
        {world.conversation, 1, 1, world.client.engine().status().device, world.now, Bytes(40, 3), Bytes(40, 3)});
    {
        TestLink link(world.therapist, world.relay, world.now);
        EXPECT_TRUE(link.run(world.now));
        EXPECT_TRUE(link.run(world.now + 1s));
        EXPECT_TRUE(link.driver().caught_up());  // other conversations go on
    }
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("bad_handshake"));
    handshakes.clear();
    both_can_write();
}

TEST_F(WrongHandshake, true_commit_with_a_changed_declaration_can_come_again_as_it_was) {
    auto& handshakes = client_heals();
    auto const honest = handshakes;
    handshakes.front().declaration.push_back(0);
    world.sync(world.therapist);
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("bad_handshake"));
    handshakes = honest;
    both_can_write();
}

TEST_F(WrongHandshake, what_was_written_after_a_damaged_commit_opens_when_the_honest_copy_comes) {
    auto& handshakes = client_heals();
    auto const honest = handshakes;
    handshakes.front().mls.back() ^= 1;
    world.send(world.client, "with the new keys");
    world.sync(world.client);
    {
        TestLink link(world.therapist, world.relay, world.now);
        for (auto later : {0s, 1s, 660s, 661s}) link.run(world.now + later);
    }
    handshakes = honest;
    world.now += 12min;
    world.sync(world.therapist);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), Contains("with the new keys"));
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("bad_handshake"));
}

TEST_F(WrongHandshake, true_commit_with_a_flipped_bit_can_come_again_as_it_was) {
    auto& handshakes = client_heals();
    auto const honest = handshakes;
    handshakes.front().mls.back() ^= 1;
    world.sync(world.therapist);
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("bad_handshake"));
    handshakes = honest;
    both_can_write();
}

TEST(Paused, conversation_that_takes_no_messages_keeps_none_and_says_why) {
    World world;
    world.begin();
    auto const waits = world.send(world.client, "written before");
    auto const set = [&](auto const& change) {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        auto record = *turn.conversation(world.conversation);
        record.closed = record.broken = false;
        record.verified = engine::Verification::by_invitation;
        change(record);
        turn.save(world.conversation, record);
        turn.rows.commit();
    };
    auto engine = world.client.engine();
    auto const expect_pause = [&](engine::Pause pause) {
        EXPECT_EQ(engine.conversations().front().pause, pause);
        bool const open = pause == engine::Pause::none;
        EXPECT_EQ(world.view(world.client, waits)->paused, !open);
        EXPECT_EQ(engine.send(world.conversation, "new", world.now).has_value(), open);
        EXPECT_EQ(world.texts(world.client).size(), open ? 2u : 1u);
    };
    set([](auto& record) { record.broken = true; });
    expect_pause(engine::Pause::broken);
    set([](auto& record) { record.verified = engine::Verification::changed; });
    expect_pause(engine::Pause::identity_changed);
    set([](auto& record) { record.closed = true; });
    expect_pause(engine::Pause::closed);
    set([](auto&) {});
    expect_pause(engine::Pause::none);
}

class AheadOfItsHandshake : public WrongHandshake {
  protected:
    void SetUp() override {
        WrongHandshake::SetUp();
        client_heals();
        world.send(world.client, "in the new epoch");
        world.sync(world.client);
        world.relay.withhold_handshakes = true;
        world.sync(world.therapist);
        EXPECT_THAT(world.texts(world.therapist), ElementsAre("first"));
    }
};

TEST_F(AheadOfItsHandshake, message_waits_for_it_and_is_opened_then) {
    world.sync(world.therapist);  // in the vault, whatever becomes of the link
    world.now += 1h;
    world.relay.withhold_handshakes = false;
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("first", "in the new epoch"));
    world.sync_both();
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
    for (auto const& message : world.client.engine().messages(world.conversation, world.now))
        EXPECT_EQ(message.state, MessageState::delivered);
}

TEST_F(AheadOfItsHandshake, slow_link_later_is_no_reason_to_give_it_up) {
    world.sync(world.therapist);
    world.now += 1h;
    TestLink link(world.therapist, world.relay, world.now);
    link.run(world.now);
    for (int look = 0; look < 10; ++look, world.now += 1s) link.run(world.now);  // the handshake is still on its way
    world.relay.withhold_handshakes = false;
    link.run(world.now);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("first", "in the new epoch"));
}

TEST_F(AheadOfItsHandshake, message_is_told_as_closed_when_that_never_comes) {
    TestLink link(world.therapist, world.relay, world.now);
    for (int minute = 0; minute < 5; ++minute, world.now += 1min) link.run(world.now);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("first"));
    for (int minute = 0; minute < 10; ++minute, world.now += 1min) link.run(world.now);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("first", "(cannot open)"));
}

// ---- A member's word -----------------------------------------------------------------------------------------------

class MembersWord : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }
    World world;
};

TEST_F(MembersWord, list_that_nobody_signed_accuses_nobody) {
    std::vector<engine::SignedListBytes> forged;
    {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        auto const therapist = world.relay.conversations.at(world.conversation).members.back().account;
        auto list = engine::newest_list(turn, therapist)->list();
        list.time += 1s;
        forged.push_back({identity::encode(list), Bytes(64, 7)});
        ++list.version;
        forged.push_back({identity::encode(list), Bytes(64, 7)});
    }
    craft(world, world.client, [&](engine::Content& content) { content.lists = forged; });
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("hello"));
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
}

TEST_F(MembersWord, claim_of_an_early_delivery_is_shown_and_the_log_stays_as_good_as_it_is) {
    craft(world, world.client, [](engine::Content& content) {
        content.body = engine::EarlyDelivery{1234567, content.sent_at};
    });
    world.sync_both();
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("other_says_early_delivery"));
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
}

TEST_F(MembersWord, claims_about_lists_and_heads_are_the_other_sides_words) {
    craft(world, world.client, [](engine::Content&) {});
    auto const him = world.client.engine().status().account;
    {
        Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        auto const id = world.conversation;
        auto head = engine::head_of(*engine::newest_list(turn, him));
        head.hash.bytes[0] ^= 1;
        EXPECT_FALSE(engine::take_list_head(turn, id, him, head));
        auto sight = engine::own_sight(turn, id);
        ASSERT_GT(sight.head_counter, 0u);
        sight.head.bytes[0] ^= 1;
        engine::take_peer_sight(turn, id, sight);
        turn.finish();
    }
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("other_says_two_lists", "other_says_two_heads"));
    for (auto const& alarm : world.therapist.engine().alarms()) EXPECT_EQ(alarm.conversation, world.conversation);
    EXPECT_THAT(codes(world.audit(world.therapist)), IsEmpty());
}

// ---- Commits and invitations ---------------------------------------------------------------------------------------

TEST(WrongCommit, group_context_and_psks_stay_as_the_profile_has_them) {
    for (bool const psk : {false, true}) {
        World world;
        world.begin();
        {
            Turn turn(world.client.vault, world.client.entropy, world.now);
            auto group = *engine::load_group(turn, world.conversation, 1);
            mls_framing::Declaration declaration;
            declaration.conversation = world.conversation;
            declaration.epoch_before = group.epoch();
            engine::PendingCommitRecord pending;
            pending.declaration = mls_framing::encode(declaration);
            mls::CommitArgs args;
            args.authenticated_data = bytes::copy(mls_framing::declaration_hash(pending.declaration).bytes);
            if (psk)
                args.resumption_psks = {group.epoch()};
            else
                args.group_context_extensions =
                    std::vector<mls::Extension>{{mls::extension_type::external_senders, Bytes{0}}};
            auto made = group.commit(std::move(args), turn.entropy);
            ASSERT_TRUE(made) << base::name(made.error());
            engine::save_group(turn, world.conversation, 1, group);
            pending.request = turn.entropy.id<RequestId>();
            pending.epoch = group.epoch();
            pending.mls = made->commit;
            pending.next = made->next.encode();
            turn.rows.put(Table::pending, engine::key_of(world.conversation, pending.request), pending);
            turn.rows.commit();
        }
        world.sync_both();
        EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("commit_refused"));
        Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        EXPECT_EQ(engine::load_group(turn, world.conversation, 1)->epoch(), 1u);
    }
}

TEST(WrongInvitation, second_conversation_by_one_invitation_is_loud_and_takes_no_messages) {
    World world;
    world.therapist_joins();
    world.publishes_hours();
    auto const link = world.invites();
    World elsewhere = world;  // a server that lets an invitation be redeemed twice
    elsewhere.client = Home(99);
    for (auto& [device, stock] : elsewhere.relay.key_packages) stock.pop_front();
    world.client_joins(link);
    elsewhere.client_joins(link);
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
    {
        Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        engine::take_welcome(turn, *world.relay.conversations.at(world.conversation).welcome);  // again: no second one
        engine::take_welcome(turn, *elsewhere.relay.conversations.at(elsewhere.conversation).welcome);
        turn.finish();
    }
    EXPECT_THAT(world.therapist.alarm_codes(), ElementsAre("second_attempt"));
    for (auto const& conversation : world.therapist.engine().conversations())
        EXPECT_EQ(conversation.verified,
                  conversation.id == world.conversation ? engine::Verification::joined : engine::Verification::changed);
    EXPECT_EQ(world.therapist.engine().conversations().size(), 2u);
}

TEST(WrongInvitation, two_processes_that_redeem_one_end_with_one_conversation) {
    World world;
    world.therapist_joins();
    world.publishes_hours();
    auto const link = world.invites();
    for (int frames = 1; frames < 6; ++frames) {
        World round = world;
        ASSERT_TRUE(round.client.engine().join_begin(link, "therapy", "Kim", round.now));
        TestLink slow(round.client, round.relay, round.now);
        for (int i = 0; i < frames; ++i) slow.step(round.now);
        TestLink fast(round.client, round.relay, round.now);
        fast.run(round.now);
        slow.run(round.now);
        EXPECT_FALSE(slow.open());
        EXPECT_EQ(round.client.engine().conversations().size(), 1u) << frames;
    }
}

TEST(WrongInvitation, group_that_leaves_out_a_device_of_the_therapist_is_not_founded) {
    World world;
    world.therapist_joins();
    world.publishes_hours();
    auto const link = world.invites();
    ASSERT_TRUE(world.client.engine().join_begin(link, "therapy", "Kim", world.now));
    {
        TestLink asking(world.client, world.relay, world.now);
        for (int i = 0; i < 3; ++i) asking.step(world.now);  // it knows the therapist's list
    }
    auto const hers = world.therapist.engine().status();
    wire::KeyPackages const one_device{{{hers.device, world.relay.key_packages.at(hers.device).front(), false}}};
    Turn therapist(world.therapist.vault, world.therapist.entropy, world.now);
    auto const list_key = crypto::SigningKey::from_seed(therapist.account().list_key.expose());
    Turn client(world.client.vault, world.client.entropy, world.now);
    auto const known = engine::newest_list(client, hers.account);
    ASSERT_TRUE(known);
    auto devices = known->list().devices;
    EXPECT_TRUE(engine::found_conversation(client, one_device));
    engine::forget_founding(client);
    devices.push_back(
        {client.entropy.id<DeviceId>(), crypto::SigningKey::generate(client.entropy).public_key(), world.now});
    auto const two = identity::verify_next(*known, identity::sign_next(*list_key, *known, devices, world.now));
    ASSERT_TRUE(two);
    engine::keep_list(client, *two);
    EXPECT_FALSE(engine::found_conversation(client, one_device));
}

}  // namespace
}  // namespace interlude::tests
