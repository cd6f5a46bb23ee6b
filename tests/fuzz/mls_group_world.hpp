// The group that mls_group_fuzz.cpp plays with. All of it follows from one seed, so that make_corpus.cpp can make
// messages for it.
#pragma once

#include <memory>

#include "tests/unit/mls/insider.hpp"

namespace interlude::fuzz {

inline mls::Bytes bytes_of(std::string_view text) {
    return bytes::copy(bytes::view(text));
}

inline mls::KeyPackageBundle bundle(crypto::Entropy& entropy, std::string_view name) {
    return mls::generate_key_package({.suite = **crypto::find_suite(crypto::suite_x25519_chacha20poly1305),
                                      .credential = mls::Credential::basic(bytes_of(name)),
                                      .signature_key = crypto::SigningKey::generate(entropy),
                                      .lifetime = {1000, 2000}},
                                     entropy);
}

/// Anna, who is malicious; Ben, who receives; Cleo, who is there to be removed; Dora, who is not in; Mallory, whom the
/// app does not believe.
struct World {
    crypto::SeededEntropy entropy{1};
    mls::KeyPackageBundle ben_bundle = bundle(entropy, "ben"), cleo_bundle = bundle(entropy, "cleo"),
                          dora = bundle(entropy, "dora"), mallory = bundle(entropy, "mallory");
    mls::Bytes welcome;  // Ben's and Cleo's
    std::unique_ptr<mls::Group> ben, anna_group, cleo;
    std::optional<mls::tests::Insider> anna;
    /// Ben after proposing an update of his own, and that proposal.
    std::unique_ptr<mls::Group> ben_updating;
    mls::Bytes ben_update;

    World() {
        using namespace mls;
        auto founded = Group::found({bytes_of("fuzzed"), bundle(entropy, "anna")}, entropy).value();
        CommitArgs args;
        args.adds = {ben_bundle.key_package, cleo_bundle.key_package};
        auto pending = founded.commit(std::move(args), entropy).value();
        welcome = *pending.welcome;
        ben = std::make_unique<Group>(Group::join({.welcome = welcome, .own = ben_bundle}).value());
        cleo = std::make_unique<Group>(Group::join({.welcome = welcome, .own = cleo_bundle}).value());
        anna_group = std::make_unique<Group>(std::move(pending.next));
        anna = tests::Insider::of(*anna_group);
        ben_updating = std::make_unique<Group>(ben->clone());
        ben_update = ben_updating->propose_update({}, WireFormat::mls_public_message, entropy).value();
    }

    /// What Ben's app knows: the time, one shared secret, and that Mallory is not to be believed.
    static mls::Outside outside() {
        mls::Outside known;
        known.find_psk = [](mls::ByteView id) -> std::optional<mls::SecretBytes> {
            if (!bytes::equal(id, bytes::view("known"))) return std::nullopt;
            return mls::SecretBytes(bytes::view("a shared secret"));
        };
        known.check_leaf = [](mls::LeafNode const& leaf) -> base::Result<void> {
            auto const* identity = leaf.credential.identity();
            if (identity && bytes::equal(*identity, bytes::view("mallory"))) return base::Errc::not_listed;
            return {};
        };
        known.now = base::wall_seconds(1500);
        return known;
    }
};

}  // namespace interlude::fuzz
