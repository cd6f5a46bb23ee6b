// The Merkle tree of the log: hashes (RFC 6962 §2.1), inclusion proofs (RFC 9162 §2.1.3) and consistency proofs
// (§2.1.4).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::audit {

using base::Hash32;
using Proof = std::vector<Hash32>;  // from the leaf's side to the root's

/// No proof of a tree with fewer than 2^64 leaves is longer; a consistency proof has one hash more.
inline constexpr std::size_t proof_hashes_max = 65;

/// SHA-256(0x00 ‖ entry).
Hash32 leaf_hash(bytes::ByteView entry);
/// SHA-256(0x01 ‖ left ‖ right).
Hash32 node_hash(Hash32 const& left, Hash32 const& right);
/// The root of a tree without leaves: SHA-256 of nothing.
Hash32 empty_root();
Hash32 root_of(std::span<Hash32 const> leaves);

/// A complete subtree: the 2^level leaves from index * 2^level on.
struct Node {
    unsigned level = 0;
    std::uint64_t index = 0;
    auto operator<=>(Node const&) const = default;
};

struct NodeHash {
    Node node;
    Hash32 hash;
};

/// Looks up the hash of a complete subtree; nullopt where it is not stored.
using HashSource = std::function<std::optional<Hash32>(Node)>;

/// A growing tree that remembers only its right edge: one hash per bit of its size.
class Tree {
  public:
    Tree() = default;
    /// The tree of `size` leaves, its right edge (nodes_of_root(size)) read from `source`; unknown if one is missing.
    static base::Result<Tree> resume(std::uint64_t size, HashSource const& source);

    std::uint64_t size() const { return size_; }
    Hash32 root() const;
    /// Adds one leaf. Returns the nodes that are complete now and were not before, leaf first.
    std::vector<NodeHash> append(Hash32 const& leaf);

  private:
    std::uint64_t size_ = 0;
    std::vector<Hash32> edge_;  // roots of the complete subtrees of size_, largest first
};

/// What a root or a proof is computed from: lets an asynchronous store fetch first and compute afterwards.
std::vector<Node> nodes_of_root(std::uint64_t size);
std::vector<Node> nodes_of_inclusion(std::uint64_t index, std::uint64_t size);
std::vector<Node> nodes_of_consistency(std::uint64_t from, std::uint64_t to);

/// unknown if `source` lacks a node; malformed unless index < size, from <= to.
base::Result<Hash32> root_at(std::uint64_t size, HashSource const& source);
base::Result<Proof> prove_inclusion(std::uint64_t index, std::uint64_t size, HashSource const& source);
/// Empty when from is 0 or equals to.
base::Result<Proof> prove_consistency(std::uint64_t from, std::uint64_t to, HashSource const& source);

/// RFC 9162 §2.1.3.2. bad_proof unless the leaf is number `index` of the tree with this size and root.
base::Result<void> verify_inclusion(std::uint64_t index, std::uint64_t size, Hash32 const& leaf,
                                    std::span<Hash32 const> proof, Hash32 const& root);
/// RFC 9162 §2.1.4.2. bad_proof unless the tree (to, to_root) begins with the tree (from, from_root), and for from = 0:
/// every tree begins with the empty one, a proof of it would prove nothing.
base::Result<void> verify_consistency(std::uint64_t from, std::uint64_t to, Hash32 const& from_root,
                                      Hash32 const& to_root, std::span<Hash32 const> proof);

}  // namespace interlude::audit
