// What waits for the server: messages and other requests, each durable from the moment it is queued until its final
// answer is in the vault (exact.md, Outbox). Messages are sealed when they leave, and again only after `epoch_stale`.
#pragma once

#include "client-cli/engine/content.hpp"
#include "client-cli/engine/in_flight.hpp"
#include "client-cli/engine/turn.hpp"

namespace interlude::engine {

/// A gate or a limit, which time opens; the rest is about what was asked or about who asked.
bool may_pass_later(wire::Rule rule);
/// The server did not look at what was asked this time; it may have accepted it before.
bool may_pass_later(wire::ErrorCode code);

MessageKind kind_of(ContentBody const& body);
/// `replaces`: seq of an own message that still waits; 0: none.
RequestId queue_message(Turn& turn, ConversationId const& conversation, MessageId const& id, ContentBody body,
                        std::uint64_t replaces = 0);
RequestId queue_request(Turn& turn, OutgoingKind kind, wire::ClientBody body);

/// Everything that waits and is not on its way, oldest first; seals what must be sealed.
void flush(Turn& turn, InFlight& in_flight);

/// For hello: ids whose final answer is in the vault.
std::vector<RequestId> confirmed_ids(Turn& turn);
/// The server has seen them in a hello: it has forgotten them, and so may we.
void forget_confirmed(Turn& turn, std::vector<RequestId> const& ids);

// Answers. Each returns false if the request is not one of the outbox.
/// One that cannot be true changes nothing but the draft's request id: it goes again, after a pause.
bool take_stored(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Stored const& stored);
bool take_held(Turn& turn, RequestId const& request, wire::Held const& held);
bool take_epoch_stale(Turn& turn, InFlight& in_flight, RequestId const& request, wire::EpochStale const& stale);
bool take_refused(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Refused const& refused);
bool take_error(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Error const& error);
/// Done, or an answer that says as much: the request is over.
bool take_done(Turn& turn, RequestId const& request);
/// A recall or a replacement of what had passed already.
bool take_too_late(Turn& turn, RequestId const& request);

/// A recall that the author did not wish drops a message in the author's name.
bool recalled_unasked(Turn& turn, MessageRecord const& message);
std::string unasked_in_words(std::uint64_t seq);

/// The server's word on what became of an envelope of this account. It cannot undo what a reader said.
void take_fate(Turn& turn, wire::Fate const& fate);

/// Messages of a conversation that the server may have while the answer to them is not here.
std::size_t sent_and_unanswered(Turn& turn, ConversationId const& id);
/// Requests without a final answer.
std::size_t waiting_count(Turn& turn);

struct Outgoing {
    RequestId request;
    OutgoingRecord record;
};
/// In the order in which they were queued.
std::vector<Outgoing> outgoing(Turn& turn);

}  // namespace interlude::engine
