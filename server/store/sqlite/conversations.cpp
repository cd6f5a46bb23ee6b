// Commits, messages and what ends them before delivery.
#include <algorithm>

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "server/core/key_directory.hpp"
#include "server/core/recall.hpp"
#include "server/core/refusals.hpp"
#include "server/store/sqlite/verbs.hpp"

namespace interlude::store_sqlite {

using namespace ports;

// ---- Places --------------------------------------------------------------------------------------------------------

void Verbs::put_place(ConversationId const& id, core::DeliveryRow const& row) {
    db_.run("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0)", id, row.device.account,
            row.device.device, row.joined_epoch, row.handshake_acked, row.acked.encode());
}

void Verbs::remove_place(ConversationId const& id, DeviceRef const& device) {
    db_.run("DELETE FROM places WHERE conversation = ? AND account = ? AND device = ?", id, device.account,
            device.device);
    db_.run("DELETE FROM welcomes WHERE conversation = ? AND account = ? AND device = ?", id, device.account,
            device.device);
    // What it committed stays counted: added anew by another of its account's devices, it has no fresh hour.
}

void Verbs::put_welcome(DeviceRef const& device, wire::Welcome const& welcome) {
    std::optional<Bytes> document, signature;
    if (welcome.invitation) {
        document = welcome.invitation->bytes;
        signature = welcome.invitation->signature;
    }
    db_.run(
        "INSERT OR REPLACE INTO welcomes (conversation, account, device, generation, epoch, sender_device, stamp, mls,"
        " declaration, invitation, invitation_signature, redemption, redemption_signature)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        welcome.conversation, device.account, device.device, welcome.generation, welcome.epoch, welcome.sender_device,
        welcome.stamp, welcome.mls, welcome.declaration, document, signature, welcome.redemption,
        welcome.redemption_signature);
}

// ---- Commits -------------------------------------------------------------------------------------------------------

std::optional<wire::Handshake> Verbs::handshake(ConversationId const& id, std::uint64_t epoch) {
    auto rows = db_.query(
        "SELECT generation, sender_device, stamp, mls, declaration FROM handshakes WHERE conversation = ? AND epoch = "
        "?",
        id, epoch);
    if (!rows.next()) return std::nullopt;
    auto [generation, device, stamp, mls, declaration] = rows.as<std::uint32_t, DeviceId, WallTime, Bytes, Bytes>();
    return wire::Handshake{id, generation, epoch, device, stamp, std::move(mls), std::move(declaration)};
}

// An envelope's epoch is the present one at its acceptance or, for stragglers, the one before: so by seq only they are
// out of order.
std::uint64_t Verbs::oldest_kept_epoch(ConversationId const& id, std::uint64_t present) {
    auto const first =
        db_.value<std::uint64_t>("SELECT epoch FROM envelopes WHERE conversation = ? ORDER BY seq LIMIT 1", id);
    auto const straggler = db_.value<std::optional<std::uint64_t>>(
        "SELECT min(epoch) FROM envelopes WHERE conversation = ? AND straggler", id);
    return std::min(first.value_or(present), straggler.value().value_or(present));
}

core::CommitFacts Verbs::commit_facts(core::CommitSubmission const& submission, WallTime time) {
    auto const& commit = submission.commit;
    auto const& id = commit.conversation;
    auto const& [account, device] = submission.sender;
    core::CommitFacts facts;
    auto const place = place_of(id, submission.sender);
    if (!place) return facts;
    auto const row = conversation(id).value();
    facts.member = true;
    facts.closed = row.closed;
    facts.generation = row.generation;
    facts.epoch = row.epoch;
    facts.group_id = row.group_id;
    facts.roster = roster_of(id);
    for (auto const& member : facts.roster) facts.lists.emplace(member.account, newest_list(member.account)->list());
    for (auto const& ref : core::needs_of(commit).refs) {
        auto const owner =
            db_.first<AccountId, DeviceId>("SELECT account, device FROM key_packages WHERE ref = ?", ref);
        if (owner) facts.packages[ref] = {std::get<0>(*owner), std::get<1>(*owner)};
    }
    auto const since = [&](base::Millis span) {
        return db_
            .value<int>("SELECT count(*) FROM commits WHERE conversation = ? AND account = ? AND device = ? AND at > ?",
                        id, account, device, time - span)
            .value();
    };
    facts.commits_last_hour = since(std::chrono::hours{1});
    facts.committed_today = since(std::chrono::hours{24}) > 0;
    facts.sent_since_commit = place->sent_since_commit;
    facts.retained_epochs = row.epoch - oldest_kept_epoch(id, row.epoch);
    for (auto const& [gated, calendar] : calendars_of(id))
        facts.gate_closed = facts.gate_closed || !calendar || !calendar->open(time);
    facts.winner = handshake(id, commit.epoch);
    return facts;
}

CommitOutcome Verbs::accept_commit(core::CommitSubmission const& submission) {
    auto const time = now().now;
    auto const facts = commit_facts(submission, time);
    auto const verdict = core::check_epoch(facts, submission, time, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) return {*refusal};
    if (auto const* conflict = std::get_if<wire::Conflict>(&verdict)) return {*conflict};
    if (auto const* again = std::get_if<wire::Accepted>(&verdict)) return {*again};
    auto const& acceptance = std::get<core::CommitAcceptance>(verdict);
    core::Draws draws(submission.seed);
    carry_out(submission, acceptance, draws);
    announce(submission.commit.conversation, accounts_of(submission.commit.conversation));
    return {wire::Accepted{acceptance.epoch_begun}};
}

void Verbs::carry_out(core::CommitSubmission const& submission, core::CommitAcceptance const& acceptance,
                      core::Draws& draws) {
    auto const& commit = submission.commit;
    auto const& id = commit.conversation;
    auto const& [account, device] = submission.sender;
    auto const time = acceptance.entry.decided_at;
    db_.run(
        "INSERT INTO handshakes (conversation, epoch, generation, sender_device, stamp, mls, declaration)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        id, commit.epoch, commit.generation, device, submission.stamp, commit.mls, commit.declaration);
    db_.run("UPDATE conversations SET epoch = ?, epoch_began = ? WHERE conversation = ?", acceptance.epoch_begun, time,
            id);
    for (auto const& removed : acceptance.removed) remove_place(id, removed);
    auto const next_seq = conversation(id)->next_seq;
    for (auto const& added : acceptance.added) {
        core::DeliveryRow row{added.device, acceptance.epoch_begun, acceptance.epoch_begun, {}};
        row.acked.advance_to(next_seq);
        put_place(id, row);
        put_welcome(added.device, {id,
                                   commit.generation,
                                   acceptance.epoch_begun,
                                   device,
                                   submission.stamp,
                                   added.welcome,
                                   commit.declaration,
                                   std::nullopt,
                                   {},
                                   {}});
    }
    db_.run("INSERT INTO commits (conversation, account, device, at, epoch) VALUES (?, ?, ?, ?, ?)", id, account,
            device, time, commit.epoch);
    db_.run("UPDATE places SET sent_since_commit = 0 WHERE conversation = ? AND account = ? AND device = ?", id,
            account, device);
    append(acceptance.entry, draws);
    if (!acceptance.removed.empty()) settle(id);
}

// ---- Messages ------------------------------------------------------------------------------------------------------

namespace {

Bytes encode_holds(std::vector<wire::Hold> const& holds) {
    bytes::Writer to;
    for (auto const& hold : holds) {
        to.id(hold.account).boolean(hold.until.has_value());
        if (hold.until) to.time(*hold.until);
    }
    return std::move(to).take();
}

base::Result<std::vector<wire::Hold>> decode_holds(Bytes const& from) {
    std::vector<wire::Hold> holds;
    for (bytes::Reader reader(from); !reader.empty();) {
        wire::Hold hold;
        INTERLUDE_TRY(auto const account, reader.raw(AccountId::size));
        hold.account = *AccountId::from(account);
        INTERLUDE_TRY(bool const known, reader.boolean());
        if (known) {
            INTERLUDE_TRY(hold.until, reader.time());
        }
        holds.push_back(hold);
    }
    return holds;
}

}  // namespace

core::SubmissionFacts Verbs::submission_facts(core::Submission const& submission) {
    core::SubmissionFacts facts;
    auto const& id = submission.send.conversation;
    auto const& [account, device] = submission.sender;
    if (auto bound = db_.first<ConversationId, wire::Wish, std::uint64_t, WallTime, Hash32, Bytes,
                               std::optional<std::uint64_t>, std::optional<std::uint64_t>>(
            "SELECT conversation, wish, seq, stamp, envelope, holds, entry, replaced FROM requests"
            " WHERE account = ? AND device = ? AND request = ?",
            account, device, submission.request)) {
        auto const& [in, wish, seq, stamp, envelope, encoded, entry, replaced] = *bound;
        auto holds = decode_holds(encoded);
        if (!holds) throw_damaged("an answer does not parse");
        facts.bound = core::BoundAnswer{in, wish, seq, stamp, envelope, std::move(*holds), entry, replaced};
        return facts;
    }
    if (!db_.exists("SELECT 1 FROM places WHERE conversation = ? AND account = ? AND device = ? AND dropped = 0", id,
                    account, device))
        return facts;
    auto const row = conversation(id).value();
    facts.member = true;
    facts.closed = row.closed;
    facts.generation = row.generation;
    facts.epoch = row.epoch;
    facts.epoch_began = row.epoch_began;
    facts.group_id = row.group_id;
    facts.next_seq = row.next_seq;
    facts.instance = instance_;
    if (submission.send.replaces) facts.replaced = this->envelope(id, *submission.send.replaces);
    auto rows = db_.query(
        "SELECT account, members.side, undelivered_messages, undelivered_bytes, kept_messages, kept_bytes"
        " FROM members JOIN accounts USING (account) WHERE conversation = ? ORDER BY account",
        id);
    std::uint64_t messages_here = 0, bytes_here = 0;
    while (rows.next()) {
        auto const [member, side, messages, bytes, own_messages, own_bytes] =
            rows.as<AccountId, Side, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>();
        messages_here += own_messages;
        bytes_here += own_bytes;
        facts.members.push_back({member, side, nullptr, messages, bytes, own_messages, own_bytes});
    }
    for (auto& member : facts.members) {  // what the others wrote waits for this one
        member.undelivered_messages_here = messages_here - member.undelivered_messages_here;
        member.undelivered_bytes_here = bytes_here - member.undelivered_bytes_here;
    }
    for (auto& member : facts.members)
        if (member.side == Side::therapist) member.calendar = calendar_of(member.account);
    return facts;
}

AcceptOutcome Verbs::accept(core::Submission const& submission) {
    auto const time = now();
    auto const facts = submission_facts(submission);
    AcceptOutcome outcome{core::decide_submission(facts, submission, time, policy_), std::nullopt};
    std::optional<std::uint64_t> entry;
    if (auto const* acceptance = std::get_if<core::Acceptance>(&outcome.verdict)) {
        core::Draws draws(submission.seed);
        if (acceptance->recall)
            recall_from(submission.sender, submission.send.conversation, *facts.replaced, *acceptance->recall, draws);
        if (acceptance->entry) entry = append(*acceptance->entry, draws);
        carry_out(submission, facts, *acceptance, entry);
        std::vector<AccountId> accounts;
        for (auto const& member : facts.members) accounts.push_back(member.account);
        announce_envelope(submission.send.conversation, acceptance->seq, std::move(accounts), submission.sender);
    } else if (auto const* again = std::get_if<core::BoundAnswer>(&outcome.verdict)) {
        entry = again->entry;
    }
    if (entry) {
        auto row = log_row(*entry);
        if (!row.payload.empty()) outcome.entry = std::move(row);
    }
    return outcome;
}

void Verbs::carry_out(core::Submission const& submission, core::SubmissionFacts const& facts,
                      core::Acceptance const& acceptance, std::optional<std::uint64_t> entry) {
    auto const& send = submission.send;
    auto const& id = send.conversation;
    auto const& [account, device] = submission.sender;
    auto const size = send.mls.size();
    db_.run(
        "INSERT INTO envelopes (conversation, seq, generation, epoch, account, device, late_sender, stamp, hash, size,"
        " straggler, look_at, mls) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id, acceptance.seq, send.generation, send.epoch, account, device, acceptance.late_sender, acceptance.stamp,
        acceptance.envelope, size, send.epoch != facts.epoch, acceptance.stamp + policy_.hold_life, send.mls);
    if (envelopes_kept_) ++*envelopes_kept_;
    db_.run("UPDATE conversations SET next_seq = ? WHERE conversation = ?", acceptance.seq + 1, id);
    db_.run(
        "UPDATE places SET last_own_seq = ?, sent_since_commit = sent_since_commit + 1"
        " WHERE conversation = ? AND account = ? AND device = ?",
        acceptance.seq, id, account, device);
    db_.run(
        "UPDATE members SET kept_messages = kept_messages + 1, kept_bytes = kept_bytes + ?"
        " WHERE conversation = ? AND account = ?",
        size, id, account);
    for (auto const& member : facts.members)
        if (member.account != account)
            db_.run(
                "UPDATE accounts SET undelivered_messages = undelivered_messages + 1,"
                " undelivered_bytes = undelivered_bytes + ? WHERE account = ?",
                size, member.account);
    db_.run(
        "INSERT INTO requests (account, device, request, conversation, wish, seq, stamp, envelope, holds, entry,"
        " replaced) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        account, device, submission.request, id, send.wish, acceptance.seq, acceptance.stamp, acceptance.envelope,
        encode_holds(acceptance.holds), entry, send.replaces);
}

RecallAnswer Verbs::recall(DeviceRef const& by, ConversationId const& id, std::uint64_t seq, core::Seed const& seed) {
    auto const time = now();
    core::RecallFacts facts;
    if (place_of(id, by)) {
        facts.member = true;
        facts.envelope = envelope(id, seq);
        facts.recalled_before = db_.exists(
            "SELECT 1 FROM fates WHERE conversation = ? AND seq = ? AND kind = ? AND author = ? AND device = ?", id,
            seq, wire::FateKind::recalled, by.account, by.device);
        facts.recipients = accounts_of(id);
        facts.calendars = calendars_of(id);
    }
    auto const verdict = core::decide_recall(facts, by, id, time);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) return *refusal;
    if (std::holds_alternative<wire::TooLate>(verdict)) return wire::TooLate{};
    if (std::holds_alternative<wire::Done>(verdict)) return wire::Done{};
    core::Draws draws(seed);
    recall_from(by, id, *facts.envelope, std::get<core::Recalling>(verdict).entry, draws);
    return wire::Done{};
}

void Verbs::recall_from(DeviceRef const& by, ConversationId const& id, core::EnvelopeRow const& envelope,
                        core::EntryDraft entry, core::Draws& draws) {
    append(std::move(entry), draws);
    forget(id, {envelope}, accounts_of(id));
    note_fate(by, now().now, {id, envelope.seq, wire::FateKind::recalled, std::nullopt});
    announce(id, {by.account});
}

PutAnswer Verbs::close_conversation(DeviceRef const& by, ConversationId const& id) {
    if (!place_of(id, by)) return core::refused(wire::Rule::not_a_member);
    int clients = 0;
    bool by_client = false;
    auto const members = members_of(id);
    for (auto const& member : members) {
        if (member.side != Side::client) continue;
        ++clients;
        by_client = by_client || member.account == by.account;
    }
    if (by_client && clients > 1) return core::refused(wire::Rule::invalid);
    db_.run("UPDATE conversations SET closed = 1 WHERE conversation = ?", id);
    announce(id, accounts_of(id));
    return wire::Done{};
}

void Verbs::confirm(DeviceRef const& by, std::vector<RequestId> const& ids) {
    for (auto const& id : ids)
        db_.run(
            "UPDATE requests SET confirmed_at = ?"
            " WHERE account = ? AND device = ? AND request = ? AND confirmed_at IS NULL",
            now().now, by.account, by.device, id);
}

}  // namespace interlude::store_sqlite
