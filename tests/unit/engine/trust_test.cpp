// Servers and strangers that are not what they say: what the engine refuses, keeps closed, or alarms about.
#include <gmock/gmock.h>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/log_keeper.hpp"
#include "client-cli/engine/turn.hpp"
#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/invitation_link.hpp"
#include "tests/unit/engine/craft.hpp"

namespace interlude::tests {
namespace {

using base::Errc;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class Trust : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }
    World world;
};

TEST_F(Trust, message_that_comes_early_stays_closed_until_it_is_due_and_both_sides_know) {
    world.at_hour(22);
    world.relay.deliver_early = true;
    world.send(world.client, "for the morning");
    world.sync(world.client);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    EXPECT_FALSE(world.therapist.has<engine::MessageArrived>());
    EXPECT_THAT(world.therapist.alarm_codes(), Contains("early_delivery"));
    world.at_hour(9);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("for the morning"));
    world.sync(world.client);
    EXPECT_THAT(world.client.alarm_codes(), Contains("other_says_early_delivery"));
}

TEST_F(Trust, two_minutes_of_clock_difference_are_not_early) {
    world.at_hour(22);
    world.send(world.client, "for the morning");
    world.sync(world.client);
    world.at_hour(9);
    auto const sharp = world.now;
    World slow = world;
    slow.relay.deliver_early = true;
    slow.now = sharp - 2min;
    slow.sync(slow.therapist);
    EXPECT_THAT(slow.therapist.alarm_codes(), IsEmpty());
    World slower = world;
    slower.relay.deliver_early = true;
    slower.now = sharp - 2min - 2s;
    slower.sync(slower.therapist);
    EXPECT_THAT(slower.therapist.alarm_codes(), Contains("early_delivery"));
}

TEST_F(Trust, early_message_keeps_the_keys_of_its_epoch) {
    world.at_hour(22);
    world.relay.deliver_early = true;
    world.send(world.client, "for the morning");
    world.sync(world.client);
    world.sync(world.therapist);  // acked: the server believes that the epoch is done
    world.now += std::chrono::days{8};
    world.at_hour(8);
    World copy = world;  // meanwhile the client's keys move on, and the server says that the old epoch ended
    copy.sync(copy.client);
    copy.now += 25h;
    copy.sync(copy.client);
    ASSERT_GE(copy.relay.commits_received, 1);
    copy.at_hour(10);
    copy.sync(copy.therapist);
    EXPECT_THAT(copy.texts(copy.therapist), Contains("for the morning"));
}

TEST_F(Trust, server_with_another_name_gets_no_login) {
    world.relay.other_name = "elsewhere.test";
    world.client.events.clear();
    world.sync(world.client);
    EXPECT_FALSE(world.client.has<engine::LinkReady>());
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("wrong_server"));
}

TEST_F(Trust, log_with_another_key_than_the_invitations_is_alarmed) {
    FakeRelay other(99);
    auto const invitation = other.operator_invites(world.now);
    Home home(7);
    ASSERT_TRUE(home.engine().join_begin(invitation, "", "", world.now));
    {
        engine::Turn turn(home.vault, home.entropy, world.now);
        auto server = turn.server();
        server.log_key_hash.bytes[0] ^= 1;
        turn.save(server);
        turn.rows.commit();
    }
    for (int round = 0; round < 2; ++round) {
        TestLink link(home, other, world.now);
        link.run(world.now);
    }
    EXPECT_THAT(home.alarm_codes(), ElementsAre("wrong_log_key"));
}

TEST_F(Trust, bytes_that_are_no_frame_end_the_link) {
    auto engine = world.client.engine();
    LinkDriver driver(engine, "relay.test");
    auto const actions = driver.on_message(bytes::view("\xff\xff\xff nonsense"), world.now);
    EXPECT_TRUE(actions.close);
    EXPECT_EQ(driver.state(), LinkDriver::State::ended);
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("server_broke_protocol"));
}

TEST_F(Trust, envelope_whose_bytes_were_changed_is_not_taken) {
    world.send(world.client, "whole");
    world.sync(world.client);
    auto& envelope = world.relay.conversations.at(world.conversation).envelopes.front().envelope;
    envelope.mls.back() ^= 1;
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    EXPECT_THAT(world.therapist.alarm_codes(), Contains("envelope_hash"));
    envelope.mls.back() ^= 1;
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("whole"));
}

