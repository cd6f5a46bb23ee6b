// Links that are cut after every frame, machines that fail at every commit, two processes on one home: what was written
// is sent once and shown once.
#include <gmock/gmock.h>

#include "client-cli/engine/outbox.hpp"
#include "tests/unit/engine/world.hpp"

namespace interlude::tests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// One link of `home`, cut after so many frames in either direction. True: it held to the end.
bool sync_until_cut(World& world, Home& home, int frames, bool and_a_second_later = false) {
    TestLink link(home, world.relay, world.now);
    link.cut_after(frames);
    link.run(world.now);
    if (and_a_second_later) {
        world.now += 1s;
        link.run(world.now);
    }
    return link.open();
}

class Interruption : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }

    static void expect_all_there(World& world, int cut) {
        world.sync_both();
        world.at_hour(9);
        world.now += 1h;
        world.sync_both();
        world.sync_both();
        EXPECT_THAT(world.texts(world.therapist), ElementsAre("one", "two", "three")) << "cut after " << cut;
        EXPECT_THAT(world.texts(world.client), ElementsAre("one", "two", "three")) << "cut after " << cut;
        for (auto const& message : world.client.engine().messages(world.conversation, world.now)) {
            EXPECT_EQ(message.state, MessageState::delivered) << "cut after " << cut;
            EXPECT_FALSE(message.proof_missing) << "cut after " << cut;
        }
        EXPECT_THAT(world.client.alarm_codes(), IsEmpty()) << "cut after " << cut;
        EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty()) << "cut after " << cut;
    }
    World world;
};

TEST_F(Interruption, senders_link_cut_after_any_frame_sends_everything_once) {
    for (int hour : {10, 22}) {
        for (int cut = 0;; ++cut) {
            World copy = world;
            if (hour == 22) copy.at_hour(22);
            for (auto text : {"one", "two", "three"}) copy.send(copy.client, text);
            bool const whole = sync_until_cut(copy, copy.client, cut);
            expect_all_there(copy, cut);
            EXPECT_EQ(copy.relay.conversations.at(copy.conversation).envelopes.size(), 3u + 1u);  // and one `opened`
            if (HasFailure()) return;
            if (whole) {
                EXPECT_GT(cut, 10);
                break;
            }
        }
    }
}

TEST_F(Interruption, answer_that_comes_after_the_readers_report_still_ends_as_delivered) {
    world.relay.offer_at_once = true;
    for (int cut = 0;; ++cut) {
        World copy = world;
        for (auto text : {"one", "two", "three"}) copy.send(copy.client, text);
        bool const whole = sync_until_cut(copy, copy.client, cut);
        copy.sync(copy.therapist);  // reads, and says so, before the author has the answers
        copy.sync(copy.therapist);
        expect_all_there(copy, cut);
        if (HasFailure()) return;
        if (whole) break;
    }
}

TEST_F(Interruption, readers_link_cut_after_any_frame_shows_everything_once) {
    for (auto text : {"one", "two", "three"}) world.send(world.client, text);
    world.sync(world.client);
    world.relay.offer_twice = true;
    for (int cut = 0;; ++cut) {
        World copy = world;
        bool const whole = sync_until_cut(copy, copy.therapist, cut, true);
        expect_all_there(copy, cut);
        if (HasFailure()) return;
        if (whole) break;
    }
}

TEST_F(Interruption, power_failing_at_any_commit_loses_and_repeats_nothing) {
    for (auto who : {&World::client, &World::therapist}) {
        for (int commits = 0;; ++commits) {
            World copy = world;
            copy.send(copy.client, "one");
            copy.sync(copy.client);
            copy.send(copy.client, "two");
            copy.send(copy.client, "three");
            auto& home = copy.*who;
            bool const failed = fails_at_commit(home, commits, [&] { copy.sync_both(); });
            expect_all_there(copy, commits);
            if (HasFailure()) return;
            if (!failed) {
                EXPECT_GT(commits, 5);
                break;
            }
        }
    }
}

