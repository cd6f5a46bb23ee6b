// Redeeming an invitation: one request that registers the account and founds or joins the conversation, under one
// signature by the invitation key (exact.md, Invitation). Every device of the inviter checks it for itself.
#pragma once

#include <optional>
#include <string>

#include "common/identity/invitation.hpp"

namespace interlude::identity {

/// The founding of a conversation: the invitee made the group and added all the inviter's devices.
struct Founding {
    base::ConversationId conversation;
    std::uint32_t generation = 1;
    bytes::Bytes group_id;
    bytes::Bytes declaration;            // mls_framing::Declaration
    std::vector<bytes::Bytes> welcomes;  // MLSMessage(Welcome) each
    bool operator==(Founding const&) const = default;
};

struct Redemption {
    base::InvitationId invitation;
    std::string server_name;
    InvitationKind kind{};
    base::AccountId account;
    SignedDeviceList device_list;            // the account's first
    base::DeviceId device;                   // the one that redeems; listed
    std::optional<Founding> founding;        // new_conversation: present
    std::vector<bytes::Bytes> key_packages;  // join: at least one
    bool operator==(Redemption const&) const = default;
};

/// Absent parts are empty vectors, an absent generation is 0.
bytes::Bytes encode(Redemption const& redemption);
/// malformed if the parts do not fit the kind. Whole: at most limits::redemption_bytes_max.
base::Result<Redemption> decode_redemption(bytes::ByteView from);

/// What the app stores before it sends it: the same bytes get the same answer.
struct SignedRedemption {
    bytes::Bytes bytes;
    crypto::Signature signature;  // by the invitation key
    bool operator==(SignedRedemption const&) const = default;
};

SignedRedemption sign_redemption(crypto::SigningKey const& invitation_key, Redemption const& redemption);
base::Hash32 redemption_hash(bytes::ByteView redemption_bytes);

struct VerifiedRedemption {
    Redemption redemption;
    VerifiedDeviceList device_list;
};
/// The signature, the invitation id, the kind and server name, the account's first list, its side and the device in it.
/// not_allowed for another invitation, kind or server; bad_signature, bad_key, not_listed as they say.
base::Result<VerifiedRedemption> verify_redemption(SignedRedemption const& received,
                                                   InvitationDocument const& invitation, std::string_view server_name);

}  // namespace interlude::identity
