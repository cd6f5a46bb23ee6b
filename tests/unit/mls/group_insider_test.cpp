// What a malicious member can sign, seal and tag rightly, and is refused all the same.
#include "tests/unit/mls/insider.hpp"

#include "common/mls/psk.hpp"
#include "common/mls/welcome.hpp"
#include "tests/unit/mls/group_people.hpp"

namespace interlude::mls::tests {
namespace {

TEST(Insider, cannot_speak_in_anothers_name) {
    Conversation talk({"anna", "ben", "cleo"});
    auto anna = Insider::of(talk.of("anna"));
    auto const forged = anna.send_as(talk.of("ben").own_leaf(), "I am ben", talk.entropy());
    EXPECT_EQ(error_of(talk.of("cleo").unprotect(forged)), "bad_signature");
    EXPECT_EQ(talk.hear("cleo", talk.say("ben", "no, I am")), "no, I am");  // of the same generation
    auto const nobody = anna.send_as(LeafIndex{3}, "I am nobody", talk.entropy());
    EXPECT_EQ(error_of(talk.of("cleo").unprotect(nobody)), "unknown_sender");
}

TEST(Insider, cannot_commit_or_propose_in_anothers_name) {
    Conversation talk({"anna", "ben", "cleo"});
    auto anna = Insider::of(talk.of("anna"));
    auto const ben = talk.of("ben").own_leaf();
    auto const commit = anna.send_as(ben, Commit{}, talk.entropy());
    EXPECT_EQ(error_of(talk.of("cleo").process(commit)), "bad_signature");
    EXPECT_EQ(error_of(talk.of("cleo").authenticate_commit(commit)), "bad_signature");
    auto const proposal = anna.send_as(ben, Proposal{Remove{talk.of("anna").own_leaf()}}, talk.entropy());
    EXPECT_EQ(error_of(talk.of("cleo").receive_proposal(proposal)), "bad_signature");
}

TEST(Insider, cannot_leave_the_path_out_where_it_is_needed) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const anna = Insider::of(talk.of("anna"));
    auto const dora = talk.bundle("dora").key_package;
    auto const seen = [&](std::vector<Proposal> proposals) {
        return error_of(talk.of("ben").process(anna.send_commit(std::move(proposals))));
    };
    EXPECT_EQ(seen({}), "bad_commit");
    EXPECT_EQ(seen({{Remove{talk.of("cleo").own_leaf()}}}), "bad_commit");
    EXPECT_EQ(seen({{GroupContextExtensions{}}}), "bad_commit");
    EXPECT_EQ(seen({{Add{dora}}, {Remove{talk.of("cleo").own_leaf()}}}), "bad_commit");
    EXPECT_EQ(seen({{Add{dora}}}), "bad_mac");  // needs none: only the confirmation tag is wrong
}

TEST(Insider, cannot_commit_an_invalid_list) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const anna = Insider::of(talk.of("anna"));
    auto const seen = [&](std::vector<Proposal> proposals) {
        return error_of(talk.of("ben").process(anna.send_commit(std::move(proposals))));
    };
    auto const resumption = [&](ResumptionPSKUsage usage) {
        return Proposal{PreSharedKey{{ResumptionPSK{usage, anna.context.group_id, 1}, Bytes(32, 1)}}};
    };
    auto const own_leaf = *anna.tree.leaf(anna.keys.leaf);
    EXPECT_EQ(seen({{Update{own_leaf}}}), "bad_proposal");
    EXPECT_EQ(seen({{Remove{anna.keys.leaf}}}), "bad_proposal");
    EXPECT_EQ(seen({{ExternalInit{Bytes(32, 9)}}}), "bad_proposal");
    EXPECT_EQ(seen({{GroupContextExtensions{}}, {GroupContextExtensions{}}}), "bad_proposal");
    EXPECT_EQ(seen({{ReInit{{1}, mls10, suite().id, {}}}}), "unsupported");
    EXPECT_EQ(seen({resumption(ResumptionPSKUsage::branch)}), "bad_proposal");
    EXPECT_EQ(seen({resumption(ResumptionPSKUsage::reinit)}), "bad_proposal");
    EXPECT_EQ(seen({resumption(ResumptionPSKUsage::application)}), "bad_mac");
    EXPECT_EQ(seen({resumption(ResumptionPSKUsage::application), resumption(ResumptionPSKUsage::application)}),
              "bad_proposal");
}

