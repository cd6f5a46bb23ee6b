// The proposals of one commit as a list: whether it is valid, and what it makes of tree and extensions (RFC 9420 §12.2,
// §12.3).
#pragma once

#include "common/mls/outside.hpp"
#include "common/mls/ratchet_tree.hpp"

namespace interlude::mls {

struct SentProposal {
    Proposal proposal;
    Sender sender;  // the committer, for one by value
};

struct ProposalListArgs {
    crypto::Suite const& suite;
    GroupContext const& context;  // of the epoch that the commit ends
    Sender committer;             // a member, or new_member_commit
    Outside const& outside;
    std::optional<LeafIndex> own_leaf = {};  // not shown to outside.check_leaf
};

struct AddedLeaf {
    LeafIndex leaf;
    KeyPackage key_package;
};

struct AppliedProposals {
    RatchetTree tree;
    Extensions extensions;
    std::vector<AddedLeaf> added;
    std::vector<LeafIndex> removed;
    std::vector<LeafIndex> updated;
    std::vector<PreSharedKeyID> psks;          // in the order of the list
    std::optional<Bytes> external_kem_output;  // of the ExternalInit
    bool needs_path = false;

    std::vector<LeafIndex> added_leaves() const;
};

/// bad_proposal, bad_leaf, bad_signature, what the app's check says, or unsupported (ReInit). Whether the members that
/// result fit together is check_members' question, asked when the path is merged.
Result<AppliedProposals> apply_proposals(RatchetTree tree, std::vector<SentProposal> const& list,
                                         ProposalListArgs const& args);

}  // namespace interlude::mls
