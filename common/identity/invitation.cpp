#include "common/identity/invitation.hpp"

#include "common/base/check.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/labels.hpp"

namespace interlude::identity {

using base::Errc;
using base::Result;

namespace {

constexpr std::uint8_t invitation_version = 1;

// The operator's invitation names nobody; every other one names a device and the list that has it. A join alone names
// its conversation.
bool fits_its_kind(InvitationDocument const& document) {
    bool const nobody = document.inviter.is_zero() && document.device.is_zero() && document.position == ListPosition{};
    bool const somebody =
        !document.inviter.is_zero() && document.position.generation > 0 && document.position.version > 0;
    switch (document.kind) {
        case InvitationKind::therapist:
            return nobody && document.conversation.is_zero();
        case InvitationKind::new_conversation:
            return somebody && document.conversation.is_zero();
        case InvitationKind::join:
            return somebody && !document.conversation.is_zero();
    }
    return false;
}

}  // namespace

Result<InvitationKind> invitation_kind_from(std::uint8_t number) {
    auto const kind = static_cast<InvitationKind>(number);
    switch (kind) {
        case InvitationKind::therapist:
        case InvitationKind::new_conversation:
        case InvitationKind::join:
            return kind;
    }
    return Errc::unsupported;
}

base::Side invited_side(InvitationKind kind) {
    return kind == InvitationKind::therapist ? base::Side::therapist : base::Side::client;
}

crypto::SigningKey invitation_key(bytes::ByteView seed) {
    INTERLUDE_CHECK(seed.size() == invitation_seed_size);
    auto const pseudorandom_key = crypto::hkdf_extract({}, seed);
    auto const key_seed = crypto::hkdf_expand(pseudorandom_key.expose(), bytes::labelled(labels::invitation_key, {}),
                                              crypto::ed25519_seed_size);
    return *crypto::SigningKey::from_seed(key_seed.expose());
}

base::InvitationId invitation_id(crypto::VerifyKey const& invitation_key) {
    return {crypto::labelled_hash(labels::invitation_id, invitation_key.bytes).bytes};
}

bytes::Bytes encode(InvitationDocument const& document) {
    bytes::Writer out;
    out.u8(invitation_version).id(document.invitation_key).u8(static_cast<std::uint8_t>(document.kind));
    out.id(document.conversation).id(document.inviter).id(document.device);
    out.u64(document.position.generation).u64(document.position.version).time(document.expiry);
    return std::move(out).take();
}

Result<InvitationDocument> decode_invitation(bytes::ByteView from) {
    bytes::Reader in(from);
    INTERLUDE_TRY(auto version, in.u8());
    if (version != invitation_version) return Errc::unsupported;
    InvitationDocument out;
    INTERLUDE_TRY(out.invitation_key, in.id<crypto::VerifyKey>());
    INTERLUDE_TRY(auto kind, in.u8());
    INTERLUDE_TRY(out.kind, invitation_kind_from(kind));
    INTERLUDE_TRY(out.conversation, in.id<base::ConversationId>());
    INTERLUDE_TRY(out.inviter, in.id<base::AccountId>());
    INTERLUDE_TRY(out.device, in.id<base::DeviceId>());
    INTERLUDE_TRY(out.position.generation, in.u64());
    INTERLUDE_TRY(out.position.version, in.u64());
    INTERLUDE_TRY(out.expiry, in.time());
    INTERLUDE_TRY_VOID(in.finish());
    if (!fits_its_kind(out)) return Errc::malformed;
    return out;
}

InvitationDocument operators_invitation(crypto::VerifyKey const& invitation_key, base::WallTime expiry) {
    InvitationDocument out;
    out.invitation_key = invitation_key;
    out.kind = InvitationKind::therapist;
    out.expiry = expiry;
    return out;
}

SignedInvitation sign_invitation(crypto::SigningKey const& device_key, InvitationDocument const& document) {
    INTERLUDE_CHECK(fits_its_kind(document) && document.kind != InvitationKind::therapist);
    auto bytes = encode(document);
    auto const signature = crypto::sign_labelled(device_key, labels::invitation, bytes);
    return {std::move(bytes), signature};
}

Result<InvitationDocument> verify_invitation(SignedInvitation const& received, DeviceList const& newest) {
    INTERLUDE_TRY(auto document, decode_invitation(received.bytes));
    if (document.kind == InvitationKind::therapist) return Errc::not_allowed;
    if (document.inviter != newest.account()) return Errc::not_listed;
    if (document.kind == InvitationKind::new_conversation && newest.identity.side != base::Side::therapist)
        return Errc::not_allowed;
    if (document.position > newest.position()) return Errc::stale;
    auto const* listed = newest.find(document.device);
    if (listed == nullptr) return Errc::not_listed;
    INTERLUDE_TRY_VOID(
        crypto::verify_labelled(listed->auth_key.bytes, labels::invitation, received.bytes, received.signature.bytes));
    return document;
}

}  // namespace interlude::identity
