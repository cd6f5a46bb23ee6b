// The frames of `/v1/link` as values. What a peer sent is one of these, or was refused by codec.hpp: sizes and ranges
// have been checked, nothing else. Names are those of docs/PROTOCOL.md; interlude.proto is the same list in protobuf.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::wire {

using base::AccountId;
using base::ConversationId;
using base::DeviceId;
using base::Hash32;
using base::InstanceId;
using base::InvitationId;
using base::RequestId;
using base::Side;
using base::SubjectId;
using base::WallTime;
using bytes::Bytes;

inline constexpr std::uint32_t protocol_version = 1;

// ---- parts ---------------------------------------------------------------------------------------------------------

/// Kinds of signed documents. The struct inside `bytes` is in the presentation language (identity/, schedule/).
enum class DocumentKind : std::uint8_t {
    device_list = 1,            // identity::DeviceList, signed by the list key
    invitation = 2,             // identity::InvitationDocument, signed by the inviter's device
    schedule = 3,               // schedule::ScheduleDocument, signed by a therapist's device
    override_all = 4,           // schedule::OverrideDocument of the calendar chain
    override_conversation = 5,  // schedule::OverrideDocument of a conversation-override chain
    terms = 6,                  // signed by a device of each side
};

/// A document exactly as its author signed it; verified over these bytes, never re-encoded.
struct SignedDocument {
    DocumentKind kind{};
    Bytes bytes;
    Bytes signature;  // 64 bytes
    bool operator==(SignedDocument const&) const = default;
};

/// A document with what the server states about it.
struct PublishedDocument {
    SignedDocument document;
    WallTime in_force_from{};  // max(effective-from, the server's stamp); the stamp for lists and invitations
    bool operator==(PublishedDocument const&) const = default;
};

/// One entry of the audit log with what opens and proves it.
struct LogItem {
    SubjectId subject;
    std::uint64_t counter = 0;  // within the subject, from 1
    std::uint64_t index = 0;    // in the tree, from 0
    Bytes entry;                // 104 bytes
    Bytes salt;                 // 32 bytes; empty where the reader may not open it yet (or it was deleted)
    Bytes payload;              // 512 bytes; empty likewise
    std::string proof;          // c2sp.org/tlog-proof@v1
    bool operator==(LogItem const&) const = default;
};

/// One account that does not get the envelope yet.
struct Hold {
    AccountId account;
    std::optional<WallTime> until;  // absent: no opening is published yet
    bool operator==(Hold const&) const = default;
};

struct MemberState {
    AccountId account;
    Side side{};
    std::vector<DeviceId> devices;  // of the delivery list, as agreed by declarations
    bool operator==(MemberState const&) const = default;
};

struct ConversationState {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    std::vector<MemberState> members;
    std::uint64_t last_own_seq = 0;  // the highest seq accepted from this device; 0: none
    bool closed = false;
    bool operator==(ConversationState const&) const = default;
};

/// What a party needs to find and open a subject's entries.
struct SubjectState {
    SubjectId subject;
    Bytes key;                  // k_tag, 32 bytes
    std::uint64_t counter = 0;  // of the head; 0: no entry yet
    Hash32 head;                // hash of the head entry; zeros before the first
    bool operator==(SubjectState const&) const = default;
};

// ---- from the app --------------------------------------------------------------------------------------------------

