// The server's answers and words about what was written here: wrong ones, refusals, errors, and none at all.
#include <gmock/gmock.h>

#include "client-cli/engine/content.hpp"
#include "client-cli/engine/turn.hpp"
#include "tests/unit/engine/craft.hpp"

namespace interlude::tests {
namespace {

using engine::Table;
using engine::Turn;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class WrongStored : public testing::Test {
  protected:
    void SetUp() override {
        world.begin();
        world.send(world.therapist, "yours");
        world.sync_both();
        seq_of_yours = *world.client.engine().messages(world.conversation, world.now).front().seq;
        sends = world.relay.sends_received;
    }
    /// The draft waits, nothing else was touched, and it does not go again at once.
    void expect_draft_stays(engine::MessageId const& mine, std::string const& code) {
        EXPECT_THAT(world.client.alarm_codes(), ElementsAre(code));
        EXPECT_THAT(world.texts(world.client), ElementsAre("yours", "mine"));
        EXPECT_EQ(world.view(world.client, mine)->state, MessageState::on_device);
        EXPECT_EQ(world.relay.sends_received, sends + 1);
    }
    /// The server is honest again: it goes after a pause, and is read once.
    void expect_it_goes_later(engine::MessageId const& mine) {
        world.relay.says_stored = nullptr;
        {
            TestLink link(world.client, world.relay, world.now);
            link.run(world.now);
        }
        world.sync_both();
        world.sync_both();
        EXPECT_THAT(world.texts(world.therapist), ElementsAre("yours", "mine"));
        EXPECT_THAT(world.texts(world.client), ElementsAre("yours", "mine"));
        EXPECT_EQ(world.view(world.client, mine)->state, MessageState::delivered);
        EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
    }
    World world;
    std::uint64_t seq_of_yours = 0;
    int sends = 0;
};

TEST_F(WrongStored, place_of_a_received_message_stays_that_message) {
    world.relay.says_stored = [&](wire::Stored& stored) { stored.seq = seq_of_yours; };
    auto const mine = world.send(world.client, "mine");
    world.sync(world.client);
    expect_draft_stays(mine, "stored_place");
    expect_it_goes_later(mine);
}

TEST_F(WrongStored, envelope_that_was_never_sealed_here_is_no_answer_to_the_draft) {
    world.relay.says_stored = [](wire::Stored& stored) { stored.envelope.bytes[0] ^= 1; };
    auto const mine = world.send(world.client, "mine");
    world.sync(world.client);
    expect_draft_stays(mine, "stored_other");
    expect_it_goes_later(mine);
}

TEST_F(WrongStored, place_of_what_waits_for_its_time_stays_free_for_it) {
    world.at_hour(22);
    world.send(world.client, "for the morning");
    world.sync(world.client);
    world.relay.deliver_early = true;
    world.sync(world.therapist);
    auto const early = world.relay.conversations.at(world.conversation).envelopes.back().envelope.seq;
    world.relay.says_stored = [&](wire::Stored& stored) { stored.seq = early; };
    world.send(world.therapist, "mine");
    world.sync(world.therapist);
    EXPECT_THAT(world.therapist.alarm_codes(), Contains("stored_place"));
    world.relay.says_stored = nullptr;
    world.relay.deliver_early = false;
    world.at_hour(10);
    world.sync_both();
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), testing::UnorderedElementsAre("yours", "for the morning", "mine"));
    EXPECT_THAT(world.texts(world.client), testing::UnorderedElementsAre("yours", "for the morning", "mine"));
}

TEST_F(WrongStored, lie_that_never_ends_is_no_endless_sending) {
    world.relay.says_stored = [](wire::Stored& stored) { stored.envelope.bytes[0] ^= 1; };
    world.send(world.client, "mine");
    TestLink one(world.client, world.relay, world.now);
    TestLink two(world.client, world.relay, world.now);
    for (int second = 0; second < 120; ++second, world.now += 1s)
        for (auto* link : {&one, &two}) link->run(world.now);
    EXPECT_LE(world.relay.sends_received, sends + 12);
    EXPECT_GE(world.relay.sends_received, sends + 3);
}