TEST(Insider, cannot_add_a_second_leaf_under_ones_own_key) {
    Conversation talk({"anna", "ben"});
    auto const anna = Insider::of(talk.of("anna"));
    auto const twin = generate_key_package({.suite = suite(),
                                            .credential = Credential::basic(bytes_of("anna again")),
                                            .signature_key = anna.signature_key.clone(),
                                            .lifetime = {1000, 2000}},
                                           talk.entropy());
    EXPECT_EQ(error_of(talk.of("ben").process(anna.send_commit({{Add{twin.key_package}}}))), "bad_leaf");
}

TEST(Insider, cannot_update_without_a_new_key) {
    Conversation talk({"anna", "ben"});
    auto const anna = Insider::of(talk.of("anna"));
    auto leaf = *anna.tree.leaf(anna.keys.leaf);
    auto const update = [&] {
        leaf.source = UpdateSource{};
        leaf.signature = sign_with_label(anna.signature_key, "LeafNodeTBS",
                                         leaf_node_tbs(leaf, {anna.context.group_id, anna.keys.leaf}));
        return anna.send(Proposal{Update{leaf}});
    };
    EXPECT_EQ(error_of(talk.of("ben").receive_proposal(update())), "bad_leaf");
    leaf.encryption_key = crypto::hpke_generate_key_pair(suite(), talk.entropy()).public_key;
    EXPECT_EQ(error_of(talk.of("ben").receive_proposal(update())), "none");
}

// An external commit that is right but for its proposals, signed again by the joiner.
TEST(Insider, cannot_bend_an_external_commit) {
    Conversation talk({"anna", "ben", "cleo"});
    auto const dora = talk.bundle("dora"), emil = talk.bundle("emil");
    auto const info = talk.of("anna").group_info(true);
    auto const joined = must(Group::join_by_external_commit({.group_info = info, .own = dora}, talk.entropy()));
    auto const original = *must(decode(joined.commit, read_mls_message)).as<PublicMessage>();
    auto const context = Insider::of(talk.of("anna")).context;
    auto const seen = [&](auto&& change) {
        auto content = original.content;
        change(std::get<Commit>(content.body));
        auto resigned = sign_content(WireFormat::mls_public_message, content, context, dora.signature_key);
        resigned.auth.confirmation_tag = original.auth.confirmation_tag;
        return error_of(talk.of("ben").process(encode(MLSMessage{protect_public(std::move(resigned), context, {})})));
    };
    auto const with = [&](auto proposal) {
        return seen([&](Commit& commit) { commit.proposals.emplace_back(Proposal{std::move(proposal)}); });
    };
    EXPECT_EQ(seen([](Commit&) {}), "none");  // Ed25519 is deterministic: the same bytes again
    EXPECT_EQ(seen([](Commit& commit) { commit.proposals.clear(); }), "bad_proposal");
    EXPECT_EQ(seen([](Commit& commit) { commit.path.reset(); }), "bad_commit");
    EXPECT_EQ(seen([](Commit& commit) { commit.proposals.emplace_back(ProposalRef(32, 1)); }), "bad_commit");
    EXPECT_EQ(with(ExternalInit{Bytes(32, 9)}), "bad_proposal");
    EXPECT_EQ(with(Add{emil.key_package}), "bad_proposal");
    EXPECT_EQ(with(GroupContextExtensions{}), "bad_proposal");
    EXPECT_EQ(seen([&](Commit& commit) {
                  commit.proposals.emplace_back(Proposal{Remove{talk.of("anna").own_leaf()}});
                  commit.proposals.emplace_back(Proposal{Remove{talk.of("cleo").own_leaf()}});
              }),
              "bad_proposal");
}

