#include "common/mls/tree_kem.hpp"

#include <set>

#include "common/mls/labels.hpp"
#include "common/mls/tree_validation.hpp"
#include "common/mls_framing/labelled.hpp"

namespace interlude::mls {

namespace {

constexpr std::string_view path_node_label = "UpdatePathNode";

/// §7.4: the key pair of a node whose path secret is known.
crypto::HpkeKeyPair node_key_pair(crypto::Suite const& suite, SecretBytes const& path_secret) {
    auto const node_secret = derive_secret(suite, path_secret.expose(), "node");
    return crypto::hpke_derive_key_pair(suite, node_secret.expose());
}

SecretBytes next_path_secret(crypto::Suite const& suite, SecretBytes const& path_secret) {
    return derive_secret(suite, path_secret.expose(), "path");
}

/// Follows a path secret from steps[first] to the root, comparing with the public keys that `tree` has there. Puts the
/// key pairs in `keys` and returns the commit secret, one step past the last node.
Result<SecretBytes> follow_path(RatchetTree const& tree, std::vector<PathStep> const& steps, std::size_t first,
                                SecretBytes path_secret, TreePrivate& keys) {
    if (path_secret.size() != tree.suite().hash_size) return Errc::bad_commit;
    for (std::size_t i = first; i < steps.size(); ++i) {
        auto key_pair = node_key_pair(tree.suite(), path_secret);
        auto const* node = tree.parent(steps[i].node);
        if (!node || node->encryption_key != key_pair.public_key) return Errc::bad_commit;
        keys.key_pairs.insert_or_assign(steps[i].node, std::move(key_pair));
        path_secret = next_path_secret(tree.suite(), path_secret);
    }
    return path_secret;
}

std::vector<HPKEPublicKey> node_keys(UpdatePath const& path) {
    std::vector<HPKEPublicKey> keys;
    for (auto const& node : path.nodes) keys.push_back(node.encryption_key);
    return keys;
}

/// Every key of the path is usable and new: not in the tree as it was, nor twice in the path.
Result<void> check_new_keys(RatchetTree const& tree, UpdatePath const& path) {
    std::set<HPKEPublicKey> seen;
    for (NodeIndex at{0}; tree.size().contains(at); ++at.value) {
        if (!tree.is_blank(at)) seen.insert(tree.encryption_key(at));
    }
    auto keys = node_keys(path);
    keys.push_back(path.leaf_node.encryption_key);
    for (auto const& key : keys) {
        if (!seen.insert(key).second || !check_encryption_key(key)) return Errc::bad_leaf;
    }
    return {};
}

}  // namespace

TreePrivate TreePrivate::for_leaf(LeafIndex leaf, crypto::HpkeKeyPair key_pair) {
    TreePrivate keys{leaf, {}};
    keys.set_leaf_key(std::move(key_pair));
    return keys;
}

TreePrivate TreePrivate::clone() const {
    TreePrivate copy{leaf, {}};
    for (auto const& [node, key_pair] : key_pairs) copy.key_pairs.emplace(node, key_pair.clone());
    return copy;
}

void TreePrivate::set_leaf_key(crypto::HpkeKeyPair key_pair) {
    key_pairs.insert_or_assign(node_of(leaf), std::move(key_pair));
}

void TreePrivate::drop_outdated(RatchetTree const& tree) {
    std::erase_if(key_pairs, [&](auto const& held) {
        return tree.is_blank(held.first) || tree.encryption_key(held.first) != held.second.public_key;
    });
}

bool TreePrivate::is_consistent_with(RatchetTree const& tree) const {
    auto const matches = [&](auto const& held) {
        return !tree.is_blank(held.first) && tree.encryption_key(held.first) == held.second.public_key;
    };
    return key_pairs.contains(node_of(leaf)) && std::all_of(key_pairs.begin(), key_pairs.end(), matches);
}

Result<void> TreePrivate::take_path_secret(RatchetTree const& tree, LeafIndex committer, ByteView path_secret) {
    if (committer == leaf) return Errc::bad_commit;
    auto const steps = tree.filtered_direct_path(committer);
    auto const start = common_ancestor(committer, leaf);
    auto const first = std::find_if(steps.begin(), steps.end(), [&](auto const& step) { return step.node == start; });
    if (first == steps.end()) return Errc::bad_commit;
    auto next = clone();
    INTERLUDE_TRY_VOID(
        follow_path(tree, steps, static_cast<std::size_t>(first - steps.begin()), SecretBytes(path_secret), next));
    *this = std::move(next);
    return {};
}

void write(Writer& writer, TreePrivate const& keys) {
    write(writer, keys.leaf);
    writer.vector_of(keys.key_pairs, [](Writer& inner, auto const& held) {
        inner.u32(held.first.value).opaque(held.second.private_key.expose());
    });
}

Result<TreePrivate> read_tree_private(Reader& reader, crypto::Suite const& suite) {
    TreePrivate keys;
    INTERLUDE_TRY(keys.leaf, read_leaf_index(reader));
    INTERLUDE_TRY(auto held, reader.vector());
    while (!held.empty()) {
        INTERLUDE_TRY(auto node, held.u32());
        INTERLUDE_TRY(auto private_key, held.opaque());
        INTERLUDE_TRY(auto key_pair, crypto::hpke_key_pair_from_private(suite, private_key));
        if (!keys.key_pairs.emplace(NodeIndex{node}, std::move(key_pair)).second) return Errc::malformed;
    }
    return keys;
}

Result<LeafIndex> read_tree_private_leaf(Reader& reader) {
    INTERLUDE_TRY(auto const leaf, read_leaf_index(reader));
    INTERLUDE_TRY_VOID(reader.vector());
    return leaf;
}

NodeIndex common_ancestor(LeafIndex a, LeafIndex b) {
    INTERLUDE_CHECK(a != b);
    NodeIndex at = node_of(a);
    auto const size = TreeSize::for_leaves(std::max(a.value, b.value) + 1);
    while (!is_below(b, at)) at = *size.parent(at);
    return at;
}

Result<CreatedPath> create_update_path(RatchetTree tree, CreatePathArgs args, crypto::Entropy& entropy) {
    auto const& suite = tree.suite();
    auto const steps = tree.filtered_direct_path(args.sender);
    auto keys = TreePrivate::for_leaf(args.sender, crypto::hpke_generate_key_pair(suite, entropy));

    std::vector<HPKEPublicKey> public_keys;
    std::map<NodeIndex, SecretBytes> path_secrets;
    auto path_secret = entropy.secret(suite.hash_size);
    for (auto const& step : steps) {
        auto key_pair = node_key_pair(suite, path_secret);
        public_keys.push_back(key_pair.public_key);
        keys.key_pairs.emplace(step.node, std::move(key_pair));
        auto next = next_path_secret(suite, path_secret);
        path_secrets.emplace(step.node, std::move(path_secret));
        path_secret = std::move(next);
    }

    UpdatePath path{args.leaf, {}};
    path.leaf_node.encryption_key = keys.key_pairs.at(node_of(args.sender)).public_key;
    path.leaf_node.source = CommitSource{tree.replace_path(args.sender, public_keys)};
    auto const tbs = leaf_node_tbs(path.leaf_node, {args.context.group_id, args.sender});
    path.leaf_node.signature = sign_with_label(args.signature_key, mls_framing::leaf_node_label, tbs);
    tree.set_leaf(args.sender, path.leaf_node);

    args.context.tree_hash = tree.tree_hash();
    auto const context = encode(args.context);
    for (auto const& step : steps) {
        UpdatePathNode node{tree.encryption_key(step.node), {}};
        for (auto recipient : tree.resolution_without(step.copath, args.added)) {
            INTERLUDE_TRY(auto sealed, encrypt_with_label(suite, tree.encryption_key(recipient), path_node_label,
                                                          context, path_secrets.at(step.node).expose(), entropy));
            node.encrypted_path_secret.push_back(std::move(sealed));
        }
        path.nodes.push_back(std::move(node));
    }
    return CreatedPath{std::move(path), std::move(tree), std::move(keys), std::move(path_secret),
                       std::move(path_secrets)};
}

Result<RatchetTree> merge_update_path(RatchetTree tree, LeafIndex sender, UpdatePath const& path,
                                      std::vector<LeafIndex> const& added) {
    if (!tree.size().contains(sender)) return Errc::bad_commit;
    auto const* claimed = path.leaf_node.parent_hash();
    auto const steps = tree.filtered_direct_path(sender);
    if (!claimed || path.nodes.size() != steps.size()) return Errc::bad_commit;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        auto const recipients = tree.resolution_without(steps[i].copath, added);
        if (path.nodes[i].encrypted_path_secret.size() != recipients.size()) return Errc::bad_commit;
    }
    INTERLUDE_TRY_VOID(check_new_keys(tree, path));
    if (tree.replace_path(sender, node_keys(path)) != *claimed) return Errc::bad_commit;
    tree.set_leaf(sender, path.leaf_node);
    return tree;
}