TEST_F(Trust, author_is_who_sealed_the_message_whatever_the_server_says) {
    world.send(world.client, "mine");
    world.sync(world.client);
    auto& envelope = world.relay.conversations.at(world.conversation).envelopes.front().envelope;
    auto const author = envelope.sender_account;
    envelope.sender_account = world.therapist.engine().status().account;  // hers, it says
    world.sync(world.therapist);
    auto const shown = world.therapist.engine().messages(world.conversation, world.now);
    ASSERT_EQ(shown.size(), 1u);
    EXPECT_EQ(shown[0].from, author);
    EXPECT_THAT(world.therapist.alarm_codes(), Contains("wrong_sender"));
}

TEST_F(Trust, nothing_is_sealed_for_a_device_that_its_list_dropped) {
    auto const id = world.send(world.client, "not for the lost phone");
    identity::SignedDeviceList next;
    {
        engine::Turn hers(world.therapist.vault, world.therapist.entropy, world.now);
        auto const list_key = *crypto::SigningKey::from_seed(hers.account().list_key.expose());
        auto const other = crypto::SigningKey::generate(hers.entropy);
        next = identity::sign_next(list_key, engine::own_list(hers),
                                   {{hers.entropy.id<base::DeviceId>(), other.public_key(), world.now}}, world.now);
    }
    bool sealed = true;
    auto const seal = [&](engine::Turn& turn, engine::OutgoingRecord& record) { sealed = engine::seal(turn, record); };
    change_outgoing(world, world.client, id, [&](engine::Turn& turn, engine::OutgoingRecord& record) {
        engine::take_list(turn, next);
        seal(turn, record);
    });
    EXPECT_FALSE(sealed);  // her new list is known, and the group still has what it dropped
}

TEST_F(Trust, ciphertext_that_no_key_opens_is_kept_acked_and_said) {
    world.send(world.client, "whole");
    world.sync(world.client);
    auto& envelope = world.relay.conversations.at(world.conversation).envelopes.front().envelope;
    envelope.mls.back() ^= 1;
    envelope.hash = crypto::sha256(envelope.mls);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("(cannot open)"));
    world.therapist.events.clear();
    world.sync(world.therapist);
    EXPECT_FALSE(world.therapist.has<engine::MessageArrived>());  // acked: it does not come again
}

TEST_F(Trust, author_is_told_what_could_not_be_opened_once_the_window_is_open) {
    world.at_hour(22);
    auto const id = world.send(world.client, "whole");
    world.sync(world.client);
    auto& envelope = world.relay.conversations.at(world.conversation).envelopes.front().envelope;
    envelope.mls.back() ^= 1;
    envelope.hash = crypto::sha256(envelope.mls);
    EXPECT_FALSE(world.view(world.client, id)->unopened);
    world.at_hour(9);
    world.sync_both();
    world.sync_both();
    EXPECT_TRUE(world.view(world.client, id)->unopened);
    EXPECT_EQ(world.view(world.client, id)->text, "whole");  // kept, to be written again
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::stored);
    auto const again = world.send(world.client, "whole");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("(cannot open)", "whole"));
    world.sync_both();
    EXPECT_EQ(world.view(world.client, again)->state, MessageState::delivered);
    EXPECT_FALSE(world.view(world.client, again)->unopened);
}

TEST_F(Trust, two_apps_that_open_nothing_of_each_other_do_not_answer_for_ever) {
    world.send(world.client, "whole");
    auto& all = world.relay.conversations.at(world.conversation).envelopes;
    for (int round = 0; round < 8; ++round) {
        for (auto* home : {&world.client, &world.therapist}) {
            world.sync(*home);
            for (auto& stored : all) {
                stored.envelope.mls.back() = 0;
                stored.envelope.hash = crypto::sha256(stored.envelope.mls);
            }
        }
    }
    EXPECT_EQ(all.size(), 3u);  // the message, and one report of each side
}

TEST_F(Trust, newest_own_list_goes_along_in_a_message_though_the_server_hides_it) {
    auto const newest_known_to_client = [&] {
        std::uint64_t version = 0;
        for (auto const& device : world.client.engine().devices(world.now))
            if (device.account == world.therapist.engine().status().account) version = device.list_version;
        return version;
    };
    ASSERT_EQ(newest_known_to_client(), 1u);
    {
        engine::Turn turn(world.therapist.vault, world.therapist.entropy,
                          world.now + base::limits::device_list_renewal);
        engine::renew_list_if_due(turn);
        for (auto const& [key, record] : turn.rows.scan<engine::OutgoingRecord>(engine::Table::outgoing))
            if (record.kind == engine::OutgoingKind::document) turn.rows.erase(engine::Table::outgoing, key);  // hidden
        turn.rows.commit();
    }
    world.send(world.therapist, "good morning");
    world.sync(world.therapist);
    world.sync(world.client);
    EXPECT_THAT(world.texts(world.client), ElementsAre("good morning"));
    EXPECT_EQ(newest_known_to_client(), 2u);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
}

