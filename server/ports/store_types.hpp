// What the store's verbs take and give. Answers are values of the wire where the service passes them on as they are.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "common/audit/tiles.hpp"
#include "common/identity/device_list.hpp"
#include "common/wire/frames.hpp"
#include "server/core/admission.hpp"
#include "server/core/calendars.hpp"
#include "server/core/decide.hpp"
#include "server/core/delivery.hpp"
#include "server/core/epoch_gate.hpp"
#include "server/core/schedule_change.hpp"
#include "server/core/types.hpp"

namespace interlude::ports {

using base::AccountId;
using base::ConversationId;
using base::Hash32;
using base::InvitationId;
using base::RequestId;
using base::SubjectId;
using base::WallTime;
using bytes::Bytes;
using core::DeviceRef;
using core::Seed;

struct OpenInfo {
    base::InstanceId instance;
    std::uint64_t restore_count = 0;
    std::uint32_t schema = 0;
    WallTime high_water{};  // of the time, as last marked
};

// ---- Links ---------------------------------------------------------------------------------------------------------

struct LoginFacts {
    crypto::VerifyKey auth_key;  // of the device in the newest list
    base::Side side{};
    bool suspended = false;
};

/// Everything that a device is told at login.
struct Snapshot {
    std::vector<wire::ConversationState> conversations;
    std::vector<wire::SubjectState> subjects;  // its conversations, its account, accounts that it shares one with
};

// ---- The log -------------------------------------------------------------------------------------------------------

/// An entry with its place. Salt and payload are empty where the reader may not see them yet, or they were deleted.
struct LogRow {
    SubjectId subject;
    std::uint64_t counter = 0;
    std::uint64_t index = 0;
    Bytes entry;
    Bytes salt;
    Bytes payload;
    bool operator==(LogRow const&) const = default;
};
struct LogPage {
    std::vector<LogRow> rows;  // from the asked counter on
    std::uint64_t head_counter = 0;
    Hash32 head;
};
struct LogHead {
    std::uint64_t size = 0;     // of the newest durable checkpoint
    std::string note;           // empty before the first
    std::uint64_t entries = 0;  // accepted; those from `size` on wait for a checkpoint
};
/// One batch of the sequencer: becomes visible as a whole, or not at all.
struct CheckpointBatch {
    std::uint64_t from = 0;  // the size before: compare-and-set
    std::uint64_t size = 0;
    std::string note;
    std::vector<audit::TileWriter::Output> tiles;
};

// ---- Answers -------------------------------------------------------------------------------------------------------

struct AcceptOutcome {
    core::Verdict verdict;        // Acceptance and BoundAnswer: durable
    std::optional<LogRow> entry;  // `held`, for the sender: what `held` follows with
};
struct CommitOutcome {
    std::variant<wire::Accepted, wire::Conflict, wire::Refused> answer;
};
using RedeemAnswer = std::variant<wire::Redeemed, wire::ListChanged, wire::Refused>;
using PutAnswer = std::variant<wire::Done, wire::Refused>;
using RecallAnswer = std::variant<wire::Done, wire::TooLate, wire::Refused>;
using KeyPackagesAnswer = std::variant<wire::KeyPackages, wire::Refused>;
using StockAnswer = std::variant<wire::KeyPackageStock, wire::Refused>;

/// Who fetches: a device that shares a conversation with the account (or is of it), or an invitee of the account.
using Fetcher = std::variant<DeviceRef, InvitationId>;

// ---- Delivery ------------------------------------------------------------------------------------------------------

struct OfferRequest {
    DeviceRef device;
    ConversationId conversation;
    core::ConversationSeen seen;
    core::DocumentsSeenByAccount documents;
    std::size_t messages_max = 64;
    static constexpr std::size_t bytes_usual = 192 * 1024;
    std::size_t bytes_max = bytes_usual;  // of documents, handshakes and messages, and one item more
};
static_assert(OfferRequest::bytes_usual + base::limits::frame_bytes_max <= base::limits::outbox_bytes_max / 2);
using OfferItem = std::variant<wire::StateChanged, wire::Documents, wire::Welcome, wire::Handshake, wire::Envelope,
                               wire::Fate, wire::EpochEnd>;
struct Offer {
    bool member = true;            // false: the device has no place in the conversation (any more); nothing else is set
    std::vector<OfferItem> items;  // to be sent in this order
    core::ConversationSeen seen;   // after them
    core::DocumentsSeenByAccount documents;
    bool more = false;  // the page was full: ask again
};

/// A gated account for the ticker.
struct AccountCalendar {
    AccountId account;
    core::CalendarPtr calendar;
    WallTime marked_up_to{};  // every bound up to here has its entry
};

// ---- Housekeeping --------------------------------------------------------------------------------------------------

struct Swept {
    std::uint64_t rows = 0;
    bool more = false;  // the batch was full: call again
};
struct Counts {
    std::uint64_t accounts = 0;
    std::uint64_t conversations = 0;
    std::uint64_t envelopes = 0;
    std::uint64_t entries = 0;
    std::uint64_t sequenced = 0;
};

}  // namespace interlude::ports
