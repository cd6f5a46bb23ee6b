// The parts of RFC 9420 that our own wire does not use: proposals by reference, PSKs, external commits.
#include "tests/unit/mls/group_people.hpp"

namespace interlude::mls::tests {
namespace {

using Names = std::vector<std::string>;

// Everybody but the proposer receives it.
void spread(Conversation& talk, Names const& to, ByteView proposal) {
    for (auto const& name : to) must(talk.of(name).receive_proposal(proposal));
}

TEST(Proposals, by_reference_are_applied_by_whoever_commits) {
    Conversation talk({"anna", "ben", "cleo"});
    auto dora = talk.bundle("dora");
    spread(talk, {"anna", "cleo"}, must(talk.of("ben").propose({{Add{dora.key_package}}}, talk.entropy())));
    ProposalArgs remove{{Remove{talk.of("cleo").own_leaf()}}};
    remove.wire_format = WireFormat::mls_public_message;
    spread(talk, {"anna", "cleo"}, must(talk.of("ben").propose(std::move(remove), talk.entropy())));

    auto pending = must(talk.of("anna").commit({}, talk.entropy()));
    std::map<std::string, KeyPackageBundle> joiners;
    joiners.emplace("dora", std::move(dora));
    auto const seen = talk.accept("anna", std::move(pending), std::move(joiners));
    EXPECT_TRUE(seen.at("cleo").removed_self());
    EXPECT_EQ(names_of(seen.at("ben").added), (Names{"dora"}));
    talk.expect_agreement();
    EXPECT_EQ(names_of(talk.of("dora").roster()), (Names{"anna", "ben", "dora"}));
}

TEST(Proposals, an_update_of_ones_own_takes_effect_when_another_commits_it) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const key = crypto::SigningKey::generate(talk.entropy());
    auto const update = must(talk.of("cleo").propose_update(NewIdentity{bytes_of("cleo 2"), key.clone()},
                                                            WireFormat::mls_private_message, talk.entropy()));
    spread(talk, {"anna", "ben"}, update);
    talk.of("cleo") = must(Group::decode(talk.of("cleo").encode().expose()));  // with the update still open
    auto const seen = talk.commit("ben");
    EXPECT_EQ(names_of(seen.at("anna").updated), (Names{"cleo 2", "ben"}));
    talk.expect_agreement();
    EXPECT_EQ(talk.hear("anna", talk.say("cleo", "new key")), "new key");
    talk.commit("cleo");
    talk.expect_agreement();
}

TEST(Proposals, a_remove_beats_an_update_and_own_updates_are_left_out) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const format = WireFormat::mls_private_message;
    spread(talk, {"anna", "ben"}, must(talk.of("cleo").propose_update({}, format, talk.entropy())));
    spread(talk, {"ben", "cleo"}, must(talk.of("anna").propose_update({}, format, talk.entropy())));
    spread(talk, {"anna", "cleo"},
           must(talk.of("ben").propose({{Remove{talk.of("cleo").own_leaf()}}}, talk.entropy())));
    auto const seen = talk.commit("anna");
    EXPECT_TRUE(seen.at("cleo").removed_self());
    EXPECT_EQ(names_of(seen.at("ben").updated), (Names{"anna"}));
    talk.expect_agreement();
}

TEST(Proposals, stop_application_messages_until_they_are_committed) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const proposal = must(talk.of("ben").propose({{Remove{talk.of("cleo").own_leaf()}}}, talk.entropy()));
    spread(talk, {"anna"}, proposal);
    EXPECT_EQ(error_of(talk.of("anna").protect(bytes::view("x"), {}, talk.entropy())), "out_of_state");
    EXPECT_EQ(error_of(talk.of("anna").receive_proposal(proposal)), "no_key");
}

TEST(Proposals, that_are_not_valid_by_themselves_are_not_kept) {
    Conversation talk({"anna", "ben"});
    auto forged = talk.bundle("dora").key_package;
    forged.signature.back() ^= 1;
    auto const from_ben = [&](Proposal proposal) {
        auto ben = talk.of("ben").clone();
        return error_of(talk.of("anna").receive_proposal(must(ben.propose({std::move(proposal)}, talk.entropy()))));
    };
    EXPECT_EQ(from_ben({Remove{LeafIndex{7}}}), "bad_proposal");
    EXPECT_EQ(from_ben({Add{forged}}), "bad_signature");
    EXPECT_EQ(from_ben({PreSharedKey{{ExternalPSK{{1}}, Bytes(31, 0)}}}), "bad_proposal");
    talk.say("anna", "nothing waits to be committed");
    EXPECT_EQ(from_ben({Remove{talk.of("anna").own_leaf()}}), "none");  // for ben to commit, or a third
}

TEST(Proposals, that_were_never_received_cannot_be_committed) {
    Conversation talk({"anna", "ben", "cleo"});
    spread(talk, {"anna"}, must(talk.of("ben").propose({{Remove{talk.of("cleo").own_leaf()}}}, talk.entropy())));
    auto const pending = must(talk.of("anna").commit({}, talk.entropy()));
    EXPECT_EQ(error_of(talk.of("cleo").process(pending.commit)), "bad_proposal");
    EXPECT_EQ(error_of(talk.of("ben").process(pending.commit)), "none");
}

