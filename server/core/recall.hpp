// Recall and expiry: how an envelope ends without having been fetched (product.md, While held; exact.md, Life).
#pragma once

#include <variant>

#include "common/wire/frames.hpp"
#include "server/core/audit_events.hpp"
#include "server/core/calendars.hpp"
#include "server/core/delivery.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

struct RecallFacts {
    bool member = false;
    std::optional<EnvelopeRow> envelope;  // nullopt: never was, or is gone
    bool recalled_before = false;         // by this device
    std::vector<AccountId> recipients;    // accounts other than the sender's
    Calendars calendars;
};
struct Recalling {
    EntryDraft entry;  // `recalled`
};
using RecallVerdict = std::variant<Recalling, wire::Done, wire::TooLate, wire::Refused>;
RecallVerdict decide_recall(RecallFacts const& facts, DeviceRef const& by, ConversationId const& conversation,
                            TimeReading now);

/// The entry `expired` of an envelope that `unreached` accounts never fetched.
EntryDraft expired_entry(ConversationId const& conversation, EnvelopeRow const& envelope,
                         std::vector<AccountId> const& unreached, WallTime now);

/// How long rows of each kind are kept when nothing else ends them (exact.md, Life and Outbox; audit.md, Keeping).
struct KeepUntil {
    static WallTime handshake(WallTime stamp, Policy const& policy) { return stamp + 2 * policy.hold_life; }
    static WallTime request(WallTime stamp, Policy const& policy) { return stamp + 2 * policy.hold_life; }
    /// The app has its answer; another process of its home may have sent a copy that is still under way.
    static WallTime confirmed_request(WallTime at) { return at + std::chrono::hours{1}; }
    static WallTime fate(WallTime at, Policy const& policy) { return at + 2 * policy.hold_life; }
    static WallTime payload(WallTime decided_at, Policy const& policy) {
        return decided_at + policy.hold_life + std::chrono::days{90};
    }
};

}  // namespace interlude::core
