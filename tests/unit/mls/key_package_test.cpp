// KeyPackages and leaves: what is made is valid, what is bent is refused; and members that do not fit together.
#include "common/mls/key_package.hpp"

#include <gtest/gtest.h>

#include "common/mls_framing/labelled.hpp"
#include "tests/unit/mls/tree_members.hpp"

namespace interlude::mls::tests {
namespace {

using namespace std::chrono_literals;

/// Bends a KeyPackage and signs it again, leaf and package, so that only the bent part can be refused.
KeyPackage bent(KeyPackageBundle const& bundle, void (*bend)(KeyPackage&)) {
    auto changed = bundle.key_package;
    bend(changed);
    auto const& key = bundle.signature_key;
    auto& leaf = changed.leaf_node;
    leaf.signature = sign_with_label(key, mls_framing::leaf_node_label, leaf_node_tbs(leaf, {}));
    changed.signature = sign_with_label(key, mls_framing::key_package_label, key_package_tbs(changed));
    return changed;
}

TEST(KeyPackage, a_generated_one_is_valid_in_either_suite) {
    crypto::SeededEntropy entropy(1);
    for (auto id : {crypto::suite_x25519_aes128gcm, crypto::suite_x25519_chacha20poly1305}) {
        auto const& row = **crypto::find_suite(id);
        auto const bundle = generate_key_package({.suite = row,
                                                  .credential = Credential::basic({1}),
                                                  .signature_key = crypto::SigningKey::generate(entropy),
                                                  .lifetime = lifetime_from(base::wall_seconds(5000), 28 * 24h),
                                                  .leaf_extensions = {{extension_type::application_id, {7}}},
                                                  .extensions = {{0x0a0a, {1}}}},
                                                 entropy);
        EXPECT_TRUE(bundle.is_consistent());
        auto const checked = check_key_package(bundle.key_package, row, LifetimeRule{base::wall_seconds(6000)});
        EXPECT_TRUE(checked) << name(checked.error());
    }
}

TEST(KeyPackage, a_bent_one_is_refused) {
    crypto::SeededEntropy entropy(2);
    auto const bundle = make_bundle(entropy);
    struct Case {
        char const* what;
        void (*bend)(KeyPackage&);
        Errc expected;
    };
    Case const cases[] = {
        {"another suite", [](KeyPackage& k) { k.cipher_suite = 1; }, Errc::unsupported},
        {"an init key that is the leaf's", [](KeyPackage& k) { k.init_key = k.leaf_node.encryption_key; },
         Errc::bad_leaf},
        {"an unusable init key", [](KeyPackage& k) { k.init_key = Bytes(32); }, Errc::bad_leaf},
        {"an unusable leaf key", [](KeyPackage& k) { k.leaf_node.encryption_key = Bytes(31, 1); }, Errc::bad_leaf},
        {"an update leaf", [](KeyPackage& k) { k.leaf_node.source = UpdateSource{}; }, Errc::bad_leaf},
        {"a commit leaf", [](KeyPackage& k) { k.leaf_node.source = CommitSource{Bytes(32)}; }, Errc::bad_leaf},
        {"an unlisted extension",
         [](KeyPackage& k) {
             k.leaf_node.extensions = {{0x0a0a, {}}};
         },
         Errc::bad_leaf},
        {"an unlisted credential", [](KeyPackage& k) { k.leaf_node.capabilities.credentials = {2}; }, Errc::bad_leaf},
        {"an unlisted suite", [](KeyPackage& k) { k.leaf_node.capabilities.cipher_suites = {1}; }, Errc::bad_leaf},
        {"an unlisted version", [](KeyPackage& k) { k.leaf_node.capabilities.versions = {}; }, Errc::bad_leaf},
        {"another signature key", [](KeyPackage& k) { k.leaf_node.signature_key[0] ^= 1; }, Errc::bad_signature},
    };
    auto const now = LifetimeRule{base::wall_seconds(1500)};
    EXPECT_TRUE(check_key_package(bent(bundle, [](KeyPackage&) {}), suite(), now));
    for (auto const& [what, bend, expected] : cases) {
        auto const checked = check_key_package(bent(bundle, bend), suite(), now);
        ASSERT_FALSE(checked) << what;
        EXPECT_EQ(checked.error(), expected) << what << ": " << name(checked.error());
    }
    auto unsigned_package = bundle.key_package;
    unsigned_package.extensions = {{0x0a0a, {}}};
    EXPECT_EQ(check_key_package(unsigned_package, suite(), now).error(), Errc::bad_signature);
}

TEST(KeyPackage, is_valid_exactly_in_its_lifetime) {
    Lifetime const life{1000, 2000};
    auto at = [&](std::int64_t ms) { return check_lifetime(life, {base::wall_ms(ms)}).has_value(); };
    EXPECT_FALSE(at(999'999));
    EXPECT_TRUE(at(1'000'000));
    EXPECT_TRUE(at(2'000'999));
    EXPECT_FALSE(at(2'001'000));
    EXPECT_FALSE(at(-1));
    EXPECT_TRUE(check_lifetime(life, {base::wall_seconds(1500), 1000s}));
    EXPECT_FALSE(check_lifetime(life, {base::wall_seconds(1500), 999s}));
    EXPECT_FALSE(check_lifetime({0, UINT64_MAX}, {base::wall_seconds(1500)}));
    EXPECT_FALSE(check_lifetime({2000, 1000}, {base::wall_seconds(1500)}));
}

TEST(KeyPackage, a_bundle_survives_its_encoding_and_only_with_its_own_keys) {
    crypto::SeededEntropy entropy(3);
    auto bundle = make_bundle(entropy);
    auto const encoded = encode(bundle);
    auto const decoded = decode(encoded, read_key_package_bundle);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->key_package, bundle.key_package);
    EXPECT_EQ(encode(*decoded), encoded);
    EXPECT_EQ(encode(bundle.clone()), encoded);
    std::swap(bundle.init_key, bundle.encryption_key);
    EXPECT_EQ(decode(encode(bundle), read_key_package_bundle).error(), Errc::bad_key);
}

TEST(KeyPackage, two_have_no_key_in_common) {
    crypto::SeededEntropy entropy(4);
    auto const a = make_bundle(entropy).key_package;
    auto const b = make_bundle(entropy).key_package;
    EXPECT_NE(a.init_key, b.init_key);
    EXPECT_NE(a.leaf_node.encryption_key, b.leaf_node.encryption_key);
    EXPECT_NE(key_package_ref(suite(), a), key_package_ref(suite(), b));
}

/// A tree of two whose second leaf is bent after it was made (signatures are not check_members' question).
Result<void> check_pair(void (*bend)(LeafNode& second, LeafNode const& first), Extensions const& group_extensions) {
    crypto::SeededEntropy entropy(5);
    auto const first = make_bundle(entropy).key_package.leaf_node;
    auto second = make_bundle(entropy).key_package.leaf_node;
    bend(second, first);
    RatchetTree tree(suite());
    EXPECT_TRUE(tree.add_leaf(first));
    EXPECT_TRUE(tree.add_leaf(second));
    return check_members(tree, group_extensions);
}

TEST(Members, must_fit_together) {
    auto as_made = [](LeafNode&, LeafNode const&) {};
    EXPECT_TRUE(check_pair(as_made, {}));
    EXPECT_TRUE(check_pair([](LeafNode& b, LeafNode const& a) { b.credential = a.credential; }, {}));
    EXPECT_FALSE(check_pair([](LeafNode& b, LeafNode const& a) { b.signature_key = a.signature_key; }, {}));
    EXPECT_FALSE(check_pair([](LeafNode& b, LeafNode const& a) { b.encryption_key = a.encryption_key; }, {}));
    // The second shows a certificate, which the first cannot read.
    EXPECT_FALSE(check_pair(
        [](LeafNode& b, LeafNode const&) {
            b.credential = {X509Credential{{{1}}}};
            b.capabilities.credentials = {1, 2};
        },
        {}));
    // The second cannot read the first's basic credential.
    EXPECT_FALSE(check_pair([](LeafNode& b, LeafNode const&) { b.capabilities.credentials = {2}; }, {}));
}

TEST(Members, must_support_what_the_group_uses_and_requires) {
    auto as_made = [](LeafNode&, LeafNode const&) {};
    auto requires_all = [](RequiredCapabilities const& required) {
        return Extensions{{extension_type::required_capabilities, encode(required)}};
    };
    EXPECT_TRUE(check_pair(as_made, requires_all({{extension_type::ratchet_tree}, {proposal_type::add}, {1}})));
    EXPECT_FALSE(check_pair(as_made, requires_all({{0xff00}, {}, {}})));
    EXPECT_FALSE(check_pair(as_made, requires_all({{}, {0xff00}, {}})));
    EXPECT_FALSE(check_pair(as_made, requires_all({{}, {}, {2}})));
    EXPECT_FALSE(check_pair(as_made, {{0xff00, {}}}));
    EXPECT_TRUE(check_pair(as_made, {{extension_type::external_senders, {}}}));
    EXPECT_EQ(check_pair(as_made, {{extension_type::required_capabilities, {9}}}).error(), Errc::bad_tree);
}

TEST(Members, a_leaf_signed_for_another_place_is_refused) {
    TreeMembers group(6);
    group.commit(LeafIndex{0}, 2);
    Bytes const group_id = TreeMembers::context().group_id;
    auto const& leaf = *group.tree().leaf(LeafIndex{0});
    LeafRules rules{.suite = suite(), .source = LeafNodeSource::commit, .place = {group_id, LeafIndex{0}}};
    EXPECT_TRUE(check_leaf(leaf, rules));
    rules.place.leaf = LeafIndex{1};
    EXPECT_EQ(check_leaf(leaf, rules).error(), Errc::bad_signature);
    Bytes const other_group{9};
    rules.place = {other_group, LeafIndex{0}};
    EXPECT_EQ(check_leaf(leaf, rules).error(), Errc::bad_signature);
    EXPECT_FALSE(check_tree(group.tree(), other_group, {}, std::nullopt));
}

}  // namespace
}  // namespace interlude::mls::tests
