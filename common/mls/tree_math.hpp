// Indices of the array-based tree (RFC 9420 Appendix C): leaves at even positions, parents at odd ones, in a tree whose
// leaf count is always a power of two.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

namespace interlude::mls {

struct NodeIndex {
    std::uint32_t value = 0;
    auto operator<=>(NodeIndex const&) const = default;
};
struct LeafIndex {
    std::uint32_t value = 0;
    auto operator<=>(LeafIndex const&) const = default;
};

/// The number of leaf slots of a tree: a power of two.
class TreeSize {
  public:
    /// The smallest tree with room for `leaves` (at least one).
    static TreeSize for_leaves(std::uint32_t leaves);

    std::uint32_t leaves() const { return leaves_; }
    std::uint32_t nodes() const { return 2 * leaves_ - 1; }
    NodeIndex root() const { return {leaves_ - 1}; }
    bool contains(NodeIndex node) const { return node.value < nodes(); }
    bool contains(LeafIndex leaf) const { return leaf.value < leaves_; }
    bool operator==(TreeSize const&) const = default;

    /// nullopt for the root.
    std::optional<NodeIndex> parent(NodeIndex node) const;
    std::optional<NodeIndex> sibling(NodeIndex node) const;
    /// From the parent of `leaf` to the root, both included; empty in a tree of one leaf.
    std::vector<NodeIndex> direct_path(LeafIndex leaf) const;
    /// The siblings on the way: as many as direct_path; [i] is the child of direct_path[i] that is off the path.
    std::vector<NodeIndex> copath(LeafIndex leaf) const;

  private:
    explicit TreeSize(std::uint32_t leaves) : leaves_(leaves) {}
    std::uint32_t leaves_;
};

/// Trees of more leaves than this are refused everywhere (a conversation has 64 devices at most).
inline constexpr std::uint32_t tree_leaves_max = 1u << 14;

NodeIndex node_of(LeafIndex leaf);
bool is_leaf(NodeIndex node);
/// The leaf at an even node (checked).
LeafIndex leaf_of(NodeIndex node);
/// Levels above the leaves, which are level 0.
unsigned level(NodeIndex node);
/// nullopt for a leaf.
std::optional<NodeIndex> left(NodeIndex node);
std::optional<NodeIndex> right(NodeIndex node);
/// Whether `leaf` lies under `node` (or is it).
bool is_below(LeafIndex leaf, NodeIndex node);

}  // namespace interlude::mls
