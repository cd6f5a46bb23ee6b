#include "common/mls/key_package.hpp"

#include "common/mls_framing/labelled.hpp"

namespace interlude::mls {

KeyPackageBundle KeyPackageBundle::clone() const {
    return {key_package, init_key.clone(), encryption_key.clone(), signature_key.clone()};
}

bool KeyPackageBundle::is_consistent() const {
    return init_key.public_key == key_package.init_key &&
           encryption_key.public_key == key_package.leaf_node.encryption_key &&
           bytes::equal(signature_key.public_key().span(), key_package.leaf_node.signature_key);
}

void write(Writer& writer, KeyPackageBundle const& bundle) {
    write(writer, bundle.key_package);
    writer.opaque(bundle.init_key.private_key.expose()).opaque(bundle.encryption_key.private_key.expose());
    writer.opaque(bundle.signature_key.expose_seed());
}

Result<KeyPackageBundle> read_key_package_bundle(Reader& reader) {
    INTERLUDE_TRY(auto key_package, read_key_package(reader));
    INTERLUDE_TRY(auto const* suite, crypto::find_suite(key_package.cipher_suite));
    INTERLUDE_TRY(auto init_private, reader.opaque());
    INTERLUDE_TRY(auto encryption_private, reader.opaque());
    INTERLUDE_TRY(auto seed, reader.opaque());
    INTERLUDE_TRY(auto init_key, crypto::hpke_key_pair_from_private(*suite, init_private));
    INTERLUDE_TRY(auto encryption_key, crypto::hpke_key_pair_from_private(*suite, encryption_private));
    INTERLUDE_TRY(auto signature_key, crypto::SigningKey::from_seed(seed));
    KeyPackageBundle bundle{std::move(key_package), std::move(init_key), std::move(encryption_key),
                            std::move(signature_key)};
    if (!bundle.is_consistent()) return Errc::bad_key;
    return bundle;
}

Capabilities default_capabilities() {
    return {.versions = {mls10},
            .cipher_suites = {crypto::suite_x25519_chacha20poly1305, crypto::suite_x25519_aes128gcm},
            .extensions = {},
            .proposals = {},
            .credentials = {credential_type::basic}};
}

KeyPackageBundle generate_key_package(KeyPackageArgs args, crypto::Entropy& entropy) {
    KeyPackageBundle bundle{{},
                            crypto::hpke_generate_key_pair(args.suite, entropy),
                            crypto::hpke_generate_key_pair(args.suite, entropy),
                            std::move(args.signature_key)};
    auto& key_package = bundle.key_package;
    key_package.cipher_suite = args.suite.id;
    key_package.init_key = bundle.init_key.public_key;
    key_package.extensions = std::move(args.extensions);

    auto& leaf = key_package.leaf_node;
    leaf.encryption_key = bundle.encryption_key.public_key;
    leaf.signature_key = bytes::copy(bundle.signature_key.public_key().span());
    leaf.credential = std::move(args.credential);
    leaf.capabilities = std::move(args.capabilities);
    leaf.source = args.lifetime;
    leaf.extensions = std::move(args.leaf_extensions);
    leaf.signature = sign_with_label(bundle.signature_key, mls_framing::leaf_node_label, leaf_node_tbs(leaf, {}));
    key_package.signature =
        sign_with_label(bundle.signature_key, mls_framing::key_package_label, key_package_tbs(key_package));
    return bundle;
}

Result<void> check_key_package(KeyPackage const& key_package, crypto::Suite const& suite,
                               std::optional<LifetimeRule> const& lifetime) {
    if (key_package.version != mls10 || key_package.cipher_suite != suite.id) return Errc::unsupported;
    auto const& leaf = key_package.leaf_node;
    if (key_package.init_key == leaf.encryption_key) return Errc::bad_leaf;
    if (!check_encryption_key(key_package.init_key)) return Errc::bad_leaf;
    INTERLUDE_TRY_VOID(check_leaf(leaf, {.suite = suite, .source = LeafNodeSource::key_package, .lifetime = lifetime}));
    if (!verify_with_label(leaf.signature_key, mls_framing::key_package_label, key_package_tbs(key_package),
                           key_package.signature)) {
        return Errc::bad_signature;
    }
    return {};
}

Lifetime lifetime_from(base::WallTime from, std::chrono::seconds life) {
    auto const start = std::chrono::floor<std::chrono::seconds>(from.time_since_epoch()).count();
    INTERLUDE_CHECK(start >= 0 && life.count() >= 0);
    return {static_cast<std::uint64_t>(start), static_cast<std::uint64_t>(start + life.count())};
}

}  // namespace interlude::mls