TEST_F(Interruption, healing_cut_after_any_frame_leaves_one_group) {
    world.now += std::chrono::days{8};
    world.at_hour(9);
    for (int cut = 0;; ++cut) {
        World copy = world;
        bool const whole = sync_until_cut(copy, copy.client, cut, true);
        for (auto text : {"one", "two", "three"}) copy.send(copy.client, text);
        EXPECT_TRUE(copy.relay.commits_received > 0 || cut < 20) << cut;
        expect_all_there(copy, cut);
        if (HasFailure()) return;
        if (whole) break;
    }
}

// ---- Refused commits -----------------------------------------------------------------------------------------------

/// The client's keys are due for healing, in the middle of an open window.
class RefusedCommit : public Interruption {
  protected:
    void SetUp() override {
        Interruption::SetUp();
        world.now += std::chrono::days{8};
        world.at_hour(10);
    }
    void refuse_next(wire::Rule rule, std::uint32_t retry_after_seconds) {
        world.relay.instead_of_commits.push_back(wire::Refused{rule, {}, {}, retry_after_seconds, {}});
    }
    /// One process of the client, long enough for healing.
    void client_looks() {
        TestLink link(world.client, world.relay, world.now);
        link.run(world.now);
        for (int look = 0; look < 2; ++look) {
            world.now += 6s;
            link.run(world.now);
        }
    }
    void expect_whole() {
        for (auto text : {"one", "two", "three"}) world.send(world.client, text);
        expect_all_there(world, 0);
        EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
        EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
    }
};

TEST_F(RefusedCommit, accepted_from_another_process_of_the_home_is_followed) {
    for (auto const rule : {wire::Rule::too_fast, wire::Rule::invalid}) {
        World const before = world;
        TestLink first(world.client, world.relay, world.now);
        TestLink second(world.client, world.relay, world.now);
        first.run(world.now);
        second.run(world.now);
        world.now += 11s;
        refuse_next(rule, 86400);
        // Both send it before either has its answer.
        while (world.relay.commits_received == 0) ASSERT_TRUE(first.step(world.now));
        while (world.relay.commits_received == 1) ASSERT_TRUE(second.step(world.now));
        ASSERT_EQ(world.relay.different_commits.size(), 1u);
        first.run(world.now);
        second.run(world.now);
        ASSERT_EQ(world.relay.conversations.at(world.conversation).epoch, 2u);
        expect_whole();
        if (HasFailure()) return;
        world = before;
    }
}

TEST_F(RefusedCommit, goes_again_as_it_was_and_not_before_its_time) {
    for (int day = 0; day < 3; ++day) refuse_next(wire::Rule::too_fast, 86400);
    for (int look = 1; look <= 5; ++look) client_looks();
    EXPECT_EQ(world.relay.commits_received, 1);
    world.now += std::chrono::days{1} + 1s;
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 2);
    world.now += std::chrono::days{1} + 1s;
    client_looks();
    world.now += std::chrono::days{1} + 1s;
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 4);
    EXPECT_EQ(world.relay.different_commits.size(), 1u);
    EXPECT_EQ(world.relay.conversations.at(world.conversation).epoch, 2u);
    world.at_hour(10);
    expect_whole();
}

TEST_F(RefusedCommit, waits_no_longer_than_a_day_whatever_the_server_says) {
    refuse_next(wire::Rule::too_fast, 0xffffffff);
    client_looks();
    world.now += std::chrono::days{1} + 1s;
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 2);
    world.at_hour(10);
    expect_whole();
}

TEST_F(RefusedCommit, in_a_closed_window_goes_when_it_opens) {
    world.at_hour(20);
    world.now += std::chrono::days{1};
    refuse_next(wire::Rule::too_fast, 86400);
    client_looks();
    world.now += 1h;
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 1);
    world.at_hour(9);
    world.now += 1s;
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 2);
    EXPECT_EQ(world.relay.different_commits.size(), 1u);
    expect_whole();
}

