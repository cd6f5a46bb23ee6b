#include "common/mls/secret_tree.hpp"

#include <algorithm>
#include <limits>

#include "common/base/limits.hpp"

namespace interlude::mls {

namespace limits = base::limits;

SecretTree::SecretTree(crypto::Suite const& suite, TreeSize size, SecretBytes encryption_secret)
    : suite_(&suite), size_(size) {
    nodes_.emplace(size_.root(), std::move(encryption_secret));
}

SecretTree::Ratchet SecretTree::Ratchet::clone() const {
    Ratchet copy{.secret = secret.clone(), .generation = generation, .skipped = {}};
    for (auto const& [at, key] : skipped) copy.skipped.emplace(at, key.clone());
    return copy;
}

SecretTree SecretTree::clone() const {
    SecretTree copy(*suite_, size_, {});
    copy.nodes_.clear();
    for (auto const& [node, secret] : nodes_) copy.nodes_.emplace(node, secret.clone());
    for (auto const& [leaf, both] : leaves_) {
        copy.leaves_.emplace(leaf, LeafRatchets{both.handshake.clone(), both.application.clone()});
    }
    return copy;
}

// The ratchets of a leaf. When first asked for, the path down to it is derived: every node on it is replaced by its two
// children, so that nothing is left from which a consumed secret could be derived again (§9.2).
SecretTree::LeafRatchets& SecretTree::ratchets(LeafIndex leaf) {
    if (auto known = leaves_.find(leaf); known != leaves_.end()) return known->second;

    auto path = size_.direct_path(leaf);  // upwards from the leaf's parent
    path.insert(path.begin(), node_of(leaf));
    auto const known_ancestor =
        std::find_if(path.begin(), path.end(), [&](NodeIndex node) { return nodes_.contains(node); });
    INTERLUDE_CHECK(known_ancestor != path.end());

    auto const take = [&](NodeIndex node) {
        auto entry = nodes_.extract(node);
        return std::move(entry.mapped());
    };
    for (auto above = known_ancestor; above != path.begin(); --above) {
        auto const secret = take(*above);
        auto const child = [&](std::string_view side) {
            return expand_with_label(*suite_, secret.expose(), "tree", bytes::view(side), suite_->hash_size);
        };
        nodes_.insert_or_assign(*left(*above), child("left"));
        nodes_.insert_or_assign(*right(*above), child("right"));
    }
    auto const secret = take(node_of(leaf));
    auto const first = [&](std::string_view label) {
        return Ratchet{expand_with_label(*suite_, secret.expose(), label, {}, suite_->hash_size), 0, {}};
    };
    return leaves_.emplace(leaf, LeafRatchets{first("handshake"), first("application")}).first->second;
}

SecretTree::Step SecretTree::step(ByteView secret, std::uint32_t generation) const {
    return {{derive_tree_secret(*suite_, secret, "key", generation, suite_->key_size),
             derive_tree_secret(*suite_, secret, "nonce", generation, suite_->nonce_size)},
            derive_tree_secret(*suite_, secret, "secret", generation, suite_->hash_size)};
}

Result<SecretTree::SealingKey> SecretTree::spend(LeafIndex leaf, RatchetKind kind) {
    INTERLUDE_CHECK(size_.contains(leaf));
    auto& ratchet = ratchets(leaf).of(kind);
    if (ratchet.secret.empty()) return Errc::no_key;
    if (ratchet.generation == std::numeric_limits<std::uint32_t>::max()) return Errc::generation_limit;
    auto [key, next] = step(ratchet.secret.expose(), ratchet.generation);
    ratchet.secret = std::move(next);
    return SealingKey{ratchet.generation++, std::move(key)};
}

Result<SecretTree::OpeningKey> SecretTree::find(LeafIndex leaf, RatchetKind kind, std::uint32_t generation) {
    if (!size_.contains(leaf)) return Errc::no_key;
    auto const& ratchet = ratchets(leaf).of(kind);
    OpeningKey found{.leaf = leaf, .kind = kind, .generation = generation, .key = {}, .next_secret = {}, .skipped = {}};
    if (generation < ratchet.generation) {
        auto const kept = ratchet.skipped.find(generation);
        if (kept == ratchet.skipped.end()) return Errc::no_key;
        found.key = kept->second.clone();
        return found;
    }
    if (ratchet.secret.empty()) return Errc::no_key;
    // §15.3: a false generation must not cost us four billion steps.
    if (generation - ratchet.generation > limits::forward_generations_max) return Errc::generation_limit;
    if (generation == std::numeric_limits<std::uint32_t>::max()) return Errc::generation_limit;
    auto secret = ratchet.secret.clone();
    for (auto at = ratchet.generation;; ++at) {
        auto [key, next] = step(secret.expose(), at);
        secret = std::move(next);
        if (at == generation) {
            found.key = std::move(key);
            found.next_secret = std::move(secret);
            return found;
        }
        found.skipped.push_back(std::move(key));
    }
}

void SecretTree::consume(OpeningKey key) {
    auto& ratchet = ratchets(key.leaf).of(key.kind);
    if (key.next_secret.empty()) {
        ratchet.skipped.erase(key.generation);
        return;
    }
    INTERLUDE_CHECK(ratchet.generation + key.skipped.size() == key.generation);
    for (auto& skipped : key.skipped) ratchet.skipped.emplace(ratchet.generation++, std::move(skipped));
    while (ratchet.skipped.size() > limits::skipped_generations_max) ratchet.skipped.erase(ratchet.skipped.begin());
    ratchet.secret = std::move(key.next_secret);
    ratchet.generation = key.generation + 1;
}

void SecretTree::forget(LeafIndex leaf) {
    auto& both = ratchets(leaf);
    both.handshake = {SecretBytes{}, both.handshake.generation, {}};
    both.application = {SecretBytes{}, both.application.generation, {}};
}

std::uint32_t SecretTree::next_generation(LeafIndex leaf, RatchetKind kind) const {
    auto const known = leaves_.find(leaf);
    return known == leaves_.end() ? 0 : known->second.of(kind).generation;
}

void SecretTree::write_ratchet(Writer& writer, Ratchet const& ratchet) {
    writer.opaque(ratchet.secret.expose()).u32(ratchet.generation);
    writer.vector_of(ratchet.skipped, [](Writer& inner, auto const& skipped) {
        inner.u32(skipped.first).raw(skipped.second.key.expose()).raw(skipped.second.nonce.expose());
    });
}

Result<SecretTree::Ratchet> SecretTree::read_ratchet(Reader& reader, crypto::Suite const& suite) {
    Ratchet ratchet;
    INTERLUDE_TRY(ratchet.secret, read_secret(reader));
    INTERLUDE_TRY(ratchet.generation, reader.u32());
    INTERLUDE_TRY(auto skipped, reader.vector());
    while (!skipped.empty()) {
        INTERLUDE_TRY(auto const generation, skipped.u32());
        INTERLUDE_TRY(auto const key, skipped.raw(suite.key_size));
        INTERLUDE_TRY(auto const nonce, skipped.raw(suite.nonce_size));
        if (generation >= ratchet.generation || ratchet.skipped.contains(generation)) return Errc::malformed;
        ratchet.skipped.emplace(generation, KeyAndNonce{SecretBytes(key), SecretBytes(nonce)});
    }
    return ratchet;
}

void write(Writer& writer, SecretTree const& tree) {
    writer.u32(tree.size_.leaves());
    writer.vector_of(tree.nodes_,
                     [](Writer& inner, auto const& node) { inner.u32(node.first.value).opaque(node.second.expose()); });
    writer.vector_of(tree.leaves_, [](Writer& inner, auto const& leaf) {
        write(inner, leaf.first);
        SecretTree::write_ratchet(inner, leaf.second.handshake);
        SecretTree::write_ratchet(inner, leaf.second.application);
    });
}

Result<SecretTree> read_secret_tree(Reader& reader, crypto::Suite const& suite) {
    INTERLUDE_TRY(auto const leaf_count, reader.u32());
    if (leaf_count == 0 || leaf_count > tree_leaves_max) return Errc::too_long;
    auto const size = TreeSize::for_leaves(leaf_count);
    if (size.leaves() != leaf_count) return Errc::malformed;
    SecretTree tree(suite, size, {});
    tree.nodes_.clear();
    INTERLUDE_TRY(auto nodes, reader.vector());
    while (!nodes.empty()) {
        INTERLUDE_TRY(auto const index, nodes.u32());
        INTERLUDE_TRY(auto secret, read_secret(nodes));
        if (!size.contains(NodeIndex{index})) return Errc::malformed;
        tree.nodes_.insert_or_assign(NodeIndex{index}, std::move(secret));
    }
    INTERLUDE_TRY(auto leaves, reader.vector());
    while (!leaves.empty()) {
        INTERLUDE_TRY(auto const leaf, read_leaf_index(leaves));
        INTERLUDE_TRY(auto handshake, SecretTree::read_ratchet(leaves, suite));
        INTERLUDE_TRY(auto application, SecretTree::read_ratchet(leaves, suite));
        if (!size.contains(leaf)) return Errc::malformed;
        tree.leaves_.insert_or_assign(leaf, SecretTree::LeafRatchets{std::move(handshake), std::move(application)});
    }
    // Every leaf must be reachable: its own ratchets, or exactly the secret of one node at or above it.
    for (std::uint32_t i = 0; i < size.leaves(); ++i) {
        LeafIndex const leaf{i};
        auto path = size.direct_path(leaf);
        path.push_back(node_of(leaf));
        auto const above =
            std::count_if(path.begin(), path.end(), [&](NodeIndex node) { return tree.nodes_.contains(node); });
        if (above != (tree.leaves_.contains(leaf) ? 0 : 1)) return Errc::malformed;
    }
    return tree;
}

KeyAndNonce sender_data_key(crypto::Suite const& suite, ByteView sender_data_secret, ByteView ciphertext) {
    auto const sample = ciphertext.first(std::min(ciphertext.size(), suite.hash_size));
    return {expand_with_label(suite, sender_data_secret, "key", sample, suite.key_size),
            expand_with_label(suite, sender_data_secret, "nonce", sample, suite.nonce_size)};
}

}  // namespace interlude::mls
