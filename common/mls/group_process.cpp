// Somebody else's handshakes: opening them, following commits (RFC 9420 §12.4.2), and proposals sent by themselves.
#include <algorithm>

#include "common/crypto/hash.hpp"
#include "common/mls/group_state.hpp"
#include "common/mls/protect.hpp"
#include "common/mls/tree_validation.hpp"

namespace interlude::mls {

namespace {

// The key that must have signed (§6.1).
Result<SignaturePublicKey> signer_key(FramedContent const& content, RatchetTree const& tree) {
    switch (content.sender.type) {
        case SenderType::member: {
            auto const* leaf = tree.leaf(LeafIndex{content.sender.index});
            if (!leaf) return Errc::unknown_sender;
            return leaf->signature_key;
        }
        case SenderType::external:
            return Errc::unsupported;
        case SenderType::new_member_proposal: {
            auto const* proposal = std::get_if<Proposal>(&content.body);
            auto const* add = proposal ? proposal->as<Add>() : nullptr;
            if (!add) return Errc::bad_proposal;
            return add->key_package.leaf_node.signature_key;
        }
        case SenderType::new_member_commit: {
            auto const* commit = std::get_if<Commit>(&content.body);
            if (!commit || !commit->path) return Errc::bad_commit;
            return commit->path->leaf_node.signature_key;
        }
    }
    return Errc::malformed;
}

Result<void> check_header(GroupContext const& context, ByteView group_id, std::uint64_t epoch) {
    if (!bytes::equal(context.group_id, group_id)) return Errc::wrong_group;
    if (context.epoch != epoch) return Errc::wrong_epoch;
    return {};
}

// A handshake of this epoch, authenticated. A private one consumes its key in `messages`.
Result<AuthenticatedContent> open_handshake(Group::State const& now, ByteView bytes, SecretTree& messages) {
    INTERLUDE_TRY(auto const message, decode(bytes, read_mls_message));
    if (auto const* public_message = message.as<PublicMessage>()) {
        auto const& framed = public_message->content;
        INTERLUDE_TRY_VOID(check_header(now.context, framed.group_id, framed.epoch));
        INTERLUDE_TRY(auto content,
                      unprotect_public(*public_message, now.context, now.secrets.membership_key.expose()));
        INTERLUDE_TRY(auto const key, signer_key(content.content, now.tree));
        INTERLUDE_TRY_VOID(verify_content(content, now.context, key));
        return content;
    }
    auto const* private_message = message.as<PrivateMessage>();
    if (!private_message || private_message->content_type == ContentType::application) return Errc::malformed;
    INTERLUDE_TRY_VOID(check_header(now.context, private_message->group_id, private_message->epoch));
    INTERLUDE_TRY(auto opened,
                  unprotect_private(*now.suite, *private_message, messages, now.secrets.sender_data_secret.expose()));
    INTERLUDE_TRY(auto const key, signer_key(opened.content.content, now.tree));
    INTERLUDE_TRY_VOID(verify_content(opened.content, now.context, key));
    messages.consume(std::move(opened.key));
    return std::move(opened.content);
}

// The proposals by value and by reference, each with who sent it.
Result<std::vector<SentProposal>> resolve(Commit const& commit, Sender committer,
                                          std::vector<HeldProposal> const& held) {
    std::vector<SentProposal> list;
    for (auto const& named : commit.proposals) {
        if (auto const* value = std::get_if<Proposal>(&named)) {
            list.push_back({*value, committer});
            continue;
        }
        if (committer.type != SenderType::member) return Errc::bad_commit;  // §12.4.3.2
        auto const& ref = std::get<ProposalRef>(named);
        auto const known =
            std::find_if(held.begin(), held.end(), [&](HeldProposal const& one) { return one.ref == ref; });
        if (known == held.end()) return Errc::bad_proposal;
        list.push_back(known->sent);
    }
    return list;
}

// A committer who is neither the sender of a proposal nor the one it is about.
constexpr Sender anybody{SenderType::member, 0xffffffff};

struct OwnKeys {
    TreePrivate tree;
    crypto::SigningKey signature_key;
};

// Our private keys after the proposals: an Update of our own may be among them.
Result<OwnKeys> own_keys_after(Group::State const& now, AppliedProposals const& applied) {
    OwnKeys keys{now.keys.clone(), now.signature_key.clone()};
    auto const own = now.keys.leaf;
    if (std::find(applied.updated.begin(), applied.updated.end(), own) != applied.updated.end()) {
        auto const& leaf = *applied.tree.leaf(own);
        auto const update = std::find_if(
            now.own_updates.begin(), now.own_updates.end(),
            [&](OwnUpdate const& candidate) { return candidate.encryption_key.public_key == leaf.encryption_key; });
        if (update == now.own_updates.end()) return Errc::no_key;
        keys.tree.set_leaf_key(update->encryption_key.clone());
        keys.signature_key = update->signature_key.clone();
    }
    keys.tree.drop_outdated(applied.tree);
    return keys;
}

Result<void> check_path_leaf(UpdatePath const& path, crypto::Suite const& suite, LeafPlace place,
                             Outside const& outside) {
    INTERLUDE_TRY_VOID(check_leaf(path.leaf_node, {.suite = suite, .source = LeafNodeSource::commit, .place = place}));
    return outside.check_leaf ? outside.check_leaf(path.leaf_node) : Result<void>{};
}

// Who came, went and changed: what the app compares with the declaration beside the commit.
ProcessedCommit describe(RatchetTree const& before, AppliedProposals const& applied, LeafIndex committer, bool external,
                         AuthenticatedContent const& content) {
    ProcessedCommit said{.next = std::nullopt,
                         .committer = {},
                         .added = {},
                         .removed = {},
                         .updated = {},
                         .authenticated_data = content.content.authenticated_data,
                         .external = external,
                         .beyond_members = false};
    for (auto const& joiner : applied.added) said.added.push_back(member_of(applied.tree, joiner.leaf));
    for (auto const leaf : applied.removed) said.removed.push_back(member_of(before, leaf));
    for (auto const leaf : applied.updated) said.updated.push_back(member_of(applied.tree, leaf));
    if (!external) said.committer = member_of(before, committer);
    return said;
}

}  // namespace

base::Result<ProcessedCommit> Group::process(bytes::ByteView message, Outside const& outside) const {
    auto now = state_->clone();  // of this epoch, with the commit's key consumed: what is retained of it
    auto const& suite = *now.suite;
    auto const own = now.keys.leaf;
    INTERLUDE_TRY(auto const content, open_handshake(now, message, now.messages));
    auto const* commit = std::get_if<Commit>(&content.content.body);
    auto const sender = content.content.sender;
    auto const external = sender.type == SenderType::new_member_commit;
    if (!commit || (!external && sender.type != SenderType::member)) return Errc::bad_commit;
    if (sender == Sender::member(own)) return Errc::not_allowed;

    INTERLUDE_TRY(auto const list, resolve(*commit, sender, now.proposals));
    INTERLUDE_TRY(auto applied, apply_proposals(now.tree, list, {suite, now.context, sender, outside, own}));
    if (applied.needs_path && !commit->path) return Errc::bad_commit;
    auto committer = LeafIndex{sender.index};
    if (external) {
        INTERLUDE_TRY(committer, applied.tree.reserve_leaf());
    }
    auto said = describe(now.tree, applied, committer, external, content);
    said.beyond_members = std::any_of(list.begin(), list.end(), [](SentProposal const& sent) {
        return !sent.proposal.as<Add>() && !sent.proposal.as<Remove>() && !sent.proposal.as<Update>();
    });
    if (commit->path) {
        INTERLUDE_TRY_VOID(check_path_leaf(*commit->path, suite, {now.context.group_id, committer}, outside));
    }
    if (std::find(applied.removed.begin(), applied.removed.end(), own) != applied.removed.end()) {
        // We are out and cannot follow the path: what the confirmation tag covers is not ours to check any more.
        if (external) {
            applied.tree.set_leaf(committer, commit->path->leaf_node);
            said.committer = member_of(applied.tree, committer);
            said.added.push_back(said.committer);
        }
        return said;
    }

    INTERLUDE_TRY(auto keys, own_keys_after(now, applied));
    auto context = next_context(now.context, applied.extensions);
    auto commit_secret = zero_secret(suite);
    auto const added = applied.added_leaves();
    auto tree = std::move(applied.tree);
    if (commit->path) {
        INTERLUDE_TRY(auto followed,
                      process_update_path(std::move(tree), keys.tree, committer, *commit->path, context, added));
        tree = std::move(followed.tree);
        keys.tree = std::move(followed.keys);
        commit_secret = std::move(followed.commit_secret);
        auto const changed = member_of(tree, committer);
        if (external) said.committer = changed;
        (external ? said.added : said.updated).push_back(changed);
    }
    INTERLUDE_TRY_VOID(check_members(tree, context.extensions));
    context.tree_hash = tree.tree_hash();

    auto init_secret = now.secrets.init_secret.clone();
    if (external) {
        INTERLUDE_TRY(init_secret,
                      open_external_init(suite, now.secrets.external_secret.expose(), *applied.external_kem_output));
    }
    INTERLUDE_TRY(auto const psks, now.find_psks(applied.psks, outside));
    auto epoch = step_epoch({.suite = suite,
                             .interim_transcript_hash = now.interim_transcript_hash,
                             .commit = content,
                             .context = std::move(context),
                             .init_secret = init_secret.expose(),
                             .commit_secret = commit_secret.expose(),
                             .psk_secret = psk_secret(suite, psks).expose()});
    if (!crypto::equal_constant_time(epoch.confirmation_tag, *content.auth.confirmation_tag)) return Errc::bad_mac;
    auto next = State::enter(std::move(epoch), std::move(tree), std::move(keys.tree), std::move(keys.signature_key));
    next->past = std::move(now).past_with_present();
    said.next = Group(std::move(next));
    return said;
}

base::Result<bytes::Bytes> Group::authenticate_commit(bytes::ByteView message) const {
    auto messages = state_->messages.clone();
    INTERLUDE_TRY(auto content, open_handshake(*state_, message, messages));
    if (!std::holds_alternative<Commit>(content.content.body) || content.content.sender.type != SenderType::member)
        return Errc::bad_commit;
    return std::move(content.content.authenticated_data);
}

base::Result<void> Group::receive_proposal(bytes::ByteView message, Outside const& outside) {
    auto messages = state_->messages.clone();
    INTERLUDE_TRY(auto content, open_handshake(*state_, message, messages));
    auto const* proposal = std::get_if<Proposal>(&content.content.body);
    if (!proposal || content.content.sender.type == SenderType::new_member_commit) return Errc::bad_proposal;
    // Valid by itself, whoever may commit it: one that is not would spoil every commit of this epoch.
    INTERLUDE_TRY_VOID(apply_proposals(state_->tree, {{*proposal, content.content.sender}},
                                       {*state_->suite, state_->context, anybody, outside, own_leaf()}));
    state_->messages = std::move(messages);
    state_->hold(content);
    return {};
}

}  // namespace interlude::mls