TEST_F(RefusedCommit, answer_that_answers_no_commit_is_no_reason_to_hurry) {
    for (int times = 0; times < 50; ++times) world.relay.instead_of_commits.push_back(wire::EpochStale{});
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 1);
    world.relay.instead_of_commits.clear();
    for (int times = 0; times < 50; ++times) world.relay.instead_of_commits.push_back(wire::Accepted{77});
    world.now += 11min;
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 2);
}

TEST_F(RefusedCommit, for_good_is_made_anew_later) {
    refuse_next(wire::Rule::invalid, 0);
    for (int look = 1; look <= 3; ++look) client_looks();
    EXPECT_EQ(world.relay.commits_received, 1);
    world.now += 11min;
    client_looks();
    EXPECT_EQ(world.relay.commits_received, 2);
    EXPECT_EQ(world.relay.different_commits.size(), 2u);
    expect_whole();
    engine::Turn turn(world.client.vault, world.client.entropy, world.now);
    EXPECT_TRUE(turn.rows.scan<engine::PendingCommitRecord>(engine::Table::pending).empty());
}

TEST_F(RefusedCommit, again_and_again_keeps_few) {
    for (int times = 0; times < 30; ++times) refuse_next(wire::Rule::invalid, 0);
    for (int times = 0; times < 30; ++times) {
        world.now += 11min;
        client_looks();
    }
    EXPECT_EQ(world.relay.different_commits.size(), 30u);
    engine::Turn turn(world.client.vault, world.client.entropy, world.now);
    auto const kept = turn.rows.scan<engine::PendingCommitRecord>(engine::Table::pending).size();
    EXPECT_GT(kept, 4u);
    EXPECT_LE(kept, 16u);
}

TEST_F(Interruption, text_that_a_server_calls_stale_for_ever_does_not_press_it) {
    for (int times = 0; times < 50; ++times) world.relay.instead_of_answers.push_back(wire::EpochStale{});
    world.send(world.client, "one");
    auto const before = world.relay.sends_received;
    TestLink(world.client, world.relay, world.now).run(world.now);
    EXPECT_EQ(world.relay.sends_received - before, 1);
}

TEST_F(Interruption, own_commit_whose_answer_is_lost_is_known_before_the_next_ones) {
    world.now += std::chrono::days{8};
    world.at_hour(9);
    world.relay.offer_at_once = true;
    int others_followed = 0;
    for (int cut = 0;; ++cut) {
        World copy = world;
        bool const whole = sync_until_cut(copy, copy.client, cut, true);
        auto const by_client = copy.relay.commits_received;
        for (int look = 0; look < 3; ++look) {
            copy.now += 1h;
            copy.sync(copy.therapist);
        }
        others_followed += by_client > 0 && copy.relay.commits_received > by_client;
        for (auto text : {"one", "two", "three"}) copy.send(copy.client, text);
        expect_all_there(copy, cut);
        if (HasFailure()) return;
        if (whole) break;
    }
    EXPECT_GT(others_followed, 0);
}

TEST_F(Interruption, what_was_sealed_in_an_epoch_that_is_over_keeps_its_place) {
    world.now += std::chrono::days{8};
    world.at_hour(9);
    world.relay.offer_at_once = true;
    int sealed_again = 0;
    for (int cut = 0;; ++cut) {
        World copy = world;
        copy.send(copy.client, "one");
        bool const whole = sync_until_cut(copy, copy.client, cut);
        for (int look = 0; look < 3; ++look) {  // the therapist's app heals the group
            copy.now += 1h;
            copy.sync(copy.therapist);
        }
        auto const sends = copy.relay.sends_received;
        copy.send(copy.client, "two");
        copy.send(copy.client, "three");
        copy.sync(copy.client);
        sealed_again += copy.relay.sends_received > sends + 3;
        expect_all_there(copy, cut);
        if (HasFailure()) return;
        if (whole) break;
    }
    EXPECT_GT(sealed_again, 0);
}

