// Text that is no text and content that this version cannot read: nothing of it is kept unnoticed, hidden, or in the
// way of anything else.
#include <gmock/gmock.h>

#include "tests/unit/engine/craft.hpp"

namespace interlude::tests {
namespace {

using engine::Table;
using engine::Turn;
using testing::ElementsAre;
using testing::IsEmpty;

std::string const no_text =
    "Gr\xfc\xdf"
    "e";  // Latin-1

class Unreadable : public testing::Test {
  protected:
    void SetUp() override { world.begin(); }
    /// The one message that is shown and is no text.
    std::optional<MessageView> strange(Home& home) {
        std::optional<MessageView> found;
        for (auto const& message : home.engine().messages(world.conversation, world.now))
            if (message.unknown_form) found = message;
        return found;
    }
    World world;
};

TEST_F(Unreadable, what_is_typed_and_no_text_is_not_kept) {
    auto engine = world.therapist.engine();
    EXPECT_EQ(engine.send(world.conversation, no_text, world.now).error(), base::Errc::malformed);
    EXPECT_EQ(engine.rename(world.conversation, no_text).error(), base::Errc::malformed);
    EXPECT_EQ(engine.invite(no_text, world.now).error(), base::Errc::malformed);
    EXPECT_EQ(engine.send_profile(world.conversation, no_text, world.now).error(), base::Errc::malformed);
    EXPECT_EQ(engine.set_crisis_card(no_text, world.now).error(), base::Errc::malformed);
    EXPECT_THAT(world.texts(world.therapist), IsEmpty());
    EXPECT_EQ(engine.status().waiting, 0u);
    Home fresh{9};
    auto const link = world.relay.operator_invites(world.now);
    EXPECT_EQ(fresh.engine().join_begin(link, no_text, "Kim", world.now).error(), base::Errc::malformed);
    EXPECT_EQ(fresh.engine().join_begin(link, "therapy", no_text, world.now).error(), base::Errc::malformed);
    EXPECT_FALSE(fresh.engine().has_account());
}

TEST_F(Unreadable, draft_that_an_earlier_build_kept_fails_by_itself_and_stays_as_it_was_typed) {
    auto const id = world.client.entropy.id<engine::MessageId>();
    {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        engine::queue_message(turn, world.conversation, id, engine::Text{no_text});
        turn.rows.commit();
    }
    world.send(world.client, "after it");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("after it"));
    auto const draft = world.view(world.client, id);
    ASSERT_TRUE(draft);
    EXPECT_EQ(draft->state, MessageState::refused);
    EXPECT_EQ(draft->text, no_text);
    EXPECT_EQ(world.client.engine().status().waiting, 0u);
}

TEST_F(Unreadable, name_that_an_earlier_build_kept_does_not_hide_the_messages) {
    {
        Turn turn(world.client.vault, world.client.entropy, world.now);
        auto account = turn.account();
        account.own_name = no_text;
        turn.rows.put_home(engine::home::account, account);
        turn.rows.commit();
    }
    world.send(world.client, "hello");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("hello"));
    EXPECT_EQ(world.therapist.engine().messages(world.conversation, world.now).front().from_name, "Kim");
}

TEST_F(Unreadable, text_of_a_peer_that_is_no_text_is_shown_byte_by_byte) {
    engine::Content content;
    content.id = world.client.entropy.id<engine::MessageId>();
    content.sent_at = world.now;
    content.own_name = no_text;
    content.body = engine::Text{no_text};
    craft_bytes(world, world.client, engine::encode(content));
    world.send(world.client, "after it");
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre(no_text, "after it"));
    EXPECT_THAT(world.therapist.alarm_codes(), IsEmpty());
}

