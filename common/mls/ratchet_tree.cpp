#include "common/mls/ratchet_tree.hpp"

#include <set>

#include "common/mls/labels.hpp"

namespace interlude::mls {

namespace {

/// The entries of `leaves` that are not in `left_out`; both ascending.
std::vector<LeafIndex> without(std::vector<LeafIndex> const& leaves, std::vector<LeafIndex> const& left_out) {
    std::vector<LeafIndex> rest;
    std::set_difference(leaves.begin(), leaves.end(), left_out.begin(), left_out.end(), std::back_inserter(rest));
    return rest;
}

bool contains(std::vector<LeafIndex> const& ascending, LeafIndex leaf) {
    return std::binary_search(ascending.begin(), ascending.end(), leaf);
}

/// The parent_hash field of a node; nullptr for a leaf that no commit brought.
Bytes const* parent_hash_field(Node const& node) {
    if (auto const* leaf = std::get_if<LeafNode>(&node)) return leaf->parent_hash();
    return &std::get<ParentNode>(node).parent_hash;
}

}  // namespace

RatchetTree::RatchetTree(crypto::Suite const& suite) : suite_(&suite), size_(TreeSize::for_leaves(1)), nodes_(1) {}

Result<RatchetTree> RatchetTree::from_nodes(crypto::Suite const& suite, NodeList nodes) {
    if (nodes.empty() || !nodes.back()) return Errc::bad_tree;
    auto const leaves = nodes.size() / 2 + 1;
    if (leaves > tree_leaves_max) return Errc::too_long;
    RatchetTree tree(suite);
    tree.size_ = TreeSize::for_leaves(static_cast<std::uint32_t>(leaves));
    tree.nodes_ = std::move(nodes);
    tree.nodes_.resize(tree.size_.nodes());
    INTERLUDE_TRY_VOID(tree.check_structure());
    return tree;
}

NodeList RatchetTree::nodes() const {
    auto const last = std::find_if(nodes_.rbegin(), nodes_.rend(), [](auto const& node) { return node.has_value(); });
    return NodeList(nodes_.begin(), last.base());
}

LeafNode const* RatchetTree::leaf(LeafIndex leaf) const {
    if (!size_.contains(leaf)) return nullptr;
    auto const& node = nodes_[node_of(leaf).value];
    return node ? &std::get<LeafNode>(*node) : nullptr;
}

ParentNode const* RatchetTree::parent(NodeIndex node) const {
    if (!size_.contains(node) || is_leaf(node)) return nullptr;
    auto const& at = nodes_[node.value];
    return at ? &std::get<ParentNode>(*at) : nullptr;
}

bool RatchetTree::is_blank(NodeIndex node) const {
    return !size_.contains(node) || !nodes_[node.value];
}

HPKEPublicKey const& RatchetTree::encryption_key(NodeIndex node) const {
    INTERLUDE_CHECK(!is_blank(node));
    return std::visit([](auto const& content) -> HPKEPublicKey const& { return content.encryption_key; },
                      *nodes_[node.value]);
}

std::vector<LeafIndex> RatchetTree::members() const {
    std::vector<LeafIndex> members;
    for (LeafIndex at{0}; size_.contains(at); ++at.value) {
        if (leaf(at)) members.push_back(at);
    }
    return members;
}

Result<LeafIndex> RatchetTree::reserve_leaf() {
    for (LeafIndex at{0}; size_.contains(at); ++at.value) {
        if (!leaf(at)) return at;
    }
    LeafIndex const first_new{size_.leaves()};
    if (2 * size_.leaves() > tree_leaves_max) return Errc::too_long;
    size_ = TreeSize::for_leaves(2 * size_.leaves());
    nodes_.resize(size_.nodes());
    return first_new;
}

Result<LeafIndex> RatchetTree::add_leaf(LeafNode leaf) {
    INTERLUDE_TRY(auto const at, reserve_leaf());
    for (auto up : size_.direct_path(at)) {
        if (!nodes_[up.value]) continue;
        auto& unmerged = std::get<ParentNode>(*nodes_[up.value]).unmerged_leaves;
        unmerged.insert(std::upper_bound(unmerged.begin(), unmerged.end(), at), at);
    }
    set_leaf(at, std::move(leaf));
    return at;
}

Result<void> RatchetTree::update_leaf(LeafIndex leaf, LeafNode node) {
    if (!this->leaf(leaf)) return Errc::bad_proposal;
    set_leaf(leaf, std::move(node));
    blank_direct_path(leaf);
    return {};
}

Result<void> RatchetTree::remove_leaf(LeafIndex leaf) {
    if (!this->leaf(leaf)) return Errc::bad_proposal;
    nodes_[node_of(leaf).value].reset();
    blank_direct_path(leaf);
    // Halve until the last non-blank leaf is in the right half.
    auto const remaining = members();
    auto const width = remaining.empty() ? 1 : remaining.back().value + 1;
    size_ = TreeSize::for_leaves(width);
    nodes_.resize(size_.nodes());
    return {};
}

std::vector<NodeIndex> RatchetTree::resolution(NodeIndex node) const {
    return resolution_without(node, {});
}

std::vector<NodeIndex> RatchetTree::resolution_without(NodeIndex node, std::vector<LeafIndex> const& left_out) const {
    std::vector<NodeIndex> found;
    auto take_leaf = [&](LeafIndex leaf) {
        if (std::find(left_out.begin(), left_out.end(), leaf) == left_out.end()) found.push_back(node_of(leaf));
    };
    // Left to right, by a stack of what is still to be visited.
    std::vector<NodeIndex> open{node};
    while (!open.empty()) {
        auto const at = open.back();
        open.pop_back();
        if (is_leaf(at)) {
            if (leaf(leaf_of(at))) take_leaf(leaf_of(at));
        } else if (auto const* content = parent(at)) {
            found.push_back(at);
            for (auto unmerged : content->unmerged_leaves) take_leaf(unmerged);
        } else {
            open.push_back(*right(at));
            open.push_back(*left(at));
        }
    }
    return found;
}

std::vector<PathStep> RatchetTree::filtered_direct_path(LeafIndex leaf) const {
    std::vector<PathStep> steps;
    auto const path = size_.direct_path(leaf);
    auto const beside = size_.copath(leaf);
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (!resolution(beside[i]).empty()) steps.push_back({path[i], beside[i]});
    }
    return steps;
}

