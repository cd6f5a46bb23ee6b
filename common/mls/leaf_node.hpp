// What stands in the ratchet tree: leaf and parent nodes (RFC 9420 §7.1, §7.2) and the ratchet_tree list (§12.4.3.3).
#pragma once

#include "common/mls/credential.hpp"
#include "common/mls/tree_math.hpp"

namespace interlude::mls {

enum class LeafNodeSource : std::uint8_t { key_package = 1, update = 2, commit = 3 };

struct Lifetime {
    std::uint64_t not_before = 0;  // seconds since 1970 UTC
    std::uint64_t not_after = 0;
    bool operator==(Lifetime const&) const = default;
};
struct UpdateSource {
    bool operator==(UpdateSource const&) const = default;
};
struct CommitSource {
    Bytes parent_hash;
    bool operator==(CommitSource const&) const = default;
};

struct LeafNode {
    HPKEPublicKey encryption_key;
    SignaturePublicKey signature_key;
    Credential credential;
    Capabilities capabilities;
    std::variant<Lifetime, UpdateSource, CommitSource> source;
    Extensions extensions;
    Bytes signature;

    LeafNodeSource source_kind() const;
    /// nullptr unless the source is a KeyPackage.
    Lifetime const* lifetime() const { return std::get_if<Lifetime>(&source); }
    /// nullptr unless the source is a commit.
    Bytes const* parent_hash() const;
    bool operator==(LeafNode const&) const = default;
};

struct ParentNode {
    HPKEPublicKey encryption_key;
    Bytes parent_hash;
    std::vector<LeafIndex> unmerged_leaves;  // strictly ascending
    bool operator==(ParentNode const&) const = default;
};

using Node = std::variant<LeafNode, ParentNode>;
/// The ratchet_tree extension: blanks are nullopt, trailing blanks are left out.
using NodeList = std::vector<std::optional<Node>>;

/// LeafNodeTBS; `place` is what update and commit leaves are bound to, and is not used for a KeyPackage's.
struct LeafPlace {
    ByteView group_id;
    LeafIndex leaf;
};
Bytes leaf_node_tbs(LeafNode const& leaf, LeafPlace place);

void write(Writer& writer, LeafIndex leaf);
void write(Writer& writer, LeafNode const& leaf);
void write(Writer& writer, ParentNode const& parent);
void write(Writer& writer, Node const& node);
void write(Writer& writer, NodeList const& nodes);

Result<LeafIndex> read_leaf_index(Reader& reader);
Result<LeafNode> read_leaf_node(Reader& reader);
/// malformed unless unmerged_leaves is strictly ascending.
Result<ParentNode> read_parent_node(Reader& reader);
Result<Node> read_node(Reader& reader);
/// too_long beyond tree_leaves_max. Whether leaves and parents stand where they may is RatchetTree's question.
Result<NodeList> read_node_list(Reader& reader);

}  // namespace interlude::mls
