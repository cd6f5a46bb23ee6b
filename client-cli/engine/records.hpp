// Every record of the vault, by table (vault_port.hpp). Secrets inside are sealed by the vault; the structs that hold
// long-lived keys are move-only by their SecretBytes.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "client-cli/engine/record_codec.hpp"
#include "client-cli/engine/views.hpp"
#include "common/bytes/secret.hpp"
#include "common/identity/device_list.hpp"
#include "common/wire/frames.hpp"

namespace interlude::engine {

using bytes::Bytes;
using bytes::SecretBytes;

// ---- Table::home ---------------------------------------------------------------------------------------------------

/// A list key that waits for its account (exact.md, Identity).
struct AheadRecord {
    std::uint32_t index = 0;
    SecretBytes list_key;  // seed
    identity::ListKeyCertificate certificate;
    static constexpr auto fields() {
        return std::tuple(&AheadRecord::index, &AheadRecord::list_key, &AheadRecord::certificate);
    }
};

/// "account": who this home is. The seed stays until a recovery kit exists (exact.md, Identity).
struct AccountRecord {
    SecretBytes recovery_seed;
    std::uint32_t index = 0;
    AccountId account;
    Side side{};
    DeviceId device;
    SecretBytes device_key;  // seed of the device's auth key
    SecretBytes list_key;    // seed of the list key in use
    identity::ListKeyCertificate certificate;
    std::vector<AheadRecord> ahead;
    std::string own_name;
    static constexpr auto fields() {
        using S = AccountRecord;
        return std::tuple(&S::recovery_seed, &S::index, &S::account, &S::side, &S::device, &S::device_key, &S::list_key,
                          &S::certificate, &S::ahead, &S::own_name);
    }
};

/// A checkpoint known to be consistent with the newest one, by what it says.
struct KnownCheckpoint {
    std::uint64_t size = 0;
    Hash32 root;
    bool operator==(KnownCheckpoint const&) const = default;
    static constexpr auto fields() { return std::tuple(&KnownCheckpoint::size, &KnownCheckpoint::root); }
};

/// "server": where this home belongs and what it believes of that server's log.
struct ServerRecord {
    std::string host;
    std::uint16_t port = 443;
    Hash32 log_key_hash;  // pinned by the invitation
    std::string log_vkey;
    base::InstanceId instance;
    std::uint64_t restore_count = 0;
    std::string checkpoint;                   // the newest one verified
    std::vector<KnownCheckpoint> consistent;  // others, connected with it
    std::vector<std::string> unconnected;     // signed ones from proofs and peers, not connected yet
    std::uint64_t consistency_checks = 0;     // how often a checkpoint was shown to continue another
    std::optional<WallTime> checkpoint_at;    // when the newest one came
    std::optional<WallTime> last_contact;
    static constexpr std::int64_t skew_bias = std::int64_t{1} << 62;
    std::optional<std::uint64_t> skew_ms_biased;  // server minus ours, plus the bias: records know no sign
    std::uint64_t hold_life_seconds = 0;
    std::optional<base::Millis> skew() const {
        if (!skew_ms_biased) return std::nullopt;
        return base::Millis{static_cast<std::int64_t>(*skew_ms_biased) - skew_bias};
    }
    static constexpr auto fields() {
        using S = ServerRecord;
        return std::tuple(&S::host, &S::port, &S::log_key_hash, &S::log_vkey, &S::instance, &S::restore_count,
                          &S::checkpoint, &S::consistent, &S::unconnected, &S::consistency_checks, &S::checkpoint_at,
                          &S::last_contact, &S::skew_ms_biased, &S::hold_life_seconds);
    }
};

/// "join": an invitation on its way to be redeemed. The whole request is here before it is sent.
struct JoinRecord {
    std::string link;
    std::string conversation_name;
    RequestId request;
    Bytes redemption;  // empty until everything is ready to be redeemed
    Bytes signature;
    std::optional<ConversationId> conversation;
    SecretBytes group;  // the founded group, in its first epoch; empty for a therapist
    std::vector<wire::MemberState> members;
    bool done = false;
    static constexpr auto fields() {
        using S = JoinRecord;
        return std::tuple(&S::link, &S::conversation_name, &S::request, &S::redemption, &S::signature, &S::conversation,
                          &S::group, &S::members, &S::done);
    }
};

/// "counters": running numbers of this home.
struct CountersRecord {
    std::uint64_t outgoing = 0;
    std::uint64_t alarms = 0;
    std::uint64_t news = 0;
    static constexpr auto fields() {
        return std::tuple(&CountersRecord::outgoing, &CountersRecord::alarms, &CountersRecord::news);
    }
};

/// "crisis card": the newest one that a therapist wrote (or this one did).
struct CrisisCardRecord {
    std::string text;
    WallTime dated{};
    static constexpr auto fields() { return std::tuple(&CrisisCardRecord::text, &CrisisCardRecord::dated); }
};

// ---- Table::device_lists
// ---------------------------------------------------------------------------------------------

/// A list that was verified before it was kept.
struct ListRecord {
    Bytes bytes;
    crypto::Signature signature;
    static constexpr auto fields() { return std::tuple(&ListRecord::bytes, &ListRecord::signature); }
};

// ---- Table::calendars
// ------------------------------------------------------------------------------------------------

struct CalendarRecord {
    wire::PublishedDocument published;
    bool stated = false;  // by the server; else an own document whose acceptance is known and whose stamp is not
    static constexpr auto fields() { return std::tuple(&CalendarRecord::published, &CalendarRecord::stated); }
};

// ---- Table::key_packages -------------------------------------------------------------------------------------------

struct KeyPackageRecord {
    SecretBytes bundle;  // mls::KeyPackageBundle
    WallTime made{};
    bool last_resort = false;
    bool used = false;  // a Welcome came for it: an ordinary one takes no second
    static constexpr auto fields() {
        using S = KeyPackageRecord;
        return std::tuple(&S::bundle, &S::made, &S::last_resort, &S::used);
    }
};

// ---- Table::conversations ------------------------------------------------------------------------------------------

struct NameOf {
    AccountId account;
    std::string name;
    static constexpr auto fields() { return std::tuple(&NameOf::account, &NameOf::name); }
};

/// When this device processed the commit that ended an epoch: its keys live two hold lives longer at most.
struct EndedEpoch {
    std::uint64_t epoch = 0;
    WallTime at{};
    static constexpr auto fields() { return std::tuple(&EndedEpoch::epoch, &EndedEpoch::at); }
};

struct ConversationRecord {
    std::string name;
    std::uint32_t generation = 1;
    Bytes group_id;
    std::vector<wire::MemberState> members;
    Verification verified{};
    std::optional<WallTime> invited_at;
    std::uint64_t server_epoch = 0;  // as the server said last
    bool closed = false;
    bool lost_state = false;  // the server knows own messages that this home does not: a restored copy
    std::uint64_t last_own_seq = 0;
    std::uint64_t told_own_seq = 0;  // the server names this one and it is not here: nothing is sealed until then
    std::vector<std::uint64_t> opened_due;    // received, not yet reported as opened
    std::vector<std::uint64_t> unopened_due;  // received and not opened, not yet reported
    bool unopened_told = false;               // and since then nothing opened: no second report
    identity::ListPosition list_told;         // the own list that went along in a message
    MessageId list_carrier;                   // that message
    std::vector<NameOf> names;
    WallTime last_commit{};  // own healing
    std::uint32_t healing_jitter_minutes = 0;
    bool replace_leaf = false;      // joined by a last-resort package
    bool broken = false;            // a commit was refused here: nothing can be sent before a successor
    std::vector<EndedEpoch> ended;  // whose receive state is kept
    static constexpr auto fields() {
        using S = ConversationRecord;
        return std::tuple(&S::name, &S::generation, &S::group_id, &S::members, &S::verified, &S::invited_at,
                          &S::server_epoch, &S::closed, &S::lost_state, &S::last_own_seq, &S::told_own_seq,
                          &S::opened_due, &S::unopened_due, &S::unopened_told, &S::list_told, &S::list_carrier,
                          &S::names, &S::last_commit, &S::healing_jitter_minutes, &S::replace_leaf, &S::broken,
                          &S::ended);
    }
};

// ---- Table::pending ------------------------------------------------------------------------------------------------

/// An own commit that leads out of the current epoch. It is kept until the epoch ends, whatever the server answered:
/// another process of the home may have sent it too, and the keys of the epoch that it begins are nowhere else.
struct PendingCommitRecord {
    RequestId request;
    std::uint64_t epoch = 0;  // that it ends
    Bytes mls;
    Bytes declaration;
    std::vector<Bytes> welcomes;
    SecretBytes next;           // mls::Group
    WallTime not_before{};      // after a refusal: neither this one nor another goes earlier
    bool while_closed = false;  // it was refused in a closed window: an open one ends the wait
    bool given_up = false;      // not sent any more
    static constexpr auto fields() {
        using S = PendingCommitRecord;
        return std::tuple(&S::request, &S::epoch, &S::mls, &S::declaration, &S::welcomes, &S::next, &S::not_before,
                          &S::while_closed, &S::given_up);
    }
};

// ---- Table::messages -----------------------------------------------------------------------------------------------

/// What a seq of a conversation is for.
enum class MessageKind : std::uint8_t {
    text = 1,
    opened = 2,
    receipt = 3,
    profile = 4,
    crisis_card = 5,
    early_delivery = 6,
    unknown = 7,      // of a later version, or no content at all: `text` is what came, for a later version
    cannot_open = 8,  // no key opens it
    cannot_open_report = 9,
};

struct MessageRecord {
    MessageId id;
    MessageKind kind{};
    AccountId from;
    DeviceId device;
    bool own = false;  // of this account
    WallTime sent_at{};
    WallTime accepted_at{};
    std::string text;
    bool duplicate = false;  // this message id of this account was shown already
    Hash32 envelope;
    RequestId request;  // own ones
    std::vector<wire::Hold> holds;
    std::vector<AccountId> passed;       // of those held
    std::vector<AccountId> opened_by;    // accounts whose device said so
    std::vector<AccountId> unopened_by;  // accounts whose device said that it cannot
    Bytes receipt;                       // audit::StoredReceipt, if held
    Bytes receipt_signature;
    bool proven = false;  // its log entry came and was verified
    std::optional<wire::FateKind> fate;
    bool recall_wished = false;  // by its author, here
    static constexpr auto fields() {
        using S = MessageRecord;
        return std::tuple(&S::id, &S::kind, &S::from, &S::device, &S::own, &S::sent_at, &S::accepted_at, &S::text,
                          &S::duplicate, &S::envelope, &S::request, &S::holds, &S::passed, &S::opened_by,
                          &S::unopened_by, &S::receipt, &S::receipt_signature, &S::proven, &S::fate, &S::recall_wished);
    }
};

/// Table::message_ids: where the message is that has this id. The first one, should several have it.
struct MessagePlaceRecord {
    std::uint64_t seq = 0;             // in the conversation; 0: nowhere yet
    std::optional<RequestId> request;  // own ones: among what goes out
    static constexpr auto fields() { return std::tuple(&MessagePlaceRecord::seq, &MessagePlaceRecord::request); }
};

/// Table::unread and Table::confirming: that the row is there is all it says.
struct MarkRecord {
    bool is_set = true;
    static constexpr auto fields() { return std::tuple(&MarkRecord::is_set); }
};

/// Table::news: a message that came to its place, or an own one whose state changed.
struct NewsRecord {
    ConversationId conversation;
    MessageId message;
    std::uint64_t seq = 0;                // of one that came
    std::optional<MessageState> changed;  // absent: it came
    static constexpr auto fields() {
        using S = NewsRecord;
        return std::tuple(&S::conversation, &S::message, &S::seq, &S::changed);
    }
};

/// Table::early_reports: what others said of an own message before the answer to it came here.
struct EarlyReportRecord {
    std::vector<AccountId> opened_by;
    std::vector<AccountId> unopened_by;
    static constexpr auto fields() {
        return std::tuple(&EarlyReportRecord::opened_by, &EarlyReportRecord::unopened_by);
    }
};

// ---- Table::envelopes ----------------------------------------------------------------------------------------------

struct EnvelopeRecord {
    wire::Envelope envelope;
    bool early = false;  // came before it passes, or before the commit that began its epoch; else: does not open
    WallTime came_at{};
    static constexpr auto fields() {
        return std::tuple(&EnvelopeRecord::envelope, &EnvelopeRecord::early, &EnvelopeRecord::came_at);
    }
};

// ---- Table::outgoing -----------------------------------------------------------------------------------------------

enum class OutgoingKind : std::uint8_t {
    message = 1,   // a send: sealed when it leaves
    document = 2,  // a signed document: invitation, schedule, device list
    packages = 3,  // key packages
};

enum class OutgoingState : std::uint8_t {
    waiting = 1,   // sent or not, unanswered
    proving = 2,   // stored; the proof of what is held is not here yet
    refused = 4,   // by a rule; the draft stays
    too_late = 5,  // what it was to replace had passed already; the draft stays
};

struct OutgoingRecord {
    std::uint64_t order = 0;
    OutgoingKind kind{};
    OutgoingState state = OutgoingState::waiting;
    WallTime made{};
    // A message.
    ConversationId conversation;
    MessageId message;
    MessageKind body{};
    Bytes content;  // Content with everything but its log sight and lists, which are put in when it is sealed
    Bytes sealed;   // MLSMessage; empty before the first sealing
    std::uint32_t generation = 0;
    std::uint64_t epoch = 0;
    std::vector<Hash32> variants;  // hashes of everything that was ever sealed for it
    std::uint64_t seq = 0;         // once stored
    std::uint64_t replaces = 0;    // seq of an own message; 0: none
    // Anything else: the whole ClientFrame.
    Bytes frame;
    std::optional<wire::Refused> refusal;
    static constexpr auto fields() {
        using S = OutgoingRecord;
        return std::tuple(&S::order, &S::kind, &S::state, &S::made, &S::conversation, &S::message, &S::body,
                          &S::content, &S::sealed, &S::generation, &S::epoch, &S::variants, &S::seq, &S::replaces,
                          &S::frame, &S::refusal);
    }
};

// ---- Table::invitations --------------------------------------------------------------------------------------------

struct InvitationRecord {
    std::string link;
    std::string name;
    Bytes document;
    Bytes signature;
    WallTime made{};
    WallTime expires{};
    wire::InvitationPhase phase = wire::InvitationPhase::open;
    bool on_server = false;
    bool second_attempt = false;
    std::optional<ConversationId> conversation;  // that it began
    static constexpr auto fields() {
        using S = InvitationRecord;
        return std::tuple(&S::link, &S::name, &S::document, &S::signature, &S::made, &S::expires, &S::phase,
                          &S::on_server, &S::second_attempt, &S::conversation);
    }
};

// ---- Table::subjects, log_items, alarms, fences --------------------------------------------------------------------

struct SubjectRecord {
    SecretBytes key;            // k_tag
    std::uint64_t counter = 0;  // of the newest head seen
    Hash32 head;
    std::uint64_t fetched_to = 0;  // entries 1..fetched_to are in log_items
    WallTime fetched_at{};         // by the server's clock: when it was last asked for all, and gave them
    std::uint64_t due_to = 0;      // the newest head that was known here when it was asked
    bool withheld = false;         // when it was last asked for all, it did not give them
    static constexpr auto fields() {
        using S = SubjectRecord;
        return std::tuple(&S::key, &S::counter, &S::head, &S::fetched_to, &S::fetched_at, &S::due_to, &S::withheld);
    }
};

/// A peer's word on a chain's head, until our own copy of that entry came and agreed.
struct PeerHeadRecord {
    SubjectId subject;
    std::uint64_t counter = 0;
    Hash32 head;
    WallTime since{};
    bool asked = false;  // the server was asked for the entry and gave none
    static constexpr auto fields() {
        using S = PeerHeadRecord;
        return std::tuple(&S::subject, &S::counter, &S::head, &S::since, &S::asked);
    }
};

struct AlarmRecord {
    std::string code;
    std::string text;
    std::optional<ConversationId> conversation;
    WallTime at{};
    Bytes first;  // both pieces of evidence, as they came
    Bytes second;
    static constexpr auto fields() {
        using S = AlarmRecord;
        return std::tuple(&S::code, &S::text, &S::conversation, &S::at, &S::first, &S::second);
    }
};

}  // namespace interlude::engine
