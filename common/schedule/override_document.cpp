#include "common/schedule/override_document.hpp"

#include <chrono>

#include "common/base/check.hpp"
#include "common/schedule/document_parts.hpp"

namespace interlude::schedule {

using base::Errc;
using base::Result;

namespace {

constexpr std::uint8_t version = 1;
constexpr auto span_longest = std::chrono::days{366};

bool is_valid(OverrideKind kind) {
    return kind >= OverrideKind::open_now && kind <= OverrideKind::send_now;
}
bool is_valid(OverrideReason reason) {
    return reason >= OverrideReason::illness && reason <= OverrideReason::other;
}

template <class IdType>
void write_optional(bytes::Writer& to, std::optional<IdType> const& id) {
    to.boolean(id.has_value());
    if (id) to.id(*id);
}

template <class IdType>
Result<std::optional<IdType>> read_optional(bytes::Reader& from) {
    INTERLUDE_TRY(bool const present, from.boolean());
    if (!present) return std::optional<IdType>{};
    INTERLUDE_TRY(auto const id, from.id<IdType>());
    return std::optional<IdType>{id};
}

}  // namespace

std::string_view name(OverrideKind kind) noexcept {
    switch (kind) {
        case OverrideKind::open_now:
            return "open_now";
        case OverrideKind::close_now:
            return "close_now";
        case OverrideKind::postpone:
            return "postpone";
        case OverrideKind::send_now:
            return "send_now";
    }
    return "unknown override";
}

std::string_view name(OverrideReason reason) noexcept {
    switch (reason) {
        case OverrideReason::illness:
            return "illness";
        case OverrideReason::emergency:
            return "emergency";
        case OverrideReason::family:
            return "family";
        case OverrideReason::technical:
            return "technical";
        case OverrideReason::agreed:
            return "agreed";
        case OverrideReason::other:
            return "other";
    }
    return "unknown reason";
}

Result<void> check(OverrideDocument const& document) {
    if (!is_valid(document.kind) || !is_valid(document.reason)) return Errc::malformed;
    if (!is_linked(document.number, document.previous)) return Errc::malformed;
    bool const one_message = document.kind == OverrideKind::send_now;
    if (document.request.has_value() != one_message) return Errc::malformed;
    if (one_message) {
        if (!document.conversation || document.span != base::Interval{}) return Errc::malformed;
        return {};
    }
    if (document.kind == OverrideKind::close_now && document.conversation) return Errc::malformed;
    auto const& span = document.span;
    if (span.end <= span.start || span.end - span.start > span_longest) return Errc::malformed;
    if (!whole_seconds(span.start) || !whole_seconds(span.end)) return Errc::malformed;
    return {};
}

bytes::Bytes encode(OverrideDocument const& document) {
    INTERLUDE_CHECK(check(document).has_value());
    bytes::Writer to;
    to.u8(version).u8(static_cast<std::uint8_t>(document.kind)).id(document.account).id(document.device);
    write_optional(to, document.conversation);
    to.u64(document.number).id(document.previous);
    write_span(to, document.span);
    to.u8(static_cast<std::uint8_t>(document.reason));
    write_optional(to, document.request);
    return to.take();
}

Result<OverrideDocument> decode_override_document(bytes::ByteView bytes) {
    bytes::Reader from(bytes);
    INTERLUDE_TRY(auto const its_version, from.u8());
    if (its_version != version) return Errc::unsupported;
    OverrideDocument document;
    INTERLUDE_TRY(auto const kind, from.u8());
    document.kind = static_cast<OverrideKind>(kind);
    INTERLUDE_TRY(document.account, from.id<base::AccountId>());
    INTERLUDE_TRY(document.device, from.id<base::DeviceId>());
    INTERLUDE_TRY(document.conversation, read_optional<base::ConversationId>(from));
    INTERLUDE_TRY(document.number, from.u64());
    INTERLUDE_TRY(document.previous, from.id<base::Hash32>());
    INTERLUDE_TRY(document.span, read_span(from));
    INTERLUDE_TRY(auto const reason, from.u8());
    document.reason = static_cast<OverrideReason>(reason);
    INTERLUDE_TRY(document.request, read_optional<base::RequestId>(from));
    INTERLUDE_TRY_VOID(from.finish());
    INTERLUDE_TRY_VOID(check(document));
    return document;
}

}  // namespace interlude::schedule
