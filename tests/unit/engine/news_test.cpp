// Several processes on one home: each of them shows what arrives and changes, once, whichever of them took it.
#include <gmock/gmock.h>

#include "client-cli/engine/turn.hpp"
#include "tests/unit/engine/world.hpp"

namespace interlude::tests {
namespace {

using engine::MessageArrived;
using engine::MessageChanged;
using engine::Turn;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> arrived(World& world, Home& home, std::vector<Event> const& events) {
    std::vector<std::string> texts;
    for (auto const& event : events)
        if (auto const* one = std::get_if<MessageArrived>(&event))
            texts.push_back(home.engine().arrived(one->conversation, one->seq, world.now)->text);
    return texts;
}

std::vector<MessageState> states(std::vector<Event> const& events, engine::MessageId const& id) {
    std::vector<MessageState> states;
    for (auto const& event : events)
        if (auto const* one = std::get_if<MessageChanged>(&event); one && one->id == id) states.push_back(one->state);
    return states;
}

class News : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }
    void client_sends(std::string text) {
        world.send(world.client, std::move(text));
        world.sync(world.client);
    }
    World world;
};

TEST_F(News, message_that_another_process_took_is_told_once_and_in_the_order_of_arrival) {
    TestLink watch(world.therapist, world.relay, world.now);
    TestLink send(world.therapist, world.relay, world.now);
    watch.run(world.now);
    send.run(world.now);
    client_sends("one");
    watch.run(world.now);
    for (auto text : {"two", "three"}) client_sends(text);
    send.run(world.now);
    EXPECT_THAT(arrived(world, world.therapist, send.told()), ElementsAre("one", "two", "three"));
    client_sends("four");
    watch.run(world.now);
    EXPECT_THAT(arrived(world, world.therapist, watch.told()), ElementsAre("one", "two", "three", "four"));
    world.now += 1s;
    for (auto* link : {&watch, &send, &watch}) link->run(world.now);
    EXPECT_THAT(arrived(world, world.therapist, watch.told()), IsEmpty());
    EXPECT_THAT(arrived(world, world.therapist, send.told()), ElementsAre("four"));
}

TEST_F(News, what_arrived_before_a_process_began_is_no_news_to_it) {
    client_sends("old");
    world.sync(world.therapist);
    TestLink watch(world.therapist, world.relay, world.now);
    watch.run(world.now);
    EXPECT_THAT(arrived(world, world.therapist, watch.told()), IsEmpty());
}

TEST_F(News, process_whose_link_is_down_tells_it_too_and_the_next_link_does_not_repeat_it) {
    auto engine = world.therapist.engine();
    LinkDriver down(engine, "relay.test");
    client_sends("one");
    world.sync(world.therapist);
    EXPECT_THAT(arrived(world, world.therapist, down.poll(world.now).events), ElementsAre("one"));
    EXPECT_THAT(down.poll(world.now).events, IsEmpty());
    client_sends("two");
    world.sync(world.therapist);  // between the links
    LinkDriver next(engine, "relay.test");
    EXPECT_THAT(arrived(world, world.therapist, next.poll(world.now).events), ElementsAre("two"));
}

TEST_F(News, engine_that_follows_from_a_moment_on_tells_what_comes_before_its_first_link) {
    auto engine = world.therapist.engine();
    engine.follow();
    client_sends("one");
    world.sync(world.therapist);
    LinkDriver first(engine, "relay.test");
    EXPECT_THAT(arrived(world, world.therapist, first.poll(world.now).events), ElementsAre("one"));
}

TEST_F(News, state_of_an_own_message_that_another_process_learned_is_told) {
    auto engine = world.client.engine();
    LinkDriver chat(engine, "relay.test");
    auto const id = world.send(world.client, "mine");
    world.sync(world.client);
    EXPECT_THAT(states(chat.poll(world.now).events, id), ElementsAre(MessageState::stored));
    world.sync_both();
    EXPECT_EQ(world.view(world.client, id)->state, MessageState::delivered);
    EXPECT_THAT(states(chat.poll(world.now).events, id), ElementsAre(MessageState::delivered));
}

TEST_F(News, changes_that_nobody_saw_are_told_once_as_the_last_one_was) {
    auto engine = world.client.engine();
    LinkDriver chat(engine, "relay.test");
    auto const id = world.send(world.client, "mine");
    world.sync_both();
    EXPECT_THAT(states(world.client.events, id), ElementsAre(MessageState::stored, MessageState::delivered));
    EXPECT_THAT(states(chat.poll(world.now).events, id), ElementsAre(MessageState::delivered));
}

TEST_F(News, old_changes_are_forgotten_and_an_arrival_is_not_however_long_a_process_was_stopped) {
    auto engine = world.therapist.engine();
    LinkDriver stopped(engine, "relay.test");
    client_sends("one");
    world.sync(world.therapist);
    auto const id = world.send(world.therapist, "mine");
    for (int n = 0; n < 600; ++n) {
        Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        turn.tell(MessageChanged{world.conversation, id, MessageState::held});
        turn.finish();
    }
    {
        Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        EXPECT_EQ(turn.rows.scan<engine::NewsRecord>(engine::Table::news).size(), 256u + 1u);
    }
    auto const events = stopped.poll(world.now).events;
    EXPECT_THAT(arrived(world, world.therapist, events), ElementsAre("one"));
    EXPECT_THAT(states(events, id), ElementsAre(MessageState::held));
}

TEST_F(News, looking_costs_one_row_when_nothing_happened) {
    for (int n = 0; n < 20; ++n) client_sends("text");
    world.sync(world.therapist);
    auto engine = world.therapist.engine();
    LinkDriver down(engine, "relay.test");
    auto const before = world.therapist.vault.rows_read();
    EXPECT_THAT(down.poll(world.now).events, IsEmpty());
    EXPECT_EQ(world.therapist.vault.rows_read() - before, 1u);
}

}  // namespace
}  // namespace interlude::tests
