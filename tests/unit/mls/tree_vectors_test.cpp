// The official vectors of the tree side, each file with the number of entries that must have run.
#include <gtest/gtest.h>

#include "tests/support/vectors.hpp"
#include "tests/vectors/mls/tree_vectors.hpp"

namespace interlude::mls_vectors {
namespace {

using Check = Outcome (*)(nlohmann::json const&);

/// Runs every entry; returns how many passed, and reports each that did not.
int passed(nlohmann::json const& entries, Check check) {
    int count = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        auto const outcome = check(entries[i]);
        EXPECT_EQ(outcome.status, Outcome::passed) << "entry " << i << ": " << outcome.reason;
        count += outcome.status == Outcome::passed;
    }
    return count;
}

TEST(TreeVectors, deserialization_passes) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/deserialization.json");
    EXPECT_EQ(passed(entries, check_deserialization), 14);
}

TEST(TreeVectors, tree_math_passes) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/tree-math.json");
    EXPECT_EQ(passed(entries, check_tree_math), 10);
}

TEST(TreeVectors, crypto_basics_pass_in_both_suites) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/crypto-basics.json");
    EXPECT_EQ(passed(entries, check_crypto_basics), 2);
}

TEST(TreeVectors, messages_pass) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/messages.json");
    EXPECT_EQ(passed(entries, check_messages), 100);
}

TEST(TreeVectors, tree_operations_pass) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/tree-operations.json");
    EXPECT_EQ(passed(entries, check_tree_operations), 5);
}

TEST(TreeVectors, tree_validation_passes_in_both_suites) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/tree-validation.json");
    EXPECT_EQ(passed(entries, check_tree_validation), 28);
}

TEST(TreeVectors, treekem_passes_in_both_suites) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/treekem.json");
    EXPECT_EQ(passed(entries, check_treekem), 22);
}

TEST(TreeVectors, an_entry_that_lies_fails) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/treekem.json");
    auto entry = entries.at(0);
    auto& secret = entry["update_paths"][0]["commit_secret"].get_ref<std::string&>();
    secret[0] = secret[0] == '0' ? '1' : '0';
    auto const outcome = check_treekem(entry);
    EXPECT_EQ(outcome.status, Outcome::failed);
    EXPECT_EQ(outcome.reason, "commit secret");
}

}  // namespace
}  // namespace interlude::mls_vectors
