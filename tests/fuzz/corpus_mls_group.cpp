// What a member of a group may receive: from those who keep to the rules, from a malicious member, from outside.
#include "common/mls/welcome.hpp"
#include "tests/fuzz/make_corpus.hpp"
#include "tests/fuzz/mls_group_world.hpp"

namespace interlude::fuzz {

using namespace mls;

namespace {

// The first byte of an input of mls_group_fuzz.cpp.
enum Choice : unsigned { any_message, as_welcome, as_state, insider_commit, insider_proposal, sequence, as_group_info };

void group_seed(std::string const& name, Choice choice, ByteView content) {
    seed("mls_group", name, choice, content);
}

Bytes in_turn(std::vector<Bytes> const& messages) {
    Writer writer;
    for (auto const& message : messages) writer.opaque(message);
    return std::move(writer).take();
}

/// By a group of the name: what it would send, without a change to the group itself.
Bytes committed(Group const& group, CommitArgs args, crypto::Entropy& entropy) {
    return group.clone().commit(std::move(args), entropy).value().commit;
}
Bytes proposed(Group const& group, Proposal proposal, WireFormat format, crypto::Entropy& entropy) {
    return group.clone().propose({.proposal = std::move(proposal), .wire_format = format}, entropy).value();
}
Bytes said(Group& group, std::string_view text, crypto::Entropy& entropy) {
    return group.protect(bytes::view(text), {}, entropy).value().message;
}

PreSharedKeyID external_psk(std::string_view id) {
    return {ExternalPSK{bytes_of(id)}, Bytes(32, 1)};
}
PreSharedKeyID resumption_psk(ByteView group_id, std::uint64_t epoch,
                              ResumptionPSKUsage usage = ResumptionPSKUsage::application) {
    return {ResumptionPSK{usage, bytes::copy(group_id), epoch}, Bytes(32, 1)};
}

void make_plain_messages(World& world) {
    auto& entropy = world.entropy;
    auto const& anna = *world.anna_group;
    auto const own_leaf = world.ben->own_leaf();
    auto speaking = anna.clone();
    group_seed("message", any_message, said(speaking, "hello", entropy));
    for (auto const format : {WireFormat::mls_public_message, WireFormat::mls_private_message}) {
        auto const of = std::string(format == WireFormat::mls_public_message ? "public_" : "private_");
        auto const commit = [&](char const* name, auto change) {
            auto const sealed_too = std::string_view(name) == "empty" || std::string_view(name) == "remove_receiver";
            if (format == WireFormat::mls_private_message && !sealed_too) return;
            CommitArgs args;
            args.wire_format = format;
            change(args);
            group_seed(of + name, any_message, committed(anna, std::move(args), entropy));
        };
        commit("empty", [](CommitArgs&) {});
        commit("add", [&](CommitArgs& args) { args.adds = {world.dora.key_package}; });
        commit("add_without_path", [&](CommitArgs& args) {
            args.adds = {world.dora.key_package};
            args.force_path = false;
        });
        commit("add_mallory", [&](CommitArgs& args) { args.adds = {world.mallory.key_package}; });
        commit("remove", [&](CommitArgs& args) { args.removes = {world.cleo->own_leaf()}; });
        commit("remove_receiver", [&](CommitArgs& args) { args.removes = {own_leaf}; });
        commit("psk", [](CommitArgs& args) {
            args.psks.push_back({bytes_of("known"), SecretBytes(bytes::view("a shared secret"))});
        });
        commit("unknown_psk", [](CommitArgs& args) {
            args.psks.push_back({bytes_of("?"), SecretBytes(bytes::view("?"))});
        });
        commit("resumption", [&](CommitArgs& args) { args.resumption_psks = {anna.epoch()}; });
        commit("context", [](CommitArgs& args) { args.group_context_extensions = Extensions{}; });
        commit("renamed", [&](CommitArgs& args) {
            args.new_identity = NewIdentity{bytes_of("anna b."), crypto::SigningKey::generate(entropy)};
        });
        commit("as_mallory", [&](CommitArgs& args) {
            args.new_identity = NewIdentity{bytes_of("mallory"), crypto::SigningKey::generate(entropy)};
        });
        group_seed(of + "proposal", any_message, proposed(anna, {Remove{world.cleo->own_leaf()}}, format, entropy));
    }
    auto untagged = proposed(anna, {Remove{world.cleo->own_leaf()}}, WireFormat::mls_public_message, entropy);
    untagged.back() ^= 1;
    group_seed("bad_tag", any_message, untagged);
    group_seed("own_commit", any_message, committed(*world.ben, {}, entropy));
    CommitArgs public_args;
    public_args.wire_format = WireFormat::mls_public_message;
    group_seed("own_public_commit", any_message, committed(*world.ben, std::move(public_args), entropy));
}

/// As somebody who is no member signs them, or who says so.
void make_outsiders_messages(World& world) {
    auto& entropy = world.entropy;
    auto const& context = world.anna->context;
    auto const sent = [&](std::string const& name, Sender sender, ContentBody body, crypto::SigningKey const& key) {
        auto content = sign_content(WireFormat::mls_public_message,
                                    {context.group_id, context.epoch, sender, {}, std::move(body)}, context, key);
        if (content.content.type() == ContentType::commit) content.auth.confirmation_tag = Bytes(32);
        group_seed(name, any_message,
                   encode(MLSMessage{
                       protect_public(std::move(content), context, world.anna->secrets.membership_key.expose())}));
    };
    auto const& key = world.dora.signature_key;
    Sender const joins{SenderType::new_member_commit, 0}, asks{SenderType::new_member_proposal, 0};
    sent("asks_to_be_added", asks, Proposal{Add{world.dora.key_package}}, key);
    sent("bad_asks_for_a_removal", asks, Proposal{Remove{LeafIndex{1}}}, key);
    sent("bad_external_sender", {SenderType::external, 0}, Proposal{Remove{LeafIndex{1}}}, key);
    sent("bad_joins_by_proposal", joins, Proposal{Add{world.dora.key_package}}, key);
    sent("bad_joins_without_path", joins, Commit{}, key);
    sent("bad_nobody", Sender::member(LeafIndex{9}), Proposal{Remove{LeafIndex{1}}}, key);
    sent("bad_application", Sender::member(LeafIndex{0}), ApplicationData{{1}}, world.anna->signature_key);

    auto const info = world.anna_group->group_info(true);
    group_seed("group_info", as_group_info, info);
    group_seed("bad_group_info_without_key", as_group_info, world.anna_group->group_info(false));
    auto const joined = Group::join_by_external_commit({.group_info = info, .own = world.dora}, entropy).value();
    group_seed("external_commit", any_message, joined.commit);
    auto const again =
        Group::join_by_external_commit({.group_info = info, .own = world.dora, .resync = LeafIndex{2}}, entropy)
            .value();
    group_seed("external_commit_with_removal", any_message, again.commit);
    auto const over_ben =
        Group::join_by_external_commit({.group_info = info, .own = world.dora, .resync = LeafIndex{1}}, entropy)
            .value();
    group_seed("external_commit_over_receiver", any_message, over_ben.commit);
    auto const message = decode(joined.commit, read_mls_message).value();
    auto const& original = *message.as<PublicMessage>();
    auto const bent = [&](char const* name, auto change) {
        auto commit = std::get<Commit>(original.content.body);
        change(commit);
        sent(std::string("bad_external_") + name, joins, std::move(commit), key);
    };
    bent("tag", [](Commit&) {});
    bent("without_init", [](Commit& commit) { commit.proposals.clear(); });
    bent("by_reference", [](Commit& commit) { commit.proposals.emplace_back(ProposalRef(32, 1)); });
    bent("twice", [](Commit& commit) { commit.proposals.emplace_back(Proposal{ExternalInit{Bytes(32, 9)}}); });
    bent("with_context", [](Commit& commit) { commit.proposals.emplace_back(Proposal{GroupContextExtensions{}}); });
    bent("kem", [](Commit& commit) { commit.proposals = {Proposal{ExternalInit{Bytes(31)}}}; });

    auto anna = tests::Insider::of(*world.anna_group);
    group_seed("bad_as_another", any_message, anna.send_as(world.cleo->own_leaf(), "I am cleo", entropy));
    group_seed("bad_as_nobody", any_message, anna.send_as(LeafIndex{3}, "I am nobody", entropy));
    auto stranger = Group::found({bytes_of("another"), bundle(entropy, "x")}, entropy).value();
    group_seed("bad_other_group", any_message, said(stranger, "?", entropy));
    group_seed("bad_other_groups_commit", any_message, committed(stranger, {}, entropy));
}

void make_insider_seeds(World& world) {
    auto const& anna = *world.anna;
    auto const own = *anna.tree.leaf(anna.keys.leaf);
    auto const ben = world.ben->own_leaf(), cleo = world.cleo->own_leaf();
    auto updated = own;
    updated.source = UpdateSource{};
    auto const signed_update = [&] {
        updated.signature = sign_with_label(anna.signature_key, "LeafNodeTBS",
                                            leaf_node_tbs(updated, {anna.context.group_id, anna.keys.leaf}));
        return Proposal{Update{updated}};
    };
    auto const stale_update = signed_update();
    updated.encryption_key = crypto::hpke_generate_key_pair(*anna.suite, world.entropy).public_key;
    auto const update = signed_update();
    auto unable = updated;
    unable.capabilities.versions.clear();
    auto other_suite = world.dora.key_package;
    other_suite.cipher_suite = 1;
    auto const required = encode(RequiredCapabilities{{0xf001}, {}, {}});

    std::pair<char const*, Proposal> const proposals[] = {
        {"add", {Add{world.dora.key_package}}},
        {"add_mallory", {Add{world.mallory.key_package}}},
        {"add_twin", {Add{world.ben_bundle.key_package}}},
        {"add_other_suite", {Add{other_suite}}},
        {"remove", {Remove{cleo}}},
        {"remove_receiver", {Remove{ben}}},
        {"remove_self", {Remove{anna.keys.leaf}}},
        {"remove_nobody", {Remove{LeafIndex{99}}}},
        {"update", update},
        {"update_stale", stale_update},
        {"update_unable", {Update{unable}}},
        {"update_unsigned", {Update{own}}},
        {"psk", {PreSharedKey{external_psk("known")}}},
        {"psk_unknown", {PreSharedKey{external_psk("?")}}},
        {"psk_nonce", {PreSharedKey{{ExternalPSK{bytes_of("known")}, Bytes(3)}}}},
        {"resumption", {PreSharedKey{resumption_psk(anna.context.group_id, 1)}}},
        {"resumption_elsewhere", {PreSharedKey{resumption_psk(Bytes(3), 1)}}},
        {"resumption_branch", {PreSharedKey{resumption_psk(anna.context.group_id, 1, ResumptionPSKUsage::branch)}}},
        {"reinit", {ReInit{{1}, mls10, anna.suite->id, {}}}},
        {"external_init", {ExternalInit{Bytes(32, 9)}}},
        {"context", {GroupContextExtensions{}}},
        {"context_required", {GroupContextExtensions{{{extension_type::required_capabilities, required}}}}},
        {"context_undecodable", {GroupContextExtensions{{{extension_type::required_capabilities, {9}}}}}},
        {"context_unsupported", {GroupContextExtensions{{{0xf001, {}}}}}}};
    for (auto const& [name, proposal] : proposals) {
        group_seed(std::string("proposal_") + name, insider_proposal, encode(proposal));
        Commit commit;
        commit.proposals.emplace_back(proposal);
        group_seed(std::string("commit_") + name, insider_commit, encode(commit));
    }
    // With the path of a commit of Anna's: what comes after the proposals.
    auto const honest = committed(*world.anna_group, {.wire_format = WireFormat::mls_public_message}, world.entropy);
    auto const message = decode(honest, read_mls_message).value();
    auto const path = *std::get<Commit>(message.as<PublicMessage>()->content.body).path;
    auto const with_path = [&](char const* name, auto change) {
        Commit commit{{}, path};
        change(commit);
        group_seed(std::string("path_") + name, insider_commit, encode(commit));
    };
    with_path("alone", [](Commit&) {});
    with_path("and_context", [&](Commit& commit) {
        commit.proposals = {Proposal{GroupContextExtensions{{{extension_type::required_capabilities, required}}}}};
    });
    with_path("and_removal", [&](Commit& commit) { commit.proposals = {Proposal{Remove{cleo}}}; });
    with_path("and_removal_of_receiver", [&](Commit& commit) { commit.proposals = {Proposal{Remove{ben}}}; });
    with_path("and_psk", [](Commit& commit) { commit.proposals = {Proposal{PreSharedKey{external_psk("known")}}}; });
    with_path("and_reference", [](Commit& commit) { commit.proposals = {ProposalRef(32, 1)}; });
    with_path("and_two_contexts", [](Commit& commit) {
        commit.proposals = {Proposal{GroupContextExtensions{}}, Proposal{GroupContextExtensions{}}};
    });
    with_path("and_two_removals", [&](Commit& commit) {
        commit.proposals = {Proposal{Remove{cleo}}, Proposal{Remove{cleo}}};
    });
    with_path("short", [](Commit& commit) { commit.path->nodes.pop_back(); });
    with_path("of_few_secrets", [](Commit& commit) { commit.path->nodes.back().encrypted_path_secret.clear(); });
    with_path("of_bad_secret",
              [](Commit& commit) { commit.path->nodes.back().encrypted_path_secret.back().ciphertext.back() ^= 1; });
    with_path("of_old_key", [&](Commit& commit) { commit.path->nodes.back().encryption_key = own.encryption_key; });
    with_path("of_bad_key", [](Commit& commit) { commit.path->nodes.back().encryption_key.clear(); });
    with_path("of_bad_leaf", [&](Commit& commit) { commit.path->leaf_node = own; });
}

void make_welcomes(World& world) {
    auto& entropy = world.entropy;
    auto const& suite = *world.anna->suite;
    group_seed("welcome", as_welcome, world.welcome);
    auto const message = decode(world.welcome, read_mls_message).value();
    auto const& original = *message.as<Welcome>();
    auto const opened =
        open_group_secrets(suite, original, world.ben_bundle.key_package, world.ben_bundle.init_key).value();
    auto const no_psk = Bytes(32);
    auto const info = open_group_info(suite, original, opened.joiner_secret.expose(), no_psk).value();
    auto const forged = [&](char const* name, auto change, bool sign = true) {
        auto changed = info;
        std::vector<PreSharedKeyID> psks;
        auto path_secret = opened.path_secret->clone();
        change(changed, psks, path_secret);
        if (sign) sign_group_info(changed, world.anna->signature_key);
        auto const welcome = make_welcome(suite, changed, opened.joiner_secret.expose(), no_psk, psks,
                                          {{world.ben_bundle.key_package, &path_secret}}, entropy)
                                 .value();
        group_seed(std::string("welcome_") + name, as_welcome, encode(MLSMessage{welcome}));
    };
    using Psks = std::vector<PreSharedKeyID>;
    forged("of_anna", [](GroupInfo&, Psks&, SecretBytes&) {});
    forged("bad_tag", [](GroupInfo& changed, Psks&, SecretBytes&) { changed.confirmation_tag[0] ^= 1; });
    forged("bad_tree_hash", [](GroupInfo& changed, Psks&, SecretBytes&) { changed.group_context.tree_hash[0] ^= 1; });
    forged("bad_suite", [](GroupInfo& changed, Psks&, SecretBytes&) { changed.group_context.cipher_suite = 1; });
    forged("bad_signer", [](GroupInfo& changed, Psks&, SecretBytes&) { changed.signer = LeafIndex{9}; });
    forged(
        "of_receiver",
        [&](GroupInfo& changed, Psks&, SecretBytes&) {
            changed.signer = world.ben->own_leaf();
            sign_group_info(changed, world.ben_bundle.signature_key);
        },
        false);
    forged("bad_without_tree", [](GroupInfo& changed, Psks&, SecretBytes&) { changed.extensions.clear(); });
    forged("unknown_psk", [](GroupInfo&, Psks& psks, SecretBytes&) { psks = {external_psk("?")}; });
    forged("known_psk", [](GroupInfo&, Psks& psks, SecretBytes&) { psks = {external_psk("known")}; });
    forged("bad_path_secret", [](GroupInfo&, Psks&, SecretBytes& secret) { secret.expose_mutable()[0] ^= 1; });
    forged("short_path_secret", [](GroupInfo&, Psks&, SecretBytes& secret) { secret = SecretBytes(Bytes(3)); });
    forged("bad_required", [](GroupInfo& changed, Psks&, SecretBytes&) {
        changed.group_context.extensions = {{extension_type::required_capabilities, {9}}};
    });
    // For Ben, and his leaf is not in it.
    auto alone = Group::found({bytes_of("fuzzed"), bundle(entropy, "mallory")}, entropy).value();
    CommitArgs args;
    args.adds = {world.ben_bundle.key_package};
    auto const by_mallory = alone.commit(std::move(args), entropy).value();
    group_seed("welcome_of_mallory", as_welcome, *by_mallory.welcome);
    CommitArgs others;
    others.adds = {world.dora.key_package};
    group_seed("bad_welcome_of_another", as_welcome,
               *world.anna_group->clone().commit(std::move(others), entropy).value().welcome);
    auto unsuited = original;
    unsuited.cipher_suite = 9;
    group_seed("bad_welcome_suite", as_welcome, encode(MLSMessage{unsuited}));
}

/// Messages in their order, as the target's sequence plays them; Ben has an update of his own proposed.
void make_sequences(World& world) {
    auto& entropy = world.entropy;
    auto anna = world.anna_group->clone();
    auto cleo = world.cleo->clone();
    auto const first = said(anna, "first", entropy), second = said(anna, "second", entropy),
               third = said(anna, "third", entropy);
    group_seed("sequence_out_of_order", sequence, in_turn({third, first, first, second}));
    auto const late = said(cleo, "late", entropy);

    auto next = anna.commit({}, entropy).value();
    auto const commit = next.commit;
    auto const clerk = cleo.process(commit).value();
    auto later_cleo = clerk.next->clone();
    group_seed("sequence_late_message", sequence, in_turn({commit, late, said(later_cleo, "new", entropy), commit}));
    auto merged = std::move(anna).merge(std::move(next.next));
    CommitArgs resume;
    resume.resumption_psks = {merged.epoch(), merged.epoch() - 1};
    group_seed("sequence_resumption", sequence, in_turn({commit, committed(merged, std::move(resume), entropy)}));
    group_seed("sequence_two_commits", sequence, in_turn({commit, committed(merged, {}, entropy), first}));

    for (auto const format : {WireFormat::mls_public_message, WireFormat::mls_private_message}) {
        auto const of = std::string(format == WireFormat::mls_public_message ? "public" : "private");
        auto collecting = world.anna_group->clone();
        auto const add = proposed(*world.cleo, {Add{world.dora.key_package}}, format, entropy);
        (void)collecting.receive_proposal(add).value();
        (void)collecting.receive_proposal(world.ben_update).value();
        group_seed("sequence_by_reference_" + of, sequence,
                   in_turn({add, committed(collecting, {.wire_format = format}, entropy)}));
        group_seed("sequence_proposals_" + of, sequence,
                   in_turn({add, proposed(*world.cleo, {Remove{LeafIndex{0}}}, format, entropy)}));
    }
    auto joining =
        Group::join_by_external_commit({.group_info = world.anna_group->group_info(true), .own = world.dora}, entropy)
            .value();
    group_seed("sequence_external_join", sequence, in_turn({joining.commit, said(joining.next, "I am in", entropy)}));
    CommitArgs out;
    out.removes = {world.ben->own_leaf()};
    group_seed("sequence_removed", sequence, in_turn({committed(*world.anna_group, std::move(out), entropy), first}));
    group_seed("sequence_cut", sequence, Bytes{0x40});
    auto far = world.anna_group->clone();
    Bytes skipped;
    for (int i = 0; i < 40; ++i) skipped = said(far, "far", entropy);
    group_seed("sequence_far", sequence, in_turn({skipped}));

    // As it is kept, and damaged.
    auto keeping = world.ben_updating->clone();
    keeping = std::move(*keeping.process(commit).value().next);
    (void)keeping
        .receive_proposal(proposed(merged, {Add{world.dora.key_package}}, WireFormat::mls_private_message, entropy))
        .value();
    (void)keeping.propose_update({}, WireFormat::mls_private_message, entropy).value();
    auto const state = bytes::copy(keeping.encode().expose());
    group_seed("state", as_state, state);
    group_seed("state_of_an_update", as_state, world.ben_updating->encode().expose());
    auto const damaged = [&](char const* name, std::size_t at) {
        auto bytes = state;
        bytes.at(at) ^= 1;
        group_seed(std::string("bad_state_") + name, as_state, bytes);
    };
    damaged("version", 1);
    damaged("suite", 2);
    damaged("group", 10);
    damaged("context", 30);
    damaged("last", state.size() - 1);
    for (std::size_t at = 1; at < 4; ++at) damaged(("part_" + std::to_string(at)).c_str(), at * state.size() / 4);
}

}  // namespace

void make_mls_group_seeds() {
    World world;
    make_plain_messages(world);
    make_outsiders_messages(world);
    make_insider_seeds(world);
    make_welcomes(world);
    make_sequences(world);
}

}  // namespace interlude::fuzz
