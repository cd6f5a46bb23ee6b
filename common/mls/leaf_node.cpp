#include "common/mls/leaf_node.hpp"

namespace interlude::mls {

namespace {

enum class NodeType : std::uint8_t { leaf = 1, parent = 2 };  // RFC 9420 §7.8

void write_unsigned(Writer& writer, LeafNode const& leaf) {
    writer.opaque(leaf.encryption_key).opaque(leaf.signature_key);
    write(writer, leaf.credential);
    write(writer, leaf.capabilities);
    writer.u8(static_cast<std::uint8_t>(leaf.source_kind()));
    std::visit(
        Overloaded{[&](Lifetime const& life) { writer.u64(life.not_before).u64(life.not_after); },
                   [](UpdateSource const&) {}, [&](CommitSource const& commit) { writer.opaque(commit.parent_hash); }},
        leaf.source);
    write(writer, leaf.extensions);
}

Result<std::variant<Lifetime, UpdateSource, CommitSource>> read_source(Reader& reader) {
    using Source = std::variant<Lifetime, UpdateSource, CommitSource>;
    INTERLUDE_TRY(auto kind, reader.u8());
    switch (LeafNodeSource{kind}) {
        case LeafNodeSource::key_package: {
            Lifetime life;
            INTERLUDE_TRY(life.not_before, reader.u64());
            INTERLUDE_TRY(life.not_after, reader.u64());
            return Source(life);
        }
        case LeafNodeSource::update:
            return Source(UpdateSource{});
        case LeafNodeSource::commit: {
            INTERLUDE_TRY(auto parent_hash, read_bytes(reader));
            return Source(CommitSource{std::move(parent_hash)});
        }
    }
    return Errc::malformed;
}

}  // namespace

LeafNodeSource LeafNode::source_kind() const {
    return std::visit(Overloaded{[](Lifetime const&) { return LeafNodeSource::key_package; },
                                 [](UpdateSource const&) { return LeafNodeSource::update; },
                                 [](CommitSource const&) { return LeafNodeSource::commit; }},
                      source);
}

Bytes const* LeafNode::parent_hash() const {
    auto const* commit = std::get_if<CommitSource>(&source);
    return commit ? &commit->parent_hash : nullptr;
}

Bytes leaf_node_tbs(LeafNode const& leaf, LeafPlace place) {
    Writer writer;
    write_unsigned(writer, leaf);
    if (leaf.source_kind() != LeafNodeSource::key_package) {
        writer.opaque(place.group_id);
        write(writer, place.leaf);
    }
    return std::move(writer).take();
}

void write(Writer& writer, LeafIndex leaf) {
    writer.u32(leaf.value);
}

void write(Writer& writer, LeafNode const& leaf) {
    write_unsigned(writer, leaf);
    writer.opaque(leaf.signature);
}

void write(Writer& writer, ParentNode const& parent) {
    writer.opaque(parent.encryption_key).opaque(parent.parent_hash);
    write_vector(writer, parent.unmerged_leaves);
}

void write(Writer& writer, Node const& node) {
    std::visit(Overloaded{[&](LeafNode const& leaf) {
                              writer.u8(static_cast<std::uint8_t>(NodeType::leaf));
                              write(writer, leaf);
                          },
                          [&](ParentNode const& parent) {
                              writer.u8(static_cast<std::uint8_t>(NodeType::parent));
                              write(writer, parent);
                          }},
               node);
}

void write(Writer& writer, NodeList const& nodes) {
    writer.vector_of(nodes, [](Writer& inner, std::optional<Node> const& node) { write_optional(inner, node); });
}

Result<LeafIndex> read_leaf_index(Reader& reader) {
    INTERLUDE_TRY(auto value, reader.u32());
    return LeafIndex{value};
}

Result<LeafNode> read_leaf_node(Reader& reader) {
    LeafNode leaf;
    INTERLUDE_TRY(leaf.encryption_key, read_bytes(reader));
    INTERLUDE_TRY(leaf.signature_key, read_bytes(reader));
    INTERLUDE_TRY(leaf.credential, read_credential(reader));
    INTERLUDE_TRY(leaf.capabilities, read_capabilities(reader));
    INTERLUDE_TRY(leaf.source, read_source(reader));
    INTERLUDE_TRY(leaf.extensions, read_extensions(reader));
    INTERLUDE_TRY(leaf.signature, read_bytes(reader));
    return leaf;
}

Result<ParentNode> read_parent_node(Reader& reader) {
    ParentNode parent;
    INTERLUDE_TRY(parent.encryption_key, read_bytes(reader));
    INTERLUDE_TRY(parent.parent_hash, read_bytes(reader));
    INTERLUDE_TRY(parent.unmerged_leaves, read_vector(reader, read_leaf_index));
    auto const& unmerged = parent.unmerged_leaves;
    if (std::adjacent_find(unmerged.begin(), unmerged.end(), std::greater_equal<>()) != unmerged.end()) {
        return Errc::malformed;
    }
    return parent;
}

Result<Node> read_node(Reader& reader) {
    INTERLUDE_TRY(auto type, reader.u8());
    switch (NodeType{type}) {
        case NodeType::leaf: {
            INTERLUDE_TRY(auto leaf, read_leaf_node(reader));
            return Node(std::move(leaf));
        }
        case NodeType::parent: {
            INTERLUDE_TRY(auto parent, read_parent_node(reader));
            return Node(std::move(parent));
        }
    }
    return Errc::malformed;
}

Result<NodeList> read_node_list(Reader& reader) {
    return read_vector(
        reader, [](Reader& inner) { return read_optional(inner, read_node); }, 2 * tree_leaves_max - 1);
}

}  // namespace interlude::mls
