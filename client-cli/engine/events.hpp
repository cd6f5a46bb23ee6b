// What the engine tells a program while frames come and go. Each event names what changed; the program reads the rest.
#pragma once

#include <variant>

#include "client-cli/engine/views.hpp"

namespace interlude::engine {

/// Login was accepted; what waited is on its way.
struct LinkReady {
    WallTime server_time{};
    std::int64_t skew_ms = 0;
    bool operator==(LinkReady const&) const = default;
};
/// What the server had for this device at login is in the vault, and what waited here was sent: it answered a question
/// asked after login, every group is in its epoch, and nothing came for a moment.
struct CaughtUp {
    bool operator==(CaughtUp const&) const = default;
};
/// The invitation was redeemed. The link has done its work: close it and connect again to log in.
struct Joined {
    AccountId account;
    DeviceId device;
    Side side{};
    std::optional<ConversationId> conversation;
    bool operator==(Joined const&) const = default;
};
/// The invitation cannot be redeemed: spent, expired, or its therapist cannot be reached.
struct JoinFailed {
    wire::Rule rule{};
    bool operator==(JoinFailed const&) const = default;
};
struct ConversationBegan {
    ConversationId conversation;
    bool operator==(ConversationBegan const&) const = default;
};
struct MessageArrived {
    ConversationId conversation;
    std::uint64_t seq = 0;
    MessageId id;
    bool operator==(MessageArrived const&) const = default;
};
struct MessageChanged {
    ConversationId conversation;
    MessageId id;
    MessageState state{};
    bool operator==(MessageChanged const&) const = default;
};
/// A document of this therapist account is in force or will be.
struct HoursChanged {
    AccountId account;
    bool operator==(HoursChanged const&) const = default;
};
struct MembersChanged {
    ConversationId conversation;
    bool operator==(MembersChanged const&) const = default;
};
struct InvitationChanged {
    InvitationId invitation;
    wire::InvitationPhase phase{};
    bool second_attempt = false;
    bool operator==(InvitationChanged const&) const = default;
};
/// A request of invite, hours set|open|close or recall was answered. For messages see MessageChanged.
struct RequestAnswered {
    RequestId request;
    std::optional<wire::Refused> refused;  // absent: done
    bool too_late = false;                 // a recall: it had passed already
    bool operator==(RequestAnswered const&) const = default;
};
/// Loud and lasting; also kept in the vault (Engine::alarms).
struct Alarm {
    std::string code;
    std::string text;
    std::optional<ConversationId> conversation;
    bool operator==(Alarm const&) const = default;
};
/// All entries of the own subjects are in the vault; Engine::audit_verify can judge.
struct LogFetched {
    bool operator==(LogFetched const&) const = default;
};
/// The server says goodbye or an error that ends this link.
struct LinkEnding {
    std::uint16_t code = 1000;
    std::uint32_t retry_after_seconds = 0;
    bool operator==(LinkEnding const&) const = default;
};

using Event =
    std::variant<LinkReady, CaughtUp, Joined, JoinFailed, ConversationBegan, MessageArrived, MessageChanged,
                 HoursChanged, MembersChanged, InvitationChanged, RequestAnswered, Alarm, LogFetched, LinkEnding>;

}  // namespace interlude::engine
