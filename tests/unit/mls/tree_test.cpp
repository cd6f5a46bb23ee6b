// Tree math, and the public tree: growth, truncation, structure, and the hashes' refusals.
#include <gtest/gtest.h>

#include "tests/unit/mls/tree_members.hpp"

namespace interlude::mls::tests {
namespace {

TEST(TreeMath, a_leaf_is_below_exactly_its_direct_path) {
    auto const size = TreeSize::for_leaves(13);
    EXPECT_EQ(size.leaves(), 16u);
    for (LeafIndex leaf{0}; size.contains(leaf); ++leaf.value) {
        auto const path = size.direct_path(leaf);
        auto const beside = size.copath(leaf);
        ASSERT_EQ(path.size(), 4u);
        ASSERT_EQ(beside.size(), 4u);
        for (NodeIndex at{0}; size.contains(at); ++at.value) {
            bool const above = at == node_of(leaf) || std::count(path.begin(), path.end(), at);
            EXPECT_EQ(is_below(leaf, at), above) << leaf.value << " under " << at.value;
        }
        for (std::size_t i = 0; i < path.size(); ++i) {
            EXPECT_EQ(size.parent(beside[i]), path[i]);
            EXPECT_FALSE(is_below(leaf, beside[i]));
        }
    }
}

TEST(TreeMath, the_common_ancestor_is_the_first_node_both_paths_share) {
    auto const size = TreeSize::for_leaves(16);
    for (LeafIndex a{0}; size.contains(a); ++a.value) {
        for (LeafIndex b{0}; size.contains(b); ++b.value) {
            if (a == b) continue;
            auto const path = size.direct_path(a);
            auto const first = std::find_if(path.begin(), path.end(), [&](auto node) { return is_below(b, node); });
            EXPECT_EQ(common_ancestor(a, b), *first);
        }
    }
}

LeafNode leaf_named(crypto::Entropy& entropy) {
    return make_bundle(entropy).key_package.leaf_node;
}

TEST(RatchetTree, grows_by_doubling_and_truncates_after_the_last_member) {
    crypto::SeededEntropy entropy(1);
    RatchetTree tree(suite());
    for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(*tree.add_leaf(leaf_named(entropy)), LeafIndex{i});
    EXPECT_EQ(tree.size().leaves(), 8u);
    ASSERT_TRUE(tree.remove_leaf(LeafIndex{3}));
    EXPECT_EQ(tree.size().leaves(), 8u);
    ASSERT_TRUE(tree.remove_leaf(LeafIndex{4}));
    EXPECT_EQ(tree.size().leaves(), 4u);
    EXPECT_EQ(tree.nodes().size(), 5u);
    EXPECT_EQ(*tree.add_leaf(leaf_named(entropy)), LeafIndex{3});
    EXPECT_EQ(tree.members().size(), 4u);
}

TEST(RatchetTree, changes_of_a_blank_leaf_are_refused) {
    crypto::SeededEntropy entropy(2);
    RatchetTree tree(suite());
    ASSERT_TRUE(tree.add_leaf(leaf_named(entropy)));
    EXPECT_EQ(tree.remove_leaf(LeafIndex{1}).error(), Errc::bad_proposal);
    EXPECT_EQ(tree.remove_leaf(LeafIndex{77}).error(), Errc::bad_proposal);
    EXPECT_EQ(tree.update_leaf(LeafIndex{1}, leaf_named(entropy)).error(), Errc::bad_proposal);
}

TEST(RatchetTree, a_new_leaf_is_unmerged_on_its_way_up_and_a_path_merges_it) {
    TreeMembers group(3);
    group.commit(LeafIndex{0}, 3);
    auto tree = group.tree();
    ASSERT_TRUE(tree.remove_leaf(LeafIndex{2}));
    EXPECT_TRUE(tree.is_blank(tree.size().root()));
    group.commit(LeafIndex{0}, 0, {LeafIndex{2}});
    auto grown = group.tree();
    ASSERT_EQ(*grown.add_leaf(leaf_named(group.entropy())), LeafIndex{2});
    auto const root = grown.size().root();
    EXPECT_EQ(grown.parent(root)->unmerged_leaves, (std::vector{LeafIndex{2}}));
    EXPECT_EQ(grown.resolution(root), (std::vector{root, node_of(LeafIndex{2})}));
    EXPECT_EQ(grown.resolution_without(root, {LeafIndex{2}}), (std::vector{root}));
    EXPECT_TRUE(grown.verify_parent_hashes());
}

TEST(RatchetTree, an_impossible_node_list_is_refused) {
    TreeMembers group(4);
    group.commit(LeafIndex{0}, 3);
    auto const good = group.tree().nodes();
    ASSERT_EQ(good.size(), 7u);
    ASSERT_TRUE(RatchetTree::from_nodes(suite(), good));
    auto refusal = [&](auto&& spoil) {
        auto nodes = good;
        spoil(nodes);
        auto const tree = RatchetTree::from_nodes(suite(), nodes);
        return tree ? Errc::out_of_state : tree.error();
    };
    auto parent = [](NodeList& nodes, std::size_t at) -> ParentNode& { return std::get<ParentNode>(*nodes[at]); };
    EXPECT_EQ(refusal([](NodeList& n) { n.clear(); }), Errc::bad_tree);
    EXPECT_EQ(refusal([](NodeList& n) { n.emplace_back(); }), Errc::bad_tree);
    EXPECT_EQ(refusal([](NodeList& n) { n[2] = n[1]; }), Errc::bad_tree);
    EXPECT_EQ(refusal([](NodeList& n) { n[1] = n[2]; }), Errc::bad_tree);
    EXPECT_EQ(refusal([](NodeList& n) { n[2] = n[4]; }), Errc::bad_tree);  // one encryption key twice
    EXPECT_EQ(refusal([&](NodeList& n) { parent(n, 1).encryption_key = std::get<LeafNode>(*n[6]).encryption_key; }),
              Errc::bad_tree);
    EXPECT_EQ(refusal([&](NodeList& n) { parent(n, 1).unmerged_leaves = {LeafIndex{2}}; }), Errc::bad_tree);
    EXPECT_EQ(refusal([&](NodeList& n) {
                  parent(n, 3).unmerged_leaves = {LeafIndex{2}};
                  n[4].reset();
              }),
              Errc::bad_tree);
    EXPECT_EQ(refusal([&](NodeList& n) { parent(n, 3).unmerged_leaves = {LeafIndex{1}}; }), Errc::bad_tree);
    EXPECT_EQ(refusal([](NodeList& n) { n.resize(2 * tree_leaves_max + 1, n[6]); }), Errc::too_long);
}

TEST(RatchetTree, parents_that_no_leaf_vouches_for_are_refused) {
    TreeMembers group(5);
    group.commit(LeafIndex{0}, 6);
    group.commit(LeafIndex{5}, 0);
    auto const good = group.tree().nodes();
    auto verify = [&](auto&& spoil) {
        auto nodes = good;
        spoil(nodes);
        auto tree = RatchetTree::from_nodes(suite(), nodes);
        EXPECT_TRUE(tree);
        return tree->verify_parent_hashes();
    };
    EXPECT_TRUE(verify([](NodeList&) {}));
    for (std::size_t at = 1; at < good.size(); at += 2) {
        if (!good[at]) continue;
        EXPECT_FALSE(verify([&](NodeList& n) { std::get<ParentNode>(*n[at]).encryption_key = Bytes(32, 9); })) << at;
        EXPECT_FALSE(verify([&](NodeList& n) { std::get<ParentNode>(*n[at]).parent_hash = Bytes(32, 9); })) << at;
    }
    // The leaf that the root's chain starts from.
    EXPECT_FALSE(verify([](NodeList& n) { std::get<LeafNode>(*n[10]).source = UpdateSource{}; }));
}

TEST(RatchetTree, a_parent_hash_outlives_a_leaf_that_came_after_it) {
    TreeMembers group(7);
    group.commit(LeafIndex{0}, 6);
    group.commit(LeafIndex{4}, 0);  // sets the right half's top node
    group.commit(LeafIndex{0}, 0);  // sets the root, over the right half as it is now
    auto tree = group.tree();
    ASSERT_EQ(*tree.add_leaf(leaf_named(group.entropy())), LeafIndex{7});
    ASSERT_EQ(tree.parent(tree.size().root())->unmerged_leaves, (std::vector{LeafIndex{7}}));
    ASSERT_EQ(tree.parent(NodeIndex{11})->unmerged_leaves, (std::vector{LeafIndex{7}}));
    EXPECT_TRUE(tree.verify_parent_hashes());
}

TEST(RatchetTree, an_unmerged_leaf_cannot_vouch_for_the_parent_it_is_unmerged_at) {
    TreeMembers group(8);
    group.commit(LeafIndex{0}, 3);
    auto nodes = group.tree().nodes();
    auto& below_root = std::get<ParentNode>(*nodes[1]);
    std::get<LeafNode>(*nodes[0]).source = CommitSource{below_root.parent_hash};
    nodes[1].reset();
    std::get<ParentNode>(*nodes[3]).unmerged_leaves = {LeafIndex{0}};
    auto const tree = RatchetTree::from_nodes(suite(), nodes);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->verify_parent_hashes().error(), Errc::bad_tree);
}

TEST(RatchetTree, the_tree_hash_covers_every_node) {
    TreeMembers group(6);
    group.commit(LeafIndex{0}, 3);
    auto const good = group.tree();
    for (std::size_t at = 0; at < good.nodes().size(); ++at) {
        auto nodes = good.nodes();
        if (!nodes[at]) continue;
        std::visit([](auto& node) { node.encryption_key[0] ^= 1; }, *nodes[at]);
        auto const changed = RatchetTree::from_nodes(suite(), nodes);
        ASSERT_TRUE(changed);
        EXPECT_NE(changed->tree_hash(), good.tree_hash()) << at;
    }
}

}  // namespace
}  // namespace interlude::mls::tests