TEST_F(Unreadable, content_of_a_later_version_is_a_message_that_says_so) {
    auto const id = craft(world, world.client, [](engine::Content& content) { content.body = engine::UnknownBody{}; });
    world.send(world.client, "after it");
    world.sync_both();
    auto const shown = strange(world.therapist);
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->id, id);
    EXPECT_TRUE(shown->unread);
    EXPECT_EQ(shown->text, "");
    EXPECT_EQ(world.therapist.engine().conversations().front().unread, 2u);
    EXPECT_EQ(world.therapist.all<engine::MessageArrived>().size(), 2u);
}

TEST_F(Unreadable, bytes_that_do_not_parse_are_a_message_that_says_so_and_are_kept) {
    Bytes const garbage(40, 0xff);
    craft_bytes(world, world.client, garbage);
    world.send(world.client, "after it");
    world.sync_both();
    auto const shown = strange(world.therapist);
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->from, world.client.engine().status().account);
    {
        Turn turn(world.therapist.vault, world.therapist.entropy, world.now);
        auto const row =
            turn.rows.get<engine::MessageRecord>(Table::messages, engine::key_of(world.conversation, *shown->seq));
        ASSERT_TRUE(row);
        EXPECT_EQ(bytes::copy(bytes::view(row->text)), garbage);
    }
    EXPECT_EQ(world.therapist.all<engine::MessageArrived>().size(), 2u);
    EXPECT_TRUE(world.client.engine().messages(world.conversation, world.now).front().unopened);
}

TEST_F(Unreadable, no_message_is_acknowledged_before_it_is_in_the_vault) {
    craft_bytes(world, world.client, Bytes(40, 0xff));
    world.sync(world.client);
    for (int commits = 0;; ++commits) {
        World copy = world;
        bool const failed = fails_at_commit(copy.therapist, commits, [&] { copy.sync(copy.therapist); });
        copy.sync(copy.therapist);
        auto const messages = copy.therapist.engine().messages(copy.conversation, copy.now);
        ASSERT_EQ(messages.size(), 1u) << commits;
        EXPECT_TRUE(messages.front().unknown_form) << commits;
        if (!failed) break;
    }
}

TEST_F(Unreadable, two_apps_that_cannot_read_each_other_end_their_reports) {
    for (int round = 0; round < 4; ++round) {
        craft_bytes(world, world.client, Bytes(40, 0xff));
        craft_bytes(world, world.therapist, Bytes(40, 0xff));
        world.sync_both();
    }
    auto const sends = world.relay.sends_received;
    for (int round = 0; round < 4; ++round) world.sync_both();
    EXPECT_EQ(world.relay.sends_received, sends);
}

TEST_F(Unreadable, another_text_under_an_id_that_was_shown_is_shown_too) {
    auto const id = world.send(world.client, "see you tomorrow");
    world.sync_both();
    craft(world, world.client, [&](engine::Content& content) {
        content.id = id;
        content.body = engine::Text{"I cannot go on"};
    });
    craft(world, world.client, [&](engine::Content& content) {
        content.id = id;
        content.body = engine::Text{"see you tomorrow"};  // a copy, as after an answer that got lost
    });
    world.sync_both();
    EXPECT_THAT(world.texts(world.therapist), ElementsAre("see you tomorrow", "I cannot go on"));
    EXPECT_EQ(world.therapist.all<engine::MessageArrived>().size(), 2u);
    EXPECT_EQ(world.therapist.engine().conversations().front().unread, 2u);
}

TEST_F(Unreadable, message_that_uses_the_id_of_an_own_one_is_itself_where_it_arrives) {
    auto const mine = world.send(world.therapist, "mine");
    world.sync_both();
    craft(world, world.client, [&](engine::Content& content) { content.id = mine; });
    world.sync_both();
    auto const arrived = world.therapist.all<engine::MessageArrived>();
    ASSERT_EQ(arrived.size(), 1u);
    auto const shown = world.therapist.engine().arrived(world.conversation, arrived.front().seq, world.now);
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->text, "hello");
    EXPECT_EQ(world.view(world.therapist, mine)->text, "mine");
}

}  // namespace
}  // namespace interlude::tests