TEST_F(Trust, log_that_goes_on_under_another_origin_is_not_followed_and_said_once) {
    world.send(world.client, "before");
    world.sync_both();
    auto const believed = [&] { return engine::Turn(world.client.vault, world.client.entropy, world.now).server(); };
    auto const before = believed();
    ASSERT_FALSE(before.checkpoint.empty());
    {
        engine::Turn turn(world.client.vault, world.client.entropy, world.now);
        wire::Ready ready;
        auto const key = *audit::parse_log_key(before.log_vkey);
        ready.log_vkey = audit::LogKey{key.origin + "/1", key.key}.vkey();  // the invitation's key, restored once
        ready.restore_count = 1;
        for (int logins = 0; logins < 2; ++logins) {
            auto known = engine::log_known(turn);
            engine::take_log_state(turn, ready, known);
        }
        turn.rows.commit();
    }
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("log_replaced"));
    EXPECT_EQ(believed().log_vkey, before.log_vkey);  // what was proven stays proven
    EXPECT_EQ(believed().checkpoint, before.checkpoint);
    EXPECT_EQ(believed().restore_count, 1u);
    world.send(world.client, "after");  // an alarm stops trust in proofs, never the messages
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("before", "after"));
}

TEST_F(Trust, commit_that_does_something_else_than_declared_is_refused) {
    auto const therapist = world.therapist.engine().status();
    {  // the client's app itself signs for a removal that it does not do
        engine::Turn turn(world.client.vault, world.client.entropy, world.now);
        auto group = *engine::load_group(turn, world.conversation, 1);
        mls_framing::Declaration declaration;
        declaration.conversation = world.conversation;
        declaration.epoch_before = group.epoch();
        declaration.removed.push_back({therapist.account, therapist.device});
        auto const encoded = mls_framing::encode(declaration);
        mls::CommitArgs args;
        args.authenticated_data = bytes::copy(mls_framing::declaration_hash(encoded).bytes);
        auto made = group.commit(std::move(args), turn.entropy);
        ASSERT_TRUE(made);
        world.relay.conversations.at(world.conversation)
            .handshakes.push_back(
                {world.conversation, 1, group.epoch(), turn.account().device, world.now, made->commit, encoded});
    }
    world.sync(world.therapist);
    EXPECT_THAT(world.therapist.alarm_codes(), Contains("commit_refused"));
    auto const refused = world.therapist.engine().send(world.conversation, "into the void?", world.now);
    EXPECT_EQ(refused.error(), base::Errc::not_allowed);
    auto const before = world.relay.sends_received;
    world.sync(world.therapist);
    EXPECT_EQ(world.relay.sends_received, before);
}

TEST_F(Trust, invitation_tried_by_somebody_else_afterwards_tells_the_therapist) {
    auto const link = world.therapist.engine().invitations().front().link;
    Home thief(8);
    ASSERT_TRUE(thief.engine().join_begin(link, "", "", world.now));
    world.sync(thief);
    ASSERT_TRUE(thief.has<engine::JoinFailed>());
    EXPECT_FALSE(thief.engine().has_account());  // free for an invitation of its own
    world.sync(world.therapist);
    EXPECT_THAT(world.therapist.alarm_codes(), Contains("second_attempt"));
}

TEST_F(Trust, two_readers_who_are_told_two_stories_find_out_with_one_message) {
    // Everybody has seen one log; then the server shows the therapist another than the client.
    World other = world;
    other.relay.fork_log();
    world.at_hour(22);
    other.now = world.now;
    world.send(world.client, "a night's entry");
    world.sync(world.client);  // sees the true log grow
    other.at_hour(9);
    other.sync(other.therapist);  // sees the forked one
    other.at_hour(9);
    world.now = other.now;
    world.at_hour(10);
    world.send(world.client, "good morning");
    world.sync(world.client);
    // The true messages reach the therapist who believes the fork.
    world.therapist = other.therapist;
    auto true_relay = world.relay;
    world.relay.fork_log();
    world.sync(world.therapist);
    auto const alarms = world.therapist.alarm_codes();
    EXPECT_THAT(alarms, testing::AnyOf(Contains("inconsistent_checkpoint"), Contains("other_says_two_heads")));
}

