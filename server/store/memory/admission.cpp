// Invitations and their redemption.
#include "server/core/refusals.hpp"
#include "server/store/memory/memory_store.hpp"

#include "common/crypto/hash.hpp"

namespace interlude::store_memory {

using namespace ports;

MemoryStore::Awaitable<std::optional<core::InvitationRow>> MemoryStore::invitation(InvitationId invitation) {
    auto const found = disk_->invitations.find(invitation);
    if (found == disk_->invitations.end()) co_return std::nullopt;
    co_return found->second;
}

MemoryStore::Awaitable<PutAnswer> MemoryStore::put_invitation(DeviceRef by, wire::SignedDocument document) {
    auto const time = now().now;
    core::InvitationPutFacts facts;
    if (auto const* row = account(by.account)) facts.inviter = row->newest->list();
    for (auto const& [id, row] : disk_->invitations)
        if (row.document.inviter == by.account && core::phase_of(row, time) == wire::InvitationPhase::open)
            ++facts.open_invitations;
    if (auto const decoded = identity::decode_invitation(document.bytes)) {
        auto const stored = disk_->invitations.find(decoded->id());
        if (stored != disk_->invitations.end()) facts.stored = stored->second.as_signed.bytes;
    }
    auto const verdict = core::decide_invitation(facts, by, document, time, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) co_return *refusal;
    auto const& accepted = std::get<core::InvitationAccepted>(verdict);
    if (!accepted.repeated)
        disk_->invitations[accepted.document.id()] = {accepted.document, document, false, false, {}, {}};
    co_return wire::Done{};
}

MemoryStore::Awaitable<void> MemoryStore::put_operator_invitation(identity::InvitationDocument document,
                                                                  core::Seed seed) {
    auto const encoded = identity::encode(document);
    disk_->invitations[document.id()] = {document, {wire::DocumentKind::invitation, encoded, {}}, false, false, {}, {}};
    core::Draws draws(seed);
    audit::OperatorAction const action{audit::OperatorActionKind::invitation_made, {}, crypto::sha256(encoded)};
    append({audit::operator_subject(disk_->info.instance), now().now, action, {}}, draws);
    announce(std::nullopt, {});
    co_return;
}

MemoryStore::Awaitable<PutAnswer> MemoryStore::revoke_invitation(DeviceRef by, InvitationId invitation) {
    if (!listed(by)) co_return core::refused(wire::Rule::invalid);
    auto const found = disk_->invitations.find(invitation);
    if (found == disk_->invitations.end() || found->second.document.inviter != by.account)
        co_return core::refused(wire::Rule::invalid);
    if (found->second.redemption) co_return core::refused(wire::Rule::spent);
    found->second.revoked = true;
    co_return wire::Done{};
}

MemoryStore::Awaitable<wire::Invitations> MemoryStore::list_invitations(DeviceRef by) {
    if (!listed(by)) co_return wire::Invitations{};
    auto const time = now().now;
    wire::Invitations answer;
    for (auto const& [id, row] : disk_->invitations)
        if (row.document.inviter == by.account)
            answer.invitations.push_back({id, core::phase_of(row, time), row.document.expiry, row.second_attempt});
    co_return answer;
}

MemoryStore::Awaitable<RedeemAnswer> MemoryStore::redeem(core::RedeemRequest request) {
    core::RedeemFacts facts;
    auto const found = disk_->invitations.find(request.invitation);
    if (found != disk_->invitations.end()) {
        facts.invitation = found->second;
        if (auto const* inviter = account(found->second.document.inviter)) facts.inviter = inviter->newest->list();
        for (auto const& [device, ref] : disk_->reservations[request.invitation])
            if (disk_->key_packages.contains(ref)) facts.reserved[ref] = device;
    }
    if (auto const needs = core::needs_of(request)) {
        facts.account_exists = account(needs->account) != nullptr;
        facts.conversation_exists = needs->conversation && conversation(*needs->conversation);
    }
    auto const verdict = core::decide_redemption(facts, request, now().now);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) co_return *refusal;
    if (auto const* changed = std::get_if<wire::ListChanged>(&verdict)) co_return *changed;
    if (auto const* again = std::get_if<wire::Redeemed>(&verdict)) co_return *again;
    auto& invitation = found->second;
    if (auto const* attempt = std::get_if<core::SecondAttempt>(&verdict)) {
        invitation.second_attempt = true;
        announce(std::nullopt, {invitation.document.inviter});
        co_return attempt->answer;
    }
    auto const& admission = std::get<core::Admission>(verdict);
    core::Draws draws(request.seed);
    admit(admission, invitation, draws);
    if (admission.founded) {
        found_conversation(admission, invitation, request, draws);
        announce(admission.founded->conversation, {admission.answer.account, invitation.document.inviter});
    } else {
        announce(std::nullopt, {admission.answer.account});
    }
    co_return admission.answer;
}

void MemoryStore::admit(core::Admission const& admission, core::InvitationRow& invitation, core::Draws& draws) {
    auto const id = admission.list.list().account();
    auto const time = admission.list_entry.decided_at;
    AccountRow row;
    row.side = admission.side;
    row.lists = {{core::as_document(admission.list.as_signed()), time}};
    row.newest = admission.list;
    disk_->accounts[id] = std::move(row);
    make_subject(admission.list_entry.subject, audit::SubjectKind::account, id, {}, draws.next());
    append(admission.list_entry, draws);
    invitation.redemption = admission.redemption;
    invitation.answer = admission.answer;
}

void MemoryStore::found_conversation(core::Admission const& admission, core::InvitationRow const& invitation,
                                     core::RedeemRequest const& request, core::Draws& draws) {
    auto const& founded = *admission.founded;
    auto const time = founded.entry.decided_at;
    ConversationRow row;
    row.epoch_began = time;
    row.group_id = founded.group_id;
    row.members[founded.founder.account].side = founded.founder_side;
    auto const join = [&row](DeviceRef const& device) { row.devices[device].delivery = {device, 1, 1, {}}; };
    join(founded.founder);
    for (auto const& joined : founded.joined) {
        row.members[joined.device.account].side = joined.side;
        join(joined.device);
        row.welcomes[joined.device] = {founded.conversation,
                                       1,
                                       1,
                                       founded.founder.device,
                                       time,
                                       joined.welcome,
                                       founded.declaration,
                                       invitation.as_signed,
                                       request.redemption,
                                       request.signature};
    }
    disk_->conversations[founded.conversation] = std::move(row);
    for (auto const& [device, ref] : disk_->reservations[request.invitation]) {
        auto& package = disk_->key_packages.at(ref);
        if (!package.last_resort) package.bytes.clear();
    }
    make_subject(founded.entry.subject, audit::SubjectKind::conversation, {}, founded.conversation, draws.next());
    append(founded.entry, draws);
}

}  // namespace interlude::store_memory
