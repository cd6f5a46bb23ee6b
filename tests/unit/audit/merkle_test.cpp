// Hashes and proofs of the tree: the public vectors with their exact counts, and every proof of every small tree.
#include "common/audit/merkle.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/bytes/text.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/audit/sample_log.hpp"

namespace interlude::audit {
namespace {

using base::Errc;

std::vector<Hash32> leaves_of(std::uint64_t count) {
    std::vector<Hash32> leaves;
    for (std::uint64_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(numbered_entry(i)));
    return leaves;
}

/// RFC 6962 §2.1 word by word, the slow way.
Hash32 root_by_definition(std::span<Hash32 const> leaves) {
    if (leaves.empty()) return empty_root();
    if (leaves.size() == 1) return leaves.front();
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    return node_hash(root_by_definition(leaves.first(k)), root_by_definition(leaves.subspan(k)));
}

HashSource source_of(std::vector<Hash32> const& leaves) {
    return [&leaves](Node node) -> std::optional<Hash32> {
        auto const width = std::uint64_t{1} << node.level;
        if ((node.index + 1) * width > leaves.size()) return std::nullopt;
        return root_by_definition(std::span(leaves).subspan(node.index * width, width));
    };
}

/// The vectors' roots and leaves are sometimes other bytes: they are padded, so that equal ones stay equal. Nothing at
/// all is no hash.
std::optional<Hash32> vector_hash(nlohmann::json const& base64) {
    auto decoded = *bytes::from_base64(base64.get<std::string>());
    if (decoded.empty()) return std::nullopt;
    decoded.resize(Hash32::size);
    return Hash32::from(decoded);
}

/// nullopt if the proof has something in it that is no hash: that cannot even be said to our verifier.
std::optional<Proof> vector_proof(nlohmann::json const& hashes) {
    Proof proof;
    if (hashes.is_null()) return proof;
    for (auto const& hash : hashes) {
        auto const decoded = Hash32::from(*bytes::from_base64(hash.get<std::string>()));
        if (!decoded) return std::nullopt;
        proof.push_back(*decoded);
    }
    return proof;
}

struct Tally {
    int accepted = 0;
    int refused = 0;
};

TEST(Merkle, empty_root_is_the_hash_of_nothing) {
    EXPECT_EQ(bytes::to_hex(empty_root().bytes), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(Tree().root(), empty_root());
}

TEST(Merkle, inclusion_vectors_of_transparency_dev) {
    INTERLUDE_VECTORS_OR_SKIP(cases, "merkle/inclusion.json");
    Tally tally;
    for (auto const& c : cases) {
        auto const proof = vector_proof(c["proof"]);
        auto const leaf = vector_hash(c["leafHash"]);
        auto const root = vector_hash(c["root"]);
        bool const verified =
            proof && leaf && root && verify_inclusion(c["leafIdx"], c["treeSize"], *leaf, *proof, *root);
        EXPECT_EQ(verified, !c["wantErr"].get<bool>()) << c["name"];
        ++(verified ? tally.accepted : tally.refused);
    }
    EXPECT_EQ(tally.accepted, 6);
    EXPECT_EQ(tally.refused, 92);
}

TEST(Merkle, consistency_vectors_of_transparency_dev) {
    INTERLUDE_VECTORS_OR_SKIP(cases, "merkle/consistency.json");
    Tally tally;
    for (auto const& c : cases) {
        auto const proof = vector_proof(c["proof"]);
        auto const from_root = vector_hash(c["root1"]);
        auto const to_root = vector_hash(c["root2"]);
        bool const verified =
            proof && from_root && to_root && verify_consistency(c["size1"], c["size2"], *from_root, *to_root, *proof);
        EXPECT_EQ(verified, !c["wantErr"].get<bool>()) << c["name"];
        ++(verified ? tally.accepted : tally.refused);
    }
    EXPECT_EQ(tally.accepted, 6);
    EXPECT_EQ(tally.refused, 92);
}

TEST(Merkle, growing_tree_has_the_root_of_the_definition_at_every_size) {
    auto const leaves = leaves_of(70);
    Tree tree;
    for (std::size_t size = 0; size <= leaves.size(); ++size) {
        EXPECT_EQ(tree.size(), size);
        EXPECT_EQ(tree.root(), root_by_definition(std::span(leaves).first(size))) << size;
        EXPECT_EQ(root_of(std::span(leaves).first(size)), tree.root());
        if (size < leaves.size()) tree.append(leaves[size]);
    }
}

TEST(Merkle, append_names_each_complete_subtree_once) {
    auto const leaves = leaves_of(70);
    auto const source = source_of(leaves);
    Tree tree;
    std::map<Node, Hash32> seen;
    for (auto const& leaf : leaves)
        for (auto const& [node, hash] : tree.append(leaf)) EXPECT_TRUE(seen.emplace(node, hash).second);
    for (auto const& [node, hash] : seen) EXPECT_EQ(source(node), hash);
    std::size_t complete = 0;
    for (unsigned level = 0; level < 7; ++level) complete += 70 >> level;
    EXPECT_EQ(seen.size(), complete);
}

TEST(Merkle, resumed_tree_goes_on_as_if_it_had_never_stopped) {
    auto const leaves = leaves_of(40);
    for (std::uint64_t size = 0; size <= 40; ++size) {
        auto resumed = Tree::resume(size, source_of(leaves));
        ASSERT_TRUE(resumed);
        for (auto i = size; i < 40; ++i) resumed->append(leaves[i]);
        EXPECT_EQ(resumed->root(), root_by_definition(leaves));
    }
    auto const nothing = [](Node) -> std::optional<Hash32> { return std::nullopt; };
    EXPECT_EQ(Tree::resume(1, nothing).error(), Errc::unknown);
}

TEST(Merkle, every_inclusion_proof_of_every_small_tree_verifies_and_fits_no_other_place) {
    auto const leaves = leaves_of(20);
    auto const source = source_of(leaves);
    for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
        auto const root = *root_at(size, source);
        for (std::uint64_t index = 0; index < size; ++index) {
            auto const proof = *prove_inclusion(index, size, source);
            EXPECT_TRUE(verify_inclusion(index, size, leaves[index], proof, root)) << index << " of " << size;
            for (std::uint64_t other = 0; other <= size; ++other) {
                EXPECT_EQ(verify_inclusion(other, size, leaves[index], proof, root).has_value(), other == index);
            }
            EXPECT_FALSE(verify_inclusion(index, size, leaves[(index + 1) % 20], proof, root));
        }
    }
    EXPECT_EQ(prove_inclusion(3, 3, source).error(), Errc::malformed);
}

TEST(Merkle, every_consistency_proof_of_every_small_tree_verifies_and_joins_no_others) {
    auto const leaves = leaves_of(20);
    auto const source = source_of(leaves);
    for (std::uint64_t to = 1; to <= leaves.size(); ++to) {
        for (std::uint64_t from = 1; from <= to; ++from) {
            auto const proof = *prove_consistency(from, to, source);
            auto const from_root = *root_at(from, source);
            auto const to_root = *root_at(to, source);
            EXPECT_TRUE(verify_consistency(from, to, from_root, to_root, proof)) << from << " to " << to;
            EXPECT_FALSE(verify_consistency(from, to, leaf_hash({}), to_root, proof));
            EXPECT_FALSE(verify_consistency(from, to, from_root, leaf_hash({}), proof));
            EXPECT_FALSE(verify_consistency(to, from, to_root, from_root, proof) && from != to);
        }
    }
    EXPECT_TRUE(prove_consistency(0, 5, source)->empty());
    EXPECT_EQ(prove_consistency(6, 5, source).error(), Errc::malformed);
}

RC_GTEST_PROP(Merkle, changed_proof_never_verifies, ()) {
    auto const size = *rc::gen::inRange<std::uint64_t>(2, 200);
    auto const index = *rc::gen::inRange<std::uint64_t>(0, size);
    auto const leaves = leaves_of(size);
    auto const source = source_of(leaves);
    auto const root = *root_at(size, source);
    auto proof = *prove_inclusion(index, size, source);
    RC_ASSERT(verify_inclusion(index, size, leaves[index], proof, root).has_value());

    auto longer = proof;
    longer.push_back(root);
    RC_ASSERT(verify_inclusion(index, size, leaves[index], longer, root).has_error());
    auto shorter = proof;
    shorter.pop_back();
    RC_ASSERT(verify_inclusion(index, size, leaves[index], shorter, root).has_error());
    proof[*rc::gen::inRange<std::size_t>(0, proof.size())].bytes[*rc::gen::inRange(0, 32)] ^= 1;
    RC_ASSERT(verify_inclusion(index, size, leaves[index], proof, root).has_error());
}

TEST(Merkle, nodes_of_a_proof_are_all_that_its_computation_asks_for) {
    auto const leaves = leaves_of(37);
    auto const source = source_of(leaves);
    std::vector<Node> asked;
    HashSource const watched = [&](Node node) {
        asked.push_back(node);
        return source(node);
    };
    for (std::uint64_t index = 0; index < 37; ++index) {
        asked.clear();
        ASSERT_TRUE(prove_inclusion(index, 37, watched));
        EXPECT_EQ(asked, nodes_of_inclusion(index, 37));
        asked.clear();
        ASSERT_TRUE(prove_consistency(index, 37, watched));
        EXPECT_EQ(asked, nodes_of_consistency(index, 37));
    }
}

TEST(Merkle, huge_sizes_neither_overflow_nor_loop) {
    std::uint64_t const huge = ~std::uint64_t{0};
    Proof const proof(64, leaf_hash({}));
    EXPECT_FALSE(verify_inclusion(huge - 1, huge, leaf_hash({}), proof, empty_root()));
    EXPECT_FALSE(verify_consistency(huge - 1, huge, empty_root(), empty_root(), proof));
    EXPECT_LE(nodes_of_consistency(huge / 3, huge).size(), 64u * 64u);
    EXPECT_LE(nodes_of_inclusion(huge / 3, huge).size(), 64u * 64u);
    EXPECT_EQ(nodes_of_root(huge).size(), 64u);
}

}  // namespace
}  // namespace interlude::audit