TEST_F(WrongStored, message_in_the_place_of_an_own_one_is_not_taken_for_received) {
    world.relay.says_stored = [](wire::Stored& stored) { ++stored.seq; };
    auto const mine = world.send(world.client, "mine");
    world.sync(world.client);
    world.relay.says_stored = nullptr;
    world.send(world.therapist, "hidden");
    world.sync(world.therapist);
    world.sync(world.client);
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("two_in_one_place"));
    auto const place = *world.view(world.client, mine)->seq;
    auto const before = world.relay.offers[place];
    world.sync(world.client);  // not acknowledged: offered once more
    EXPECT_EQ(world.relay.offers[place], before + 1);
}

TEST(Refusal, report_that_the_server_would_not_have_goes_again) {
    World world;
    world.begin();
    auto const mine = world.send(world.client, "hello");
    world.sync(world.client);
    world.relay.refuse_sends = true;
    {
        TestLink link(world.therapist, world.relay, world.now);
        for (int minute = 0; minute < 60; ++minute, world.now += 1min) link.run(world.now);
        EXPECT_THAT(world.texts(world.therapist), ElementsAre("hello"));
        EXPECT_GE(world.relay.sends_received, 1 + 3);
        EXPECT_LE(world.relay.sends_received, 1 + 8);  // patiently
        world.relay.refuse_sends = false;
        for (int minute = 0; minute < 12; ++minute, world.now += 1min) link.run(world.now);
    }
    world.sync(world.client);
    EXPECT_EQ(world.view(world.client, mine)->state, MessageState::delivered);
    EXPECT_EQ(world.therapist.engine().status().waiting, 0u);
}

/// What the server says to the first of two texts that a person wrote one after the other.
void expect_order_after(wire::ServerBody answer) {
    World world;
    world.begin();
    world.send(world.client, "one");
    world.send(world.client, "two");
    world.relay.instead_of_answers = {std::move(answer)};
    TestLink link(world.client, world.relay, world.now);
    for (int second = 0; second < 20; ++second, world.now += 1s) link.run(world.now);
    world.sync(world.therapist);
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("one", "two"));
}

TEST(Order, text_that_had_no_room_on_the_servers_disk_stays_before_the_next) {
    expect_order_after(wire::Error{wire::ErrorCode::store, 5});
}

TEST(Order, text_that_came_too_fast_stays_before_the_next) {
    expect_order_after(wire::Refused{wire::Rule::too_fast, {}, {}, 1, {}});
}

/// What the server says in place of the proof of a held message, which it has stored.
void expect_patience_for_proof(wire::ServerBody answer) {
    World world;
    world.begin();
    world.at_hour(22);
    auto const before = world.relay.sends_received;
    auto const held = world.send(world.client, "for the morning");
    world.relay.instead_of_proof = std::move(answer);
    TestLink link(world.client, world.relay, world.now);
    for (int second = 0; second < 60; ++second, world.now += 1s)
        for (int i = 0; i < 20; ++i) link.step(world.now);
    EXPECT_GE(world.relay.sends_received, before + 3);
    EXPECT_LE(world.relay.sends_received, before + 15);
    EXPECT_TRUE(world.view(world.client, held)->proof_missing);
    world.relay.instead_of_proof.reset();
    for (int second = 0; second < 20; ++second, world.now += 1s) link.run(world.now);
    EXPECT_FALSE(world.view(world.client, held)->proof_missing);
    EXPECT_THAT(world.client.alarm_codes(), IsEmpty());
}

TEST(Proof, that_an_overloaded_server_could_not_give_is_asked_for_again_patiently) {
    expect_patience_for_proof(wire::Error{wire::ErrorCode::store, 5});
}

TEST(Proof, that_is_asked_for_too_fast_is_asked_for_again_patiently) {
    expect_patience_for_proof(wire::Refused{wire::Rule::too_fast, {}, {}, 5, {}});
}

TEST(FailingStore, at_login_is_no_link_that_never_catches_up) {
    World world;
    world.begin();
    ASSERT_TRUE(world.therapist.engine().invite("Lea", world.now));
    world.relay.questions_failing = 2;
    TestLink link(world.therapist, world.relay, world.now);
    for (int second = 0; second < 10; ++second, world.now += 1s) link.run(world.now);
    EXPECT_TRUE(link.driver().caught_up());
    for (int second = 0; second < 90; ++second, world.now += 1s) link.run(world.now);
    for (auto const& invitation : world.therapist.engine().invitations()) EXPECT_TRUE(invitation.on_server);
    EXPECT_EQ(world.therapist.engine().status().waiting, 0u);
}