// A Welcome of one's own making for somebody whom no commit added.
class ForgedWelcome : public testing::Test {
  protected:
    ForgedWelcome() : ben_(talk_.bundle("ben")) {
        CommitArgs args;
        args.adds = {ben_.key_package};
        auto const pending = must(talk_.of("anna").commit(std::move(args), talk_.entropy()));
        tree_ = pending.next.ratchet_tree();
        welcome_ = *must(decode(*pending.welcome, read_mls_message)).as<Welcome>();
        auto const secrets = must(open_group_secrets(suite(), welcome_, ben_.key_package, ben_.init_key));
        joiner_secret_ = secrets.joiner_secret.clone();
        path_secret_ = secrets.path_secret->clone();
        info_ = must(open_group_info(suite(), welcome_, joiner_secret_.expose(), zero_secret(suite()).expose()));
        anna_key_ = Insider::of(pending.next).signature_key.clone();
    }

    std::string_view joining(GroupInfo info, std::optional<Bytes> tree = {}) {
        sign_group_info(info, *anna_key_);
        auto const welcome = must(make_welcome(suite(), info, joiner_secret_.expose(), zero_secret(suite()).expose(),
                                               {}, {{ben_.key_package, &path_secret_}}, talk_.entropy()));
        auto const bytes = encode(MLSMessage{welcome});
        return error_of(Group::join({.welcome = bytes, .own = ben_, .ratchet_tree = std::move(tree)}));
    }

    Conversation talk_{{"anna"}};
    KeyPackageBundle ben_;
    Bytes tree_;
    Welcome welcome_;
    SecretBytes joiner_secret_, path_secret_;
    GroupInfo info_;
    std::optional<crypto::SigningKey> anna_key_;
};

TEST_F(ForgedWelcome, is_taken_only_if_all_its_parts_agree) {
    EXPECT_EQ(joining(info_), "none");
    auto info = info_;
    info.confirmation_tag[0] ^= 1;
    EXPECT_EQ(joining(info), "bad_mac");
    info = info_;
    info.group_context.tree_hash[0] ^= 1;
    EXPECT_EQ(joining(info), "bad_tree");
    info = info_;
    info.group_context.epoch += 1;
    EXPECT_EQ(joining(info), "bad_mac");
    info = info_;
    info.signer = LeafIndex{1};
    EXPECT_EQ(joining(info), "bad_signature");
    info.signer = LeafIndex{9};
    EXPECT_EQ(joining(info), "unknown_sender");
    path_secret_.expose_mutable()[0] ^= 1;
    EXPECT_EQ(joining(info_), "bad_commit");
}

TEST_F(ForgedWelcome, without_a_tree_needs_the_right_one_from_elsewhere) {
    auto info = info_;
    info.extensions.clear();
    EXPECT_EQ(joining(info), "bad_tree");
    EXPECT_EQ(joining(info, tree_), "none");
    EXPECT_EQ(joining(info, talk_.of("anna").ratchet_tree()), "bad_tree");
}

TEST(Backup, an_old_copy_of_oneself_cannot_speak_into_a_past_epoch) {
    Conversation talk({"anna", "ben"});
    auto old_anna = talk.of("anna").clone();
    talk.commit("anna");
    auto const message = must(old_anna.protect(bytes::view("from a backup"), {}, talk.entropy())).message;
    EXPECT_EQ(error_of(talk.of("anna").unprotect(message)), "no_key");  // the own sending secrets are gone
}

TEST(Backup, a_state_whose_parts_do_not_belong_together_is_refused) {
    Conversation talk({"anna", "ben"});
    auto const anna = Insider::of(talk.of("anna"));
    auto const original = bytes::copy(talk.of("anna").encode().expose());
    auto const changing = [&](ByteView part) {
        auto state = original;
        auto const at = std::search(state.begin(), state.end(), part.begin(), part.end());
        EXPECT_NE(at, state.end());
        at[1] ^= 1;
        return error_of(Group::decode(state));
    };
    EXPECT_EQ(changing(anna.signature_key.expose_seed()), "inconsistent");
    EXPECT_EQ(changing(anna.context.tree_hash), "inconsistent");
    EXPECT_EQ(changing(anna.keys.key_pairs.at(node_of(anna.keys.leaf)).private_key.expose()), "inconsistent");
}

}  // namespace
}  // namespace interlude::mls::tests
