// UpdatePaths between members that each keep their own tree, and paths that must be refused.
#include "common/mls/tree_kem.hpp"

#include <gtest/gtest.h>

#include "tests/unit/mls/tree_members.hpp"

namespace interlude::mls::tests {
namespace {

TEST(TreeKem, members_agree_through_a_random_history) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE(seed);
        TreeMembers group(seed);
        crypto::SeededEntropy choices(seed * 1000);
        for (int step = 0; step < 25 && !::testing::Test::HasFatalFailure(); ++step) {
            auto pick = [&] {
                return std::next(group.all().begin(), static_cast<long>(choices.below(group.all().size())))->first;
            };
            auto const sender = pick();
            auto const adds = group.all().size() < 12 ? static_cast<int>(choices.below(4)) : 0;
            std::vector<LeafIndex> removes;
            if (group.all().size() > 2 && choices.below(3) == 0) {
                auto const removed = pick();
                if (removed != sender) removes.push_back(removed);
            }
            group.commit(sender, adds, removes);
            group.expect_consistent();
        }
    }
}

TEST(TreeKem, a_group_of_one_commits_without_nodes) {
    TreeMembers group(1);
    group.commit(LeafIndex{0}, 0);
    EXPECT_EQ(group.tree().nodes().size(), 1u);
    EXPECT_EQ(group.tree().leaf(LeafIndex{0})->source_kind(), LeafNodeSource::commit);
}

TEST(TreeKem, a_removed_member_cannot_follow) {
    TreeMembers group(2);
    group.commit(LeafIndex{0}, 4);
    auto const outsider = group.all().at(LeafIndex{2}).keys.clone();
    auto proposed = group.tree();
    ASSERT_TRUE(proposed.remove_leaf(LeafIndex{2}));
    auto const& committer = group.all().at(LeafIndex{0});
    auto created = create_update_path(proposed,
                                      {.sender = LeafIndex{0},
                                       .leaf = *proposed.leaf(LeafIndex{0}),
                                       .signature_key = committer.signature_key,
                                       .context = TreeMembers::context(),
                                       .added = {}},
                                      group.entropy());
    ASSERT_TRUE(created);
    auto const followed =
        process_update_path(proposed, outsider, LeafIndex{0}, created->path, TreeMembers::context(), {});
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error(), Errc::no_key);
}

TEST(TreeKem, an_added_leaf_is_left_out_of_the_path_and_joins_by_its_path_secret) {
    TreeMembers group(3);
    group.commit(LeafIndex{0}, 1);
    group.commit(LeafIndex{1}, 2);  // checks take_path_secret for both
    group.expect_consistent();
    auto keys = group.all().at(LeafIndex{3}).keys.clone();
    EXPECT_EQ(keys.take_path_secret(group.tree(), LeafIndex{1}, Bytes(32, 1)).error(), Errc::bad_commit);
    EXPECT_EQ(keys.take_path_secret(group.tree(), LeafIndex{1}, Bytes(31, 1)).error(), Errc::bad_commit);
    EXPECT_EQ(keys.take_path_secret(group.tree(), LeafIndex{3}, Bytes(32, 1)).error(), Errc::bad_commit);
    EXPECT_TRUE(keys.is_consistent_with(group.tree()));
}

TEST(TreeKem, an_external_joiner_commits_from_a_reserved_leaf) {
    TreeMembers group(4);
    group.commit(LeafIndex{0}, 3);
    auto const joiner = make_bundle(group.entropy(), "outsider");
    auto proposed = group.tree();
    auto const leaf = *proposed.reserve_leaf();
    EXPECT_EQ(leaf, LeafIndex{4});
    auto created = create_update_path(proposed,
                                      {.sender = leaf,
                                       .leaf = joiner.key_package.leaf_node,
                                       .signature_key = joiner.signature_key,
                                       .context = TreeMembers::context(),
                                       .added = {}},
                                      group.entropy());
    ASSERT_TRUE(created);
    for (auto const& [member, state] : group.all()) {
        auto grown = state.tree;
        ASSERT_EQ(*grown.reserve_leaf(), leaf);
        auto processed = process_update_path(grown, state.keys, leaf, created->path, TreeMembers::context(), {});
        ASSERT_TRUE(processed) << name(processed.error());
        EXPECT_EQ(processed->tree, created->tree);
        EXPECT_TRUE(bytes::equal(processed->commit_secret.expose(), created->commit_secret.expose()));
    }
}

struct PathCase {
    char const* what;
    void (*spoil)(UpdatePath&);
    Errc expected;
};

