// What a Group does not take: tampered bytes, wrong places, people the app does not believe, invalid lists.
#include <algorithm>

#include "tests/unit/mls/group_people.hpp"

namespace interlude::mls::tests {
namespace {

// Each byte of a message in turn, so that no field is forgotten; nothing of it may stick.
TEST(GroupRefuses, every_changed_byte_of_a_message) {
    Conversation talk({"anna", "ben"});
    auto const message = talk.say("anna", "whole");
    for (std::size_t at = 0; at < message.size(); ++at) {
        auto changed = message;
        changed[at] ^= 0x20;
        EXPECT_FALSE(talk.of("ben").unprotect(changed)) << at;
    }
    EXPECT_FALSE(talk.of("ben").unprotect(ByteView(message).first(message.size() - 1)));
    EXPECT_EQ(talk.hear("ben", message), "whole");
}

TEST(GroupRefuses, every_changed_byte_of_a_commit) {
    for (auto const format : {WireFormat::mls_private_message, WireFormat::mls_public_message}) {
        Conversation talk({"anna", "ben"});
        CommitArgs args;
        args.wire_format = format;
        auto const pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
        for (std::size_t at = 0; at < pending.commit.size(); at += 3) {
            auto changed = pending.commit;
            changed[at] ^= 0x01;
            EXPECT_FALSE(talk.of("ben").process(changed)) << at;
        }
        EXPECT_TRUE(talk.of("ben").process(pending.commit));
    }
}

TEST(GroupRefuses, every_changed_byte_of_a_welcome) {
    Conversation talk({"anna"});
    auto const ben = talk.bundle("ben");
    CommitArgs args;
    args.adds = {ben.key_package};
    auto const pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    for (std::size_t at = 0; at < pending.welcome->size(); at += 3) {
        auto changed = *pending.welcome;
        changed[at] ^= 0x01;
        EXPECT_FALSE(Group::join({.welcome = changed, .own = ben})) << at;
    }
    EXPECT_TRUE(Group::join({.welcome = *pending.welcome, .own = ben}));
}

TEST(GroupRefuses, a_welcome_for_somebody_else) {
    Conversation talk({"anna"});
    auto const ben = talk.bundle("ben"), cleo = talk.bundle("cleo");
    CommitArgs args;
    args.adds = {ben.key_package};
    auto const pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    EXPECT_EQ(error_of(Group::join({.welcome = *pending.welcome, .own = cleo})), "no_key");
    EXPECT_EQ(error_of(Group::join({.welcome = pending.commit, .own = ben})), "malformed");
}

TEST(GroupRefuses, messages_of_other_groups_and_epochs) {
    Conversation talk({"anna", "ben"});
    Conversation other({"anna", "ben"}, 2);
    auto stranger = must(Group::found({bytes_of("another group"), talk.bundle("x")}, talk.entropy()));
    auto const strange = must(stranger.protect(bytes::view("?"), {}, talk.entropy())).message;
    EXPECT_EQ(error_of(talk.of("ben").unprotect(strange)), "wrong_group");
    EXPECT_EQ(error_of(talk.of("ben").process(must(stranger.commit({}, talk.entropy())).commit)), "wrong_group");
    // The same group id and epoch, but other keys.
    EXPECT_EQ(error_of(talk.of("ben").unprotect(other.say("anna", "?"))), "decrypt_failed");
    auto const old_commit = must(talk.of("ben").commit({}, talk.entropy())).commit;
    talk.commit("anna");
    EXPECT_EQ(error_of(talk.of("anna").process(old_commit)), "wrong_epoch");
}

TEST(GroupRefuses, a_message_where_a_commit_belongs_and_the_other_way_round) {
    Conversation talk({"anna", "ben"});
    auto const commit = must(talk.of("anna").commit({}, talk.entropy())).commit;
    EXPECT_EQ(error_of(talk.of("ben").process(talk.say("anna", "text"))), "malformed");
    EXPECT_EQ(error_of(talk.of("ben").unprotect(commit)), "malformed");
    EXPECT_EQ(error_of(talk.of("ben").receive_proposal(commit)), "bad_proposal");
}

TEST(GroupRefuses, leaves_that_the_app_does_not_believe) {
    Conversation talk({"anna", "ben"});
    Outside suspicious;
    suspicious.check_leaf = [](LeafNode const& leaf) -> Result<void> {
        if (*leaf.credential.identity() == bytes_of("mallory")) return base::Errc::not_listed;
        return {};
    };
    auto const mallory = talk.bundle("mallory");
    CommitArgs args;
    args.adds = {mallory.key_package};
    auto const pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    EXPECT_EQ(error_of(talk.of("ben").process(pending.commit, suspicious)), "not_listed");
    EXPECT_TRUE(talk.of("ben").process(pending.commit));

    CommitArgs own;
    own.adds = {mallory.key_package};
    own.outside = suspicious;
    EXPECT_EQ(error_of(talk.of("anna").commit(std::move(own), talk.entropy())), "not_listed");

    // A joiner asks about everybody else, not about itself.
    EXPECT_TRUE(Group::join({.welcome = *pending.welcome, .own = mallory, .outside = suspicious}));
    Conversation with_mallory({"mallory", "ben"});
    auto const cleo = with_mallory.bundle("cleo");
    CommitArgs invitation;
    invitation.adds = {cleo.key_package};
    auto const welcome = must(with_mallory.of("ben").commit(std::move(invitation), with_mallory.entropy())).welcome;
    EXPECT_EQ(error_of(Group::join({.welcome = *welcome, .own = cleo, .outside = suspicious})), "not_listed");

    // And the leaf that a path brings in.
    CommitArgs renamed;
    renamed.new_identity = {bytes_of("mallory"), crypto::SigningKey::generate(talk.entropy())};
    auto const as_mallory = must(talk.of("anna").commit(std::move(renamed), talk.entropy()));
    EXPECT_EQ(error_of(talk.of("ben").process(as_mallory.commit, suspicious)), "not_listed");
}

TEST(GroupRefuses, key_packages_outside_their_lifetime) {
    Conversation talk({"anna", "ben"});
    auto const cleo = talk.bundle("cleo");  // from 1000 to 2000
    auto const commit_at = [&](std::int64_t seconds) {
        CommitArgs args;
        args.adds = {cleo.key_package};
        args.outside.now = base::wall_seconds(seconds);
        return talk.of("anna").clone().commit(std::move(args), talk.entropy());
    };
    EXPECT_EQ(error_of(commit_at(999)), "bad_leaf");
    EXPECT_EQ(error_of(commit_at(1000)), "none");
    EXPECT_EQ(error_of(commit_at(2001)), "bad_leaf");
    Outside late;
    late.now = base::wall_seconds(2001);
    auto const pending = must(commit_at(2000));
    EXPECT_EQ(error_of(talk.of("ben").process(pending.commit, late)), "bad_leaf");
    EXPECT_EQ(error_of(talk.of("ben").process(pending.commit)), "none");
}

TEST(GroupRefuses, the_same_package_twice_and_members_again) {
    Conversation talk({"anna", "ben"});
    auto const cleo = talk.bundle("cleo");
    CommitArgs twice;
    twice.adds = {cleo.key_package, cleo.key_package};
    EXPECT_FALSE(talk.of("anna").commit(std::move(twice), talk.entropy()));
    CommitArgs once;
    once.adds = {cleo.key_package};
    auto pending = must(talk.of("anna").commit(std::move(once), talk.entropy()));
    talk.accept("anna", std::move(pending));
    CommitArgs again;
    again.adds = {cleo.key_package};
    EXPECT_FALSE(talk.of("anna").commit(std::move(again), talk.entropy()));
}

TEST(GroupRefuses, removes_of_oneself_of_nobody_and_twice) {
    Conversation talk({"anna", "ben"});
    auto const removing = [&](std::vector<LeafIndex> leaves) {
        CommitArgs args;
        args.removes = std::move(leaves);
        return error_of(talk.of("anna").commit(std::move(args), talk.entropy()));
    };
    EXPECT_EQ(removing({talk.of("anna").own_leaf()}), "bad_proposal");
    EXPECT_EQ(removing({LeafIndex{2}}), "bad_proposal");
    EXPECT_EQ(removing({LeafIndex{1u << 31}}), "bad_proposal");
    EXPECT_EQ(removing({talk.of("ben").own_leaf(), talk.of("ben").own_leaf()}), "bad_proposal");
    EXPECT_EQ(removing({talk.of("ben").own_leaf()}), "none");
}

TEST(GroupRefuses, context_extensions_that_a_member_does_not_speak) {
    Conversation talk({"anna", "ben"});
    CommitArgs args;
    args.group_context_extensions = Extensions{Extension{0x0a0a, {}}};
    EXPECT_EQ(error_of(talk.of("anna").commit(std::move(args), talk.entropy())), "bad_leaf");
    CommitArgs required;
    required.group_context_extensions =
        Extensions{Extension{extension_type::required_capabilities, encode(RequiredCapabilities{{}, {0x0a0a}, {}})}};
    EXPECT_EQ(error_of(talk.of("anna").commit(std::move(required), talk.entropy())), "bad_leaf");
    CommitArgs harmless;
    harmless.group_context_extensions = Extensions{Extension{
        extension_type::required_capabilities, encode(RequiredCapabilities{{}, {}, {credential_type::basic}})}};
    talk.commit("anna", std::move(harmless));
    talk.expect_agreement();
    EXPECT_EQ(talk.of("ben").extensions().size(), 1U);
}

TEST(GroupRefuses, a_damaged_state) {
    Conversation talk({"anna", "ben"});
    talk.commit("anna");
    talk.hear("ben", talk.say("anna", "text"));
    auto const state = bytes::copy(talk.of("ben").encode().expose());
    for (std::size_t length = 0; length < state.size(); length += 7) {
        EXPECT_FALSE(Group::decode(ByteView(state).first(length))) << length;
    }
    auto longer = state;
    longer.push_back(0);
    EXPECT_EQ(error_of(Group::decode(longer)), "trailing_bytes");
    auto newer = state;
    newer[1] = 2;
    EXPECT_EQ(error_of(Group::decode(newer)), "unsupported");
    for (std::size_t at = 0; at < state.size(); at += 5) {
        auto changed = state;
        changed[at] ^= 0x40;
        auto const decoded = Group::decode(changed);  // an error, or a Group that can be encoded: never a crash
        if (decoded) {
            EXPECT_FALSE(decoded->encode().empty());
        }
    }
}

}  // namespace
}  // namespace interlude::mls::tests
