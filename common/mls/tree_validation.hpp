// Whether leaves, members and whole trees may be believed (RFC 9420 §7.3, §7.9.2, §12.4.3.1). What a credential says
// about a person is the app's question, not asked here.
#pragma once

#include "common/base/limits.hpp"
#include "common/base/time.hpp"
#include "common/mls/ratchet_tree.hpp"

namespace interlude::mls {

/// Asked of leaves from KeyPackages: the lifetime contains `now` and is no longer than `longest`.
struct LifetimeRule {
    base::WallTime now;
    std::chrono::seconds longest = base::limits::last_resort_key_package_life + std::chrono::days{1};
};
Result<void> check_lifetime(Lifetime const& lifetime, LifetimeRule const& rule);

/// bad_key for a key that nothing could be encrypted to: a wrong size, or a point of small order.
Result<void> check_encryption_key(HPKEPublicKey const& key);

struct LeafRules {
    crypto::Suite const& suite;
    std::optional<LeafNodeSource> source = {};  // where the leaf comes from, if only one is right here
    LeafPlace place = {};                       // for update and commit leaves
    std::optional<LifetimeRule> lifetime = {};
};
/// §7.3 for one leaf by itself: signature (bad_signature), source, lifetime, key, and capabilities that cover its own
/// credential, extensions, version and suite (bad_leaf).
Result<void> check_leaf(LeafNode const& leaf, LeafRules const& rules);

/// §7.3 for all members together: signature and encryption keys unique, every credential type in use supported by all,
/// and all of the GroupContext's extensions and required capabilities supported by all. bad_leaf; bad_tree if a
/// required_capabilities extension does not parse.
Result<void> check_members(RatchetTree const& tree, Extensions const& group_extensions);

/// Everything a joiner asks of a tree: check_leaf for each, check_members, parent hashes. The tree hash is compared by
/// the caller.
Result<void> check_tree(RatchetTree const& tree, ByteView group_id, Extensions const& group_extensions,
                        std::optional<LifetimeRule> const& lifetime);

}  // namespace interlude::mls
