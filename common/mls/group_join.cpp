// How a Group begins: founding (RFC 9420 §11), joining by Welcome (§12.4.3.1) and by external commit (§12.4.3.2).
#include <algorithm>

#include "common/crypto/hash.hpp"
#include "common/mls/group_state.hpp"
#include "common/mls/protect.hpp"
#include "common/mls/welcome.hpp"

namespace interlude::mls {

namespace {

Result<void> ask_about_all(RatchetTree const& tree, std::optional<LeafIndex> own, LeafCheck const& check) {
    if (!check) return {};
    for (auto const leaf : tree.members()) {
        if (leaf != own) INTERLUDE_TRY_VOID(check(*tree.leaf(leaf)));
    }
    return {};
}

// The PSKs of a Welcome. A joiner has no past in this group: only external ones can be known.
Result<std::vector<Psk>> find_welcome_psks(std::vector<PreSharedKeyID> const& ids, Outside const& outside) {
    std::vector<Psk> psks;
    for (auto const& id : ids) {
        auto const* external = std::get_if<ExternalPSK>(&id.body);
        auto secret = external && outside.find_psk ? outside.find_psk(external->psk_id) : std::nullopt;
        if (!secret) return Errc::unknown_psk;
        psks.push_back({id, std::move(*secret)});
    }
    return psks;
}

Result<Bytes> external_pub_of(GroupInfo const& info) {
    auto const* extension = find_extension(info.extensions, extension_type::external_pub);
    if (!extension) return Errc::not_allowed;
    return decode(extension->data, read_bytes);
}

// Lifetimes are not asked of members: those bound how long a package may wait to be used, and these were used.
Result<void> check_group(RatchetTree const& tree, GroupInfo const& info) {
    INTERLUDE_TRY_VOID(verify_group_info(info, tree));
    return check_tree(tree, info.group_context.group_id, info.group_context.extensions, std::nullopt);
}

}  // namespace

base::Result<Group> Group::found(FoundArgs args, crypto::Entropy& entropy) {
    auto const& package = args.own.key_package;
    INTERLUDE_TRY(auto const* suite, crypto::find_suite(package.cipher_suite));
    INTERLUDE_TRY_VOID(check_key_package(package, *suite, std::nullopt));
    if (!args.own.is_consistent()) return Errc::bad_key;

    RatchetTree tree(*suite);
    tree.set_leaf(LeafIndex{0}, package.leaf_node);
    INTERLUDE_TRY_VOID(check_members(tree, args.extensions));
    GroupContext context{suite->id, std::move(args.group_id), 0, tree.tree_hash(), {}, std::move(args.extensions)};
    auto const epoch_secret = entropy.secret(suite->hash_size);
    auto epoch = first_epoch(*suite, std::move(context), epoch_secrets_from(*suite, epoch_secret.expose()));
    return Group(State::enter(std::move(epoch), std::move(tree),
                              TreePrivate::for_leaf(LeafIndex{0}, std::move(args.own.encryption_key)),
                              std::move(args.own.signature_key)));
}

base::Result<Group> Group::join(JoinArgs const& args) {
    INTERLUDE_TRY(auto const message, mls::decode(args.welcome, read_mls_message));
    auto const* welcome = message.as<Welcome>();
    if (!welcome) return Errc::malformed;
    INTERLUDE_TRY(auto const* suite, crypto::find_suite(welcome->cipher_suite));
    if (!args.own.is_consistent()) return Errc::bad_key;

    INTERLUDE_TRY(auto const secrets, open_group_secrets(*suite, *welcome, args.own.key_package, args.own.init_key));
    INTERLUDE_TRY(auto const psks, find_welcome_psks(secrets.psks, args.outside));
    auto const psk = psk_secret(*suite, psks);
    INTERLUDE_TRY(auto info, open_group_info(*suite, *welcome, secrets.joiner_secret.expose(), psk.expose()));
    if (info.group_context.cipher_suite != suite->id) return Errc::inconsistent;

    INTERLUDE_TRY(auto tree, tree_for(*suite, info, args.ratchet_tree));
    INTERLUDE_TRY_VOID(check_group(tree, info));
    auto const members = tree.members();
    auto const own = std::find_if(members.begin(), members.end(),
                                  [&](LeafIndex leaf) { return *tree.leaf(leaf) == args.own.key_package.leaf_node; });
    if (own == members.end()) return Errc::bad_tree;
    INTERLUDE_TRY_VOID(ask_about_all(tree, *own, args.outside.check_leaf));

    auto keys = TreePrivate::for_leaf(*own, args.own.encryption_key.clone());
    if (secrets.path_secret) {
        if (info.signer == *own) return Errc::bad_commit;
        INTERLUDE_TRY_VOID(keys.take_path_secret(tree, info.signer, secrets.path_secret->expose()));
    }
    auto epoch = first_epoch(*suite, info.group_context,
                             epoch_secrets(*suite, secrets.joiner_secret.expose(), psk.expose(), info.group_context));
    if (!crypto::equal_constant_time(epoch.confirmation_tag, info.confirmation_tag)) return Errc::bad_mac;
    return Group(State::enter(std::move(epoch), std::move(tree), std::move(keys), args.own.signature_key.clone()));
}

base::Result<ExternalJoin> Group::join_by_external_commit(ExternalJoinArgs args, crypto::Entropy& entropy) {
    INTERLUDE_TRY(auto const message, mls::decode(args.group_info, read_mls_message));
    auto const* info = message.as<GroupInfo>();
    if (!info) return Errc::malformed;
    auto const& before = info->group_context;
    INTERLUDE_TRY(auto const* suite, crypto::find_suite(before.cipher_suite));
    INTERLUDE_TRY_VOID(check_key_package(args.own.key_package, *suite, std::nullopt));
    if (!args.own.is_consistent()) return Errc::bad_key;
    INTERLUDE_TRY(auto tree, tree_for(*suite, *info, args.ratchet_tree));
    INTERLUDE_TRY_VOID(check_group(tree, *info));
    INTERLUDE_TRY_VOID(ask_about_all(tree, args.resync, args.outside.check_leaf));
    INTERLUDE_TRY(auto const external_pub, external_pub_of(*info));
    INTERLUDE_TRY(auto const external_init, make_external_init(*suite, external_pub, entropy));

    Sender const sender{SenderType::new_member_commit, 0};
    std::vector<SentProposal> list;
    list.push_back({{ExternalInit{external_init.kem_output}}, sender});
    if (args.resync) list.push_back({{Remove{*args.resync}}, sender});
    INTERLUDE_TRY(auto applied, apply_proposals(std::move(tree), list, {*suite, before, sender, args.outside, {}}));
    INTERLUDE_TRY(auto const own, applied.tree.reserve_leaf());

    auto context = next_context(before, applied.extensions);
    INTERLUDE_TRY(auto path, create_update_path(
                                 std::move(applied.tree),
                                 {own, args.own.key_package.leaf_node, args.own.signature_key, context, {}}, entropy));
    INTERLUDE_TRY_VOID(check_members(path.tree, context.extensions));
    context.tree_hash = path.tree.tree_hash();

    Commit commit{{}, std::move(path.path)};
    for (auto& sent : list) commit.proposals.push_back(std::move(sent.proposal));
    auto content =
        sign_content(WireFormat::mls_public_message,
                     {before.group_id, before.epoch, sender, std::move(args.authenticated_data), std::move(commit)},
                     before, args.own.signature_key);
    auto const interim = interim_transcript_hash(*suite, before.confirmed_transcript_hash, info->confirmation_tag);
    auto epoch = step_epoch({.suite = *suite,
                             .interim_transcript_hash = interim,
                             .commit = content,
                             .context = std::move(context),
                             .init_secret = external_init.init_secret.expose(),
                             .commit_secret = path.commit_secret.expose(),
                             .psk_secret = zero_secret(*suite).expose()});
    content.auth.confirmation_tag = epoch.confirmation_tag;
    auto bytes = mls::encode(MLSMessage{protect_public(std::move(content), before, {})});
    return ExternalJoin{std::move(bytes), Group(State::enter(std::move(epoch), std::move(path.tree),
                                                             std::move(path.keys), args.own.signature_key.clone()))};
}

}  // namespace interlude::mls
