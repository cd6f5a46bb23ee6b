// The schedule document: rules, where they came from, and the compiled intervals, which are the schedule (product.md,
// Schedule document; exact.md, Calendar). Signatures are checked by the callers, over the bytes as received.
#pragma once

#include "common/base/ids.hpp"
#include "common/bytes/bytes.hpp"
#include "common/schedule/compile.hpp"

namespace interlude::schedule {

/// Signed as crypto: bytes::labelled(schedule_label, document); the hash that the next document names is the labelled
/// SHA-256 under the same label.
inline constexpr std::string_view schedule_label = "schedule document";

enum class OffHours : std::uint8_t { hold = 1, quiet = 2, refuse = 3 };
enum class TherapistOffHours : std::uint8_t { hold = 1, refuse = 2 };
enum class Promise : std::uint8_t { none = 0, end_of_next_window = 1, open_hours = 2 };

/// Defaults of the terms. Only the initial values are in force yet; see supported().
struct PolicyDefaults {
    OffHours off_hours = OffHours::hold;
    TherapistOffHours therapist_off_hours = TherapistOffHours::hold;
    std::uint16_t allowance = 0;  // messages per open window; 0: no limit
    Promise promise = Promise::none;
    std::uint16_t promise_hours = 0;  // with Promise::open_hours
    std::uint32_t notice_hours = 0;   // for reductions
    bool operator==(PolicyDefaults const&) const = default;
};

/// struct { uint8 version; account[32]; device[16]; uint64 number; previous[32]; opaque zone<V>; opaque tzdata<V>;
///   { uint8 day; uint16 start; uint16 end } weekly<V>; Span closures<V>; Span openings<V>;
///   { uint8 off_hours; uint8 therapist_off_hours; uint16 allowance; uint8 promise; uint16 promise_hours;
///     uint32 notice_hours } policy; notice[32]; opaque cover<V>; uint64 effective_from;
///   Span compiled_span; Span compiled<V> };  Span = { uint64 start_seconds; uint64 end_seconds }
struct ScheduleDocument {
    base::AccountId account;
    base::DeviceId device;  // signs
    std::uint64_t number = 1;
    base::Hash32 previous;  // of the document before in this calendar's chain; zero in number 1
    Rules rules;
    std::string tzdata;
    PolicyDefaults policy;
    base::Hash32 notice;        // commitment to the absence notice; zero: none
    bytes::Bytes cover;         // named cover; empty until it exists
    WallTime effective_from{};  // zero: as soon as the server takes it
    Interval compiled_span{};   // closed outside it
    Intervals compiled;
    bool operator==(ScheduleDocument const&) const = default;
};

/// Fills tzdata, compiled_span and compiled from rules and zone. The zone rules must be those of rules.zone (checked).
ScheduleDocument compiled_document(ScheduleDocument document, ZoneRules const& zone, WallTime now);

/// too_long: beyond limits::schedule_document_bytes_max. Other values must hold check(document) (our own bug).
base::Result<bytes::Bytes> encode(ScheduleDocument const& document);
/// The values of a decoded document satisfy check(document).
base::Result<ScheduleDocument> decode_schedule_document(bytes::ByteView bytes);
/// malformed, bad_schedule (overlaps itself), too_long: the rules' check(); number and previous that contradict each
/// other; compiled intervals that are not normal, not inside compiled_span, or a span longer than 500 days.
base::Result<void> check(ScheduleDocument const& document);
/// not_yet: a policy or cover that this version does not carry out.
base::Result<void> supported(ScheduleDocument const& document);

/// How the signed intervals relate to what we compile from the same rules.
enum class Agreement : std::uint8_t {
    same,
    differs,               // with the same tzdata version: refused by the server, an alarm in an app
    differs_other_tzdata,  // a note that lists the days; the therapist's app offers the newer compilation
};
struct Recompiled {
    Agreement agreement = Agreement::same;
    Intervals ours;         // inside the document's compiled_span
    Intervals differences;  // instants at which they disagree
};
Recompiled recompile(ScheduleDocument const& document, ZoneRules const& zone);
/// Fewer than limits::schedule_days_resign days are left: the app signs anew.
bool wants_renewal(ScheduleDocument const& document, WallTime now);

}  // namespace interlude::schedule
