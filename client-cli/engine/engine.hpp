// An app without a screen or a socket. Every operation is one vault transaction: it loads what it needs, decides, saves
// and commits before it returns; nothing that a ratchet or a chain depends on lives between two operations, so several
// processes can share one home. Frames leave through LinkDriver alone.
#pragma once

#include <functional>

#include "client-cli/engine/events.hpp"
#include "client-cli/engine/vault_port.hpp"
#include "common/base/limits.hpp"
#include "common/base/result.hpp"
#include "common/crypto/entropy.hpp"
#include "common/schedule/zone.hpp"

namespace interlude::engine {

using base::Result;

/// Where to connect for an invitation or a home.
struct Server {
    std::string host;  // also the name that TLS and the login check
    std::uint16_t port = 443;
    bool operator==(Server const&) const = default;
};

struct JoinPlan {
    Server server;
    AccountId account;
    DeviceId device;
    Side side{};  // as the invitation's kind says
    WallTime expires{};
};

struct InvitationMade {
    InvitationId id;
    std::string link;
    WallTime expires{};
    RequestId request;  // answered by RequestAnswered
};

/// Zone rules come from outside: the programs hand in the system's tzdata, tests a table.
using ZoneSource = std::function<Result<schedule::ZoneRules>(std::string_view name, WallTime from, WallTime until)>;

struct EngineOptions {
    ZoneSource load_zone = schedule::load_zone;
    std::uint32_t key_packages = base::limits::key_packages_per_device;  // to keep on the server
};

/// How a therapist wants her published hours to change.
struct HoursWish {
    enum class Kind : std::uint8_t {
        weekly = 1,   // these weekly hours (schedule::parse_hours reads typed ones) in `zone`, an IANA name
        opening = 2,  // an extra opening of `span`; `zone` is for a first document
        closure = 3,  // likewise
        undo = 4,     // the rules of the schedule before the newest one, anew
    };
    Kind kind{};
    std::vector<schedule::WeeklyInterval> weekly;
    base::Interval span{};
    std::string zone;
};

class Engine {
  public:
    /// Vault and entropy outlive the engine.
    Engine(Vault& vault, crypto::Entropy& entropy, EngineOptions options = {})
        : vault_(vault), entropy_(entropy), options_(std::move(options)) {}

    // --- The home (account.cpp, joining.cpp) -------------------------------------------------------------------------
    bool has_account();
    /// True between join_begin and the answer to the redemption: the next link is an invited one.
    bool join_pending();
    /// Reads the link, makes account, keys and the first device list, and keeps them. `conversation_name` is local;
    /// `own_name` goes to the other side inside MLS (empty: none). Again with the same link: the same plan.
    /// malformed (also names that are no UTF-8), unsupported, expired; conflict: this home has an account, or redeems
    /// another invitation (one that the server never heard of is replaced).
    Result<JoinPlan> join_begin(std::string_view link, std::string conversation_name, std::string own_name,
                                WallTime now);
    /// unknown before join_begin.
    Result<Server> server();
    StatusView status();

    // --- For therapists (joining.cpp, hours.cpp); not_allowed on the client side
    // --------------------------------------
    Result<InvitationMade> invite(std::string conversation_name, WallTime now);
    std::vector<InvitationView> invitations();
    /// The next schedule document, signed and queued. Exceptions that are not over stay. bad_schedule, unknown (zone;
    /// or there is no former document to go back to).
    Result<RequestId> hours_change(HoursWish wish, WallTime now);
    /// The same, and nothing is signed or kept.
    Result<HoursPreview> hours_preview(HoursWish wish, WallTime now);
    Result<RequestId> hours_set(std::vector<schedule::WeeklyInterval> weekly, std::string zone, WallTime now) {
        return hours_change({HoursWish::Kind::weekly, std::move(weekly), {}, std::move(zone)}, now);
    }
    Result<RequestId> hours_open(base::Interval span, WallTime now, std::string zone = "UTC") {
        return hours_change({HoursWish::Kind::opening, {}, span, std::move(zone)}, now);
    }
    Result<RequestId> hours_close(base::Interval span, WallTime now, std::string zone = "UTC") {
        return hours_change({HoursWish::Kind::closure, {}, span, std::move(zone)}, now);
    }
    /// open_now, close_now or postpone, for all, in whole seconds. not_allowed: no therapist. malformed: an empty span,
    /// or one of more than a year.
    Result<RequestId> hours_override(schedule::OverrideKind kind, base::Interval span, schedule::OverrideReason reason,
                                     WallTime now);
    /// The card that clients see at every closed send; goes to every conversation inside MLS.
    Result<void> set_crisis_card(std::string text, WallTime now);

