// A small group of tree states for tests: every member keeps its own copy of the tree and follows what the others do.
#pragma once

#include <gtest/gtest.h>

#include "common/mls/key_package.hpp"
#include "common/mls/tree_kem.hpp"

namespace interlude::mls::tests {

inline crypto::Suite const& suite() {
    return **crypto::find_suite(crypto::suite_x25519_chacha20poly1305);
}

inline KeyPackageBundle make_bundle(crypto::Entropy& entropy, std::string const& identity = "someone") {
    return generate_key_package({.suite = suite(),
                                 .credential = Credential::basic(bytes::copy(bytes::view(identity))),
                                 .signature_key = crypto::SigningKey::generate(entropy),
                                 .lifetime = {1000, 2000}},
                                entropy);
}

struct TreeMember {
    RatchetTree tree;
    TreePrivate keys;
    crypto::SigningKey signature_key;
};

/// All members of one tree. Changes are made as commits are: proposals, then an UpdatePath that all others process.
class TreeMembers {
  public:
    explicit TreeMembers(std::uint64_t seed) : entropy_(seed) {
        auto founder = make_bundle(entropy_);
        RatchetTree tree(suite());
        auto const leaf = *tree.add_leaf(founder.key_package.leaf_node);
        join(tree, leaf, std::move(founder));
    }

    std::map<LeafIndex, TreeMember>& all() { return members_; }
    RatchetTree const& tree() const { return members_.begin()->second.tree; }
    crypto::Entropy& entropy() { return entropy_; }
    static GroupContext context() {
        return {.cipher_suite = suite().id,
                .group_id = {1, 2},
                .epoch = 5,
                .tree_hash = {},
                .confirmed_transcript_hash = {3},
                .extensions = {}};
    }

    /// One commit by `sender`: removes, then adds, then its path. Everybody must come to the same tree and secret.
    void commit(LeafIndex sender, int adds, std::vector<LeafIndex> const& removes = {}) {
        auto proposed = members_.at(sender).tree;
        for (auto removed : removes) {
            ASSERT_TRUE(proposed.remove_leaf(removed));
            members_.erase(removed);
        }
        std::vector<LeafIndex> added;
        std::map<LeafIndex, KeyPackageBundle> joiners;
        for (int i = 0; i < adds; ++i) {
            auto bundle = make_bundle(entropy_);
            added.push_back(*proposed.add_leaf(bundle.key_package.leaf_node));
            joiners.emplace(added.back(), std::move(bundle));
        }
        auto& committer = members_.at(sender);
        auto created = create_update_path(proposed,
                                          {.sender = sender,
                                           .leaf = *proposed.leaf(sender),
                                           .signature_key = committer.signature_key,
                                           .context = context(),
                                           .added = added},
                                          entropy_);
        ASSERT_TRUE(created);
        for (auto& [leaf, member] : members_) {
            if (leaf == sender) continue;
            auto processed = process_update_path(proposed, member.keys, sender, created->path, context(), added);
            ASSERT_TRUE(processed) << name(processed.error());
            ASSERT_TRUE(bytes::equal(processed->commit_secret.expose(), created->commit_secret.expose()));
            ASSERT_EQ(processed->tree, created->tree);
            member.tree = std::move(processed->tree);
            member.keys = std::move(processed->keys);
        }
        committer.tree = created->tree;
        committer.keys = std::move(created->keys);
        for (auto& [leaf, bundle] : joiners) {
            join(created->tree, leaf, std::move(bundle));
            auto const& secret = created->path_secrets.at(common_ancestor(sender, leaf));
            auto& keys = members_.at(leaf).keys;
            ASSERT_TRUE(keys.take_path_secret(created->tree, sender, secret.expose()));
        }
    }

    /// What must hold between commits.
    void expect_consistent() const {
        auto const& first = tree();
        EXPECT_TRUE(check_tree(first, context().group_id, {}, std::nullopt));
        auto const again = RatchetTree::from_nodes(suite(), first.nodes());
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, first);
        for (auto const& [leaf, member] : members_) {
            EXPECT_EQ(member.tree, first);
            EXPECT_EQ(member.keys.leaf, leaf);
            EXPECT_TRUE(member.keys.is_consistent_with(first));
            // The tree invariant: exactly the non-blank parents above that do not list this leaf as unmerged are known.
            for (auto up : first.size().direct_path(leaf)) {
                auto const* parent = first.parent(up);
                bool const covered =
                    parent && !std::count(parent->unmerged_leaves.begin(), parent->unmerged_leaves.end(), leaf);
                EXPECT_EQ(member.keys.key_pairs.contains(up), covered) << up.value;
            }
        }
    }

  private:
    void join(RatchetTree const& tree, LeafIndex leaf, KeyPackageBundle bundle) {
        members_.emplace(leaf, TreeMember{tree, TreePrivate::for_leaf(leaf, std::move(bundle.encryption_key)),
                                          std::move(bundle.signature_key)});
    }

    crypto::SeededEntropy entropy_;
    std::map<LeafIndex, TreeMember> members_;
};

}  // namespace interlude::mls::tests
