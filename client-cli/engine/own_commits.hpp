// Own commits, from the reason for one to the epoch that it begins: removals, a replaced leaf, healing (protocol.md,
// MLS profile). Every commit that left this home stays until its epoch ends, so that whichever the server took, and
// through whichever process, can be followed.
#pragma once

#include "client-cli/engine/in_flight.hpp"
#include "client-cli/engine/turn.hpp"

namespace interlude::engine {

/// Sends the commits that are pending and not on their way; with `make_new` also makes those that are due now.
void flush_commits(Turn& turn, InFlight& in_flight, bool make_new);

// Answers to own commits; false: not one of those.
bool take_accepted(Turn& turn, RequestId const& request, wire::Accepted const& accepted);
bool take_conflict(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Conflict const& conflict);
bool take_commit_refused(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Refused const& refused);
/// Something came that answers no commit: it goes again, after a pause.
void put_off_commit(Turn& turn, InFlight& in_flight, RequestId const& request);
bool take_commit_error(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Error const& error);

/// The server took this commit (MLSMessage). True: it is an own one, and its epoch has begun here.
bool merge_own_commit(Turn& turn, ConversationId const& id, bytes::ByteView mls);
void forget_own_commits(Turn& turn, ConversationId const& id);

}  // namespace interlude::engine
