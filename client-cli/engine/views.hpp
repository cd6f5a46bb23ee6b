// What a person's screen is made of: values that the engine hands out, without keys, frames or ciphertext.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/schedule/calendar.hpp"
#include "common/schedule/schedule_change.hpp"
#include "common/wire/frames.hpp"

namespace interlude::engine {

using base::AccountId;
using base::ConversationId;
using base::DeviceId;
using base::Hash32;
using base::InvitationId;
using base::MessageId;
using base::RequestId;
using base::Side;
using base::SubjectId;
using base::WallTime;

/// The states of product.md, in the order in which a message goes through them.
enum class MessageState : std::uint8_t {
    on_device = 1,  // in the outbox; the server has not answered
    stored = 2,     // the server has it, nothing holds it back
    held = 3,       // the server has it and keeps it back until `held_until`
    delivered =
        4,     // a device of every other account said, inside MLS, that it opened it (received ones: from the start)
    read = 5,  // off by default
    recalled = 6,
    expired = 7,
    refused = 8,  // by a rule; the draft stays
};
std::string_view name(MessageState state) noexcept;

struct MessageView {
    ConversationId conversation;
    MessageId id;
    std::optional<std::uint64_t> seq;  // absent while on this device only
    AccountId from;
    bool from_me = false;
    std::string from_name;  // profile name, else empty
    WallTime sent_at{};     // by the author's clock
    std::optional<WallTime> accepted_at;
    MessageState state{};
    std::optional<WallTime> held_until;    // while held, when it is known
    std::optional<wire::Refused> refusal;  // while refused
    bool too_late = false;                 // refused: what it was to replace had passed already
    bool paused = false;                   // on this device, and the conversation takes no messages now
    bool proof_missing = false;            // held, and its log proof is not here yet
    bool unread = false;
    bool cannot_open = false;   // came, and no key opens it; `text` is empty
    bool unknown_form = false;  // came and was opened, but this version does not know its form; `text` is empty
    bool unopened = false;      // own: a device of another account said that it cannot open it
    std::string text;
};

/// How sure this person can be of who is on the other side.
enum class Verification : std::uint8_t {
    by_invitation = 1,  // client's side: the invitation came from the therapist's hand
    joined = 2,         // therapist's side: joined by an invitation, the words were not compared yet
    confirmed = 3,      // the four words were compared
    changed = 4,        // something that weakens it happened since: see the alarms
};
std::string_view name(Verification verification) noexcept;

struct MemberView {
    AccountId account;
    Side side{};
    bool me = false;
    std::string name;  // from their profile; empty before it came
    std::size_t devices = 0;
};

/// Why nothing can be sent in a conversation.
enum class Pause : std::uint8_t {
    none = 1,
    closed = 2,
    broken = 3,            // a change of the group did not hold
    identity_changed = 4,  // the other side must be verified again
};
std::string_view name(Pause pause) noexcept;

struct ConversationView {
    ConversationId id;
    std::string name;  // local
    Verification verified{};
    std::optional<WallTime> invited_at;  // "joined by your invitation of Tuesday"
    std::vector<MemberView> members;
    std::size_t unread = 0;
    std::size_t waiting = 0;  // own messages that the server has not answered
    bool closed = false;
    Pause pause = Pause::none;
};

enum class HoursState : std::uint8_t { none = 1, open = 2, closed = 3 };
std::string_view name(HoursState state) noexcept;

/// One that speaks now, or will (product.md, Overrides).
struct OverrideView {
    schedule::OverrideKind kind{};
    schedule::OverrideReason reason{};
    base::Interval span;  // in which it speaks
    WallTime said_at{};   // in force from then on
    bool operator==(OverrideView const&) const = default;
};

/// A therapist's hours as this app believes them: from signed documents only.
struct HoursView {
    AccountId account;
    bool me = false;
    HoursState state{};
    std::string zone;
    std::string tzdata;
    std::uint64_t number = 0;              // of the newest schedule document; 0: none
    bool awaiting_server = false;          // an own document that the server has not answered yet
    std::optional<WallTime> until;         // open: when it closes
    std::optional<WallTime> next_opening;  // closed: when it opens, if that is published
    schedule::Rules rules;                 // of the newest schedule, for words
    schedule::Calendar calendar;           // for pictures
    std::vector<base::Interval> windows;   // from now on, as far as published (at most 400 days)
    std::optional<WallTime> published_until;
    std::vector<OverrideView> overrides;  // oldest first
};

/// What a change of the own hours would come to.
struct HoursPreview {
    schedule::Calendar calendar;  // with it in force from now
    std::string zone;
    std::vector<schedule::OddDay> odd_days;          // on which a window is longer or shorter than the clock says
    std::optional<schedule::ChangeProblem> problem;  // for which a server refuses it
};

struct DeviceView {
    AccountId account;
    DeviceId device;
    bool this_device = false;
    WallTime added{};
    std::uint64_t list_generation = 0;
    std::uint64_t list_version = 0;
    bool list_old = false;  // older than 45 days
};

struct InvitationView {
    InvitationId id;
    std::string link;
    std::string name;  // local, given to the conversation when it begins
    WallTime made{};
    WallTime expires{};
    wire::InvitationPhase phase{};
    bool on_server = false;
    bool second_attempt = false;
};

struct CrisisCard {
    std::string text;
    WallTime dated{};
};

struct StatusView {
    std::string server;  // host:port
    AccountId account;
    DeviceId device;
    Side side{};
    std::size_t waiting = 0;               // requests without a final answer
    std::optional<WallTime> last_contact;  // by this machine's clock
    std::optional<std::int64_t> skew_ms;   // server time minus ours at the last connect
    bool seed_on_device = true;            // no recovery kit exists yet
    std::size_t alarms = 0;
};

/// One thing that was found wrong, or that could not be shown to be right.
struct AuditProblem {
    std::string code;   // snake_case, stable
    std::string entry;  // hex of the entry's hash, or empty
    std::string text;
};

struct AuditReport {
    std::uint64_t tree_size = 0;
    Hash32 root;
    std::optional<WallTime> checkpoint_at;  // when the newest checkpoint came
    struct {
        std::uint64_t entries = 0;      // opened, chained and matched with their commitments
        std::uint64_t inclusion = 0;    // proofs of inclusion
        std::uint64_t consistency = 0;  // checkpoints shown to continue each other
        std::uint64_t schedules = 0;    // signed documents found in the log with the same hash
        std::uint64_t decisions = 0;    // decisions of the gate that followed again from the signed documents
    } checked;
    std::vector<AuditProblem> problems;
    bool ok() const { return problems.empty(); }
};

}  // namespace interlude::engine
