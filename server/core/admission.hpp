// Invitations: who may put one, and what redeeming it does, all in one transaction (exact.md, Invitation).
#pragma once

#include <map>
#include <string>
#include <variant>

#include "common/identity/invitation.hpp"
#include "common/identity/redemption.hpp"
#include "common/mls_framing/declaration.hpp"
#include "common/wire/frames.hpp"
#include "server/core/audit_events.hpp"
#include "server/core/epoch_gate.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

// ---- Putting one ---------------------------------------------------------------------------------------------------

struct InvitationPutFacts {
    std::optional<identity::DeviceList> inviter;  // newest list of the putting account
    int open_invitations = 0;                     // of the account, not expired
    std::optional<Bytes> stored;                  // the document stored under the same id
};
/// Done: store it (or it is stored already, with the same bytes).
struct InvitationAccepted {
    identity::InvitationDocument document;
    bool repeated = false;
};
std::variant<InvitationAccepted, wire::Refused> decide_invitation(InvitationPutFacts const& facts, DeviceRef const& by,
                                                                  wire::SignedDocument const& document, WallTime now,
                                                                  Policy const& policy);

// ---- Redeeming -----------------------------------------------------------------------------------------------------

/// What a store remembers of an invitation.
struct InvitationRow {
    identity::InvitationDocument document;
    wire::SignedDocument as_signed;  // an operator's has no signature
    bool revoked = false;
    bool second_attempt = false;
    std::optional<Hash32> redemption;  // hash of the redemption that spent it
    std::optional<wire::Redeemed> answer;
};
/// The phase that a reader is told.
wire::InvitationPhase phase_of(InvitationRow const& row, WallTime now);

struct RedeemRequest {
    std::string server_name;
    InvitationId invitation;  // of the invited link
    Bytes redemption;
    Bytes signature;
    Seed seed;
};

struct RedeemFacts {
    std::optional<InvitationRow> invitation;
    std::optional<identity::DeviceList> inviter;  // newest list; absent for an operator's invitation
    bool account_exists = false;
    bool conversation_exists = false;
    std::map<KeyPackageRef, DeviceRef> reserved;  // for this invitation
};
/// Ids that the facts are about, once the redemption parses; nullopt otherwise.
struct RedeemNeeds {
    AccountId account;
    std::optional<ConversationId> conversation;
};
std::optional<RedeemNeeds> needs_of(RedeemRequest const& request);

/// Generation 1 of a conversation, at epoch 1.
struct FoundedConversation {
    ConversationId conversation;
    Bytes group_id;
    Bytes declaration;
    DeviceRef founder;
    Side founder_side{};
    std::vector<JoinedDevice> joined;  // the inviter's devices with their Welcomes
    EntryDraft entry;                  // `epoch`
};

/// The account with its first list, and what else the kind brings.
struct Admission {
    identity::VerifiedDeviceList list;
    Side side{};
    EntryDraft list_entry;  // `device_list`
    std::optional<FoundedConversation> founded;
    Hash32 redemption;
    wire::Redeemed answer;
};
/// Refused as spent: the store marks `second_attempt` and commits; the inviter is told.
struct SecondAttempt {
    wire::Refused answer;
};
/// wire::Redeemed: the same redemption again, the same answer.
using RedeemVerdict = std::variant<Admission, wire::Redeemed, wire::ListChanged, SecondAttempt, wire::Refused>;

RedeemVerdict decide_redemption(RedeemFacts const& facts, RedeemRequest const& request, WallTime now);

}  // namespace interlude::core
