// Invitations and their redemption.
#include "common/crypto/hash.hpp"
#include "server/core/key_directory.hpp"
#include "server/core/refusals.hpp"
#include "server/store/sqlite/verbs.hpp"

namespace interlude::store_sqlite {

using namespace ports;

namespace {

constexpr std::size_t invitations_per_answer_max = 1024;

identity::InvitationDocument stored_document(Bytes const& encoded) {
    auto document = identity::decode_invitation(encoded);
    if (!document) throw_damaged("an invitation does not parse");
    return std::move(*document);
}

}  // namespace

std::optional<core::InvitationRow> Verbs::invitation(InvitationId const& id) {
    auto rows = db_.query(
        "SELECT document, signature, revoked, second_attempt, redemption, answer_account, answer_conversation"
        " FROM invitations WHERE invitation = ?",
        id);
    if (!rows.next()) return std::nullopt;
    auto [document, signature, revoked, second_attempt, redemption, account, conversation] =
        rows.as<Bytes, Bytes, bool, bool, std::optional<Hash32>, std::optional<AccountId>,
                std::optional<ConversationId>>();
    core::InvitationRow row;
    row.document = stored_document(document);
    row.as_signed = {wire::DocumentKind::invitation, std::move(document), std::move(signature)};
    row.revoked = revoked;
    row.second_attempt = second_attempt;
    row.redemption = redemption;
    if (account) row.answer = wire::Redeemed{*account, conversation};
    return row;
}

PutAnswer Verbs::put_invitation(DeviceRef const& by, wire::SignedDocument const& document) {
    auto const time = now().now;
    core::InvitationPutFacts facts;
    if (auto const list = newest_list(by.account)) facts.inviter = list->list();
    facts.open_invitations = db_.value<int>(
                                    "SELECT count(*) FROM invitations WHERE inviter = ? AND expiry > ? AND revoked = 0 "
                                    "AND redemption IS NULL",
                                    by.account, time)
                                 .value();
    if (auto const decoded = identity::decode_invitation(document.bytes))
        facts.stored = db_.value<Bytes>("SELECT document FROM invitations WHERE invitation = ?", decoded->id());
    auto const verdict = core::decide_invitation(facts, by, document, time, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) return *refusal;
    auto const& accepted = std::get<core::InvitationAccepted>(verdict);
    if (!accepted.repeated)
        db_.run(
            "INSERT INTO invitations (invitation, document, signature, inviter, expiry, revoked, second_attempt)"
            " VALUES (?, ?, ?, ?, ?, 0, 0)",
            accepted.document.id(), document.bytes, document.signature, accepted.document.inviter,
            accepted.document.expiry);
    return wire::Done{};
}

void Verbs::put_operator_invitation(identity::InvitationDocument const& document, core::Seed const& seed) {
    auto const encoded = identity::encode(document);
    db_.run(
        "INSERT OR REPLACE INTO invitations (invitation, document, signature, inviter, expiry, revoked, second_attempt)"
        " VALUES (?, ?, x'', ?, ?, 0, 0)",
        document.id(), encoded, document.inviter, document.expiry);
    record({audit::OperatorActionKind::invitation_made, std::nullopt, crypto::sha256(encoded)}, seed);
}

PutAnswer Verbs::revoke_invitation(DeviceRef const& by, InvitationId const& id) {
    if (!listed(by)) return core::refused(wire::Rule::invalid);
    auto const row = invitation(id);
    if (!row || row->document.inviter != by.account) return core::refused(wire::Rule::invalid);
    if (row->redemption) return core::refused(wire::Rule::spent);
    db_.run("UPDATE invitations SET revoked = 1 WHERE invitation = ?", id);
    return wire::Done{};
}

wire::Invitations Verbs::list_invitations(DeviceRef const& by) {
    if (!listed(by)) return wire::Invitations{};
    std::vector<InvitationId> ids;
    {
        auto rows = db_.query("SELECT invitation FROM invitations WHERE inviter = ? ORDER BY expiry DESC LIMIT ?",
                              by.account, invitations_per_answer_max);
        while (rows.next()) ids.push_back(rows.get<InvitationId>(0));
    }
    std::sort(ids.begin(), ids.end());
    auto const time = now().now;
    wire::Invitations answer;
    for (auto const& id : ids) {
        auto const row = invitation(id).value();
        answer.invitations.push_back({id, core::phase_of(row, time), row.document.expiry, row.second_attempt});
    }
    return answer;
}

// ---- Redeeming -----------------------------------------------------------------------------------------------------

RedeemAnswer Verbs::redeem(core::RedeemRequest const& request) {
    core::RedeemFacts facts;
    facts.invitation = invitation(request.invitation);
    if (facts.invitation) {
        if (auto const list = newest_list(facts.invitation->document.inviter)) facts.inviter = list->list();
        auto rows = db_.query(
            "SELECT ref, reservations.account, reservations.device FROM reservations JOIN key_packages USING (ref)"
            " WHERE invitation = ?",
            request.invitation);
        while (rows.next()) {
            auto const [ref, account, device] = rows.as<KeyPackageRef, AccountId, DeviceId>();
            facts.reserved[ref] = {account, device};
        }
    }
    if (auto const needs = core::needs_of(request)) {
        facts.account_exists = db_.exists("SELECT 1 FROM accounts WHERE account = ?", needs->account);
        facts.conversation_exists = needs->conversation && conversation(*needs->conversation);
    }
    auto const verdict = core::decide_redemption(facts, request, now().now);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) return *refusal;
    if (auto const* changed = std::get_if<wire::ListChanged>(&verdict)) return *changed;
    if (auto const* again = std::get_if<wire::Redeemed>(&verdict)) return *again;
    auto const inviter = facts.invitation->document.inviter;
    if (auto const* attempt = std::get_if<core::SecondAttempt>(&verdict)) {
        db_.run("UPDATE invitations SET second_attempt = 1 WHERE invitation = ?", request.invitation);
        announce(std::nullopt, {inviter});
        return attempt->answer;
    }
    auto const& admission = std::get<core::Admission>(verdict);
    core::Draws draws(request.seed);
    admit(admission, request, draws);
    if (admission.founded) {
        found(admission, *facts.invitation, request, draws);
        announce(admission.founded->conversation, {admission.answer.account, inviter});
    } else {
        announce(std::nullopt, {admission.answer.account});
    }
    return admission.answer;
}

