// Overrides of a schedule: signed, reason-coded, with a scope and an end (product.md, Overrides; exact.md, Calendar).
#pragma once

#include <optional>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::schedule {

/// Signed, and hashed for the next document of its chain, under this label.
inline constexpr std::string_view override_label = "override document";

enum class OverrideKind : std::uint8_t {
    open_now = 1,   // open during the span
    close_now = 2,  // unplanned absence: closed during the span
    postpone = 3,   // a promised opening moves later: closed during the span
    send_now = 4,   // one message of the therapist passes at once; no span, over a request id
};
enum class OverrideReason : std::uint8_t {
    illness = 1,
    emergency = 2,
    family = 3,
    technical = 4,
    agreed = 5,  // with the client
    other = 6,
};
std::string_view name(OverrideKind kind) noexcept;
std::string_view name(OverrideReason reason) noexcept;

/// struct { uint8 version; uint8 kind; account[32]; device[16]; optional conversation[16]; uint64 number; previous[32];
///   uint64 start_seconds; uint64 end_seconds; uint8 reason; optional request[16] }
/// With a conversation it is of that conversation's chain, without one of the calendar's, where schedules and overrides
/// share one numbering. send_now has no span (zeros), but a conversation and the request that it travels in.
struct OverrideDocument {
    OverrideKind kind = OverrideKind::open_now;
    base::AccountId account;
    base::DeviceId device;
    std::optional<base::ConversationId> conversation;
    std::uint64_t number = 1;
    base::Hash32 previous;
    base::Interval span{};
    OverrideReason reason = OverrideReason::other;
    std::optional<base::RequestId> request;
    bool operator==(OverrideDocument const&) const = default;
};

/// The document must hold check().
bytes::Bytes encode(OverrideDocument const& document);
/// malformed for what check() finds.
base::Result<OverrideDocument> decode_override_document(bytes::ByteView bytes);
/// malformed: number and previous that contradict each other, an empty span or one beyond a year, fractions of a
/// second, a close_now for one conversation, a request without send_now, send_now with a span or without conversation
/// or request.
base::Result<void> check(OverrideDocument const& document);

}  // namespace interlude::schedule
