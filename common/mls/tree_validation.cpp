#include "common/mls/tree_validation.hpp"

#include <set>

#include "common/crypto/hpke.hpp"
#include "common/mls/labels.hpp"
#include "common/mls_framing/labelled.hpp"

namespace interlude::mls {

Result<void> check_encryption_key(HPKEPublicKey const& key) {
    static constexpr std::array<std::uint8_t, crypto::x25519_size> any_scalar{1};
    INTERLUDE_TRY_VOID(crypto::x25519(any_scalar, key));
    return {};
}

Result<void> check_lifetime(Lifetime const& lifetime, LifetimeRule const& rule) {
    auto const now = std::chrono::floor<std::chrono::seconds>(rule.now.time_since_epoch()).count();
    if (now < 0 || lifetime.not_after < lifetime.not_before) return Errc::bad_leaf;
    if (lifetime.not_after - lifetime.not_before > static_cast<std::uint64_t>(rule.longest.count())) {
        return Errc::bad_leaf;
    }
    auto const at = static_cast<std::uint64_t>(now);
    if (at < lifetime.not_before || at > lifetime.not_after) return Errc::bad_leaf;
    return {};
}

Result<void> check_leaf(LeafNode const& leaf, LeafRules const& rules) {
    if (rules.source && leaf.source_kind() != *rules.source) return Errc::bad_leaf;
    if (!check_encryption_key(leaf.encryption_key)) return Errc::bad_leaf;
    auto const has = [](auto const& list, std::uint16_t id) {
        return std::find(list.begin(), list.end(), id) != list.end();
    };
    auto const& can = leaf.capabilities;
    if (!has(can.versions, mls10) || !has(can.cipher_suites, rules.suite.id)) return Errc::bad_leaf;
    if (!can.supports_credential(leaf.credential.type())) return Errc::bad_leaf;
    for (auto const& extension : leaf.extensions) {
        if (!can.supports_extension(extension.type)) return Errc::bad_leaf;
    }
    if (rules.lifetime && leaf.lifetime()) INTERLUDE_TRY_VOID(check_lifetime(*leaf.lifetime(), *rules.lifetime));
    if (!verify_with_label(leaf.signature_key, mls_framing::leaf_node_label, leaf_node_tbs(leaf, rules.place),
                           leaf.signature)) {
        return Errc::bad_signature;
    }
    return {};
}

Result<void> check_members(RatchetTree const& tree, Extensions const& group_extensions) {
    std::optional<RequiredCapabilities> required;
    if (auto const* extension = find_extension(group_extensions, extension_type::required_capabilities)) {
        auto decoded = decode(extension->data, read_required_capabilities);
        if (!decoded) return Errc::bad_tree;
        required = std::move(*decoded);
    }
    auto const members = tree.members();
    std::set<CredentialType> in_use;
    std::set<Bytes> signature_keys;
    std::set<Bytes> encryption_keys;
    for (auto member : members) {
        auto const& leaf = *tree.leaf(member);
        in_use.insert(leaf.credential.type());
        if (!signature_keys.insert(leaf.signature_key).second) return Errc::bad_leaf;
        if (!encryption_keys.insert(leaf.encryption_key).second) return Errc::bad_leaf;
    }
    for (auto member : members) {
        auto const& can = tree.leaf(member)->capabilities;
        if (required && !satisfies(can, *required)) return Errc::bad_leaf;
        for (auto type : in_use) {
            if (!can.supports_credential(type)) return Errc::bad_leaf;
        }
        for (auto const& extension : group_extensions) {
            if (!can.supports_extension(extension.type)) return Errc::bad_leaf;
        }
    }
    return {};
}

Result<void> check_tree(RatchetTree const& tree, ByteView group_id, Extensions const& group_extensions,
                        std::optional<LifetimeRule> const& lifetime) {
    INTERLUDE_TRY_VOID(tree.verify_parent_hashes());
    for (auto member : tree.members()) {
        LeafRules const rules{.suite = tree.suite(), .place = {group_id, member}, .lifetime = lifetime};
        INTERLUDE_TRY_VOID(check_leaf(*tree.leaf(member), rules));
    }
    return check_members(tree, group_extensions);
}

}  // namespace interlude::mls
