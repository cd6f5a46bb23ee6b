// What is held can be taken back or replaced by its author, and by nobody once it has passed.
#include <gmock/gmock.h>

#include "tests/unit/engine/world.hpp"

namespace interlude::tests {
namespace {

using base::Errc;
using engine::MessageState;
using testing::ElementsAre;
using testing::IsEmpty;

class Recall : public testing::Test {
  protected:
    void SetUp() override {
        world.begin();
        world.at_hour(22);
    }

    engine::MessageId held(std::string text) {
        auto const id = world.send(world.client, std::move(text));
        world.sync(world.client);
        EXPECT_EQ(state_of(id), MessageState::held);
        return id;
    }
    auto recall(engine::MessageId const& id) { return world.client.engine().recall(world.conversation, id, world.now); }
    auto replace(engine::MessageId const& id, std::string text) {
        return world.client.engine().replace(world.conversation, id, std::move(text), world.now);
    }
    MessageState state_of(engine::MessageId const& id) { return world.view(world.client, id).value().state; }
    std::vector<engine::RequestAnswered> answers() { return world.client.all<engine::RequestAnswered>(); }
    void next_morning() {
        world.at_hour(10);
        world.sync_both();
    }
    void both_find_the_log_honest() {
        for (auto* home : {&world.client, &world.therapist}) EXPECT_THAT(codes(world.audit(*home)), IsEmpty());
    }
    World world;
};

TEST_F(Recall, of_what_is_held_ends_it_and_nobody_ever_reads_it) {
    auto const id = held("too much");
    auto const asked = recall(id);
    ASSERT_TRUE(asked && *asked);
    EXPECT_EQ(state_of(id), MessageState::held);
    world.sync(world.client);
    EXPECT_EQ(state_of(id), MessageState::recalled);
    EXPECT_EQ(answers().back(), (engine::RequestAnswered{**asked, std::nullopt, false}));
    next_morning();
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    EXPECT_EQ(world.view(world.client, id)->text, "too much");  // the author keeps it
    both_find_the_log_honest();
}

TEST_F(Recall, of_a_draft_that_never_left_needs_nobody) {
    auto const id = world.send(world.client, "not yet sent");
    auto const asked = recall(id);
    ASSERT_TRUE(asked);
    EXPECT_FALSE(*asked);
    EXPECT_FALSE(world.view(world.client, id));
    world.sync(world.client);
    EXPECT_EQ(world.relay.sends_received, 0);
}

TEST_F(Recall, of_what_was_sent_and_not_answered_waits_for_the_answer) {
    auto const id = world.send(world.client, "on its way");
    {
        TestLink link(world.client, world.relay, world.now);
        world.relay.instead_of_answers.push_back(wire::Error{wire::ErrorCode::store, 60});
        link.run(world.now);
    }
    EXPECT_EQ(recall(id).error(), Errc::not_yet);
    EXPECT_EQ(replace(id, "other words").error(), Errc::not_yet);
    world.now += 2min;
    world.sync(world.client);
    EXPECT_TRUE(recall(id));
}

TEST_F(Recall, that_comes_too_late_says_so_and_changes_nothing) {
    auto const id = held("good morning");
    auto const asked = recall(id);
    ASSERT_TRUE(asked && *asked);
    world.at_hour(9);  // the request waited on this device
    world.sync_both();
    EXPECT_EQ(answers().back(), (engine::RequestAnswered{**asked, std::nullopt, true}));
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("good morning"));
    EXPECT_NE(state_of(id), MessageState::recalled);
    EXPECT_EQ(recall(id).error(), Errc::conflict);
    both_find_the_log_honest();
}

TEST_F(Recall, of_what_is_not_there_or_not_ones_own_is_refused_here) {
    auto const id = held("mine");
    EXPECT_EQ(recall(engine::MessageId{}).error(), Errc::unknown);
    EXPECT_EQ(world.therapist.engine().recall(world.conversation, id, world.now).error(), Errc::unknown);
    EXPECT_EQ(world.client.engine().recall(engine::ConversationId{}, id, world.now).error(), Errc::unknown);
    ASSERT_TRUE(recall(id));
    world.sync(world.client);
    EXPECT_EQ(recall(id).error(), Errc::conflict);
}

TEST_F(Recall, of_her_late_reply_works_as_well) {
    auto const id = world.send(world.therapist, "at night, and regretted");
    world.sync(world.therapist);
    ASSERT_TRUE(world.therapist.engine().recall(world.conversation, id, world.now));
    world.sync(world.therapist);
    next_morning();
    EXPECT_THAT(world.texts(world.client), IsEmpty());
    both_find_the_log_honest();
}

TEST_F(Recall, replacing_puts_the_new_words_in_the_place_of_the_old) {
    auto const old = held("hurt");
    auto const other = replace(old, "calmer");
    ASSERT_TRUE(other);
    EXPECT_NE(*other, old);
    world.sync(world.client);
    EXPECT_EQ(state_of(old), MessageState::recalled);
    EXPECT_EQ(state_of(*other), MessageState::held);
    next_morning();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("calmer"));
    both_find_the_log_honest();
}