struct DeviceLogin {
    AccountId account;
    DeviceId device;
    bool operator==(DeviceLogin const&) const = default;
};
struct Hello {
    std::uint32_t version = protocol_version;
    std::uint64_t features = 0;
    std::variant<DeviceLogin, InvitationId> who;  // a device, or an invitee before redeeming
    std::uint64_t log_size_seen = 0;              // tree size of the last verified checkpoint; 0: none
    std::vector<RequestId> confirmed;             // as in Confirm
    bool operator==(Hello const&) const = default;
};
/// Over {server name, nonce, SHA-256 of the hello frame, account, device} by the device key, or the invitation key's
/// counterpart (identity/login.hpp, identity/invitation.hpp). The hello frame is the ClientFrame as sent.
struct Authenticate {
    Bytes signature;
    bool operator==(Authenticate const&) const = default;
};
struct InvitationPut {
    SignedDocument document;
    bool operator==(InvitationPut const&) const = default;
};
struct InvitationRevoke {
    InvitationId invitation;
    bool operator==(InvitationRevoke const&) const = default;
};
struct InvitationList {
    bool operator==(InvitationList const&) const = default;
};
/// identity::Redemption with the invitation key's signature over all of it; for invited links only.
struct Redeem {
    Bytes redemption;
    Bytes signature;
    bool operator==(Redeem const&) const = default;
};
struct DeviceListPut {
    SignedDocument document;
    bool operator==(DeviceListPut const&) const = default;
};
/// Answered by Documents: the chain after (generation, version), oldest first; zeros: all of it.
struct DeviceListGet {
    AccountId account;
    std::uint64_t generation = 0;
    std::uint64_t version = 0;
    bool operator==(DeviceListGet const&) const = default;
};
struct KeyPackagesPut {
    std::vector<Bytes> key_packages;  // MLSMessage(KeyPackage) each
    std::optional<Bytes> last_resort;
    bool operator==(KeyPackagesPut const&) const = default;
};
struct KeyPackagesFetch {
    AccountId account;
    bool operator==(KeyPackagesFetch const&) const = default;
};
struct Commit {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;  // the epoch that the commit ends
    Bytes mls;                // MLSMessage(PrivateMessage, content type commit)
    Bytes declaration;        // mls_framing::Declaration; its hash is the commit's authenticated_data
    std::vector<Bytes> welcomes;
    bool operator==(Commit const&) const = default;
};
struct CommitRejected {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    std::uint32_t reason = 0;  // base::Errc as a number: diagnostics only
    bool operator==(CommitRejected const&) const = default;
};
enum class Wish : std::uint8_t { normal = 1, hold = 2, refuse = 3 };  // others than normal answer not_yet
struct Send {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    Bytes mls;  // MLSMessage(PrivateMessage, content type application), empty authenticated_data
    Wish wish = Wish::normal;
    std::optional<std::uint64_t> replaces;   // seq of an own message that still waits: recalled, or too_late
    std::optional<SignedDocument> send_now;  // an override over this request id; answers not_yet
    std::vector<Bytes> blobs{};              // answers not_yet
    bool operator==(Send const&) const = default;
};
struct Ack {
    ConversationId conversation;
    std::vector<std::uint64_t> seqs;  // 1..1024 of them
    bool operator==(Ack const&) const = default;
};
/// Everything up to and including the handshake that *began* `epoch` is in the vault.
struct HandshakeAck {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    bool operator==(HandshakeAck const&) const = default;
};
struct Recall {
    ConversationId conversation;
    std::uint64_t seq = 0;
    bool operator==(Recall const&) const = default;
};
struct SchedulePut {
    SignedDocument document;
    bool operator==(SchedulePut const&) const = default;
};
struct OverridePut {
    SignedDocument document;
    bool operator==(OverridePut const&) const = default;
};
struct TermsPut {
    ConversationId conversation;
    SignedDocument document;
    Bytes counter_signature;
    bool operator==(TermsPut const&) const = default;
};
struct LogGet {
    SubjectId subject;
    std::uint64_t from_counter = 1;
    bool operator==(LogGet const&) const = default;
};
struct CheckpointGet {
    std::uint64_t size_seen = 0;
    bool operator==(CheckpointGet const&) const = default;
};
struct LogAck {
    SubjectId subject;
    std::uint64_t counter = 0;
    bool operator==(LogAck const&) const = default;
};
/// Request ids whose final answer (with its proof, if something is held) is in the vault.
struct Confirm {
    std::vector<RequestId> ids;
    bool operator==(Confirm const&) const = default;
};
struct Leave {
    ConversationId conversation;
    bool operator==(Leave const&) const = default;
};
struct CloseConversation {
    ConversationId conversation;
    bool operator==(CloseConversation const&) const = default;
};
/// A frame whose number is reserved for a later version (successor, found, backup_put, backup_get, push_put).
struct Later {
    std::uint32_t number = 0;
    bool operator==(Later const&) const = default;
};

