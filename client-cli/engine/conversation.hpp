// Messages of one conversation: sealed into the group's epoch on the way out, opened into their place on the way in.
// The group's state is loaded, used and saved in one transaction, and lives nowhere else.
#pragma once

#include <set>

#include "client-cli/engine/turn.hpp"
#include "common/mls/group.hpp"

namespace interlude::engine {

/// For looking: costs a tenth of what a Group does that can do something.
std::optional<mls::GroupGlance> glance_at_group(Turn& turn, ConversationId const& id, std::uint32_t generation);
std::optional<mls::Group> load_group(Turn& turn, ConversationId const& id, std::uint32_t generation);
void save_group(Turn& turn, ConversationId const& id, std::uint32_t generation, mls::Group const& group);

/// Seals an outgoing message in the present epoch and saves the spent generation with it. False: not now (this app is
/// behind the server, the conversation is closed or broken, a removed device must go first).
bool seal(Turn& turn, OutgoingRecord& record);
/// What an app writes by itself and sends only while every recipient's gate is open.
bool only_while_open(MessageKind kind);

/// An envelope as it came. Acked in the turn's frames once it is in the vault; shown once, in its place; kept closed
/// while it is early or ahead of the commit that began its epoch, kept as ciphertext if it does not open.
void take_envelope(Turn& turn, wire::Envelope const& envelope);
/// How long an envelope waits for the commit that began its epoch.
inline constexpr std::chrono::minutes patience_for_handshake{10};
/// Opens what came early and is due now. `may_give_up`: the server has sent what it had, or had time enough to, so that
/// what is still ahead of the group after that patience does not open; not in the conversations `but_in`.
void open_due(Turn& turn, bool may_give_up, std::set<ConversationId> const& but_in);

/// Everything of that epoch was delivered to this device.
void take_epoch_end(Turn& turn, wire::EpochEnd const& end);
/// Forgets keys of past epochs that may not be kept any longer by this device's own clock.
void prune_epochs(Turn& turn);

/// Queues `opened` for what was opened and not reported, where every gate is open.
void report_opened(Turn& turn);

}  // namespace interlude::engine
