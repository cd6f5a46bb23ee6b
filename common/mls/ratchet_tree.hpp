// The public ratchet tree of a group (RFC 9420 §4, §7.4-§7.9): who is in, which keys stand where, and the hashes that
// bind both. A value: changing a copy leaves the original alone.
#pragma once

#include "common/crypto/suite.hpp"
#include "common/mls/leaf_node.hpp"

namespace interlude::mls {

/// One node of a filtered direct path, and its child that is off the path.
struct PathStep {
    NodeIndex node;
    NodeIndex copath;
    bool operator==(PathStep const&) const = default;
};

class RatchetTree {
  public:
    /// A tree of one blank leaf.
    explicit RatchetTree(crypto::Suite const& suite);
    /// §12.4.3.3 and the structural checks of §12.4.3.1: bad_tree if the list is empty or ends in a blank, if a leaf or
    /// parent stands at the other's position, if unmerged leaves are not non-blank descendants listed on their whole
    /// way up, or if an encryption key comes twice.
    static Result<RatchetTree> from_nodes(crypto::Suite const& suite, NodeList nodes);
    /// Without trailing blanks, as in the ratchet_tree extension.
    NodeList nodes() const;

    crypto::Suite const& suite() const { return *suite_; }
    TreeSize size() const { return size_; }
    /// nullptr for what is blank or outside the tree.
    LeafNode const* leaf(LeafIndex leaf) const;
    ParentNode const* parent(NodeIndex node) const;
    bool is_blank(NodeIndex node) const;
    /// The key at a non-blank node (checked).
    HPKEPublicKey const& encryption_key(NodeIndex node) const;
    /// The non-blank leaves, ascending.
    std::vector<LeafIndex> members() const;

    /// The leftmost blank leaf, which stays blank; the tree grows if there is none. too_long at tree_leaves_max.
    Result<LeafIndex> reserve_leaf();
    /// Add, §12.1.1: at the leftmost blank leaf, unmerged on its way up.
    Result<LeafIndex> add_leaf(LeafNode leaf);
    /// Update, §12.1.2. bad_proposal if the leaf is blank.
    Result<void> update_leaf(LeafIndex leaf, LeafNode node);
    /// Remove, §12.1.3, truncation included. bad_proposal if the leaf is blank.
    Result<void> remove_leaf(LeafIndex leaf);

    /// §4.1.1: the fewest non-blank nodes that cover everybody under `node`.
    std::vector<NodeIndex> resolution(NodeIndex node) const;
    /// The same without the given leaves (those that the present commit adds, §7.5).
    std::vector<NodeIndex> resolution_without(NodeIndex node, std::vector<LeafIndex> const& left_out) const;
    /// §4.1.2, from the leaf's parent to the root.
    std::vector<PathStep> filtered_direct_path(LeafIndex leaf) const;

    /// §7.8, of the root or of every node at once.
    Bytes tree_hash() const;
    std::vector<Bytes> tree_hashes() const;

    /// §7.5: puts `keys` (one per step of the sender's filtered direct path) and their parent hashes in place, blanks
    /// the rest of the direct path, and returns the parent hash that the sender's leaf must carry. The leaf itself is
    /// not touched.
    Bytes replace_path(LeafIndex sender, std::vector<HPKEPublicKey> const& keys);
    /// Puts a leaf at a place of the tree, changing nothing else (the leaf of an UpdatePath).
    void set_leaf(LeafIndex leaf, LeafNode node);

    /// §7.9.2, as when joining: bad_tree unless every non-blank parent is covered by exactly one valid link from below.
    Result<void> verify_parent_hashes() const;

    bool operator==(RatchetTree const& other) const { return suite_ == other.suite_ && nodes_ == other.nodes_; }

  private:
    /// The tree hash of `node` as it was before the leaves `left_out` came (§7.9, original_sibling_tree_hash).
    Bytes hash_without(NodeIndex node, std::vector<LeafIndex> const& left_out, std::vector<Bytes>* all) const;
    Bytes parent_hash(ParentNode const& parent, ByteView original_sibling_tree_hash) const;
    Result<void> check_structure() const;
    void blank_direct_path(LeafIndex leaf);

    crypto::Suite const* suite_;
    TreeSize size_;
    NodeList nodes_;  // exactly size_.nodes() of them
};

}  // namespace interlude::mls
