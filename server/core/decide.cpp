#include "server/core/decide.hpp"

#include <algorithm>

#include "common/crypto/hash.hpp"
#include "common/mls_framing/outer.hpp"
#include "server/core/recall.hpp"
#include "server/core/refusals.hpp"

namespace interlude::core {
namespace {

bool well_formed(SubmissionFacts const& facts, wire::Send const& send) {
    auto const outer = mls_framing::read_private_message_outer(send.mls);
    return outer && outer->group_id == facts.group_id && outer->epoch == send.epoch &&
           outer->content_type == mls_framing::ContentType::application && outer->authenticated_data.empty();
}

/// The present epoch, or the one before for a short while after the commit (protocol.md, MLS profile).
bool epoch_accepted(SubmissionFacts const& facts, std::uint64_t epoch, WallTime stamp, Policy const& policy) {
    if (epoch == facts.epoch) return true;
    return facts.epoch > 0 && epoch == facts.epoch - 1 && stamp < facts.epoch_began + policy.previous_epoch_grace;
}

/// What is replaced makes room for what replaces it.
bool over_quota(MemberFacts const& recipient, std::uint64_t size, std::optional<EnvelopeRow> const& replaced,
                Policy const& policy) {
    auto const exceeds = [](std::uint64_t kept, std::uint64_t more, std::uint64_t less, std::uint64_t most) {
        return kept + more > most + less;
    };
    std::uint64_t const messages = replaced ? 1 : 0, bytes = replaced ? replaced->size : 0;
    return exceeds(recipient.undelivered_messages, 1, messages, policy.undelivered_messages_max) ||
           exceeds(recipient.undelivered_bytes, size, bytes, policy.undelivered_bytes_max) ||
           exceeds(recipient.undelivered_messages_here, 1, messages,
                   policy.undelivered_messages_per_conversation_max) ||
           exceeds(recipient.undelivered_bytes_here, size, bytes, policy.undelivered_bytes_per_conversation_max);
}

Calendars calendars_of(std::vector<MemberFacts> const& members) {
    Calendars calendars;
    for (auto const& member : members)
        if (member.side == Side::therapist) calendars[member.account] = member.calendar;
    return calendars;
}

/// Decides for every account and fills in holds, late sender and, where something is held, the entry.
void decide_gates(Acceptance& acceptance, SubmissionFacts const& facts, Submission const& submission, WallTime now) {
    auto const& sender = submission.sender.account;
    auto const calendars = calendars_of(facts.members);
    if (!open_at(sender, calendars, acceptance.stamp)) acceptance.late_sender = sender;
    Origin const origin{sender, acceptance.late_sender, acceptance.stamp};

    audit::Held held;
    for (auto const& member : facts.members) {
        audit::Party party;
        party.account = member.account;
        party.sender = member.account == sender;
        if (member.side == Side::therapist) party.gate = gate_numbers(member.account, calendars, acceptance.stamp);
        if (!party.sender && !passes(origin, member.account, calendars, acceptance.stamp)) {
            party.verdict = audit::Verdict::hold;
            party.until = passes_at(origin, member.account, calendars);
            acceptance.holds.push_back({member.account, party.until});
        }
        held.parties.push_back(party);
    }
    if (acceptance.holds.empty()) return;
    held.stamp = acceptance.stamp;
    held.seq = acceptance.seq;
    held.envelope = acceptance.envelope;
    held.instance = facts.instance;
    auto const& conversation = submission.send.conversation;
    acceptance.entry = EntryDraft{audit::subject_of(conversation), now, held, Veil{conversation, origin}};
}

RecallFacts recall_facts(SubmissionFacts const& facts) {
    RecallFacts recall{facts.member, facts.replaced, false, {}, calendars_of(facts.members)};
    for (auto const& member : facts.members) recall.recipients.push_back(member.account);
    return recall;
}

}  // namespace

WallTime effective_stamp(WallTime stamp, WallTime now, Policy const& policy) {
    return now - stamp > policy.stamp_life ? now : stamp;
}

Verdict decide_submission(SubmissionFacts const& facts, Submission const& submission, TimeReading time,
                          Policy const& policy) {
    auto const& send = submission.send;
    if (facts.bound) {
        // The same meaning, not the same bytes (exact.md, Outbox).
        bool const same = facts.bound->conversation == send.conversation && facts.bound->wish == send.wish &&
                          facts.bound->replaced == send.replaces && !send.send_now && send.blobs.empty();
        return same ? Verdict(*facts.bound) : refused(wire::Rule::invalid);
    }
    if (send.generation != 1 || send.wish != wire::Wish::normal || send.send_now || !send.blobs.empty())
        return refused(wire::Rule::not_yet);
    if (!facts.member) return refused(wire::Rule::not_a_member);
    if (facts.closed) return refused(wire::Rule::closed_conversation);
    if (send.mls.size() > policy.message_bytes_max) return refused(wire::Rule::too_big);
    if (!well_formed(facts, send)) return refused(wire::Rule::invalid);

    auto const stamp = effective_stamp(submission.stamp, time.now, policy);
    if (!epoch_accepted(facts, send.epoch, stamp, policy)) return wire::EpochStale{facts.epoch};
    Acceptance acceptance;
    if (send.replaces) {  // first: a replacement that comes too late is no message
        auto recalling = decide_recall(recall_facts(facts), submission.sender, send.conversation, time);
        if (!std::holds_alternative<Recalling>(recalling)) return wire::TooLate{};
        acceptance.recall = std::move(std::get<Recalling>(recalling).entry);
    }
    for (auto const& member : facts.members)
        if (member.account != submission.sender.account && over_quota(member, send.mls.size(), facts.replaced, policy))
            return refused(wire::Rule::quota);

    acceptance.seq = facts.next_seq;
    acceptance.stamp = stamp;
    acceptance.envelope = crypto::sha256(send.mls);
    decide_gates(acceptance, facts, submission, time.now);
    return acceptance;
}

}  // namespace interlude::core