    // --- Conversations (conversation.cpp, outbox.cpp) ----------------------------------------------------------------
    std::vector<ConversationView> conversations();
    Result<void> rename(ConversationId const& conversation, std::string name);
    /// Into the outbox, durable when it returns. The driver of any process seals and sends it. unknown, too_long,
    /// malformed (no UTF-8), not_allowed (ConversationView::pause says why).
    Result<MessageId> send(ConversationId const& conversation, std::string text, WallTime now);
    /// Takes back an own message that waits. Nothing: it had never left, and is gone. Else the request that asks the
    /// server, whose answer is RequestAnswered; the log keeps that something was taken back. unknown; conflict: it has
    /// passed already (or is gone); not_yet: the server may have it, and its answer is not here.
    Result<std::optional<RequestId>> recall(ConversationId const& conversation, MessageId const& message, WallTime now);
    /// Other words instead of an own message that waits, in one step: both or neither. The same id where it had never
    /// left. Errors of send and of recall.
    Result<MessageId> replace(ConversationId const& conversation, MessageId const& message, std::string text,
                              WallTime now);
    /// Own name, to all members, inside MLS.
    Result<void> send_profile(ConversationId const& conversation, std::string own_name, WallTime now);
    /// In the order of seq; own ones without an answer last, in the order in which they were written.
    std::vector<MessageView> messages(ConversationId const& conversation, WallTime now);
    /// An own one before another's: an id is its author's choice.
    std::optional<MessageView> message(ConversationId const& conversation, MessageId const& id, WallTime now);
    /// What MessageArrived names.
    std::optional<MessageView> arrived(ConversationId const& conversation, std::uint64_t seq, WallTime now);
    /// Everything up to `seq` was shown.
    void mark_read(ConversationId const& conversation, std::uint64_t seq);

    // --- Trust (membership.cpp, hours.cpp) ---------------------------------------------------------------------------
    /// Four words; takes about a second (Argon2id). unknown.
    Result<std::array<std::string, 4>> safety_words(ConversationId const& conversation);
    /// The person compared them, and they are the same: also acknowledges a change. unknown.
    Result<void> confirm_words(ConversationId const& conversation);
    /// They differ: an alarm, and nothing is sealed for this conversation until they are confirmed. unknown.
    Result<void> reject_words(ConversationId const& conversation, WallTime now);
    /// Of this account and of everybody in a conversation with it.
    std::vector<DeviceView> devices(WallTime now);
    /// Of every therapist account known here.
    std::vector<HoursView> hours(WallTime now);
    std::optional<HoursView> hours_of(ConversationId const& conversation, WallTime now);
    std::optional<CrisisCard> crisis_card();
    std::vector<Alarm> alarms();

    /// From here on, and once for all links of this engine, a LinkDriver tells what arrives or changes in the home,
    /// whichever process took it. The first link begins it, if nothing did.
    void follow();

    // --- The log (log_keeper.cpp, audit_check.cpp) -------------------------------------------------------------------
    /// Judges what the vault has; LinkDriver::fetch_log brings it there.
    AuditReport audit_verify(WallTime now);

  private:
    friend class LinkDriver;
    Vault& vault_;
    crypto::Entropy& entropy_;
    EngineOptions options_;
    std::optional<std::uint64_t> news_seen_;  // since follow()
};

}  // namespace interlude::engine
