#include "common/mls/proposal_list.hpp"

#include <algorithm>
#include <set>

#include "common/mls/key_package.hpp"
#include "common/mls/tree_validation.hpp"

namespace interlude::mls {

namespace {

bool contains(auto const& items, auto const& item) {
    return std::find(items.begin(), items.end(), item) != items.end();
}

Result<void> check_psk(PreSharedKeyID const& psk, crypto::Suite const& suite) {
    if (psk.psk_nonce.size() != suite.hash_size) return Errc::bad_proposal;
    // §12.1.4: reinit and branch belong to the founding of another group.
    auto const* resumption = std::get_if<ResumptionPSK>(&psk.body);
    if (resumption && resumption->usage != ResumptionPSKUsage::application) return Errc::bad_proposal;
    return {};
}

// §12.2: what may stand together, before anything is applied.
Result<void> check_list(std::vector<SentProposal> const& list, ProposalListArgs const& args) {
    bool const external = args.committer.type == SenderType::new_member_commit;
    int external_inits = 0, removes = 0, context_extensions = 0;
    std::set<LeafIndex> touched;
    std::vector<PreSharedKeyID> psks;
    for (auto const& [proposal, sender] : list) {
        auto const by_member = sender.type == SenderType::member;
        if (proposal.as<ReInit>()) return Errc::unsupported;
        if (proposal.as<ExternalInit>()) ++external_inits;
        if (proposal.as<GroupContextExtensions>() && ++context_extensions > 1) return Errc::bad_proposal;
        if (auto const* remove = proposal.as<Remove>()) {
            ++removes;
            if (by_member && args.committer == Sender::member(remove->removed)) return Errc::bad_proposal;
            if (!touched.insert(remove->removed).second) return Errc::bad_proposal;
        }
        if (proposal.as<Update>()) {
            if (!by_member || sender == args.committer) return Errc::bad_proposal;
            if (!touched.insert(LeafIndex{sender.index}).second) return Errc::bad_proposal;
        }
        if (auto const* psk = proposal.as<PreSharedKey>()) {
            INTERLUDE_TRY_VOID(check_psk(psk->psk, args.suite));
            if (contains(psks, psk->psk)) return Errc::bad_proposal;
            psks.push_back(psk->psk);
        }
        auto const allowed_externally =
            proposal.as<ExternalInit>() || proposal.as<Remove>() || proposal.as<PreSharedKey>();
        if (external && !allowed_externally) return Errc::bad_proposal;
    }
    if (external_inits != (external ? 1 : 0)) return Errc::bad_proposal;
    if (external && removes > 1) return Errc::bad_proposal;
    return {};
}

bool requires_path(Proposal const& proposal) {
    return !proposal.as<Add>() && !proposal.as<PreSharedKey>() && !proposal.as<ReInit>();
}

Result<void> ask_app(Outside const& outside, LeafNode const& leaf) {
    return outside.check_leaf ? outside.check_leaf(leaf) : Result<void>{};
}

Result<void> apply_update(AppliedProposals& applied, LeafIndex sender, LeafNode const& leaf,
                          ProposalListArgs const& args) {
    auto const* before = applied.tree.leaf(sender);
    if (!before) return Errc::bad_proposal;
    INTERLUDE_TRY_VOID(check_leaf(
        leaf, {.suite = args.suite, .source = LeafNodeSource::update, .place = {args.context.group_id, sender}}));
    if (leaf.encryption_key == before->encryption_key) return Errc::bad_leaf;
    if (sender != args.own_leaf) INTERLUDE_TRY_VOID(ask_app(args.outside, leaf));
    INTERLUDE_TRY_VOID(applied.tree.update_leaf(sender, leaf));
    applied.updated.push_back(sender);
    return {};
}

Result<void> apply_add(AppliedProposals& applied, KeyPackage const& key_package, ProposalListArgs const& args) {
    std::optional<LifetimeRule> lifetime;
    if (args.outside.now) lifetime = LifetimeRule{*args.outside.now};
    INTERLUDE_TRY_VOID(check_key_package(key_package, args.suite, lifetime));
    INTERLUDE_TRY_VOID(ask_app(args.outside, key_package.leaf_node));
    INTERLUDE_TRY(auto const leaf, applied.tree.add_leaf(key_package.leaf_node));
    applied.added.push_back({leaf, key_package});
    return {};
}

}  // namespace

std::vector<LeafIndex> AppliedProposals::added_leaves() const {
    std::vector<LeafIndex> leaves;
    for (auto const& added_leaf : added) leaves.push_back(added_leaf.leaf);
    return leaves;
}

Result<AppliedProposals> apply_proposals(RatchetTree tree, std::vector<SentProposal> const& list,
                                         ProposalListArgs const& args) {
    INTERLUDE_TRY_VOID(check_list(list, args));
    AppliedProposals applied{std::move(tree), args.context.extensions, {}, {}, {}, {}, std::nullopt, list.empty()};
    // §12.3: the order is by type, and within a type that of the list.
    for (auto const& [proposal, sender] : list) {
        if (auto const* extensions = proposal.as<GroupContextExtensions>()) applied.extensions = extensions->extensions;
        applied.needs_path = applied.needs_path || requires_path(proposal);
    }
    for (auto const& [proposal, sender] : list) {
        if (auto const* update = proposal.as<Update>()) {
            INTERLUDE_TRY_VOID(apply_update(applied, LeafIndex{sender.index}, update->leaf_node, args));
        }
    }
    for (auto const& [proposal, sender] : list) {
        if (auto const* remove = proposal.as<Remove>()) {
            INTERLUDE_TRY_VOID(applied.tree.remove_leaf(remove->removed));
            applied.removed.push_back(remove->removed);
        }
    }
    for (auto const& [proposal, sender] : list) {
        if (auto const* add = proposal.as<Add>()) INTERLUDE_TRY_VOID(apply_add(applied, add->key_package, args));
    }
    for (auto const& [proposal, sender] : list) {
        if (auto const* psk = proposal.as<PreSharedKey>()) applied.psks.push_back(psk->psk);
        if (auto const* init = proposal.as<ExternalInit>()) applied.external_kem_output = init->kem_output;
    }
    return applied;
}

}  // namespace interlude::mls
