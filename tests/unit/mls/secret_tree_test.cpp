// The secret tree beside its vectors: order, limits, deletion, state.
#include "common/mls/secret_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/limits.hpp"
#include "tests/unit/mls/group_people.hpp"

namespace interlude::mls::tests {
namespace {

constexpr auto application = RatchetKind::application;
constexpr auto handshake = RatchetKind::handshake;
constexpr LeafIndex alice{0}, bob{3};

SecretTree tree_of(std::uint32_t leaves) {
    return SecretTree(suite(), TreeSize::for_leaves(leaves), SecretBytes(Bytes(32, 9)));
}

Bytes key_of(SecretTree& tree, LeafIndex leaf, std::uint32_t generation) {
    return bytes::copy(must(tree.find(leaf, application, generation)).key.key.expose());
}

void use(SecretTree& tree, LeafIndex leaf, std::uint32_t generation) {
    tree.consume(must(tree.find(leaf, application, generation)));
}

bool contains(ByteView where, ByteView what) {
    return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}

TEST(SecretTree, sender_and_receiver_derive_the_same_keys) {
    auto sender = tree_of(5), receiver = tree_of(5);
    for (std::uint32_t generation = 0; generation < 4; ++generation) {
        auto const sealing = must(sender.spend(bob, application));
        EXPECT_EQ(sealing.generation, generation);
        EXPECT_EQ(bytes::copy(sealing.key.key.expose()), key_of(receiver, bob, generation));
        use(receiver, bob, generation);
    }
    EXPECT_EQ(sender.next_generation(bob, application), 4U);
    EXPECT_EQ(sender.next_generation(bob, handshake), 0U);
}

TEST(SecretTree, keys_come_in_any_order_and_each_only_once) {
    auto ordered = tree_of(4), shuffled = tree_of(4);
    std::vector<Bytes> keys;
    for (std::uint32_t generation = 0; generation < 5; ++generation) {
        keys.push_back(key_of(ordered, bob, generation));
        use(ordered, bob, generation);
    }
    for (std::uint32_t const generation : {2U, 0U, 4U, 1U, 3U}) {
        EXPECT_EQ(key_of(shuffled, bob, generation), keys[generation]);
        use(shuffled, bob, generation);
    }
    for (std::uint32_t generation = 0; generation < 5; ++generation) {
        EXPECT_EQ(error_of(shuffled.find(bob, application, generation)), "no_key");
    }
}

TEST(SecretTree, looking_for_a_key_changes_nothing) {
    auto tree = tree_of(4);
    use(tree, bob, 0);
    auto const before = encode(tree);
    ASSERT_TRUE(tree.find(bob, application, 700));
    EXPECT_EQ(encode(tree), before);
    EXPECT_EQ(key_of(tree, bob, 1), key_of(tree, bob, 1));
}

TEST(SecretTree, a_key_more_than_1024_steps_ahead_is_refused) {
    ASSERT_EQ(base::limits::forward_generations_max, 1024U);
    auto tree = tree_of(2);
    EXPECT_EQ(error_of(tree.find(alice, application, 1025)), "generation_limit");
    EXPECT_EQ(error_of(tree.find(alice, application, 0xffffffff)), "generation_limit");
    use(tree, alice, 1024);
    EXPECT_EQ(error_of(tree.find(alice, application, 1025 + 1025)), "generation_limit");
    EXPECT_EQ(error_of(tree.find(alice, application, 1025 + 1024)), "none");
}

TEST(SecretTree, the_latest_1024_skipped_keys_are_kept) {
    ASSERT_EQ(base::limits::skipped_generations_max, 1024U);
    auto tree = tree_of(2);
    use(tree, alice, 1024);  // skips 0 to 1023
    EXPECT_EQ(error_of(tree.find(alice, application, 0)), "none");
    use(tree, alice, 1030);  // skips 1025 to 1029: five of the oldest go
    for (std::uint32_t const gone : {0U, 4U, 1024U, 1030U}) {
        EXPECT_EQ(error_of(tree.find(alice, application, gone)), "no_key") << gone;
    }
    for (std::uint32_t const kept : {5U, 1023U, 1025U, 1029U}) {
        EXPECT_EQ(error_of(tree.find(alice, application, kept)), "none") << kept;
    }
}

TEST(SecretTree, what_was_consumed_is_not_in_the_state_any_more) {
    auto tree = tree_of(4);
    auto const start = encode(tree);
    ASSERT_TRUE(contains(start, Bytes(32, 9)));
    auto const key = key_of(tree, bob, 1);
    use(tree, bob, 2);
    EXPECT_FALSE(contains(encode(tree), Bytes(32, 9)));  // the root, from which everything followed
    EXPECT_TRUE(contains(encode(tree), key));            // skipped: a message may still come
    use(tree, bob, 1);
    EXPECT_FALSE(contains(encode(tree), key));
}

TEST(SecretTree, a_forgotten_leaf_neither_sends_nor_opens) {
    auto tree = tree_of(4);
    use(tree, bob, 5);
    tree.forget(bob);
    EXPECT_EQ(error_of(tree.spend(bob, application)), "no_key");
    EXPECT_EQ(error_of(tree.find(bob, application, 3)), "no_key");
    EXPECT_EQ(error_of(tree.find(bob, application, 6)), "no_key");
    EXPECT_EQ(error_of(tree.find(bob, handshake, 0)), "no_key");
    EXPECT_EQ(error_of(tree.find(alice, application, 0)), "none");
}

TEST(SecretTree, a_leaf_outside_the_tree_has_no_key) {
    auto tree = tree_of(4);
    EXPECT_EQ(error_of(tree.find(LeafIndex{4}, application, 0)), "no_key");
    EXPECT_EQ(error_of(tree.find(LeafIndex{0xffffffff}, application, 0)), "no_key");
}

TEST(SecretTree, state_survives_a_round_trip) {
    auto tree = tree_of(7);
    use(tree, bob, 3);
    use(tree, LeafIndex{6}, 0);
    auto const state = encode(tree);
    auto const read = [](Reader& reader) { return read_secret_tree(reader, suite()); };
    auto again = must(decode(state, read));
    EXPECT_EQ(encode(again), state);
    for (std::uint32_t const generation : {0U, 2U, 4U, 9U}) {
        EXPECT_EQ(key_of(again, bob, generation), key_of(tree, bob, generation));
    }
    EXPECT_EQ(error_of(again.find(bob, application, 3)), "no_key");
}

TEST(SecretTree, a_damaged_state_is_refused) {
    auto tree = tree_of(4);
    use(tree, bob, 1);
    auto const state = encode(tree);
    auto const read = [](Reader& reader) { return read_secret_tree(reader, suite()); };
    for (std::size_t length = 0; length < state.size(); ++length) {
        EXPECT_FALSE(decode(ByteView(state).first(length), read)) << length;
    }
    auto other_size = state;
    other_size[3] = 8;  // leaves: the nodes no longer cover the tree
    EXPECT_EQ(error_of(decode(other_size, read)), "malformed");
    other_size[3] = 3;
    EXPECT_EQ(error_of(decode(other_size, read)), "malformed");
}

}  // namespace
}  // namespace interlude::mls::tests
