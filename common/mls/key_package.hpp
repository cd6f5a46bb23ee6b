// KeyPackages with the secrets behind them: making and validating (RFC 9420 §10, §10.1).
#pragma once

#include "common/crypto/entropy.hpp"
#include "common/crypto/hpke.hpp"
#include "common/crypto/sign.hpp"
#include "common/mls/labels.hpp"
#include "common/mls/tree_validation.hpp"

namespace interlude::mls {

/// A KeyPackage and its three private keys.
struct KeyPackageBundle {
    KeyPackage key_package;
    crypto::HpkeKeyPair init_key;
    crypto::HpkeKeyPair encryption_key;  // the leaf's
    crypto::SigningKey signature_key;

    KeyPackageBundle clone() const;
    /// Every private key belongs to its public key in the package.
    bool is_consistent() const;
};
/// Secret bytes: of sealed state only.
void write(Writer& writer, KeyPackageBundle const& bundle);
/// bad_key if a private key does not belong to the package.
Result<KeyPackageBundle> read_key_package_bundle(Reader& reader);

/// Version, the suites that we speak, basic credentials; no extensions or proposals beyond the default ones.
Capabilities default_capabilities();

struct KeyPackageArgs {
    crypto::Suite const& suite;
    Credential credential;
    crypto::SigningKey signature_key;
    Lifetime lifetime;
    Capabilities capabilities = default_capabilities();
    Extensions leaf_extensions = {};
    Extensions extensions = {};
};
KeyPackageBundle generate_key_package(KeyPackageArgs args, crypto::Entropy& entropy);

/// §10.1. unsupported: another suite than the group's; bad_signature; bad_leaf as check_leaf, or an init key equal to
/// the leaf's encryption key.
Result<void> check_key_package(KeyPackage const& key_package, crypto::Suite const& suite,
                               std::optional<LifetimeRule> const& lifetime);

/// `from` until `from + life`, in whole seconds.
Lifetime lifetime_from(base::WallTime from, std::chrono::seconds life);

}  // namespace interlude::mls