Result<ProcessedPath> process_update_path(RatchetTree tree, TreePrivate const& keys, LeafIndex sender,
                                          UpdatePath const& path, GroupContext context,
                                          std::vector<LeafIndex> const& added) {
    if (sender == keys.leaf) return Errc::no_key;
    INTERLUDE_TRY(auto merged, merge_update_path(std::move(tree), sender, path, added));
    context.tree_hash = merged.tree_hash();

    // The step off whose path we are, and a key in its resolution that we hold (§7.5).
    auto const steps = merged.filtered_direct_path(sender);
    auto const ours = std::find_if(steps.begin(), steps.end(),
                                   [&](PathStep const& step) { return is_below(keys.leaf, step.copath); });
    if (ours == steps.end()) return Errc::no_key;
    auto const first = static_cast<std::size_t>(ours - steps.begin());
    auto next = keys.clone();
    next.drop_outdated(merged);
    auto const recipients = merged.resolution_without(ours->copath, added);
    auto const held = std::find_if(recipients.begin(), recipients.end(),
                                   [&](NodeIndex node) { return next.key_pairs.contains(node); });
    if (held == recipients.end()) return Errc::no_key;
    auto const& sealed = path.nodes[first].encrypted_path_secret[static_cast<std::size_t>(held - recipients.begin())];
    INTERLUDE_TRY(auto path_secret, decrypt_with_label(merged.suite(), next.key_pairs.at(*held), path_node_label,
                                                       encode(context), sealed));
    INTERLUDE_TRY(auto commit_secret, follow_path(merged, steps, first, path_secret.clone(), next));
    return ProcessedPath{std::move(merged), std::move(next), std::move(path_secret), std::move(commit_secret)};
}

}  // namespace interlude::mls
