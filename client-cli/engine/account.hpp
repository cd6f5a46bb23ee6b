// Who this home is, and the device lists it knows: its own and those of the people it talks to. Lists enter here alone,
// verified; every other part asks for the newest.
#pragma once

#include "client-cli/engine/content.hpp"
#include "client-cli/engine/turn.hpp"
#include "common/identity/device_list.hpp"

namespace interlude::engine {

/// Seed, account key, certificates for the accounts ahead, device key, first device list: all kept.
AccountRecord create_account(Turn& turn, Side side, std::string own_name);

crypto::SigningKey device_key(AccountRecord const& account);
/// The own newest list.
identity::VerifiedDeviceList own_list(Turn& turn);
/// The newest list known of an account.
std::optional<identity::VerifiedDeviceList> newest_list(Turn& turn, AccountId const& account);
/// A list that was verified against its predecessor, an invitation or a redemption.
void keep_list(Turn& turn, identity::VerifiedDeviceList const& list);
ListHead head_of(identity::VerifiedDeviceList const& list);

/// A list as it came from the server or a peer: kept if it follows the newest one known of its account. Accounts that
/// nobody introduced are left alone. An alarm if it contradicts what is known.
void take_list(Turn& turn, identity::SignedDeviceList const& received);
/// A peer's word on its own newest list. True: it is newer than the one known here; ask the server for it.
bool take_list_head(Turn& turn, ConversationId const& conversation, AccountId const& account, ListHead const& head);

/// The next version of the own list, if it is due (30 days) or `devices` differ; queued for the server.
void renew_list_if_due(Turn& turn);

std::string hex_id(ByteView id);

}  // namespace interlude::engine
