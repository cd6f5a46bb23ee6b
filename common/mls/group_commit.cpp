// Making commits (RFC 9420 §12.4.1) with their Welcomes, and the GroupInfo of an epoch.
#include <algorithm>
#include <set>

#include "common/mls/group_state.hpp"
#include "common/mls/protect.hpp"
#include "common/mls/tree_validation.hpp"
#include "common/mls/welcome.hpp"

namespace interlude::mls {

namespace {

// The proposals of a commit, as they are named in it and as they are applied.
struct Chosen {
    std::vector<ProposalOrRef> named;
    std::vector<SentProposal> list;

    void add(Proposal proposal, Sender sender) {
        named.emplace_back(proposal);
        list.push_back({std::move(proposal), sender});
    }
    void add(HeldProposal const& held) {
        named.emplace_back(held.ref);
        list.push_back(held.sent);
    }
};

// §12.2 tells what a committer prefers: removes over updates, the latest update, never an update of its own.
void choose_held(Chosen& chosen, std::vector<HeldProposal> const& held, LeafIndex own, CommitArgs const& args) {
    std::set<LeafIndex> gone(args.removes.begin(), args.removes.end());
    for (auto const& one : held) {
        auto const* remove = one.sent.proposal.as<Remove>();
        if (remove && remove->removed != own && gone.insert(remove->removed).second) chosen.add(one);
    }
    std::set<LeafIndex> updated;
    for (auto one = held.rbegin(); one != held.rend(); ++one) {
        LeafIndex const sender{one->sent.sender.index};
        if (!one->sent.proposal.as<Update>() || sender == own || gone.contains(sender)) continue;
        if (updated.insert(sender).second) chosen.add(*one);
    }
    bool context_chosen = args.group_context_extensions.has_value();
    for (auto const& one : held) {
        if (one.sent.proposal.as<Add>() || one.sent.proposal.as<PreSharedKey>()) chosen.add(one);
        if (one.sent.proposal.as<GroupContextExtensions>() && !std::exchange(context_chosen, true)) chosen.add(one);
    }
}

Chosen choose(std::vector<HeldProposal> const& held, LeafIndex own, GroupContext const& context, CommitArgs const& args,
              std::size_t nonce_size, crypto::Entropy& entropy) {
    Chosen chosen;
    auto const self = Sender::member(own);
    if (args.include_received_proposals) choose_held(chosen, held, own, args);
    if (args.group_context_extensions) chosen.add({GroupContextExtensions{*args.group_context_extensions}}, self);
    for (auto const leaf : args.removes) chosen.add({Remove{leaf}}, self);
    for (auto const& key_package : args.adds) chosen.add({Add{key_package}}, self);
    for (auto const& psk : args.psks) {
        chosen.add({PreSharedKey{{ExternalPSK{psk.id}, entropy.bytes(nonce_size)}}}, self);
    }
    for (auto const epoch : args.resumption_psks) {
        ResumptionPSK const resumption{ResumptionPSKUsage::application, context.group_id, epoch};
        chosen.add({PreSharedKey{{resumption, entropy.bytes(nonce_size)}}}, self);
    }
    return chosen;
}

// The PSKs handed over with the commit, then those that the app knows.
Outside with_psks(CommitArgs const& args) {
    auto outside = args.outside;
    outside.find_psk = [&args](ByteView id) -> std::optional<SecretBytes> {
        for (auto const& psk : args.psks) {
            if (bytes::equal(psk.id, id)) return psk.secret.clone();
        }
        return args.outside.find_psk ? args.outside.find_psk(id) : std::nullopt;
    };
    return outside;
}

// What a commit makes of tree and keys, with or without a path.
struct NextTree {
    RatchetTree tree;
    TreePrivate keys;
    SecretBytes commit_secret;
    std::optional<UpdatePath> path;
    std::map<NodeIndex, SecretBytes> path_secrets;
};

Result<NextTree> without_path(AppliedProposals applied, TreePrivate keys) {
    keys.drop_outdated(applied.tree);
    auto commit_secret = zero_secret(applied.tree.suite());
    return NextTree{std::move(applied.tree), std::move(keys), std::move(commit_secret), std::nullopt, {}};
}

Result<NextTree> with_path(AppliedProposals applied, LeafIndex own, LeafNode const& leaf,
                           crypto::SigningKey const& signature_key, GroupContext context, crypto::Entropy& entropy) {
    auto const added = applied.added_leaves();
    INTERLUDE_TRY(auto created, create_update_path(std::move(applied.tree),
                                                   {own, leaf, signature_key, std::move(context), added}, entropy));
    return NextTree{std::move(created.tree), std::move(created.keys), std::move(created.commit_secret),
                    std::move(created.path), std::move(created.path_secrets)};
}

GroupInfo signed_group_info(Group::State const& state, bool with_external_pub) {
    GroupInfo info{state.context,
                   {{extension_type::ratchet_tree, encode(state.tree.nodes())}},
                   confirmation_tag(state.secrets.confirmation_key.expose(), state.context.confirmed_transcript_hash),
                   state.keys.leaf,
                   {}};
    if (with_external_pub) {
        auto const pair = external_key_pair(*state.suite, state.secrets.external_secret.expose());
        info.extensions.push_back({extension_type::external_pub, Writer().opaque(pair.public_key).take()});
    }
    sign_group_info(info, state.signature_key);
    return info;
}

Result<std::optional<Bytes>> welcome_for(Group::State const& next, std::vector<AddedLeaf> const& added,
                                         std::map<NodeIndex, SecretBytes> const& path_secrets, ByteView joiner_secret,
                                         ByteView psk_secret, std::vector<PreSharedKeyID> const& psks,
                                         crypto::Entropy& entropy) {
    if (added.empty()) return std::optional<Bytes>{};
    std::vector<WelcomedMember> members;
    for (auto const& joiner : added) {
        auto const secret = path_secrets.find(common_ancestor(next.keys.leaf, joiner.leaf));
        members.push_back({joiner.key_package, secret == path_secrets.end() ? nullptr : &secret->second});
    }
    INTERLUDE_TRY(auto welcome, make_welcome(*next.suite, signed_group_info(next, false), joiner_secret, psk_secret,
                                             psks, members, entropy));
    return std::optional<Bytes>(encode(MLSMessage{std::move(welcome)}));
}

}  // namespace

base::Result<PendingCommit> Group::commit(CommitArgs args, crypto::Entropy& entropy) {
    auto& now = *state_;
    auto const& suite = *now.suite;
    auto const own = now.keys.leaf;
    auto const self = Sender::member(own);
    auto const outside = with_psks(args);

    auto chosen = choose(now.proposals, own, now.context, args, suite.hash_size, entropy);
    INTERLUDE_TRY(auto applied, apply_proposals(now.tree, chosen.list, {suite, now.context, self, outside, own}));
    INTERLUDE_TRY(auto const psks, now.find_psks(applied.psks, outside));
    auto const psk = psk_secret(suite, psks);
    auto const added = applied.added;
    auto const psk_ids = applied.psks;

    auto leaf = *now.tree.leaf(own);
    auto signature_key = now.signature_key.clone();
    if (args.new_identity) {
        signature_key = std::move(args.new_identity->signature_key);
        leaf.credential = Credential::basic(std::move(args.new_identity->identity));
        leaf.signature_key = bytes::copy(signature_key.public_key().span());
    }
    auto context = next_context(now.context, applied.extensions);
    auto const needs_path = applied.needs_path || args.force_path || args.new_identity;
    INTERLUDE_TRY(auto step, needs_path ? with_path(std::move(applied), own, leaf, signature_key, context, entropy)
                                        : without_path(std::move(applied), now.keys.clone()));
    INTERLUDE_TRY_VOID(check_members(step.tree, context.extensions));
    context.tree_hash = step.tree.tree_hash();

    auto content = sign_content(args.wire_format,
                                {now.context.group_id, now.context.epoch, self, std::move(args.authenticated_data),
                                 Commit{std::move(chosen.named), std::move(step.path)}},
                                now.context, now.signature_key);
    auto epoch = step_epoch({.suite = suite,
                             .interim_transcript_hash = now.interim_transcript_hash,
                             .commit = content,
                             .context = std::move(context),
                             .init_secret = now.secrets.init_secret.expose(),
                             .commit_secret = step.commit_secret.expose(),
                             .psk_secret = psk.expose()});
    content.auth.confirmation_tag = epoch.confirmation_tag;
    auto const joiner = std::move(epoch.joiner_secret);
    auto next = State::enter(std::move(epoch), std::move(step.tree), std::move(step.keys), std::move(signature_key));
    INTERLUDE_TRY(auto welcome,
                  welcome_for(*next, added, step.path_secrets, joiner.expose(), psk.expose(), psk_ids, entropy));
    // Last, as it spends a generation.
    INTERLUDE_TRY(auto message, now.frame(std::move(content), entropy));
    next->past = now.past_with_present();
    return PendingCommit{std::move(message), std::move(welcome), Group(std::move(next))};
}

bytes::Bytes Group::group_info(bool with_external_pub) const {
    return mls::encode(MLSMessage{signed_group_info(*state_, with_external_pub)});
}

bytes::Bytes Group::ratchet_tree() const {
    return mls::encode(state_->tree.nodes());
}

}  // namespace interlude::mls
