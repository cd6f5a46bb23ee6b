// Who is in a conversation's group, and how that changes: commits of others checked against identity and declaration
// (protocol.md, MLS profile). Own commits are own_commits.hpp's.
#pragma once

#include "client-cli/engine/turn.hpp"
#include "common/identity/leaf_attestation.hpp"
#include "common/mls/group.hpp"
#include "common/mls_framing/declaration.hpp"

namespace interlude::engine {

using base::Result;

/// Every leaf of somebody else must be attested by a device of the newest list known of its account.
mls::LeafCheck leaf_check(Turn& turn);
Result<void> check_leaf(Turn& turn, bytes::ByteView identity, bytes::ByteView signature_key);
/// A fresh key package of this device; its leaf is attested.
mls::KeyPackageBundle make_key_package(Turn& turn, std::chrono::seconds life);

/// `members` after the declaration. bad_commit: adds somebody who is there, removes somebody who is not.
Result<std::vector<wire::MemberState>> members_after(mls_framing::Declaration const& declaration,
                                                     std::vector<wire::MemberState> members);
/// The group's leaves are exactly these devices.
bool roster_matches(mls::Group const& group, std::vector<wire::MemberState> const& members);

std::optional<identity::LeafIdentity> identity_of(mls::Member const& member);
/// Leaves whose device its account's newest list no longer has: their Remove goes before anything else.
std::vector<mls::Member> dropped_members(Turn& turn, std::vector<mls::Member> const& roster);

enum class HandshakeOutcome : std::uint8_t {
    taken,          // followed, refused for good, or of no use here
    needs_lists,    // device lists were asked for; give it again when documents came
    not_authentic,  // nothing changed and nothing is acked: the honest copy can come later
};
HandshakeOutcome take_handshake(Turn& turn, wire::Handshake const& handshake);

/// Another epoch began: what follows from it for every kind of commit. What was pending in the old one is forgotten.
void begin_epoch(Turn& turn, ConversationId const& id, ConversationRecord& conversation, mls::Group const& group,
                 std::vector<wire::MemberState> members);

/// What the server says the conversations are; notices a home that was restored from an older copy.
void take_states(Turn& turn, std::vector<wire::ConversationState> const& states);
/// Once everything that was sealed is answered: a server that still knows more own messages than this home does shows
/// that the home is an older copy.
void notice_lost_state(Turn& turn);
/// Asks for an account's lists from the newest known one on.
void ask_for_lists(Turn& turn, AccountId const& account);

}  // namespace interlude::engine
