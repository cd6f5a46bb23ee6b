#include "server/core/admission.hpp"

#include <algorithm>
#include <set>

#include "server/core/key_directory.hpp"
#include "server/core/refusals.hpp"

namespace interlude::core {
namespace {

using identity::InvitationKind;

/// The inviter's devices that the founding added are those of her newest list; otherwise the invitee founds anew.
bool covers_newest_list(mls_framing::Declaration const& declaration, identity::DeviceList const& inviter) {
    std::set<DeviceId> added, listed;
    for (auto const& device : declaration.added)
        if (device.account == inviter.account()) added.insert(device.device);
    for (auto const& device : inviter.devices) listed.insert(device.id);
    return added == listed;
}

bool is_founding_declaration(mls_framing::Declaration const& declaration, identity::Founding const& founding,
                             identity::DeviceList const& inviter, RedeemFacts const& facts) {
    bool const says_founding = declaration.conversation == founding.conversation &&
                               declaration.generation == founding.generation && declaration.epoch_before == 0 &&
                               declaration.removed.empty();
    return says_founding && std::all_of(declaration.added.begin(), declaration.added.end(), [&](auto const& added) {
               auto const reserved = facts.reserved.find(added.ref);
               return added.account == inviter.account() && added.side == inviter.identity.side &&
                      reserved != facts.reserved.end() && reserved->second == DeviceRef{added.account, added.device};
           });
}

using FoundingVerdict = std::variant<FoundedConversation, wire::ListChanged, wire::Refused>;

FoundingVerdict decide_founding(identity::Redemption const& redemption, Hash32 const& redemption_hash,
                                RedeemFacts const& facts, WallTime now) {
    auto const& founding = *redemption.founding;
    auto const declaration = mls_framing::decode_declaration(founding.declaration);
    if (!declaration || !facts.inviter || founding.generation != 1) return refused(wire::Rule::invalid);
    if (!covers_newest_list(*declaration, *facts.inviter)) return wire::ListChanged{};
    auto joined = match_welcomes(*declaration, founding.welcomes);
    if (!joined || facts.conversation_exists || founding.group_id.empty() ||
        !is_founding_declaration(*declaration, founding, *facts.inviter, facts))
        return refused(wire::Rule::invalid);

    FoundedConversation founded;
    founded.conversation = founding.conversation;
    founded.group_id = founding.group_id;
    founded.declaration = founding.declaration;
    founded.founder = {redemption.account, redemption.device};
    founded.founder_side = identity::invited_side(redemption.kind);
    founded.joined = std::move(*joined);
    // A founding has no commit on the wire: the signed redemption stands in its place.
    audit::EpochAccepted const entry{founding.generation, 1, redemption_hash,
                                     mls_framing::declaration_hash(founding.declaration)};
    founded.entry = {audit::subject_of(founding.conversation), now, entry, std::nullopt};
    return founded;
}

std::optional<identity::SignedRedemption> as_signed(RedeemRequest const& request) {
    auto const signature = crypto::Signature::from(request.signature);
    if (!signature) return std::nullopt;
    return identity::SignedRedemption{request.redemption, *signature};
}

}  // namespace

wire::InvitationPhase phase_of(InvitationRow const& row, WallTime now) {
    if (row.redemption) return wire::InvitationPhase::redeemed;
    if (row.revoked) return wire::InvitationPhase::revoked;
    return identity::is_expired(row.document, now) ? wire::InvitationPhase::expired : wire::InvitationPhase::open;
}

std::variant<InvitationAccepted, wire::Refused> decide_invitation(InvitationPutFacts const& facts, DeviceRef const& by,
                                                                  wire::SignedDocument const& document, WallTime now,
                                                                  Policy const& policy) {
    auto const signature = crypto::Signature::from(document.signature);
    if (document.kind != wire::DocumentKind::invitation || !signature || !facts.inviter)
        return refused(wire::Rule::invalid);
    auto const invitation = identity::verify_invitation({document.bytes, *signature}, *facts.inviter);
    if (!invitation || invitation->inviter != by.account || invitation->device != by.device)
        return refused(wire::Rule::invalid);
    if (facts.stored) {
        if (*facts.stored != document.bytes) return refused(wire::Rule::invalid);
        return InvitationAccepted{*invitation, true};
    }
    if (invitation->kind != InvitationKind::new_conversation) return refused(wire::Rule::not_yet);
    if (identity::is_expired(*invitation, now)) return refused(wire::Rule::expired);
    if (invitation->expiry > now + policy.invitation_life_max) return refused(wire::Rule::invalid);
    if (facts.open_invitations >= policy.open_invitations_max) return refused(wire::Rule::quota);
    return InvitationAccepted{*invitation, false};
}

std::optional<RedeemNeeds> needs_of(RedeemRequest const& request) {
    auto const redemption = identity::decode_redemption(request.redemption);
    if (!redemption) return std::nullopt;
    RedeemNeeds needs{redemption->account, std::nullopt};
    if (redemption->founding) needs.conversation = redemption->founding->conversation;
    return needs;
}

RedeemVerdict decide_redemption(RedeemFacts const& facts, RedeemRequest const& request, WallTime now) {
    auto const signed_redemption = as_signed(request);
    if (!facts.invitation || !signed_redemption) return refused(wire::Rule::invalid);
    auto const& invitation = *facts.invitation;
    auto const verified = identity::verify_redemption(*signed_redemption, invitation.document, request.server_name);
    if (!verified) return refused(wire::Rule::invalid);

    auto const hash = identity::redemption_hash(request.redemption);
    if (invitation.redemption) {
        if (*invitation.redemption == hash) return *invitation.answer;
        return SecondAttempt{refused(wire::Rule::spent)};
    }
    if (phase_of(invitation, now) != wire::InvitationPhase::open) return refused(wire::Rule::expired);
    if (facts.account_exists) return refused(wire::Rule::invalid);
    auto const& redemption = verified->redemption;
    if (redemption.kind == InvitationKind::join) return refused(wire::Rule::not_yet);

    Admission admission{verified->device_list,
                        verified->device_list.list().identity.side,
                        entry_for(verified->device_list, now),
                        std::nullopt,
                        hash,
                        {redemption.account, std::nullopt}};
    if (redemption.founding) {
        auto founding = decide_founding(redemption, hash, facts, now);
        if (auto const* changed = std::get_if<wire::ListChanged>(&founding)) return *changed;
        if (auto const* refusal = std::get_if<wire::Refused>(&founding)) return *refusal;
        admission.founded = std::get<FoundedConversation>(std::move(founding));
        admission.answer.conversation = admission.founded->conversation;
    }
    return admission;
}

}  // namespace interlude::core
