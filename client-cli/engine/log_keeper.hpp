// What this home believes of the audit log: the pinned key, the newest verified checkpoint, the chains of its subjects,
// and what other readers said about them (audit.md, Apps). Finds alarms; never stops a message.
#pragma once

#include <map>

#include "client-cli/engine/content.hpp"
#include "client-cli/engine/turn.hpp"
#include "common/audit/verify.hpp"

namespace interlude::engine {

/// nullopt before the first login showed a key that fits the pinned hash.
std::optional<audit::LogView> log_view(ServerRecord const& server);

/// What this home knew of the log when it asked: whatever answers may not say less. Another process of the home may
/// have learned more before the answer is here, so what the vault knows by then is no measure.
struct LogKnown {
    std::uint64_t size = 0;                      // of the newest checkpoint that was verified here
    std::uint64_t met = 0;                       // of the largest signed one that anybody showed
    std::map<SubjectId, std::uint64_t> entries;  // of each chain
};
LogKnown log_known(Turn& turn);

/// At login. The key must be the pinned one and the checkpoint must continue the kept one. `known`: when the hello was
/// said; what is told now is added to it.
void take_log_state(Turn& turn, wire::Ready const& ready, LogKnown& known);
void take_subjects(Turn& turn, std::vector<wire::SubjectState> const& subjects, LogKnown& known);

/// A signed checkpoint from a proof or a peer: compared with what is known, or kept until it is connected.
void meet_checkpoint(Turn& turn, std::string const& note);
/// Tree sizes to ask the log about (CheckpointGet), all at once; empty when everything is connected.
std::vector<std::uint64_t> sizes_to_connect(Turn& turn);
/// The answer to a CheckpointGet for `size_seen`, asked when LogKnown::met was `met`.
void take_checkpoint(Turn& turn, std::uint64_t size_seen, std::uint64_t met, wire::Checkpoint const& answer);
/// Pushed or asked for without a size.
void take_log_entries(Turn& turn, wire::LogEntries const& entries);
/// The server was asked at `asked` (by its own clock) for everything of the chain, when its head number `known` was
/// known here, and gave what it had.
void note_chain_fetched(Turn& turn, SubjectId const& subject, WallTime asked, std::uint64_t known);
/// It was asked for that, and gave something else.
void note_chain_withheld(Turn& turn, SubjectId const& subject);

struct CounterRange {
    std::uint64_t first = 1;
    std::optional<std::uint64_t> last;  // nullopt: and all after it
};
/// Entries with these counters were asked for at `asked` (by our clock), and whatever was going to come is here.
void note_peers_asked(Turn& turn, SubjectId const& subject, CounterRange shown, WallTime asked);
/// Now, by the server's clock as it was at the last login, where that is near enough to ours.
WallTime server_time(Turn& turn);
/// How far log_items are complete after take_log_entries; 0: nothing.
std::uint64_t entries_complete_to(Turn& turn, SubjectId const& subject);

/// An entry as a proof brings it; kept. Its payload, if everything about it is authentic.
std::optional<audit::Payload> take_item(Turn& turn, wire::LogItem const& item);
/// The signed part of `stored`. nullopt (with an alarm): the log key did not sign this.
std::optional<audit::StoredReceipt> open_stored_receipt(Turn& turn, wire::Stored const& stored,
                                                        RequestId const& request);

/// What goes into every message, and what is done with what comes out of one.
LogSight own_sight(Turn& turn, ConversationId const& conversation);
void take_peer_sight(Turn& turn, ConversationId const& conversation, LogSight const& sight);
/// Compares what peers were shown with what reached this home meanwhile; alarms about heads that it was not given
/// within a day though it asked. The chains to ask for, each from the first counter that is missing.
std::map<SubjectId, std::uint64_t> check_peer_heads(Turn& turn);

std::optional<audit::PresentedEntry> presented(wire::LogItem const& item);

}  // namespace interlude::engine