TEST_F(Recall, replacing_what_passed_sends_nothing_and_keeps_the_draft) {
    auto const old = held("good morning");
    auto const other = replace(old, "never mind");
    ASSERT_TRUE(other);
    world.at_hour(9);
    world.sync_both();
    world.sync_both();
    auto const sends = world.relay.sends_received;
    world.sync_both();
    EXPECT_EQ(world.relay.sends_received, sends);  // and not again and again
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("good morning"));
    auto const draft = world.view(world.client, *other);
    ASSERT_TRUE(draft);
    EXPECT_EQ(draft->state, MessageState::refused);
    EXPECT_TRUE(draft->too_late);
    EXPECT_EQ(draft->text, "never mind");
    EXPECT_TRUE(recall(*other));  // the draft can go
    EXPECT_FALSE(world.view(world.client, *other));
}

TEST_F(Recall, replacing_a_draft_that_never_left_changes_its_words) {
    auto const id = world.send(world.client, "first words");
    auto const same = replace(id, "better words");
    ASSERT_TRUE(same);
    EXPECT_EQ(*same, id);
    EXPECT_EQ(world.view(world.client, id)->text, "better words");
    next_morning();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("better words"));
}

TEST_F(Recall, replacing_by_what_is_no_text_is_refused_here) {
    auto const id = held("words");
    EXPECT_EQ(replace(id, "\xff").error(), Errc::malformed);
    EXPECT_EQ(replace(id, std::string(1'000'000, 'x')).error(), Errc::too_long);
    EXPECT_EQ(state_of(id), MessageState::held);
}

TEST_F(Recall, that_nobody_asked_for_is_an_alarm_and_named_by_the_audit) {
    auto const id = held("please read this");
    world.relay.recalls_unasked = world.view(world.client, id)->seq;
    world.sync(world.client);
    EXPECT_THAT(world.client.alarm_codes(), testing::Contains("recalled_unasked"));
    next_morning();
    EXPECT_TRUE(names(world.audit(world.client), "recalled_unasked"));
}

TEST_F(Recall, survives_a_power_cut_at_any_commit) {
    for (int commits = 0; commits < 12; ++commits) {
        auto const id = held("night " + std::to_string(commits));
        auto const other = replace(id, "calmer " + std::to_string(commits));
        ASSERT_TRUE(other);
        fails_at_commit(world.client, commits, [&] { world.sync(world.client); });
        world.sync(world.client);
        EXPECT_EQ(state_of(id), MessageState::recalled) << commits;
        EXPECT_EQ(state_of(*other), MessageState::held) << commits;
    }
    next_morning();
    EXPECT_EQ(world.texts(world.therapist).size(), 12u);
    both_find_the_log_honest();
}

}  // namespace
}  // namespace interlude::tests
