// Invitations: the key that a link's seed makes, and the document by which an inviter's device registers its public
// half with the server (exact.md, Invitation). The operator's own invitations are records of the server, signed by
// nobody.
#pragma once

#include "common/identity/device_list.hpp"

namespace interlude::identity {

enum class InvitationKind : std::uint8_t {
    therapist = 1,         // the operator's: begins a therapist's account
    new_conversation = 2,  // a therapist's: the invitee founds a conversation with her
    join = 3,              // the invitee joins a conversation that there is
};
base::Result<InvitationKind> invitation_kind_from(std::uint8_t number);
/// The side of the account that an invitation of this kind begins.
base::Side invited_side(InvitationKind kind);

inline constexpr std::size_t invitation_seed_size = 32;

/// The seed has 32 bytes (checked).
crypto::SigningKey invitation_key(bytes::ByteView seed);
base::InvitationId invitation_id(crypto::VerifyKey const& invitation_key);

struct InvitationDocument {
    crypto::VerifyKey invitation_key;
    InvitationKind kind{};
    base::ConversationId conversation;  // of a join; zeros otherwise
    base::AccountId inviter;            // inviter, device and position are zeros in the operator's
    base::DeviceId device;
    ListPosition position;  // the inviter's newest list when she signed
    base::WallTime expiry{};

    base::InvitationId id() const { return invitation_id(invitation_key); }
    bool operator==(InvitationDocument const&) const = default;
};

/// {u8 version = 1, ...} in the order above.
bytes::Bytes encode(InvitationDocument const& document);
/// malformed if the parts do not fit the kind.
base::Result<InvitationDocument> decode_invitation(bytes::ByteView from);

/// The record of an operator's invitation.
InvitationDocument operators_invitation(crypto::VerifyKey const& invitation_key, base::WallTime expiry);

struct SignedInvitation {
    bytes::Bytes bytes;
    crypto::Signature signature;  // by the inviter's device key
    bool operator==(SignedInvitation const&) const = default;
};

SignedInvitation sign_invitation(crypto::SigningKey const& device_key, InvitationDocument const& document);
/// `newest` is the newest list known of the inviter. not_allowed for the operator's kind and for an inviter who is not
/// on the therapist side (new_conversation) of her list; stale and not_listed as for leaves. Expiry is the caller's
/// question.
base::Result<InvitationDocument> verify_invitation(SignedInvitation const& received, DeviceList const& newest);

/// True from the expiry on.
inline bool is_expired(InvitationDocument const& document, base::WallTime now) {
    return now >= document.expiry;
}

}  // namespace interlude::identity
