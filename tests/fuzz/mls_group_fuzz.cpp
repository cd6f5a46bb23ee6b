// What a member's Group makes of bytes from outside. The first byte chooses: raw bytes as any message, as a Welcome or
// as sealed state; or, as a malicious member would, a Commit or Proposal of one's own making under valid signature and
// membership tag. Nothing may crash, and nothing that was refused may have changed the epoch.
#include <cstdlib>
#include <memory>

#include "tests/unit/mls/insider.hpp"

namespace {

using namespace interlude;
using namespace interlude::mls;

KeyPackageBundle bundle(crypto::Entropy& entropy, std::string_view name) {
    return generate_key_package({.suite = **crypto::find_suite(crypto::suite_x25519_chacha20poly1305),
                                 .credential = Credential::basic(bytes::copy(bytes::view(name))),
                                 .signature_key = crypto::SigningKey::generate(entropy),
                                 .lifetime = {1000, 2000}},
                                entropy);
}

/// Anna, who is malicious; Ben, who receives; Cleo, who is there to be removed; Dora, who is not in.
struct World {
    crypto::SeededEntropy entropy{1};
    KeyPackageBundle ben_bundle = bundle(entropy, "ben"), dora = bundle(entropy, "dora");
    std::unique_ptr<Group> ben;
    std::optional<tests::Insider> anna;

    World() {
        auto founded = Group::found({bytes::copy(bytes::view("fuzzed")), bundle(entropy, "anna")}, entropy).value();
        auto const cleo = bundle(entropy, "cleo");
        CommitArgs args;
        args.adds = {ben_bundle.key_package, cleo.key_package};
        auto pending = founded.commit(std::move(args), entropy).value();
        ben = std::make_unique<Group>(Group::join({.welcome = *pending.welcome, .own = ben_bundle}).value());
        anna = tests::Insider::of(pending.next);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static World const world;
    if (size == 0) return 0;
    bytes::ByteView const input(data + 1, size - 1);
    auto group = world.ben->clone();
    switch (data[0] % 5) {
        case 0:
            (void)group.process(input);
            (void)group.unprotect(input);
            (void)group.receive_proposal(input);
            break;
        case 1:
            (void)Group::join({.welcome = input, .own = world.ben_bundle});
            break;
        case 2:
            (void)Group::decode(input);
            break;
        case 3:
            if (auto commit = decode(input, read_commit)) {
                auto const processed = group.process(world.anna->send(*commit));
                // Without the next epoch's keys no confirmation tag is right: at most one is thrown out.
                if (processed && !processed->removed_self()) std::abort();
            }
            break;
        case 4:
            if (auto proposal = decode(input, read_proposal)) {
                if (group.receive_proposal(world.anna->send(*proposal))) {
                    crypto::SeededEntropy entropy(2);
                    (void)group.commit({}, entropy);
                }
            }
            break;
    }
    auto const& before = *world.ben;
    if (group.epoch() != before.epoch() || group.roster() != before.roster()) std::abort();
    return 0;
}
