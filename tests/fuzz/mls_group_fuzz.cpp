// What a member's Group makes of bytes from outside. The first byte chooses: raw bytes as any message, as a Welcome or
// as sealed state; or, as a malicious member would, a Commit or Proposal of one's own making under valid signature and
// membership tag. Nothing may crash, and nothing that was refused may have changed the epoch.
#include <cstdlib>
#include <memory>

#include "common/mls/group.hpp"
#include "common/mls/key_schedule.hpp"
#include "common/mls/protect.hpp"
#include "common/mls/tree_kem.hpp"

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
    // Of Anna, from her own state: what she needs to sign whatever she likes.
    GroupContext context;
    std::optional<crypto::SigningKey> signature_key;
    EpochSecrets secrets;

    World() {
        auto founded = Group::found({bytes::copy(bytes::view("fuzzed")), bundle(entropy, "anna")}, entropy).value();
        auto const cleo = bundle(entropy, "cleo");
        CommitArgs args;
        args.adds = {ben_bundle.key_package, cleo.key_package};
        auto pending = founded.commit(std::move(args), entropy).value();
        ben = std::make_unique<Group>(Group::join({.welcome = *pending.welcome, .own = ben_bundle}).value());
        auto const state = pending.next.encode();
        bytes::Reader reader(state.expose());  // as group_codec writes it
        reader.u16().value();
        auto const& suite = **crypto::find_suite(reader.u16().value());
        context = read_group_context(reader).value();
        read_node_list(reader).value();
        read_tree_private(reader, suite).value();
        signature_key = crypto::SigningKey::from_seed(reader.opaque().value()).value();
        secrets = read_epoch_secrets(reader).value();
    }

    bytes::Bytes signed_by_anna(ContentBody body) const {
        auto content =
            sign_content(WireFormat::mls_public_message,
                         {context.group_id, context.epoch, Sender::member(LeafIndex{0}), {}, std::move(body)}, context,
                         *signature_key);
        if (content.content.type() == ContentType::commit) content.auth.confirmation_tag = bytes::Bytes(32, 0);
        return encode(MLSMessage{protect_public(std::move(content), context, secrets.membership_key.expose())});
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
                auto const processed = group.process(world.signed_by_anna(*commit));
                // Without the next epoch's keys no confirmation tag is right: at most one is thrown out.
                if (processed && !processed->removed_self()) std::abort();
            }
            break;
        case 4:
            if (auto proposal = decode(input, read_proposal)) {
                if (group.receive_proposal(world.signed_by_anna(*proposal))) {
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