TEST(Psk, who_does_not_hold_it_cannot_follow) {
    Conversation talk({"anna", "ben"});
    auto const psk = [] { return SecretBytes(bytes_of("shared in the session")); };
    CommitArgs args;
    args.psks.push_back({bytes_of("psk"), psk()});
    auto pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    EXPECT_EQ(error_of(talk.of("ben").process(pending.commit)), "unknown_psk");
    Outside wrong;
    wrong.find_psk = [](ByteView) { return SecretBytes(bytes_of("something else")); };
    EXPECT_EQ(error_of(talk.of("ben").process(pending.commit, wrong)), "bad_mac");
    Outside right;
    right.find_psk = [&](ByteView id) -> std::optional<SecretBytes> {
        return bytes::equal(id, bytes_of("psk")) ? std::optional(psk()) : std::nullopt;
    };
    talk.accept("anna", std::move(pending), {}, right);
    talk.expect_agreement();
}

TEST(Psk, a_welcome_asks_for_it_too) {
    Conversation talk({"anna"});
    auto const ben = talk.bundle("ben");
    CommitArgs args;
    args.adds = {ben.key_package};
    args.psks.push_back({bytes_of("psk"), SecretBytes(bytes_of("secret"))});
    auto const pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    EXPECT_EQ(error_of(Group::join({.welcome = *pending.welcome, .own = ben})), "unknown_psk");
    Outside outside;
    outside.find_psk = [](ByteView) { return SecretBytes(bytes_of("secret")); };
    auto const joined = must(Group::join({.welcome = *pending.welcome, .own = ben, .outside = outside}));
    EXPECT_TRUE(bytes::equal(joined.epoch_authenticator(), pending.next.epoch_authenticator()));
}

TEST(Psk, of_an_epoch_before_shows_that_one_was_there) {
    Conversation talk({"anna", "ben"});
    talk.commit("ben");
    talk.add("ben", {"cleo"});
    CommitArgs args;
    args.resumption_psks = {2, 3};
    auto pending = must(talk.of("anna").commit(std::move(args), talk.entropy()));
    EXPECT_EQ(error_of(talk.of("cleo").process(pending.commit)), "unknown_psk");
    auto const ben = must(talk.of("ben").process(pending.commit));
    EXPECT_TRUE(bytes::equal(ben.next->epoch_authenticator(), pending.next.epoch_authenticator()));
    talk.of("ben").drop_epochs_before(3);
    EXPECT_EQ(error_of(talk.of("ben").process(pending.commit)), "unknown_psk");
}

TEST(ExternalCommit, lets_somebody_in_who_holds_the_group_info) {
    Conversation talk({"anna", "ben"});
    auto const dora = talk.bundle("dora");
    EXPECT_EQ(error_of(Group::join_by_external_commit({.group_info = talk.of("anna").group_info(false), .own = dora},
                                                      talk.entropy())),
              "not_allowed");
    auto const info = talk.of("anna").group_info(true);
    auto joined = must(Group::join_by_external_commit(
        {.group_info = info, .own = dora, .authenticated_data = bytes_of("hello")}, talk.entropy()));
    for (auto const name : {"anna", "ben"}) {
        auto processed = must(talk.of(name).process(joined.commit));
        EXPECT_TRUE(processed.external);
        EXPECT_EQ(processed.committer.identity, bytes_of("dora"));
        EXPECT_EQ(names_of(processed.added), (Names{"dora"}));
        EXPECT_EQ(processed.authenticated_data, bytes_of("hello"));
        EXPECT_TRUE(bytes::equal(processed.next->epoch_authenticator(), joined.next.epoch_authenticator()));
        talk.of(name) = std::move(*processed.next);
    }
    auto const message = must(joined.next.protect(bytes::view("here"), {}, talk.entropy())).message;
    EXPECT_EQ(talk.hear("ben", message), "here");
}

TEST(ExternalCommit, replaces_an_old_leaf_of_ones_own) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const again = talk.bundle("ben");
    auto const info = talk.of("anna").group_info(true);
    auto const joined = must(Group::join_by_external_commit(
        {.group_info = info, .own = again, .resync = talk.of("ben").own_leaf()}, talk.entropy()));
    auto const old_ben = must(talk.of("ben").process(joined.commit));
    EXPECT_TRUE(old_ben.removed_self());
    EXPECT_EQ(names_of(old_ben.added), (Names{"ben"}));
    auto const cleo = must(talk.of("cleo").process(joined.commit));
    EXPECT_EQ(names_of(cleo.removed), (Names{"ben"}));
    EXPECT_EQ(names_of(cleo.next->roster()), (Names{"anna", "ben", "cleo"}));
    EXPECT_TRUE(bytes::equal(cleo.next->epoch_authenticator(), joined.next.epoch_authenticator()));
}

TEST(ExternalCommit, from_a_stale_or_forged_group_info_is_refused) {
    Conversation talk({"anna", "ben"});
    auto const dora = talk.bundle("dora");
    auto const info = talk.of("anna").group_info(true);
    auto forged = info;
    forged.back() ^= 1;
    EXPECT_EQ(error_of(Group::join_by_external_commit({.group_info = forged, .own = dora}, talk.entropy())),
              "bad_signature");
    auto const joined = must(Group::join_by_external_commit({.group_info = info, .own = dora}, talk.entropy()));
    talk.commit("ben");
    EXPECT_EQ(error_of(talk.of("anna").process(joined.commit)), "wrong_epoch");
}

}  // namespace
}  // namespace interlude::mls::tests