void Verbs::admit(core::Admission const& admission, core::RedeemRequest const& request, core::Draws& draws) {
    auto const account = admission.list.list().account();
    db_.run(
        "INSERT INTO accounts (account, side, suspended, undelivered_messages, undelivered_bytes)"
        " VALUES (?, ?, 0, 0, 0)",
        account, admission.side);
    put_list(admission.list, admission.list_entry.decided_at);
    make_subject(admission.list_entry.subject, audit::SubjectKind::account, account, std::nullopt, draws.next());
    append(admission.list_entry, draws);
    db_.run("UPDATE invitations SET redemption = ?, answer_account = ?, answer_conversation = ? WHERE invitation = ?",
            admission.redemption, admission.answer.account, admission.answer.conversation, request.invitation);
}

void Verbs::found(core::Admission const& admission, core::InvitationRow const& invitation,
                  core::RedeemRequest const& request, core::Draws& draws) {
    auto const& founded = *admission.founded;
    auto const time = founded.entry.decided_at;
    auto const& id = founded.conversation;
    db_.run("INSERT INTO conversations VALUES (?, 1, 1, ?, ?, 0, 1, 0)", id, time, founded.group_id);
    auto const join = [&](DeviceRef const& device, Side side) {
        db_.run("INSERT OR IGNORE INTO members (conversation, account, side) VALUES (?, ?, ?)", id, device.account,
                side);
        put_place(id, {device, 1, 1, {}});
    };
    members_.erase(id);
    join(founded.founder, founded.founder_side);
    for (auto const& joined : founded.joined) {
        join(joined.device, joined.side);
        put_welcome(joined.device, {id, 1, 1, founded.founder.device, time, joined.welcome, founded.declaration,
                                    invitation.as_signed, request.redemption, request.signature});
    }
    db_.run(
        "UPDATE key_packages SET bytes = NULL WHERE last_resort = 0 AND ref IN"
        " (SELECT ref FROM reservations WHERE invitation = ?)",
        request.invitation);
    make_subject(founded.entry.subject, audit::SubjectKind::conversation, std::nullopt, id, draws.next());
    append(founded.entry, draws);
}

}  // namespace interlude::store_sqlite
