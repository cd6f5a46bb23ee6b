// Groups as people live with them: they join, talk, come late, lose races, leave.
#include <algorithm>

#include "tests/unit/mls/group_people.hpp"

namespace interlude::mls::tests {
namespace {

using Names = std::vector<std::string>;

TEST(Group, founder_adds_two_and_all_talk) {
    Conversation talk({"anna", "ben", "cleo"});
    talk.expect_agreement();
    EXPECT_EQ(talk.of("anna").epoch(), 1U);
    EXPECT_EQ(names_of(talk.of("cleo").roster()), (Names{"anna", "ben", "cleo"}));
    auto const hello = talk.say("ben", "hello");
    EXPECT_EQ(talk.hear("anna", hello), "hello");
    EXPECT_EQ(talk.hear("cleo", hello), "hello");
}

TEST(Group, an_opened_message_says_who_when_and_what) {
    Conversation talk({"anna", "ben"});
    auto const said = must(talk.of("ben").protect(bytes::view("text"), bytes::view("beside"), talk.entropy()));
    EXPECT_EQ(said.epoch, 1U);
    EXPECT_EQ(said.generation, 0U);
    auto const heard = must(talk.of("anna").unprotect(said.message));
    EXPECT_EQ(heard.sender, talk.of("ben").own_leaf());
    EXPECT_EQ(heard.sender_identity, bytes_of("ben"));
    EXPECT_EQ(heard.epoch, 1U);
    EXPECT_EQ(heard.generation, 0U);
    EXPECT_EQ(heard.authenticated_data, bytes_of("beside"));
    EXPECT_EQ(heard.plaintext, bytes_of("text"));
}

TEST(Group, a_glance_at_a_state_says_what_the_group_would) {
    Conversation talk({"anna", "ben", "cleo"});
    for (auto const text : {"one", "two", "three"}) talk.say("ben", text);
    for (std::string const name : {"anna", "ben", "cleo"}) {
        auto const& group = talk.of(name);
        auto const state = group.encode();
        auto const glance = must(Group::glance(state.expose()));
        EXPECT_EQ(glance.epoch, group.epoch());
        EXPECT_EQ(glance.roster, group.roster());
        EXPECT_EQ(glance.spent_generations, group.spent_generations()) << name;
    }
    EXPECT_EQ(talk.of("ben").spent_generations(), 3U);
}

TEST(Group, a_glance_at_what_is_no_state_is_an_error) {
    Conversation talk({"anna", "ben"});
    auto const state = talk.of("anna").encode();
    EXPECT_EQ(error_of(Group::glance({})), "truncated");
    EXPECT_EQ(error_of(Group::glance(state.expose().first(state.size() / 4))), "truncated");
    auto later = bytes::copy(state.expose());
    later[1] = 99;
    EXPECT_EQ(error_of(Group::glance(later)), "unsupported");
}

TEST(Group, messages_come_out_of_order_and_each_opens_once) {
    Conversation talk({"anna", "ben"});
    std::vector<Bytes> messages;
    for (auto const text : {"0", "1", "2", "3"}) messages.push_back(talk.say("anna", text));
    for (auto const at : {3U, 0U, 2U, 1U}) EXPECT_EQ(talk.hear("ben", messages[at]), std::to_string(at));
    for (auto const& message : messages) EXPECT_EQ(error_of(talk.of("ben").unprotect(message)), "no_key");
}

TEST(Group, own_messages_cannot_be_opened) {
    Conversation talk({"anna", "ben"});
    EXPECT_EQ(error_of(talk.of("anna").unprotect(talk.say("anna", "to myself"))), "no_key");
}

TEST(Group, a_message_far_ahead_is_refused_and_the_rest_still_opens) {
    Conversation talk({"anna", "ben"});
    auto const first = talk.say("anna", "first");
    Bytes at_limit, beyond;
    for (int i = 1; i <= 1025; ++i) (i == 1024 ? at_limit : beyond) = talk.say("anna", "later");
    EXPECT_EQ(error_of(talk.of("ben").unprotect(beyond)), "generation_limit");
    EXPECT_EQ(talk.hear("ben", at_limit), "later");
    EXPECT_EQ(talk.hear("ben", first), "first");
    EXPECT_EQ(talk.hear("ben", beyond), "later");
}

TEST(Group, messages_of_past_epochs_open_until_the_epoch_is_dropped) {
    Conversation talk({"anna", "ben"});
    std::vector<Bytes> held;
    for (int i = 0; i < 4; ++i) {
        held.push_back(talk.say("anna", std::to_string(i)));
        talk.commit(i % 2 ? "ben" : "anna");
    }
    auto& ben = talk.of("ben");
    EXPECT_EQ(ben.epoch(), 5U);
    EXPECT_EQ(ben.retained_epochs(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
    EXPECT_EQ(must(ben.unprotect(held[2])).epoch, 3U);
    EXPECT_EQ(talk.hear("ben", held[0]), "0");
    EXPECT_EQ(error_of(ben.unprotect(held[0])), "no_key");
    ben.drop_epochs_before(4);
    EXPECT_EQ(ben.retained_epochs(), (std::vector<std::uint64_t>{4}));
    EXPECT_EQ(error_of(ben.unprotect(held[1])), "no_key");
    EXPECT_EQ(talk.hear("ben", held[3]), "3");
    ben.drop_epochs_before(100);
    EXPECT_EQ(talk.hear("ben", talk.say("anna", "now")), "now");
}

TEST(Group, a_past_sender_is_named_as_it_was_then) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const last_words = talk.say("cleo", "bye");
    talk.remove("anna", "cleo");
    talk.add("anna", {"dora"});  // takes the free leaf
    EXPECT_EQ(must(talk.of("ben").unprotect(last_words)).sender_identity, bytes_of("cleo"));
    EXPECT_EQ(must(talk.of("ben").unprotect(talk.say("dora", "hi"))).sender_identity, bytes_of("dora"));
}

TEST(Group, a_joiner_reads_nothing_from_before) {
    Conversation talk({"anna", "ben"});
    auto const before = talk.say("anna", "between us");
    talk.add("ben", {"cleo"});
    talk.expect_agreement();
    EXPECT_EQ(error_of(talk.of("cleo").unprotect(before)), "no_key");
}

TEST(Group, a_removed_member_is_told_and_reads_nothing_after) {
    Conversation talk({"anna", "ben", "cleo"});
    auto cleo = talk.of("cleo").clone();
    auto const seen = talk.remove("anna", "cleo");
    ASSERT_TRUE(seen.at("cleo").removed_self());
    EXPECT_EQ(names_of(seen.at("cleo").removed), (Names{"cleo"}));
    EXPECT_EQ(seen.at("cleo").committer.identity, bytes_of("anna"));
    EXPECT_FALSE(talk.is_in("cleo"));
    talk.expect_agreement();
    EXPECT_EQ(error_of(cleo.unprotect(talk.say("anna", "alone now"))), "wrong_epoch");
    EXPECT_EQ(error_of(cleo.process(must(talk.of("ben").commit({}, talk.entropy())).commit)), "wrong_epoch");
}

TEST(Group, a_commit_tells_who_came_went_and_changed) {
    Conversation talk({"anna", "ben", "cleo"});
    auto dora = talk.bundle("dora");
    CommitArgs args;
    args.adds = {dora.key_package};
    args.removes = {talk.of("cleo").own_leaf()};
    args.authenticated_data = bytes_of("declaration");
    auto pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    std::map<std::string, KeyPackageBundle> joiners;
    joiners.emplace("dora", std::move(dora));
    auto const seen = talk.accept("anna", std::move(pending), std::move(joiners));
    auto const& ben = seen.at("ben");
    EXPECT_EQ(ben.committer.identity, bytes_of("anna"));
    EXPECT_EQ(names_of(ben.added), (Names{"dora"}));
    EXPECT_EQ(names_of(ben.removed), (Names{"cleo"}));
    EXPECT_EQ(names_of(ben.updated), (Names{"anna"}));
    EXPECT_EQ(ben.authenticated_data, bytes_of("declaration"));
    EXPECT_FALSE(ben.external);
    talk.expect_agreement();
    EXPECT_EQ(talk.hear("dora", talk.say("ben", "welcome")), "welcome");
}

TEST(Group, the_loser_of_a_race_drops_its_commit_and_follows_the_winner) {
    Conversation talk({"anna", "ben", "cleo"});
    auto lost = must(talk.of("ben").commit({}, talk.entropy()));
    auto won = must(talk.of("anna").commit({}, talk.entropy()));
    talk.accept("anna", std::move(won));  // ben processes it as if he had never tried
    talk.expect_agreement();
    EXPECT_EQ(error_of(talk.of("cleo").process(lost.commit)), "wrong_epoch");
    talk.commit("ben");
    talk.expect_agreement();
    EXPECT_EQ(talk.of("cleo").epoch(), 3U);
}

TEST(Group, a_commit_changes_no_epoch_but_spends_its_generation) {
    Conversation talk({"anna", "ben"});
    auto& anna = talk.of("anna");
    auto const authenticator = bytes::copy(anna.epoch_authenticator());
    auto const before = anna.encode();
    auto const first = must(anna.commit({}, talk.entropy()));
    EXPECT_EQ(anna.epoch(), 1U);
    EXPECT_TRUE(bytes::equal(anna.epoch_authenticator(), authenticator));
    EXPECT_FALSE(bytes::equal(anna.encode().expose(), before.expose()));
    auto const second = must(anna.commit({}, talk.entropy()));  // the first was lost
    auto const next = must(talk.of("ben").process(second.commit));
    EXPECT_TRUE(bytes::equal(next.next->epoch_authenticator(), second.next.epoch_authenticator()));
    EXPECT_TRUE(talk.of("ben").process(first.commit));  // nothing was consumed in ben's present epoch
    EXPECT_EQ(error_of(next.next->process(first.commit)), "wrong_epoch");
}

TEST(Group, messages_between_commit_and_acceptance_open_once) {
    Conversation talk({"anna", "ben"});
    auto const early = talk.say("ben", "early"), late = talk.say("ben", "late");
    auto pending = must(talk.of("anna").commit({}, talk.entropy()));
    EXPECT_EQ(talk.hear("anna", early), "early");
    talk.accept("anna", std::move(pending));
    EXPECT_EQ(error_of(talk.of("anna").unprotect(early)), "no_key");
    EXPECT_EQ(talk.hear("anna", late), "late");
}

TEST(Group, a_pending_commit_survives_as_state) {
    Conversation talk({"anna", "ben"});
    auto pending = must(talk.of("anna").commit({}, talk.entropy()));
    pending.next = must(Group::decode(pending.next.encode().expose()));
    talk.accept("anna", std::move(pending));
    talk.expect_agreement();
}

TEST(Group, handshakes_may_be_public) {
    Conversation talk({"anna", "ben"});
    CommitArgs args;
    args.wire_format = WireFormat::mls_public_message;
    talk.commit("ben", std::move(args));
    talk.expect_agreement();
    CommitArgs own;
    own.wire_format = WireFormat::mls_public_message;
    auto const pending = must(talk.of("anna").commit(std::move(own), talk.entropy()));
    EXPECT_EQ(error_of(talk.of("anna").process(pending.commit)), "not_allowed");
}

TEST(Group, an_add_may_go_without_a_path) {
    Conversation talk({"anna", "ben"});
    auto cleo = talk.bundle("cleo");
    CommitArgs args;
    args.adds = {cleo.key_package};
    args.force_path = false;
    auto pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    EXPECT_LT(pending.commit.size(), 1024U + 512U);
    std::map<std::string, KeyPackageBundle> joiners;
    joiners.emplace("cleo", std::move(cleo));
    auto const seen = talk.accept("anna", std::move(pending), std::move(joiners));
    EXPECT_TRUE(seen.at("ben").updated.empty());
    talk.expect_agreement();
    talk.commit("cleo");  // the first path through a tree of unmerged leaves
    talk.expect_agreement();
}

TEST(Group, a_member_changes_key_and_credential) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const key = crypto::SigningKey::generate(talk.entropy());
    CommitArgs args;
    args.new_identity = {bytes_of("ben, version 2"), key.clone()};
    auto const seen = talk.commit("ben", std::move(args));
    EXPECT_EQ(seen.at("anna").committer.identity, bytes_of("ben"));
    EXPECT_EQ(names_of(seen.at("anna").updated), (Names{"ben, version 2"}));
    auto const ben = *talk.of("anna").member(talk.of("ben").own_leaf());
    EXPECT_TRUE(bytes::equal(ben.signature_key, key.public_key().span()));
    EXPECT_EQ(talk.hear("cleo", talk.say("ben", "still me")), "still me");
    talk.commit("ben");
    talk.expect_agreement();
}

TEST(Group, many_members_come_and_go) {
    Conversation talk({"0", "1", "2", "3", "4", "5", "6", "7", "8"}, 9);
    talk.expect_agreement();
    for (auto const name : {"3", "8", "0"}) talk.remove(name == std::string("0") ? "5" : "0", name);
    talk.expect_agreement();
    talk.add("6", {"9", "10"});
    for (auto const name : {"1", "10", "7", "2"}) talk.commit(name);
    talk.expect_agreement();
    EXPECT_EQ(talk.of("9").roster().size(), 8U);
    auto const message = talk.say("10", "all of you");
    for (auto const name : {"1", "2", "4", "5", "6", "7", "9"}) EXPECT_EQ(talk.hear(name, message), "all of you");
}

TEST(Group, state_survives_in_the_middle_of_a_conversation) {
    Conversation talk({"anna", "ben"});
    auto const past = talk.say("anna", "past"), opened = talk.say("anna", "opened");
    EXPECT_EQ(talk.hear("ben", opened), "opened");
    talk.commit("anna");
    auto const present = talk.say("anna", "present");
    auto const state = talk.of("ben").encode();
    auto ben = must(Group::decode(state.expose()));
    EXPECT_TRUE(bytes::equal(ben.encode().expose(), state.expose()));
    EXPECT_EQ(must(ben.unprotect(past)).plaintext, bytes_of("past"));
    EXPECT_EQ(must(ben.unprotect(present)).plaintext, bytes_of("present"));
    EXPECT_EQ(error_of(ben.unprotect(opened)), "no_key");
    auto const next = must(ben.process(must(talk.of("anna").commit({}, talk.entropy())).commit));
    EXPECT_EQ(next.next->epoch(), 3U);
}

TEST(Group, a_spent_generation_is_not_reused_after_decoding) {
    Conversation talk({"anna", "ben"});
    EXPECT_EQ(talk.of("anna").spent_generations(), 0U);
    talk.say("anna", "0");
    talk.say("anna", "1");
    auto anna = must(Group::decode(talk.of("anna").encode().expose()));
    EXPECT_EQ(anna.spent_generations(), 2U);
    EXPECT_EQ(must(anna.protect(bytes::view("2"), {}, talk.entropy())).generation, 2U);
}

TEST(Group, a_copy_goes_its_own_way) {
    Conversation talk({"anna", "ben"});
    auto const message = talk.say("anna", "once each");
    auto copy = talk.of("ben").clone();
    EXPECT_EQ(talk.hear("ben", message), "once each");
    EXPECT_EQ(must(copy.unprotect(message)).plaintext, bytes_of("once each"));
}

TEST(Group, a_joiner_gets_the_tree_from_elsewhere_if_need_be) {
    Conversation talk({"anna", "ben"});
    auto const info = must(decode(talk.of("anna").group_info(true), read_mls_message));
    auto const& extensions = info.as<GroupInfo>()->extensions;
    ASSERT_NE(find_extension(extensions, extension_type::ratchet_tree), nullptr);
    EXPECT_EQ(find_extension(extensions, extension_type::ratchet_tree)->data, talk.of("ben").ratchet_tree());
    EXPECT_NE(find_extension(extensions, extension_type::external_pub), nullptr);
}

}  // namespace
}  // namespace interlude::mls::tests