Bytes RatchetTree::tree_hash() const {
    return hash_without(size_.root(), {}, nullptr);
}

std::vector<Bytes> RatchetTree::tree_hashes() const {
    std::vector<Bytes> all(size_.nodes());
    hash_without(size_.root(), {}, &all);
    return all;
}

Bytes RatchetTree::replace_path(LeafIndex sender, std::vector<HPKEPublicKey> const& keys) {
    auto const steps = filtered_direct_path(sender);
    INTERLUDE_CHECK(steps.size() == keys.size());
    blank_direct_path(sender);
    // From the root down: each node carries the hash of the next one above it (§7.9). None has unmerged leaves now, so
    // the sibling's original tree hash is its present one.
    Bytes above;
    for (auto i = steps.size(); i-- > 0;) {
        ParentNode node{keys[i], std::move(above), {}};
        above = parent_hash(node, hash_without(steps[i].copath, {}, nullptr));
        nodes_[steps[i].node.value] = std::move(node);
    }
    return above;
}

void RatchetTree::set_leaf(LeafIndex leaf, LeafNode node) {
    INTERLUDE_CHECK(size_.contains(leaf));
    nodes_[node_of(leaf).value] = std::move(node);
}

Result<void> RatchetTree::verify_parent_hashes() const {
    auto const hashes = tree_hashes();
    for (NodeIndex at{1}; size_.contains(at); at.value += 2) {
        auto const* content = parent(at);
        if (!content) continue;
        // Exactly one descendant must be linked to this node by its parent hash (§7.9.2).
        int links = 0;
        for (auto const& [child, sibling] : {std::pair{*left(at), *right(at)}, std::pair{*right(at), *left(at)}}) {
            std::vector<NodeIndex> unmerged;  // those below the child
            bool sibling_grew = false;
            for (auto leaf : content->unmerged_leaves) {
                if (is_below(leaf, child)) unmerged.push_back(node_of(leaf));
                sibling_grew = sibling_grew || is_below(leaf, sibling);
            }
            auto const covered = resolution(child);
            if (covered.size() != unmerged.size() + 1) continue;
            auto const expected =
                parent_hash(*content, sibling_grew ? hash_without(sibling, content->unmerged_leaves, nullptr)
                                                   : hashes[sibling.value]);
            for (auto candidate : covered) {
                auto const* field = parent_hash_field(*nodes_[candidate.value]);
                if (!field || *field != expected) continue;
                auto rest = covered;
                std::erase(rest, candidate);
                std::sort(rest.begin(), rest.end());
                if (rest == unmerged) ++links;
            }
        }
        if (links != 1) return Errc::bad_tree;
    }
    return {};
}