using ClientBody = std::variant<Hello, Authenticate, InvitationPut, InvitationRevoke, InvitationList, Redeem,
                                DeviceListPut, DeviceListGet, KeyPackagesPut, KeyPackagesFetch, Commit, CommitRejected,
                                Send, Ack, HandshakeAck, Recall, SchedulePut, OverridePut, TermsPut, LogGet,
                                CheckpointGet, LogAck, Confirm, Leave, CloseConversation, Later>;

struct ClientFrame {
    RequestId request;  // zeros where no answer is expected (Ack, HandshakeAck, LogAck, Confirm)
    ClientBody body;
    bool operator==(ClientFrame const&) const = default;
};

// ---- from the server -----------------------------------------------------------------------------------------------

/// First frame of the server on every link, before hello is answered.
struct Nonce {
    Bytes nonce;  // 32 bytes
    std::string server_name;
    WallTime time{};
    bool operator==(Nonce const&) const = default;
};
struct LinkLimits {
    std::uint32_t frame_bytes_max = 0;
    std::uint32_t idle_seconds_max = 0;
    std::uint32_t hold_life_seconds = 0;
    std::uint32_t in_flight_max = 0;  // requests of one link that wait for an answer
    bool operator==(LinkLimits const&) const = default;
};
struct Ready {
    WallTime time{};
    LinkLimits limits;
    InstanceId instance;
    std::uint64_t restore_count = 0;
    std::string checkpoint;           // signed note; empty before the first entry
    std::vector<Hash32> consistency;  // from log_size_seen to the checkpoint
    std::string log_vkey;             // verifier key of the log; pinned by its hash in the invitation
    std::vector<ConversationState> conversations;
    std::vector<SubjectState> subjects;
    bool operator==(Ready const&) const = default;
};
struct Done {
    bool operator==(Done const&) const = default;
};
enum class InvitationPhase : std::uint8_t { open = 1, redeemed = 2, revoked = 3, expired = 4 };
struct InvitationInfo {
    InvitationId invitation;
    InvitationPhase phase{};
    WallTime expiry{};
    bool second_attempt = false;  // somebody else tried it after it was redeemed
    bool operator==(InvitationInfo const&) const = default;
};
struct Invitations {
    std::vector<InvitationInfo> invitations;
    bool operator==(Invitations const&) const = default;
};
/// The answer to redeem; the same bytes again get the same answer.
struct Redeemed {
    AccountId account;
    std::optional<ConversationId> conversation;
    bool operator==(Redeemed const&) const = default;
};
/// The inviter's newest list is not the one the Welcomes cover; nothing was spent, found anew.
struct ListChanged {
    bool operator==(ListChanged const&) const = default;
};
struct DeviceKeyPackage {
    DeviceId device;
    Bytes key_package;
    bool last_resort = false;
    bool operator==(DeviceKeyPackage const&) const = default;
};
struct KeyPackages {
    std::vector<DeviceKeyPackage> packages;
    bool operator==(KeyPackages const&) const = default;
};
struct KeyPackageStock {
    std::uint32_t left = 0;
    bool operator==(KeyPackageStock const&) const = default;
};
struct Handshake {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;  // the epoch that this commit ended
    DeviceId sender_device;
    WallTime stamp{};
    Bytes mls;
    Bytes declaration;
    bool operator==(Handshake const&) const = default;
};
struct Accepted {
    std::uint64_t epoch = 0;  // the epoch that the commit began
    bool operator==(Accepted const&) const = default;
};
struct Conflict {
    std::optional<Handshake> winner;
    bool operator==(Conflict const&) const = default;
};
struct Stored {
    std::uint64_t seq = 0;
    WallTime stamp{};
    Hash32 envelope;
    std::vector<Hold> holds;
    Bytes receipt;            // audit::StoredReceipt, only when holds is not empty
    Bytes receipt_signature;  // by the log key
    bool operator==(Stored const&) const = default;
};
/// Follows Stored (same request id) with the next checkpoint, when something is held.
struct Held {
    ConversationId conversation;
    std::uint64_t seq = 0;
    LogItem item;
    bool operator==(Held const&) const = default;
};
enum class Rule : std::uint8_t {  // why a submission was refused; texts are the apps'
    off_hours = 1,                // the gate: terms say refuse
    closed_conversation = 2,
    not_a_member = 3,  // also: no such conversation
    too_big = 4,
    quota = 5,
    too_fast = 6,
    not_yet = 7,       // a later version's feature
    schedule = 8,      // a schedule or override that the rules of change refuse; see ScheduleProblem
    invalid = 9,       // a signature, list, declaration or key package that does not hold
    conflict = 10,     // a compare-and-set lost: fetch the newest and sign again
    expired = 11,      // an invitation or document that ran out
    spent = 12,        // an invitation that somebody redeemed
    unreachable = 13,  // an account without any key package
};
enum class ScheduleProblem : std::uint8_t {
    none = 0,
    back_dated = 1,
    cuts_begun_window = 2,
    next_opening_later = 3,
    gap_too_long = 4,
    overlaps_itself = 5,
    compiled_differs = 6,
    wrong_number = 7,
    not_supported_yet = 8,
};
struct Refused {
    Rule rule{};
    ScheduleProblem problem = ScheduleProblem::none;
    std::optional<WallTime> next_opening;
    std::uint32_t retry_after_seconds = 0;
    std::optional<LogItem> item;  // when the gate refused
    bool operator==(Refused const&) const = default;
};
struct EpochStale {
    std::uint64_t epoch = 0;  // the present one
    bool operator==(EpochStale const&) const = default;
};
struct TooLate {
    bool operator==(TooLate const&) const = default;
};
struct LogEntries {
    SubjectId subject;
    std::vector<LogItem> items;
    std::uint64_t head_counter = 0;
    Hash32 head;
    std::string checkpoint;
    bool operator==(LogEntries const&) const = default;
};
struct Checkpoint {
    std::string note;
    std::vector<Hash32> consistency;
    bool operator==(Checkpoint const&) const = default;
};
struct Envelope {
    ConversationId conversation;
    std::uint64_t seq = 0;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    AccountId sender_account;
    DeviceId sender_device;
    WallTime stamp{};
    Hash32 hash;  // SHA-256 of mls
    Bytes mls;
    bool operator==(Envelope const&) const = default;
};
struct Welcome {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;  // the epoch it joins
    DeviceId sender_device;
    WallTime stamp{};
    Bytes mls;
    Bytes declaration;
    std::optional<SignedDocument> invitation;  // when it comes from a redemption:
    Bytes redemption;
    Bytes redemption_signature;
    bool operator==(Welcome const&) const = default;
};
struct Documents {
    std::vector<PublishedDocument> documents;
    bool operator==(Documents const&) const = default;
};
enum class FateKind : std::uint8_t { recalled = 1, expired = 2, passed = 3 };
struct Fate {
    ConversationId conversation;
    std::uint64_t seq = 0;
    FateKind kind{};
    std::optional<AccountId> account;
    bool operator==(Fate const&) const = default;
};
struct EpochEnd {
    ConversationId conversation;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    bool operator==(EpochEnd const&) const = default;
};
/// A conversation began or its members changed while the link was up (a Ready in small).
struct StateChanged {
    std::vector<ConversationState> conversations;
    std::vector<SubjectState> subjects;
    bool operator==(StateChanged const&) const = default;
};
enum class ErrorCode : std::uint8_t {
    malformed = 1,
    out_of_state = 2,
    not_authenticated = 3,
    not_allowed = 4,  // also: unknown; the two look the same
    too_fast = 5,
    overloaded = 6,
    not_yet = 7,
    store = 8,  // the server could not write; nothing was accepted
};
struct Error {
    ErrorCode code{};
    std::uint32_t retry_after_seconds = 0;
    bool operator==(Error const&) const = default;
};
/// The last frame before a close.
struct Goodbye {
    std::uint16_t code = 1000;  // interfaces.md, close codes
    std::uint32_t retry_after_seconds = 0;
    bool operator==(Goodbye const&) const = default;
};

using ServerBody = std::variant<Nonce, Ready, Done, Invitations, Redeemed, ListChanged, KeyPackages, KeyPackageStock,
                                Handshake, Accepted, Conflict, Stored, Held, Refused, EpochStale, TooLate, LogEntries,
                                Checkpoint, Envelope, Welcome, Documents, Fate, EpochEnd, StateChanged, Error, Goodbye>;

struct ServerFrame {
    RequestId request;  // of the request it answers; zeros for what the server sends by itself
    ServerBody body;
    bool operator==(ServerFrame const&) const = default;
};

}  // namespace interlude::wire