TEST(FailingStore, that_cannot_read_what_waits_for_a_person_is_told_to_them_once) {
    World world;
    world.begin();
    TestLink link(world.client, world.relay, world.now);
    link.run(world.now);
    world.relay.push(wire::Error{wire::ErrorCode::store, 5});
    world.relay.push(wire::Error{wire::ErrorCode::store, 5});
    link.run(world.now);
    EXPECT_TRUE(link.open());
    int alarms = 0;
    for (auto const& event : link.told()) alarms += std::holds_alternative<engine::Alarm>(event);
    EXPECT_EQ(alarms, 1);
    EXPECT_THAT(world.client.alarm_codes(), ElementsAre("store_cannot_read"));
}

TEST(EarlyReports, end_with_the_last_answer_that_they_could_be_for) {
    World world;
    world.begin();
    craft(world, world.therapist, [](engine::Content& content) { content.body = engine::Opened{{999}}; });
    world.sync(world.therapist);
    world.relay.offer_at_once = true;
    auto const rows = [&] {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        return turn.rows.scan<engine::EarlyReportRecord>(Table::early_reports).size();
    };
    world.send(world.client, "hello");
    TestLink link(world.client, world.relay, world.now);
    std::size_t most = 0;
    while (link.step(world.now)) most = std::max(most, rows());
    EXPECT_EQ(most, 1u);
    EXPECT_EQ(rows(), 0u);
}

class WrongFate : public testing::Test {
  protected:
    void SetUp() override {
        world.begin();
        world.at_hour(22);
        mine = world.send(world.client, "mine");
        yours = world.send(world.therapist, "yours");
        world.sync(world.client);
        seq = *world.view(world.client, mine)->seq;
    }
    void fate(std::uint64_t of, wire::FateKind kind, std::optional<engine::AccountId> account = {}) {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        engine::take_fate(turn, {world.conversation, of, kind, account});
        for (auto const& event : turn.finish().events) world.client.events.push_back(event);
    }
    engine::MessageRecord row(std::uint64_t of) {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        return *turn.rows.get<engine::MessageRecord>(Table::messages, engine::key_of(world.conversation, of));
    }
    World world;
    engine::MessageId mine, yours;
    std::uint64_t seq = 0;
};

TEST_F(WrongFate, received_messages_have_none) {
    world.at_hour(9);
    world.now += 1h;
    world.sync_both();
    world.sync_both();
    auto const received = world.view(world.client, yours);
    ASSERT_TRUE(received);
    auto const before = row(*received->seq);
    world.client.events.clear();
    for (auto const kind : {wire::FateKind::passed, wire::FateKind::recalled, wire::FateKind::expired})
        fate(*received->seq, kind);
    EXPECT_EQ(engine::records::encode(row(*received->seq)), engine::records::encode(before));
    EXPECT_EQ(world.view(world.client, yours)->state, MessageState::delivered);
    EXPECT_FALSE(world.client.has<engine::MessageChanged>());
}

TEST_F(WrongFate, passing_is_noted_once_and_for_those_for_whom_it_was_held) {
    ASSERT_EQ(world.view(world.client, mine)->state, MessageState::held);
    fate(seq, wire::FateKind::passed, world.client.engine().status().account);
    EXPECT_TRUE(row(seq).passed.empty());
    auto const hers = world.therapist.engine().status().account;
    for (int again = 0; again < 3; ++again) fate(seq, wire::FateKind::passed, hers);
    EXPECT_THAT(row(seq).passed, ElementsAre(hers));
    EXPECT_EQ(world.view(world.client, mine)->state, MessageState::stored);
}

TEST_F(WrongFate, word_of_the_server_does_not_undo_what_the_reader_said) {
    world.at_hour(9);
    world.now += 1h;
    world.sync_both();
    world.sync_both();
    ASSERT_EQ(world.view(world.client, mine)->state, MessageState::delivered);
    world.client.events.clear();
    for (auto const kind : {wire::FateKind::recalled, wire::FateKind::expired}) fate(seq, kind);
    EXPECT_EQ(world.view(world.client, mine)->state, MessageState::delivered);
    for (auto const& changed : world.client.all<engine::MessageChanged>())
        EXPECT_EQ(changed.state, MessageState::delivered);
}

}  // namespace
}  // namespace interlude::tests