TEST(InterruptedJoining, clients_link_cut_after_any_frame_still_joins_once) {
    World world;
    world.therapist_joins();
    world.publishes_hours();
    auto const invitation = world.invites();
    for (int cut = 0;; ++cut) {
        World copy = world;
        ASSERT_TRUE(copy.client.engine().join_begin(invitation, "therapy", "Kim", copy.now));
        sync_until_cut(copy, copy.client, cut);
        bool const done = copy.client.has<engine::Joined>();
        copy.sync(copy.client);
        copy.sync(copy.client);
        copy.sync(copy.therapist);
        ASSERT_EQ(copy.client.all<engine::Joined>().size(), 1u) << cut;
        copy.conversation = *copy.client.all<engine::Joined>().front().conversation;
        ASSERT_EQ(copy.therapist.engine().conversations().size(), 1u) << cut;
        ASSERT_EQ(copy.relay.conversations.size(), 1u) << cut;
        copy.send(copy.client, "hello");
        copy.sync_both();
        ASSERT_THAT(copy.texts(copy.therapist), ElementsAre("hello")) << cut;
        ASSERT_THAT(copy.client.alarm_codes(), IsEmpty()) << cut;
        if (done) {
            EXPECT_GT(cut, 6);
            break;
        }
    }
}

TEST(InterruptedJoining, invitation_is_on_the_server_only_when_a_key_package_is_there) {
    World world;
    ASSERT_TRUE(
        world.therapist.engine().join_begin(world.relay.operator_invites(world.now), "", "Dr. Adler", world.now));
    world.sync(world.therapist);  // redeems, and no more
    ASSERT_TRUE(world.therapist.engine().invite("Kim", world.now));
    for (int cut = 0;; ++cut) {
        World copy = world;
        bool const whole = sync_until_cut(copy, copy.therapist, cut);
        auto const device = copy.therapist.engine().status().device;
        auto const there = copy.relay.key_packages.find(device);
        bool const reachable = there != copy.relay.key_packages.end() && !there->second.empty();
        EXPECT_TRUE(reachable || copy.relay.invitations() == 1u) << "cut after " << cut;  // the operator's
        if (whole) {
            EXPECT_EQ(copy.relay.invitations(), 2u);
            break;
        }
    }
}

TEST(InterruptedJoining, power_failing_at_any_commit_of_the_therapist_still_joins) {
    World world;
    world.therapist_joins();
    world.publishes_hours();
    world.client_joins(world.invites());
    world.send(world.client, "hello");
    world.sync(world.client);
    for (int commits = 0;; ++commits) {
        World copy;  // the same steps again, with a therapist whose machine fails during the Welcome
        copy.therapist_joins();
        copy.publishes_hours();
        auto const link = copy.invites();
        ASSERT_TRUE(copy.client.engine().join_begin(link, "therapy", "Kim", copy.now));
        copy.sync(copy.client);
        copy.sync(copy.client);
        copy.conversation = *copy.client.all<engine::Joined>().front().conversation;
        bool const failed = fails_at_commit(copy.therapist, commits, [&] { copy.sync(copy.therapist); });
        copy.sync(copy.therapist);
        copy.send(copy.client, "hello");
        copy.sync_both();
        ASSERT_THAT(copy.texts(copy.therapist), ElementsAre("hello")) << commits;
        if (!failed) break;
    }
}

