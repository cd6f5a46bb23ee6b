// What a member's Group makes of bytes from outside. The first byte chooses: raw bytes as any message, as a Welcome, as
// sealed state or as a GroupInfo to join from; as a malicious member would, a Commit or Proposal of one's own making
// under valid signature and membership tag; or several messages one after the other. Nothing may crash, and nothing
// that was refused may have changed the epoch.
// Parser: common/mls/group_codec.cpp common/mls/group_process.cpp common/mls/group_join.cpp
// Parser: common/mls/group_messages.cpp common/mls/proposal_list.cpp common/mls/tree_validation.cpp
// Parser: common/mls/protect.cpp common/mls/secret_tree.cpp common/mls/tree_kem.cpp common/mls/welcome.cpp
// Parser: common/mls/key_schedule.cpp(read_epoch_secrets,open_external_init) common/crypto/sign.cpp(from_seed,verify)
// Not reached: what the receiver would say by itself (frame, propose, new names) and what stands behind a switch
//   over all kinds; decoding takes no others.
#include <cstdlib>

#include "common/base/check.hpp"
#include "tests/fuzz/mls_group_world.hpp"

namespace {

using namespace interlude;
using namespace interlude::mls;

/// opaque messages<V>, each in its turn: as a commit that is followed, as a message, or as a proposal for a later
/// commit.
void play_sequence(Group group, ByteView input, Outside const& outside) {
    for (Reader reader(input); !reader.empty();) {
        auto const message = reader.opaque();
        if (!message) break;
        if (auto processed = group.process(*message, outside)) {
            if (processed->removed_self()) return;
            group = std::move(*processed->next);
        } else if (!group.unprotect(*message)) {
            (void)group.receive_proposal(*message, outside);
        }
    }
    auto const state = group.encode();
    auto const again = Group::decode(state.expose());
    INTERLUDE_CHECK(again && bytes::equal(again->encode().expose(), state.expose()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static fuzz::World const world;
    static auto const outside = fuzz::World::outside();
    if (size == 0) return 0;
    ByteView const input(data + 1, size - 1);
    auto group = world.ben->clone();
    crypto::SeededEntropy entropy(2);
    switch (data[0] % 7) {
        case 0:
            (void)group.process(input, outside);
            (void)group.authenticate_commit(input);
            (void)group.unprotect(input);
            (void)group.receive_proposal(input, outside);
            break;
        case 1:
            (void)Group::join({.welcome = input, .own = world.ben_bundle, .outside = outside});
            break;
        case 2:
            if (auto const decoded = Group::decode(input)) {
                auto const state = decoded->encode();
                INTERLUDE_CHECK(Group::decode(state.expose()).has_value());
                auto const glance = Group::glance(input);
                INTERLUDE_CHECK(glance && glance->epoch == decoded->epoch() && glance->roster == decoded->roster());
            } else {
                (void)Group::glance(input);
            }
            break;
        case 3:
            if (auto commit = decode(input, read_commit)) {
                auto const processed = group.process(world.anna->send(*commit), outside);
                // Without the next epoch's keys no confirmation tag is right: at most one is thrown out.
                if (processed && !processed->removed_self()) std::abort();
            }
            break;
        case 4:
            if (auto proposal = decode(input, read_proposal)) {
                if (group.receive_proposal(world.anna->send(*proposal), outside)) (void)group.commit({}, entropy);
            }
            break;
        case 5:
            play_sequence(world.ben_updating->clone(), input, outside);
            break;
        case 6:
            (void)Group::join_by_external_commit({.group_info = input, .own = world.dora, .outside = outside}, entropy);
            break;
    }
    auto const& before = *world.ben;
    if (group.epoch() != before.epoch() || group.roster() != before.roster()) std::abort();
    return 0;
}
