#include "server/core/recall.hpp"

#include <algorithm>

#include "server/core/refusals.hpp"

namespace interlude::core {

RecallVerdict decide_recall(RecallFacts const& facts, DeviceRef const& by, ConversationId const& conversation,
                            TimeReading time) {
    if (!facts.member) return refused(wire::Rule::not_a_member);
    if (facts.recalled_before) return wire::Done{};
    // An envelope of somebody else and one that never was look the same.
    if (!facts.envelope || facts.envelope->sender != by) return wire::TooLate{};
    auto const& envelope = *facts.envelope;
    bool const out = std::any_of(facts.recipients.begin(), facts.recipients.end(), [&](AccountId const& account) {
        return account != by.account && passes(envelope.origin(), account, facts.calendars, time.now);
    });
    if (out) return wire::TooLate{};
    audit::Recalled recalled{envelope.seq, envelope.hash, by.account, by.device};
    return Recalling{{audit::subject_of(conversation), time.now, recalled, Veil{conversation, envelope.origin()}}};
}

EntryDraft expired_entry(ConversationId const& conversation, EnvelopeRow const& envelope,
                         std::vector<AccountId> const& unreached, WallTime now) {
    audit::Expired expired;
    expired.seq = envelope.seq;
    expired.envelope = envelope.hash;
    expired.unreached = unreached;
    return {audit::subject_of(conversation), now, expired, Veil{conversation, envelope.origin()}};
}

}  // namespace interlude::core
