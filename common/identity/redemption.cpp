#include "common/identity/redemption.hpp"

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/labels.hpp"

namespace interlude::identity {

using base::Errc;
using base::Result;
using bytes::Bytes;

namespace {

constexpr std::size_t whole_max = base::limits::redemption_bytes_max;
constexpr std::size_t list_bytes_max = 1024;
constexpr std::size_t group_id_bytes_max = 255;
constexpr std::size_t declaration_bytes_max = 8 * 1024;
constexpr std::size_t parts_max = 64;  // Welcomes, or key packages

void write_parts(bytes::Writer& out, std::vector<Bytes> const& parts) {
    out.vector_of(parts, [](bytes::Writer& to, Bytes const& part) { to.opaque(part); });
}

Result<std::vector<Bytes>> read_parts(bytes::Reader& in) {
    INTERLUDE_TRY(auto items, in.vector(whole_max));
    std::vector<Bytes> out;
    while (!items.empty()) {
        if (out.size() == parts_max) return Errc::too_long;
        INTERLUDE_TRY(auto part, items.opaque(whole_max));
        if (part.empty()) return Errc::malformed;
        out.push_back(bytes::copy(part));
    }
    return out;
}

// All five fields of a founding are there, or none is.
Result<std::optional<Founding>> read_founding(bytes::Reader& in) {
    Founding out;
    INTERLUDE_TRY(auto conversation, in.opaque(base::ConversationId::size));
    INTERLUDE_TRY(out.generation, in.u32());
    INTERLUDE_TRY(auto group_id, in.opaque(group_id_bytes_max));
    INTERLUDE_TRY(auto declaration, in.opaque(declaration_bytes_max));
    INTERLUDE_TRY(out.welcomes, read_parts(in));
    if (conversation.empty() && out.generation == 0 && group_id.empty() && declaration.empty() && out.welcomes.empty())
        return std::optional<Founding>();
    auto const id = base::ConversationId::from(conversation);
    if (!id || id->is_zero() || out.generation == 0 || group_id.empty() || declaration.empty() || out.welcomes.empty())
        return Errc::malformed;
    out.conversation = *id;
    out.group_id = bytes::copy(group_id);
    out.declaration = bytes::copy(declaration);
    return std::optional<Founding>(std::move(out));
}

bool fits_its_kind(Redemption const& redemption) {
    bool const founds = redemption.founding.has_value();
    bool const offers = !redemption.key_packages.empty();
    switch (redemption.kind) {
        case InvitationKind::therapist:
            return !founds && !offers;
        case InvitationKind::new_conversation:
            return founds && !offers;
        case InvitationKind::join:
            return !founds && offers;
    }
    return false;
}

}  // namespace

Bytes encode(Redemption const& redemption) {
    bytes::Writer out;
    out.id(redemption.invitation).opaque(bytes::view(redemption.server_name));
    out.u8(static_cast<std::uint8_t>(redemption.kind)).id(redemption.account);
    out.opaque(redemption.device_list.bytes).id(redemption.device_list.signature).id(redemption.device);
    if (auto const& founding = redemption.founding) {
        out.opaque(founding->conversation.bytes).u32(founding->generation).opaque(founding->group_id);
        out.opaque(founding->declaration);
        write_parts(out, founding->welcomes);
    } else {
        out.opaque({}).u32(0).opaque({}).opaque({}).opaque({});
    }
    write_parts(out, redemption.key_packages);
    return std::move(out).take();
}

Result<Redemption> decode_redemption(bytes::ByteView from) {
    if (from.size() > whole_max) return Errc::too_long;
    bytes::Reader in(from);
    Redemption out;
    INTERLUDE_TRY(out.invitation, in.id<base::InvitationId>());
    INTERLUDE_TRY(auto server_name, in.opaque(base::limits::server_name_bytes_max));
    out.server_name = bytes::text(server_name);
    INTERLUDE_TRY(auto kind, in.u8());
    INTERLUDE_TRY(out.kind, invitation_kind_from(kind));
    INTERLUDE_TRY(out.account, in.id<base::AccountId>());
    INTERLUDE_TRY(auto list, in.opaque(list_bytes_max));
    out.device_list.bytes = bytes::copy(list);
    INTERLUDE_TRY(out.device_list.signature, in.id<crypto::Signature>());
    INTERLUDE_TRY(out.device, in.id<base::DeviceId>());
    INTERLUDE_TRY(out.founding, read_founding(in));
    INTERLUDE_TRY(out.key_packages, read_parts(in));
    INTERLUDE_TRY_VOID(in.finish());
    if (!fits_its_kind(out)) return Errc::malformed;
    return out;
}

SignedRedemption sign_redemption(crypto::SigningKey const& invitation_key, Redemption const& redemption) {
    auto bytes = encode(redemption);
    INTERLUDE_CHECK(decode_redemption(bytes).has_value());
    auto const signature = crypto::sign_labelled(invitation_key, labels::redemption, bytes);
    return {std::move(bytes), signature};
}

base::Hash32 redemption_hash(bytes::ByteView redemption_bytes) {
    return crypto::labelled_hash(labels::redemption_hash, redemption_bytes);
}

Result<VerifiedRedemption> verify_redemption(SignedRedemption const& received, InvitationDocument const& invitation,
                                             std::string_view server_name) {
    INTERLUDE_TRY_VOID(crypto::verify_labelled(invitation.invitation_key.bytes, labels::redemption, received.bytes,
                                               received.signature.bytes));
    INTERLUDE_TRY(auto redemption, decode_redemption(received.bytes));
    if (redemption.invitation != invitation.id() || redemption.kind != invitation.kind ||
        redemption.server_name != server_name)
        return Errc::not_allowed;
    INTERLUDE_TRY(auto list, verify_first(redemption.device_list));
    if (list.list().account() != redemption.account) return Errc::inconsistent;
    if (list.list().identity.side != invited_side(redemption.kind)) return Errc::not_allowed;
    if (list.list().find(redemption.device) == nullptr) return Errc::not_listed;
    return VerifiedRedemption{std::move(redemption), std::move(list)};
}

}  // namespace interlude::identity
