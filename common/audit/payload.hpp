// What an entry commits to: one body per decision (audit.md, Which decisions), chained to the subject's previous entry
// and padded to 512 bytes. Everything that a verifier needs to decide again, with documents named by number.
#pragma once

#include <variant>

#include "common/audit/struct_codec.hpp"
#include "common/base/limits.hpp"
#include "common/crypto/sign.hpp"

namespace interlude::audit {

using base::AccountId;
using base::DeviceId;
using base::Hash32;
using base::WallTime;

/// The numbers are final; a new type takes the next one. The alternatives of Body are in this order.
enum class EntryType : std::uint8_t {
    schedule_published = 1,
    override_published = 2,
    conversation_override_published = 3,
    terms_published = 4,
    window_opened = 5,
    window_closed = 6,
    held = 7,
    quiet = 8,
    refused = 9,
    recalled = 10,
    expired = 11,
    device_list = 12,
    epoch = 13,
    successor = 14,
    key_packages_reset = 15,
    operator_action = 16,
    pause = 17,
    restored = 18,
    retention_purge = 19,
    cover_started = 20,
    cover_ended = 21,
    disclosure = 22,
    filler = 23,
    log_key_rotated = 24,
};
std::string_view name(EntryType type) noexcept;

// ---- Documents, logged by hash -------------------------------------------------------------------------------------

/// Subject: the therapist's account.
struct SchedulePublished {
    AccountId account;
    std::uint64_t number = 0;
    Hash32 document;
    WallTime in_force_from;
    bool operator==(SchedulePublished const&) const = default;
    static constexpr auto fields() {
        using S = SchedulePublished;
        return std::tuple(&S::account, &S::number, &S::document, &S::in_force_from);
    }
};

/// An override for all. Subject: the therapist's account.
struct OverridePublished {
    AccountId account;
    std::uint64_t number = 0;
    Hash32 document;
    WallTime in_force_from;
    std::uint8_t reason = 0;  // its reason code
    bool operator==(OverridePublished const&) const = default;
    static constexpr auto fields() {
        using S = OverridePublished;
        return std::tuple(&S::account, &S::number, &S::document, &S::in_force_from, &S::reason);
    }
};

/// An override for one conversation. Subject: the conversation.
struct ConversationOverridePublished {
    AccountId account;
    std::uint64_t number = 0;
    Hash32 document;
    WallTime in_force_from;
    std::uint8_t reason = 0;
    bool operator==(ConversationOverridePublished const&) const = default;
    static constexpr auto fields() {
        using S = ConversationOverridePublished;
        return std::tuple(&S::account, &S::number, &S::document, &S::in_force_from, &S::reason);
    }
};

/// Subject: the conversation.
struct TermsPublished {
    std::uint64_t number = 0;
    Hash32 document;
    WallTime in_force_from;
    bool operator==(TermsPublished const&) const = default;
    static constexpr auto fields() {
        using S = TermsPublished;
        return std::tuple(&S::number, &S::document, &S::in_force_from);
    }
};

// ---- Windows. Subject: the therapist's account. One per (account, instant) -----------------------------------------

struct WindowOpened {
    AccountId account;
    WallTime instant;  // the bound itself; the decision time is when the server noticed
    std::uint64_t calendar = 0;
    bool operator==(WindowOpened const&) const = default;
    static constexpr auto fields() {
        using S = WindowOpened;
        return std::tuple(&S::account, &S::instant, &S::calendar);
    }
};

struct WindowClosed {
    AccountId account;
    WallTime instant;
    std::uint64_t calendar = 0;
    bool operator==(WindowClosed const&) const = default;
    static constexpr auto fields() {
        using S = WindowClosed;
        return std::tuple(&S::account, &S::instant, &S::calendar);
    }
};

// ---- The gate. Subject: the conversation ---------------------------------------------------------------------------

/// Numbers of the documents by which a gated account's calendar was read; 0: none.
struct GateNumbers {
    std::uint64_t calendar = 0;
    std::uint64_t conversation_override = 0;
    bool operator==(GateNumbers const&) const = default;
    static constexpr auto fields() {
        using S = GateNumbers;
        return std::tuple(&S::calendar, &S::conversation_override);
    }
};

enum class Verdict : std::uint8_t { pass = 1, hold = 2, quiet = 3 };
constexpr bool is_valid(Verdict v) {
    return v == Verdict::pass || v == Verdict::hold || v == Verdict::quiet;
}

/// One account of the conversation at the decision.
struct Party {
    AccountId account;
    bool sender = false;
    Verdict verdict = Verdict::pass;
    std::optional<WallTime> until;    // only with hold; absent: no opening is published yet
    std::optional<GateNumbers> gate;  // only gated (therapist-side) accounts
    bool operator==(Party const&) const = default;
    static constexpr auto fields() {
        using S = Party;
        return std::tuple(&S::account, &S::sender, &S::verdict, &S::until, &S::gate);
    }
};

/// All accounts of the conversation, at most 8, at most 2 of them with a gate (more is our own bug, or malformed).
struct Parties : std::vector<Party> {
    using std::vector<Party>::vector;
    static constexpr std::size_t max_encoded =
        2 + base::limits::accounts_per_conversation_max * (codec::max_size<Party>() - codec::max_size<GateNumbers>()) +
        base::limits::gated_accounts_per_conversation_max * codec::max_size<GateNumbers>();
    void write(bytes::Writer& to) const;
    static base::Result<Parties> read(bytes::Reader& from);
};

struct GateDecision {
    WallTime stamp;  // arrival: what decides
    std::uint64_t seq = 0;
    Hash32 envelope;
    std::uint8_t wish = 0;  // 0: the normal one
    Parties parties;
    std::uint64_t terms = 0;
    base::InstanceId instance;
    bool operator==(GateDecision const&) const = default;
    static constexpr auto fields() {
        using S = GateDecision;
        return std::tuple(&S::stamp, &S::seq, &S::envelope, &S::wish, &S::parties, &S::terms, &S::instance);
    }
};

struct Held : GateDecision {
    static constexpr auto fields() { return GateDecision::fields(); }
};
/// Delivered out of hours without a notification, as the terms say.
struct Quiet : GateDecision {
    static constexpr auto fields() { return GateDecision::fields(); }
};

/// The entry of the terms that refused (product.md).
enum class RefusalRule : std::uint8_t { client_off_hours = 1, therapist_off_hours = 2 };
constexpr bool is_valid(RefusalRule r) {
    return r == RefusalRule::client_off_hours || r == RefusalRule::therapist_off_hours;
}

struct Gate {
    AccountId account;
    GateNumbers numbers;
    bool operator==(Gate const&) const = default;
    static constexpr auto fields() {
        using S = Gate;
        return std::tuple(&S::account, &S::numbers);
    }
};

struct Refused {
    WallTime stamp;
    Hash32 envelope;
    AccountId sender;
    RefusalRule rule = RefusalRule::client_off_hours;
    std::optional<WallTime> next_opening;
    Bounded<Gate, base::limits::gated_accounts_per_conversation_max> gates;
    std::uint64_t terms = 0;
    base::InstanceId instance;
    bool operator==(Refused const&) const = default;
    static constexpr auto fields() {
        using S = Refused;
        return std::tuple(&S::stamp, &S::envelope, &S::sender, &S::rule, &S::next_opening, &S::gates, &S::terms,
                          &S::instance);
    }
};

struct Recalled {
    std::uint64_t seq = 0;
    Hash32 envelope;
    AccountId account;
    DeviceId device;
    bool operator==(Recalled const&) const = default;
    static constexpr auto fields() {
        using S = Recalled;
        return std::tuple(&S::seq, &S::envelope, &S::account, &S::device);
    }
};

struct Expired {
    std::uint64_t seq = 0;
    Hash32 envelope;
    Bounded<AccountId, base::limits::accounts_per_conversation_max> unreached;
    bool operator==(Expired const&) const = default;
    static constexpr auto fields() {
        using S = Expired;
        return std::tuple(&S::seq, &S::envelope, &S::unreached);
    }
};

// ---- Devices and groups --------------------------------------------------------------------------------------------

/// Subject: the account.
struct DeviceListPublished {
    AccountId account;
    std::uint64_t generation = 0;
    std::uint64_t version = 0;
    Hash32 list;
    bool operator==(DeviceListPublished const&) const = default;
    static constexpr auto fields() {
        using S = DeviceListPublished;
        return std::tuple(&S::account, &S::generation, &S::version, &S::list);
    }
};

/// One per accepted commit, the founding included. Subject: the conversation.
struct EpochAccepted {
    std::uint64_t generation = 0;
    std::uint64_t epoch = 0;  // the one that begins
    Hash32 commit;
    Hash32 declaration;
    bool operator==(EpochAccepted const&) const = default;
    static constexpr auto fields() {
        using S = EpochAccepted;
        return std::tuple(&S::generation, &S::epoch, &S::commit, &S::declaration);
    }
};

/// Subject: the conversation.
struct SuccessorFounded {
    std::uint64_t generation = 0;  // the new one
    std::uint64_t last_epoch = 0;  // of the old one, as its founder knew it
    std::uint8_t cause = 0;
    DeviceId device;
    Hash32 statement;
    bool operator==(SuccessorFounded const&) const = default;
    static constexpr auto fields() {
        using S = SuccessorFounded;
        return std::tuple(&S::generation, &S::last_epoch, &S::cause, &S::device, &S::statement);
    }
};

/// Subject: the account.
struct KeyPackagesReset {
    AccountId account;
    DeviceId device;
    bool operator==(KeyPackagesReset const&) const = default;
    static constexpr auto fields() {
        using S = KeyPackagesReset;
        return std::tuple(&S::account, &S::device);
    }
};

// ---- The operator --------------------------------------------------------------------------------------------------

enum class OperatorActionKind : std::uint8_t {
    account_suspended = 1,
    account_resumed = 2,
    invitation_made = 3,
    clock_confirmed = 4,
    config_changed = 5,
    service_resumed = 6,
};
constexpr bool is_valid(OperatorActionKind k) {
    return k >= OperatorActionKind::account_suspended && k <= OperatorActionKind::service_resumed;
}

/// Subject: the account it is about, else the operator.
struct OperatorAction {
    OperatorActionKind kind = OperatorActionKind::account_suspended;
    std::optional<AccountId> account;
    Hash32 details;  // hash of what it was about, zero: nothing
    bool operator==(OperatorAction const&) const = default;
    static constexpr auto fields() {
        using S = OperatorAction;
        return std::tuple(&S::kind, &S::account, &S::details);
    }
};

/// All delivery stops until `until` or until service_resumed. Subject: the operator.
struct Paused {
    WallTime from;
    std::optional<WallTime> until;
    Hash32 notice;
    bool operator==(Paused const&) const = default;
    static constexpr auto fields() {
        using S = Paused;
        return std::tuple(&S::from, &S::until, &S::notice);
    }
};

/// The first entry under a new origin: the last checkpoint known before. Subject: the operator.
struct Restored {
    std::uint64_t restore_count = 0;
    std::uint64_t last_size = 0;
    Hash32 last_root;
    Hash32 statement;
    bool operator==(Restored const&) const = default;
    static constexpr auto fields() {
        using S = Restored;
        return std::tuple(&S::restore_count, &S::last_size, &S::last_root, &S::statement);
    }
};

/// Payloads and salts of this subject up to a counter are gone from the server. Subject: the one purged.
struct RetentionPurge {
    std::uint64_t up_to = 0;
    std::uint64_t count = 0;
    bool operator==(RetentionPurge const&) const = default;
    static constexpr auto fields() {
        using S = RetentionPurge;
        return std::tuple(&S::up_to, &S::count);
    }
};

// ---- Cover and disclosure. Subject: the conversation ---------------------------------------------------------------

struct CoverStarted {
    AccountId absent;
    AccountId cover;
    std::optional<WallTime> until;
    Hash32 document;
    bool operator==(CoverStarted const&) const = default;
    static constexpr auto fields() {
        using S = CoverStarted;
        return std::tuple(&S::absent, &S::cover, &S::until, &S::document);
    }
};

struct CoverEnded {
    AccountId absent;
    AccountId cover;
    std::uint8_t cause = 0;
    bool operator==(CoverEnded const&) const = default;
    static constexpr auto fields() {
        using S = CoverEnded;
        return std::tuple(&S::absent, &S::cover, &S::cause);
    }
};

struct Disclosure {
    WallTime from;
    WallTime to;
    Hash32 order;  // hash of what demanded it
    bool operator==(Disclosure const&) const = default;
    static constexpr auto fields() {
        using S = Disclosure;
        return std::tuple(&S::from, &S::to, &S::order);
    }
};

/// Says nothing. Subject: the operator.
struct Filler {
    bool operator==(Filler const&) const = default;
    static constexpr auto fields() { return std::tuple(); }
};

/// Subject: the operator. Both keys sign the labelled pair.
struct LogKeyRotated {
    crypto::VerifyKey old_key;
    crypto::VerifyKey new_key;
    crypto::Signature by_old;
    crypto::Signature by_new;
    bool operator==(LogKeyRotated const&) const = default;
    static constexpr auto fields() {
        using S = LogKeyRotated;
        return std::tuple(&S::old_key, &S::new_key, &S::by_old, &S::by_new);
    }
};

using Body = std::variant<SchedulePublished, OverridePublished, ConversationOverridePublished, TermsPublished,
                          WindowOpened, WindowClosed, Held, Quiet, Refused, Recalled, Expired, DeviceListPublished,
                          EpochAccepted, SuccessorFounded, KeyPackagesReset, OperatorAction, Paused, Restored,
                          RetentionPurge, CoverStarted, CoverEnded, Disclosure, Filler, LogKeyRotated>;

EntryType type_of(Body const& body);

/// type u8 ‖ previous entry's hash ‖ decision time ‖ the body's fields ‖ zeros up to 512 bytes.
struct Payload {
    Hash32 previous;      // zero in a subject's first
    WallTime decided_at;  // exact, in the entry's minute
    Body body;
    EntryType type() const { return type_of(body); }
    bool operator==(Payload const&) const = default;
};

bytes::Bytes encode_payload(Payload const& payload);  ///< 512 bytes
/// malformed (also for padding that is not zero), truncated, unsupported for a type that this build does not know.
base::Result<Payload> decode_payload(bytes::ByteView from);

}  // namespace interlude::audit