TEST(TreeKem, a_path_that_lies_is_refused) {
    TreeMembers group(5);
    group.commit(LeafIndex{0}, 5);
    LeafIndex const sender{1};
    auto const& tree = group.tree();
    auto const created = create_update_path(tree,
                                            {.sender = sender,
                                             .leaf = *tree.leaf(sender),
                                             .signature_key = group.all().at(sender).signature_key,
                                             .context = TreeMembers::context(),
                                             .added = {}},
                                            group.entropy());
    ASSERT_TRUE(created);
    ASSERT_EQ(created->path.nodes.size(), 3u);
    auto process = [&](UpdatePath const& path) {
        return process_update_path(tree, group.all().at(LeafIndex{4}).keys, sender, path, TreeMembers::context(), {});
    };
    ASSERT_TRUE(process(created->path));
    static Bytes const stands_in_tree = tree.leaf(LeafIndex{4})->encryption_key;
    static Bytes const replaced = tree.leaf(sender)->encryption_key;
    PathCase const cases[] = {
        {"a node too few", [](UpdatePath& p) { p.nodes.pop_back(); }, Errc::bad_commit},
        {"a node too many", [](UpdatePath& p) { p.nodes.push_back(p.nodes[0]); }, Errc::bad_commit},
        {"a ciphertext too few", [](UpdatePath& p) { p.nodes[2].encrypted_path_secret.pop_back(); }, Errc::bad_commit},
        {"a ciphertext too many",
         [](UpdatePath& p) { p.nodes[0].encrypted_path_secret.push_back(p.nodes[0].encrypted_path_secret[0]); },
         Errc::bad_commit},
        {"an update leaf", [](UpdatePath& p) { p.leaf_node.source = UpdateSource{}; }, Errc::bad_commit},
        {"another parent hash", [](UpdatePath& p) { p.leaf_node.source = CommitSource{Bytes(32)}; }, Errc::bad_commit},
        {"another node key", [](UpdatePath& p) { p.nodes[1].encryption_key = Bytes(32, 9); }, Errc::bad_commit},
        {"a key of the tree", [](UpdatePath& p) { p.nodes[1].encryption_key = stands_in_tree; }, Errc::bad_leaf},
        {"the replaced key", [](UpdatePath& p) { p.leaf_node.encryption_key = replaced; }, Errc::bad_leaf},
        {"one key twice", [](UpdatePath& p) { p.nodes[1].encryption_key = p.nodes[0].encryption_key; }, Errc::bad_leaf},
        {"a key of small order", [](UpdatePath& p) { p.nodes[1].encryption_key = Bytes(32); }, Errc::bad_leaf},
        {"a key of another size", [](UpdatePath& p) { p.leaf_node.encryption_key.pop_back(); }, Errc::bad_leaf},
        {"a ciphertext that does not open",
         [](UpdatePath& p) { p.nodes[2].encrypted_path_secret[0].ciphertext[0] ^= 1; }, Errc::decrypt_failed},
    };
    for (auto const& [what, spoil, expected] : cases) {
        auto path = created->path;
        spoil(path);
        auto const processed = process(path);
        ASSERT_FALSE(processed) << what;
        EXPECT_EQ(processed.error(), expected) << what << ": " << name(processed.error());
    }
    auto const own =
        process_update_path(tree, group.all().at(sender).keys, sender, created->path, TreeMembers::context(), {});
    EXPECT_EQ(own.error(), Errc::no_key);
    EXPECT_EQ(merge_update_path(tree, LeafIndex{99}, created->path, {}).error(), Errc::bad_commit);
}

TEST(TreeKem, a_secret_that_does_not_lead_to_the_public_keys_is_refused) {
    TreeMembers group(6);
    group.commit(LeafIndex{0}, 1);
    LeafIndex const sender{0};
    auto const& tree = group.tree();
    auto created = create_update_path(tree,
                                      {.sender = sender,
                                       .leaf = *tree.leaf(sender),
                                       .signature_key = group.all().at(sender).signature_key,
                                       .context = TreeMembers::context(),
                                       .added = {}},
                                      group.entropy());
    ASSERT_TRUE(created);
    // A committer that encrypts another secret than the one behind the node's key: the fragmenting insider of §16.12.
    auto context = TreeMembers::context();
    context.tree_hash = created->tree.tree_hash();
    created->path.nodes[0].encrypted_path_secret[0] =
        *encrypt_with_label(suite(), tree.leaf(LeafIndex{1})->encryption_key, "UpdatePathNode", encode(context),
                            Bytes(32, 7), group.entropy());
    auto const processed =
        process_update_path(tree, group.all().at(LeafIndex{1}).keys, sender, created->path, TreeMembers::context(), {});
    ASSERT_FALSE(processed);
    EXPECT_EQ(processed.error(), Errc::bad_commit);
}

TEST(TreeKem, a_context_of_another_epoch_opens_nothing) {
    TreeMembers group(7);
    group.commit(LeafIndex{0}, 1);
    auto const created = create_update_path(group.tree(),
                                            {.sender = LeafIndex{0},
                                             .leaf = *group.tree().leaf(LeafIndex{0}),
                                             .signature_key = group.all().at(LeafIndex{0}).signature_key,
                                             .context = TreeMembers::context(),
                                             .added = {}},
                                            group.entropy());
    auto other = TreeMembers::context();
    ++other.epoch;
    auto const processed =
        process_update_path(group.tree(), group.all().at(LeafIndex{1}).keys, LeafIndex{0}, created->path, other, {});
    EXPECT_EQ(processed.error(), Errc::decrypt_failed);
}

TEST(TreePrivate, survives_its_encoding) {
    TreeMembers group(8);
    group.commit(LeafIndex{0}, 6);
    auto const& keys = group.all().at(LeafIndex{3}).keys;
    auto const encoded = encode(keys);
    auto const decoded = decode(encoded, [](Reader& reader) { return read_tree_private(reader, suite()); });
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->leaf, keys.leaf);
    EXPECT_EQ(decoded->key_pairs.size(), keys.key_pairs.size());
    EXPECT_TRUE(decoded->is_consistent_with(group.tree()));
    EXPECT_EQ(encode(*decoded), encoded);
}

TEST(TreePrivate, drops_the_keys_of_nodes_that_were_blanked_or_replaced) {
    TreeMembers group(9);
    group.commit(LeafIndex{0}, 3);
    auto keys = group.all().at(LeafIndex{0}).keys.clone();
    ASSERT_EQ(keys.key_pairs.size(), 3u);
    auto tree = group.tree();
    ASSERT_TRUE(tree.remove_leaf(LeafIndex{1}));
    EXPECT_FALSE(keys.is_consistent_with(tree));
    keys.drop_outdated(tree);
    EXPECT_EQ(keys.key_pairs.size(), 1u);
    EXPECT_TRUE(keys.is_consistent_with(tree));
}

}  // namespace
}  // namespace interlude::mls::tests
