// May this message be accepted, and for whom is it held? (protocol.md, send; product.md, the gate.) Pure: a store calls
// decide_submission inside its transaction, as often as the transaction is repeated.
#pragma once

#include <variant>

#include "common/wire/frames.hpp"
#include "server/core/audit_events.hpp"
#include "server/core/calendars.hpp"
#include "server/core/delivery.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

struct Submission {
    DeviceRef sender;
    RequestId request;  // of the message: the same for every repetition
    wire::Send send;
    WallTime stamp{};  // when the last byte of the frame was read
    Seed seed;
};

/// What an accepted request id is bound to; the same meaning again gets the same answer.
struct BoundAnswer {
    ConversationId conversation;
    wire::Wish wish = wire::Wish::normal;
    std::uint64_t seq = 0;
    WallTime stamp{};
    Hash32 envelope;
    std::vector<wire::Hold> holds;
    std::optional<std::uint64_t> entry;  // index in the log, when something was held
    std::optional<std::uint64_t> replaced{};
    bool operator==(BoundAnswer const&) const = default;
};

struct MemberFacts {
    AccountId account;
    Side side{};
    CalendarPtr calendar;                    // of a therapist-side account; null: none was published
    std::uint64_t undelivered_messages = 0;  // kept envelopes of others, over all conversations of the account
    std::uint64_t undelivered_bytes = 0;
    std::uint64_t undelivered_messages_here = 0;  // likewise, in this conversation
    std::uint64_t undelivered_bytes_here = 0;
};

/// What decide_submission needs to know; loaded by the store.
struct SubmissionFacts {
    std::optional<BoundAnswer> bound;  // looked up by (device, request id); all else may stay empty then
    bool member = false;               // the conversation exists and the sender's device is in its delivery list
    bool closed = false;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    WallTime epoch_began{};
    Bytes group_id;
    std::uint64_t next_seq = 1;
    std::vector<MemberFacts> members;  // every account of the conversation, the sender's too
    InstanceId instance;
    std::optional<EnvelopeRow> replaced;  // that of send.replaces; nullopt also: never was, or is gone
};

struct Acceptance {
    std::uint64_t seq = 0;
    WallTime stamp{};
    Hash32 envelope;
    std::optional<AccountId> late_sender;  // the sender, if gated and written in a closed window without send-now
    std::vector<wire::Hold> holds;         // recipients other than the sender's account for whom it does not pass yet
    std::optional<EntryDraft> entry;       // `held`, when holds is not empty
    std::optional<EntryDraft> recall;      // `recalled`, of what it replaces; before the other in the log
};

using Verdict = std::variant<Acceptance, BoundAnswer, wire::Refused, wire::EpochStale, wire::TooLate>;

/// `now` is the time of the transaction. A stamp older than policy.stamp_life is replaced by it.
Verdict decide_submission(SubmissionFacts const& facts, Submission const& submission, TimeReading now,
                          Policy const& policy);

/// The arrival stamp that counts (exact.md, Time of a decision).
WallTime effective_stamp(WallTime stamp, WallTime now, Policy const& policy);

}  // namespace interlude::core