TEST_F(Trust, head_that_the_other_side_was_shown_is_asked_for_and_missed_after_a_day) {
    world.send(world.client, "hello");
    world.sync(world.client);
    {
        World night = world;
        night.at_hour(22);
        night.send(night.client, "held");
        night.sync(night.client);
        night.at_hour(9);
        night.send(night.client, "says that it saw a head");
        night.sync(night.client);
        night.relay.hide_from = night.therapist.engine().status().account;
        night.sync(night.therapist);
        EXPECT_THAT(night.therapist.alarm_codes(), IsEmpty());
        night.now += 25h;
        night.sync(night.therapist);  // asks again; a day is over
        night.now += 2min;
        night.sync(night.therapist);
        EXPECT_THAT(night.therapist.alarm_codes(), Contains("other_says_missing_head"));
    }
}

TEST(Joining, link_that_expired_or_is_no_link_is_refused) {
    World world;
    Home home(9);
    auto const link = world.relay.operator_invites(world.now);
    EXPECT_EQ(home.engine().join_begin("https://relay.test/nonsense", "", "", world.now).error(), Errc::malformed);
    EXPECT_EQ(home.engine().join_begin(link, "", "", world.now + std::chrono::days{7}).error(), Errc::expired);
    EXPECT_FALSE(home.engine().has_account());
    auto const plan = home.engine().join_begin(link, "", "", world.now);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->server, (engine::Server{"relay.test", 443}));
    EXPECT_EQ(plan->side, Side::therapist);
    EXPECT_EQ(home.engine().join_begin(link, "", "", world.now)->account, plan->account);
    auto const another = world.relay.operator_invites(world.now);  // nothing was redeemed yet: it may be replaced
    ASSERT_TRUE(home.engine().join_begin(another, "", "", world.now));
    EXPECT_NE(home.engine().status().account, plan->account);
    world.sync(home);
    EXPECT_EQ(home.engine().join_begin(link, "", "", world.now).error(), Errc::conflict);
}

TEST(Joining, therapists_list_that_changed_meanwhile_is_founded_anew) {
    World world;
    world.therapist_joins();
    world.publishes_hours();
    auto const link = world.invites();
    world.relay.changed_list_once = true;
    world.client_joins(link);
    world.send(world.client, "hello");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("hello"));
}

TEST(Joining, therapist_without_key_packages_cannot_be_reached_and_the_link_stays_good) {
    World world;
    world.therapist_joins();
    auto const link = world.invites();
    auto const stock = std::exchange(world.relay.key_packages, {});
    ASSERT_TRUE(world.client.engine().join_begin(link, "", "", world.now));
    world.sync(world.client);
    ASSERT_THAT(world.client.all<engine::JoinFailed>(), ElementsAre(engine::JoinFailed{wire::Rule::unreachable}));
    world.relay.key_packages = stock;
    world.sync(world.client);
    EXPECT_TRUE(world.client.has<engine::Joined>());
}

TEST(Joining, key_packages_of_somebody_else_are_not_founded_with) {
    World world;
    world.therapist_joins();
    auto const link = world.invites();
    Home other(11);
    ASSERT_TRUE(other.engine().join_begin(world.relay.operator_invites(world.now), "", "", world.now));
    world.sync(other);
    world.sync(other);
    auto const hers = world.therapist.engine().status().device;
    world.relay.key_packages[hers] = world.relay.key_packages[other.engine().status().device];
    ASSERT_TRUE(world.client.engine().join_begin(link, "", "", world.now));
    world.sync(world.client);
    EXPECT_FALSE(world.client.has<engine::Joined>());
    EXPECT_THAT(world.client.alarm_codes(), Contains("bad_key_packages"));
    EXPECT_TRUE(world.relay.conversations.empty());
}

TEST(Joining, only_therapists_invite_and_publish_hours) {
    World world;
    world.begin();
    EXPECT_EQ(world.client.engine().invite("x", world.now).error(), Errc::not_allowed);
    EXPECT_EQ(world.client.engine().hours_set({}, "UTC", world.now).error(), Errc::not_allowed);
    EXPECT_EQ(world.client.engine().set_crisis_card("x", world.now).error(), Errc::not_allowed);
}

TEST(Joining, message_before_any_hours_are_published_is_held_without_a_time) {
    World world;
    world.therapist_joins();
    world.client_joins(world.invites());
    auto const id = world.send(world.client, "when?");
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::held);
    EXPECT_FALSE(world.view(world.client, id)->held_until);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    world.publishes_hours();
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("when?"));
}

}  // namespace
}  // namespace interlude::tests