Bytes RatchetTree::hash_without(NodeIndex node, std::vector<LeafIndex> const& left_out, std::vector<Bytes>* all) const {
    Writer input;  // TreeHashInput, RFC 9420 §7.8
    if (is_leaf(node)) {
        auto const index = leaf_of(node);
        auto const* content = contains(left_out, index) ? nullptr : leaf(index);
        input.u8(1).u32(index.value).boolean(content != nullptr);
        if (content) write(input, *content);
    } else {
        auto const* content = parent(node);
        auto const left_hash = hash_without(*left(node), left_out, all);
        auto const right_hash = hash_without(*right(node), left_out, all);
        input.u8(2).boolean(content != nullptr);
        if (content) {
            input.opaque(content->encryption_key).opaque(content->parent_hash);
            write_vector(input, without(content->unmerged_leaves, left_out));
        }
        input.opaque(left_hash).opaque(right_hash);
    }
    auto digest = hash(*suite_, input.bytes());
    if (all) (*all)[node.value] = digest;
    return digest;
}

Bytes RatchetTree::parent_hash(ParentNode const& parent, ByteView original_sibling_tree_hash) const {
    Writer input;  // ParentHashInput, RFC 9420 §7.9
    input.opaque(parent.encryption_key).opaque(parent.parent_hash).opaque(original_sibling_tree_hash);
    return hash(*suite_, input.bytes());
}

Result<void> RatchetTree::check_structure() const {
    std::set<HPKEPublicKey> keys;
    for (NodeIndex at{0}; size_.contains(at); ++at.value) {
        auto const& node = nodes_[at.value];
        if (!node) continue;
        if (std::holds_alternative<LeafNode>(*node) != is_leaf(at)) return Errc::bad_tree;
        if (!keys.insert(encryption_key(at)).second) return Errc::bad_tree;
    }
    for (NodeIndex at{1}; size_.contains(at); at.value += 2) {
        auto const* content = parent(at);
        if (!content) continue;
        for (auto unmerged : content->unmerged_leaves) {
            if (!leaf(unmerged) || !is_below(unmerged, at)) return Errc::bad_tree;
            for (auto up = size_.parent(node_of(unmerged)); *up != at; up = size_.parent(*up)) {
                auto const* between = parent(*up);
                if (between && !contains(between->unmerged_leaves, unmerged)) return Errc::bad_tree;
            }
        }
    }
    return {};
}

void RatchetTree::blank_direct_path(LeafIndex leaf) {
    for (auto up : size_.direct_path(leaf)) nodes_[up.value].reset();
}

}  // namespace interlude::mls
