// How conversations begin: invitations made here, redeemed from here, and Welcomes of those who redeemed ours
// (protocol.md, Invitations). Also the stock of key packages that lets others begin.
#pragma once

#include "client-cli/engine/engine.hpp"
#include "client-cli/engine/outbox.hpp"
#include "client-cli/engine/turn.hpp"
#include "common/identity/invitation_link.hpp"
#include "common/identity/redemption.hpp"

namespace interlude::engine {

/// The join on its way; nullopt when there is none (any more).
std::optional<JoinRecord> pending_join(Turn& turn);
identity::InvitationLink link_of(JoinRecord const& join);

/// After login: the stored redemption, or the first question.
wire::ClientBody first_invited_request(Turn& turn, RequestId& request);
/// The inviter's lists: the pinned one and what followed. Then the key packages are asked for.
Result<void> take_inviter_lists(Turn& turn, wire::Documents const& documents);
/// Founds the conversation with all the inviter's devices and stores the whole redemption.
Result<void> found_conversation(Turn& turn, wire::KeyPackages const& packages);
/// The stored redemption as a frame's body.
wire::Redeem redeem_body(JoinRecord const& join);
/// The inviter's list changed: nothing was spent, everything is asked for again.
void forget_founding(Turn& turn);
/// After a refusal that no repetition changes: the home is free for another invitation.
void abandon_join(Turn& turn, wire::Rule rule);
/// This home belongs to the server now; the conversation is there.
void take_redeemed(Turn& turn, wire::Redeemed const& redeemed);

/// A conversation that somebody founded by an invitation of this account.
void take_welcome(Turn& turn, wire::Welcome const& welcome);

/// New key packages, so many that `left` on the server become the option's number; a last resort now and then.
void top_up_key_packages(Turn& turn, std::uint32_t left, std::uint32_t wanted);
void take_invitations(Turn& turn, wire::Invitations const& invitations);

}  // namespace interlude::engine
