#include "common/audit/merkle.hpp"

#include <algorithm>
#include <bit>

#include "common/crypto/hash.hpp"

namespace interlude::audit {

using base::Errc;
using base::Result;

namespace {

/// The leaves [begin, end) of a tree, where RFC 6962 takes their hash as one: `begin` is a multiple of the largest
/// power of two that fits.
struct Range {
    std::uint64_t begin;
    std::uint64_t end;
};

/// The largest power of two below `count` (count > 1): where RFC 6962 splits a tree.
std::uint64_t split_of(std::uint64_t count) {
    return std::bit_floor(count - 1);
}

/// The complete subtrees of a range, largest first.
std::vector<Node> nodes_of(Range range) {
    std::vector<Node> nodes;
    while (range.begin < range.end) {
        auto const level = static_cast<unsigned>(std::bit_width(range.end - range.begin) - 1);
        nodes.push_back({level, range.begin >> level});
        range.begin += std::uint64_t{1} << level;
    }
    return nodes;
}

/// MTH of adjacent complete subtrees, largest first.
Hash32 fold(std::span<Hash32 const> subtrees) {
    if (subtrees.empty()) return empty_root();
    auto hash = subtrees.back();
    for (auto i = subtrees.size() - 1; i > 0; --i) hash = node_hash(subtrees[i - 1], hash);
    return hash;
}

Result<Hash32> hash_of(Range range, HashSource const& source) {
    std::vector<Hash32> subtrees;
    for (auto const& node : nodes_of(range)) {
        auto const hash = source(node);
        if (!hash) return Errc::unknown;
        subtrees.push_back(*hash);
    }
    return fold(subtrees);
}

/// RFC 9162 §2.1.3.1, PATH.
std::vector<Range> inclusion_ranges(std::uint64_t index, std::uint64_t size) {
    std::vector<Range> path;
    for (Range tree{0, size}; tree.end - tree.begin > 1;) {
        auto const middle = tree.begin + split_of(tree.end - tree.begin);
        if (index < middle) {
            path.push_back({middle, tree.end});
            tree.end = middle;
        } else {
            path.push_back({tree.begin, middle});
            tree.begin = middle;
        }
    }
    std::reverse(path.begin(), path.end());
    return path;
}

/// RFC 9162 §2.1.4.1, SUBPROOF.
std::vector<Range> consistency_ranges(std::uint64_t from, std::uint64_t to) {
    std::vector<Range> path;
    if (from == 0 || from == to) return path;
    Range tree{0, to};
    bool verifier_has_it = true;
    while (tree.end != from) {
        auto const middle = tree.begin + split_of(tree.end - tree.begin);
        if (from <= middle) {
            path.push_back({middle, tree.end});
            tree.end = middle;
        } else {
            path.push_back({tree.begin, middle});
            tree.begin = middle;
            verifier_has_it = false;
        }
    }
    if (!verifier_has_it) path.push_back(tree);
    std::reverse(path.begin(), path.end());
    return path;
}

std::vector<Node> nodes_of(std::vector<Range> const& ranges) {
    std::vector<Node> nodes;
    for (auto const& range : ranges)
        for (auto const& node : nodes_of(range)) nodes.push_back(node);
    return nodes;
}

Result<Proof> prove(std::vector<Range> const& ranges, HashSource const& source) {
    Proof proof;
    for (auto const& range : ranges) {
        INTERLUDE_TRY(auto hash, hash_of(range, source));
        proof.push_back(hash);
    }
    return proof;
}

}  // namespace

Hash32 leaf_hash(bytes::ByteView entry) {
    constexpr std::uint8_t prefix[] = {0x00};
    return crypto::Sha256().update(prefix).update(entry).finish();
}

Hash32 node_hash(Hash32 const& left, Hash32 const& right) {
    constexpr std::uint8_t prefix[] = {0x01};
    return crypto::Sha256().update(prefix).update(left.bytes).update(right.bytes).finish();
}

Hash32 empty_root() {
    return crypto::sha256({});
}

Hash32 root_of(std::span<Hash32 const> leaves) {
    Tree tree;
    for (auto const& leaf : leaves) tree.append(leaf);
    return tree.root();
}

Result<Tree> Tree::resume(std::uint64_t size, HashSource const& source) {
    Tree tree;
    tree.size_ = size;
    for (auto const& node : nodes_of_root(size)) {
        auto const hash = source(node);
        if (!hash) return Errc::unknown;
        tree.edge_.push_back(*hash);
    }
    return tree;
}

Hash32 Tree::root() const {
    return fold(edge_);
}

std::vector<NodeHash> Tree::append(Hash32 const& leaf) {
    std::vector<NodeHash> completed{{{0, size_}, leaf}};
    auto hash = leaf;
    // Each trailing one bit of the old size is a complete subtree that now has its right sibling.
    for (unsigned level = 1; (size_ >> (level - 1)) & 1; ++level) {
        hash = node_hash(edge_.back(), hash);
        edge_.pop_back();
        completed.push_back({{level, size_ >> level}, hash});
    }
    edge_.push_back(hash);
    ++size_;
    return completed;
}

std::vector<Node> nodes_of_root(std::uint64_t size) {
    return nodes_of(Range{0, size});
}

std::vector<Node> nodes_of_inclusion(std::uint64_t index, std::uint64_t size) {
    return nodes_of(inclusion_ranges(index, size));
}

std::vector<Node> nodes_of_consistency(std::uint64_t from, std::uint64_t to) {
    return nodes_of(consistency_ranges(from, to));
}

Result<Hash32> root_at(std::uint64_t size, HashSource const& source) {
    return hash_of({0, size}, source);
}

Result<Proof> prove_inclusion(std::uint64_t index, std::uint64_t size, HashSource const& source) {
    if (index >= size) return Errc::malformed;
    return prove(inclusion_ranges(index, size), source);
}

Result<Proof> prove_consistency(std::uint64_t from, std::uint64_t to, HashSource const& source) {
    if (from > to) return Errc::malformed;
    return prove(consistency_ranges(from, to), source);
}

Result<void> verify_inclusion(std::uint64_t index, std::uint64_t size, Hash32 const& leaf,
                              std::span<Hash32 const> proof, Hash32 const& root) {
    if (index >= size) return Errc::bad_proof;
    auto fn = index;     // RFC 9162 §2.1.3.2: the path of our leaf
    auto sn = size - 1;  // and of the last one
    auto hash = leaf;
    for (auto const& sibling : proof) {
        if (sn == 0) return Errc::bad_proof;
        if ((fn & 1) || fn == sn) {
            hash = node_hash(sibling, hash);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            hash = node_hash(hash, sibling);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0 || hash != root) return Errc::bad_proof;
    return {};
}

Result<void> verify_consistency(std::uint64_t from, std::uint64_t to, Hash32 const& from_root, Hash32 const& to_root,
                                std::span<Hash32 const> proof) {
    if (from == 0 || from > to) return Errc::bad_proof;
    if (from == to) {
        if (!proof.empty() || from_root != to_root) return Errc::bad_proof;
        return {};
    }
    if (proof.empty()) return Errc::bad_proof;
    auto fn = from - 1;  // RFC 9162 §2.1.4.2
    auto sn = to - 1;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    // A complete old tree is itself the first hash of the path, and left out of the proof.
    bool const complete = std::has_single_bit(from);
    auto old_hash = complete ? from_root : proof.front();
    auto new_hash = old_hash;
    for (auto const& sibling : complete ? proof : proof.subspan(1)) {
        if (sn == 0) return Errc::bad_proof;
        if ((fn & 1) || fn == sn) {
            old_hash = node_hash(sibling, old_hash);
            new_hash = node_hash(sibling, new_hash);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            new_hash = node_hash(new_hash, sibling);
        }
        fn >>= 1;
        sn >>= 1;
    }
    if (sn != 0 || old_hash != from_root || new_hash != to_root) return Errc::bad_proof;
    return {};
}

}  // namespace interlude::audit
