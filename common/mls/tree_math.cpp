#include "common/mls/tree_math.hpp"

#include <bit>

#include "common/base/check.hpp"

namespace interlude::mls {

TreeSize TreeSize::for_leaves(std::uint32_t leaves) {
    INTERLUDE_CHECK(leaves >= 1 && leaves <= 1u << 30);
    return TreeSize(std::bit_ceil(leaves));
}

std::optional<NodeIndex> TreeSize::parent(NodeIndex node) const {
    if (node == root()) return std::nullopt;
    // A parent's index is its child's with the lowest zero bit set and the bit above that cleared.
    auto const bit = std::uint32_t{1} << level(node);
    return NodeIndex{(node.value | bit) & ~(bit << 1)};
}

std::optional<NodeIndex> TreeSize::sibling(NodeIndex node) const {
    auto up = parent(node);
    if (!up) return std::nullopt;
    return node < *up ? right(*up) : left(*up);
}

std::vector<NodeIndex> TreeSize::direct_path(LeafIndex leaf) const {
    std::vector<NodeIndex> path;
    for (auto up = parent(node_of(leaf)); up; up = parent(*up)) path.push_back(*up);
    return path;
}

std::vector<NodeIndex> TreeSize::copath(LeafIndex leaf) const {
    std::vector<NodeIndex> siblings;
    std::optional<NodeIndex> at = node_of(leaf);
    for (auto beside = sibling(*at); beside; beside = sibling(*at)) {
        siblings.push_back(*beside);
        at = parent(*at);
    }
    return siblings;
}

NodeIndex node_of(LeafIndex leaf) {
    return {2 * leaf.value};
}

bool is_leaf(NodeIndex node) {
    return node.value % 2 == 0;
}

LeafIndex leaf_of(NodeIndex node) {
    INTERLUDE_CHECK(is_leaf(node));
    return {node.value / 2};
}

unsigned level(NodeIndex node) {
    return static_cast<unsigned>(std::countr_one(node.value));
}

std::optional<NodeIndex> left(NodeIndex node) {
    if (is_leaf(node)) return std::nullopt;
    return NodeIndex{node.value ^ (std::uint32_t{1} << (level(node) - 1))};
}

std::optional<NodeIndex> right(NodeIndex node) {
    if (is_leaf(node)) return std::nullopt;
    return NodeIndex{node.value ^ (std::uint32_t{3} << (level(node) - 1))};
}

bool is_below(LeafIndex leaf, NodeIndex node) {
    // A node of level k spans 2^k leaves, itself in the middle of their nodes.
    auto const bits = level(node) + 1;
    return node_of(leaf).value >> bits == node.value >> bits;
}

}  // namespace interlude::mls