TEST_F(Interruption, two_processes_on_one_home_never_seal_one_generation_twice) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        World copy = world;
        crypto::SeededEntropy dice(seed);
        TestLink watch(copy.client, copy.relay, copy.now);
        TestLink send(copy.client, copy.relay, copy.now);
        TestLink reader(copy.therapist, copy.relay, copy.now);
        std::vector<std::string> expected;
        for (int n = 0; n < 300; ++n) {
            if (n % 30 == 0) {
                expected.push_back("message " + std::to_string(n));
                copy.send(copy.client, expected.back());
            }
            auto& link = dice.below(3) == 0 ? reader : dice.below(2) == 0 ? watch : send;
            link.step(copy.now);
        }
        for (int round = 0; round < 3; ++round)
            for (auto* link : {&watch, &send, &reader}) link->run(copy.now);
        ASSERT_EQ(copy.texts(copy.therapist), expected) << seed;
        ASSERT_EQ(copy.texts(copy.client), expected) << seed;
        ASSERT_THAT(copy.therapist.alarm_codes(), IsEmpty()) << seed;
        ASSERT_THAT(copy.client.alarm_codes(), IsEmpty()) << seed;
    }
}

TEST_F(Interruption, two_processes_that_read_open_each_message_once) {
    for (auto text : {"one", "two", "three"}) world.send(world.client, text);
    world.sync(world.client);
    TestLink one(world.therapist, world.relay, world.now);
    TestLink two(world.therapist, world.relay, world.now);
    for (int n = 0; n < 60; ++n) (n % 2 ? one : two).step(world.now);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("one", "two", "three"));
    for (auto* link : {&one, &two}) {
        std::vector<std::uint64_t> seqs;
        for (auto const& event : link->told())
            if (auto const* arrived = std::get_if<engine::MessageArrived>(&event)) seqs.push_back(arrived->seq);
        EXPECT_THAT(seqs, ElementsAre(1, 2, 3));
    }
}

TEST_F(Interruption, what_another_process_learned_of_the_log_meanwhile_is_no_reason_for_an_alarm) {
    world.at_hour(22);
    world.send(world.client, "held");
    world.sync(world.client);
    for (int steps = 0;; ++steps) {
        World copy = world;
        TestLink slow(copy.client, copy.relay, copy.now);
        bool moved = true;
        for (int step = 0; step < steps && moved; ++step) moved = slow.step(copy.now);
        copy.send(copy.therapist, "the log grows");  // and what the slow link is told is still under way
        copy.sync(copy.therapist);
        copy.send(copy.client, "held too");
        copy.audit(copy.client);
        slow.run(copy.now);
        copy.now += 1s;
        slow.run(copy.now);
        ASSERT_THAT(copy.client.alarm_codes(), IsEmpty()) << "after " << steps << " steps of the slow link";
        if (!moved) {
            EXPECT_GT(steps, 5);
            break;
        }
    }
}

TEST_F(Interruption, one_message_id_that_comes_under_two_seqs_is_shown_once) {
    engine::MessageId const id = world.client.entropy.id<engine::MessageId>();
    {
        engine::Turn turn(world.client.vault, world.client.entropy, world.now);
        engine::queue_message(turn, world.conversation, id, engine::Text{"once"});
        engine::queue_message(turn, world.conversation, id, engine::Text{"once"});
        turn.rows.commit();
    }
    world.sync_both();
    EXPECT_GE(world.relay.conversations.at(world.conversation).envelopes.size(), 2u);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("once"));
}

TEST_F(Interruption, home_restored_from_a_copy_renews_its_keys_before_it_sends) {
    Home const copy = world.client;
    world.send(world.client, "sent after the copy was made");
    world.sync_both();
    world.client = copy;
    world.client.entropy = crypto::SeededEntropy(77);  // dice are not in the copy
    world.send(world.client, "sent by the copy");
    world.sync(world.client);
    world.sync_both();
    EXPECT_GE(world.relay.commits_received, 1);
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("restored_copy"));
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
    EXPECT_THAT(world.texts(world.client), ElementsAre("sent by the copy"));
    EXPECT_EQ(world.client.engine().status().waiting, 0u);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("sent after the copy was made", "sent by the copy"));
}

}  // namespace
}  // namespace interlude::tests
