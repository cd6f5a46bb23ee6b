#include "common/schedule/schedule_document.hpp"

#include <algorithm>

#include "common/base/check.hpp"
#include "common/schedule/document_parts.hpp"

namespace interlude::schedule {

using base::Errc;
using base::Result;
using bytes::Reader;
using bytes::Writer;

namespace {

constexpr std::uint8_t version = 1;
constexpr auto compiled_longest = std::chrono::days{500};
constexpr std::size_t zone_bytes_max = 64;
constexpr std::size_t tzdata_bytes_max = 32;

bool is_valid(PolicyDefaults const& policy) {
    return policy.off_hours >= OffHours::hold && policy.off_hours <= OffHours::refuse &&
           policy.therapist_off_hours >= TherapistOffHours::hold &&
           policy.therapist_off_hours <= TherapistOffHours::refuse && policy.promise <= Promise::open_hours &&
           (policy.promise == Promise::open_hours) == (policy.promise_hours > 0);
}

void write(Writer& to, PolicyDefaults const& policy) {
    to.u8(static_cast<std::uint8_t>(policy.off_hours))
        .u8(static_cast<std::uint8_t>(policy.therapist_off_hours))
        .u16(policy.allowance)
        .u8(static_cast<std::uint8_t>(policy.promise))
        .u16(policy.promise_hours)
        .u32(policy.notice_hours);
}

Result<PolicyDefaults> read_policy(Reader& from) {
    PolicyDefaults policy;
    INTERLUDE_TRY(auto const off_hours, from.u8());
    policy.off_hours = static_cast<OffHours>(off_hours);
    INTERLUDE_TRY(auto const therapist_off_hours, from.u8());
    policy.therapist_off_hours = static_cast<TherapistOffHours>(therapist_off_hours);
    INTERLUDE_TRY(policy.allowance, from.u16());
    INTERLUDE_TRY(auto const promise, from.u8());
    policy.promise = static_cast<Promise>(promise);
    INTERLUDE_TRY(policy.promise_hours, from.u16());
    INTERLUDE_TRY(policy.notice_hours, from.u32());
    return policy;
}

void write(Writer& to, WeeklyInterval const& interval) {
    to.u8(static_cast<std::uint8_t>(interval.day)).u16(interval.start).u16(interval.end);
}

Result<std::vector<WeeklyInterval>> read_weekly(Reader& from) {
    INTERLUDE_TRY(auto content, from.vector());
    std::vector<WeeklyInterval> weekly;
    while (!content.empty()) {
        if (weekly.size() == rules_max) return Errc::too_long;
        WeeklyInterval interval;
        INTERLUDE_TRY(auto const day, content.u8());
        interval.day = static_cast<Weekday>(day);
        INTERLUDE_TRY(interval.start, content.u16());
        INTERLUDE_TRY(interval.end, content.u16());
        weekly.push_back(interval);
    }
    return weekly;
}

/// As many as the bytes have: those of a document are bounded.
Result<Intervals> read_spans(Reader& from) {
    INTERLUDE_TRY(auto const all, from.opaque());
    Intervals spans(all.size() / span_bytes);
    for (std::size_t i = 0; i < spans.size(); ++i) {
        auto const span = read_span(all.subspan(i * span_bytes).first<span_bytes>());
        if (!span) return span.error();
        spans[i] = *span;
    }
    if (all.size() % span_bytes != 0) return base::Errc::truncated;
    return spans;
}

}  // namespace

ScheduleDocument compiled_document(ScheduleDocument document, ZoneRules const& zone, WallTime now) {
    INTERLUDE_CHECK(zone.name() == document.rules.zone);
    document.tzdata = zone.tzdata();
    document.compiled_span = compiled_span(now);
    document.compiled = compile(document.rules, zone, document.compiled_span);
    return document;
}

Result<void> check(ScheduleDocument const& document) {
    INTERLUDE_TRY_VOID(check(document.rules));
    if (!is_linked(document.number, document.previous)) return Errc::malformed;
    if (document.tzdata.empty() || document.tzdata.size() > tzdata_bytes_max ||
        !std::all_of(document.tzdata.begin(), document.tzdata.end(), [](char c) { return c > ' ' && c <= '~'; }))
        return Errc::malformed;
    if (!is_valid(document.policy)) return Errc::malformed;
    auto const& span = document.compiled_span;
    if (span.end <= span.start || span.end - span.start > compiled_longest) return Errc::malformed;
    if (!whole_seconds(span.start) || !whole_seconds(span.end)) return Errc::malformed;
    if (!is_normal(document.compiled)) return Errc::malformed;
    for (auto const& window : document.compiled)
        if (!whole_seconds(window.start) || !whole_seconds(window.end)) return Errc::malformed;
    if (!document.compiled.empty() &&
        (document.compiled.front().start < span.start || span.end < document.compiled.back().end))
        return Errc::malformed;
    return {};
}

Result<void> supported(ScheduleDocument const& document) {
    if (document.policy != PolicyDefaults{} || !document.cover.empty()) return Errc::not_yet;
    return {};
}

Result<bytes::Bytes> encode(ScheduleDocument const& document) {
    INTERLUDE_CHECK(check(document).has_value());
    auto const spans = [](Writer& to, Interval const& span) { write_span(to, span); };
    auto const& rules = document.rules;
    Writer to;
    to.u8(version).id(document.account).id(document.device).u64(document.number).id(document.previous);
    to.opaque(bytes::view(rules.zone)).opaque(bytes::view(document.tzdata));
    to.vector_of(rules.weekly, [](Writer& inner, WeeklyInterval const& interval) { write(inner, interval); });
    to.vector_of(rules.closures, spans).vector_of(rules.openings, spans);
    write(to, document.policy);
    to.id(document.notice).opaque(document.cover).time(document.effective_from);
    write_span(to, document.compiled_span);
    to.vector_of(document.compiled, spans);
    if (to.bytes().size() > base::limits::schedule_document_bytes_max) return Errc::too_long;
    return to.take();
}

Result<ScheduleDocument> decode_schedule_document(bytes::ByteView bytes) {
    if (bytes.size() > base::limits::schedule_document_bytes_max) return Errc::too_long;
    Reader from(bytes);
    INTERLUDE_TRY(auto const its_version, from.u8());
    if (its_version != version) return Errc::unsupported;
    ScheduleDocument document;
    INTERLUDE_TRY(document.account, from.id<base::AccountId>());
    INTERLUDE_TRY(document.device, from.id<base::DeviceId>());
    INTERLUDE_TRY(document.number, from.u64());
    INTERLUDE_TRY(document.previous, from.id<base::Hash32>());
    INTERLUDE_TRY(auto const zone, from.opaque(zone_bytes_max));
    document.rules.zone = bytes::text(zone);
    INTERLUDE_TRY(auto const tzdata, from.opaque(tzdata_bytes_max));
    document.tzdata = bytes::text(tzdata);
    INTERLUDE_TRY(document.rules.weekly, read_weekly(from));
    INTERLUDE_TRY(document.rules.closures, read_spans(from));
    INTERLUDE_TRY(document.rules.openings, read_spans(from));
    INTERLUDE_TRY(document.policy, read_policy(from));
    INTERLUDE_TRY(document.notice, from.id<base::Hash32>());
    INTERLUDE_TRY(auto const cover, from.opaque());
    document.cover = bytes::copy(cover);
    INTERLUDE_TRY(document.effective_from, from.time());
    INTERLUDE_TRY(document.compiled_span, read_span(from));
    INTERLUDE_TRY(document.compiled, read_spans(from));
    INTERLUDE_TRY_VOID(from.finish());
    INTERLUDE_TRY_VOID(check(document));
    return document;
}

Recompiled recompile(ScheduleDocument const& document, ZoneRules const& zone) {
    Recompiled result;
    result.ours = compile(document.rules, zone, document.compiled_span);
    result.differences = unite(subtract(result.ours, document.compiled), subtract(document.compiled, result.ours));
    if (!result.differences.empty()) {
        bool const comparable = document.tzdata == zone.tzdata() && zone.tzdata() != "unknown";
        result.agreement = comparable ? Agreement::differs : Agreement::differs_other_tzdata;
    }
    return result;
}

bool wants_renewal(ScheduleDocument const& document, WallTime now) {
    return document.compiled_span.end - now < std::chrono::days{base::limits::schedule_days_resign};
}

}  // namespace interlude::schedule
