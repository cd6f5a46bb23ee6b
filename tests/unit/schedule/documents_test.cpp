// Schedule and override documents: golden bytes, round trips, and everything that a decoder must refuse.
#include "common/bytes/text.hpp"
#include "common/schedule/override_document.hpp"
#include "common/schedule/schedule_document.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using base::Errc;
using bytes::Bytes;
using test::hour;
using test::hours;
using test::spans;
using test::utc;
using test::weekly;
using namespace std::chrono_literals;

template <class IdType>
IdType id(std::uint8_t fill) {
    IdType made;
    made.bytes.fill(fill);
    return made;
}

ScheduleDocument sample() {
    ScheduleDocument document;
    document.account = id<base::AccountId>(1);
    document.device = id<base::DeviceId>(2);
    document.rules = with_weekly({}, "Europe/Berlin", weekly("Mon-Fri 09:00-12:00"));
    auto const now = utc("2026-07-27T10:00:00.5");
    auto const around = zone_span(compiled_span(now));
    return compiled_document(document, *load_zone("Europe/Berlin", around.start, around.end), now);
}

OverrideDocument sample_override(OverrideKind kind = OverrideKind::open_now) {
    OverrideDocument document;
    document.kind = kind;
    document.account = id<base::AccountId>(1);
    document.device = id<base::DeviceId>(2);
    document.span = hours(10, 12);
    if (kind == OverrideKind::send_now) {
        document.span = {};
        document.conversation = id<base::ConversationId>(3);
        document.request = id<base::RequestId>(4);
    }
    return document;
}

template <class Change>
std::string_view fault_of(Change change) {
    auto document = sample();
    change(document);
    auto const checked = check(document);
    return checked ? "accepted" : name(checked.error());
}

TEST(ScheduleDocument, golden_bytes_are_written_and_read) {
    auto const golden = tests::read_json(tests::case_file("schedule/documents.json"))["schedule"];
    auto const expected = tests::hex(golden["bytes"]);
    auto const document = decode_schedule_document(expected);
    ASSERT_TRUE(document);
    EXPECT_EQ(golden["label"], schedule_label);
    EXPECT_EQ(bytes::to_hex(document->account.bytes), golden["account"]);
    EXPECT_EQ(bytes::to_hex(document->device.bytes), golden["device"]);
    EXPECT_EQ(document->number, golden["number"]);
    EXPECT_EQ(bytes::to_hex(document->previous.bytes), golden["previous"]);
    EXPECT_EQ(document->rules.zone, golden["zone"]);
    EXPECT_EQ(document->tzdata, golden["tzdata"]);
    EXPECT_EQ(format_hours(document->rules.weekly), "Mon 09:00-12:00,14:00-17:00; Fri 22:00-02:00");
    EXPECT_EQ(base::to_ms(document->rules.closures.at(0).start) / 1000, golden["closures"][0][0]);
    EXPECT_EQ(base::to_ms(document->rules.openings.at(0).end) / 1000, golden["openings"][0][1]);
    EXPECT_EQ(document->policy, PolicyDefaults{});
    EXPECT_EQ(bytes::to_hex(document->notice.bytes), golden["notice"]);
    EXPECT_EQ(base::to_ms(document->effective_from), golden["effective_from"]);
    EXPECT_EQ(base::to_ms(document->compiled_span.end) / 1000, golden["compiled_span"][1]);
    EXPECT_EQ(base::to_ms(document->compiled.at(1).start) / 1000, golden["compiled"][1][0]);
    EXPECT_EQ(*encode(*document), expected);
}

TEST(ScheduleDocument, a_signed_year_of_hours_comes_back_as_it_was) {
    auto const document = sample();
    EXPECT_TRUE(check(document));
    EXPECT_GT(document.compiled.size(), 280u);
    EXPECT_EQ(document.compiled_span, test::span("2026-07-26T10:00:00/2027-08-31T10:00:00"));
    auto const encoded = encode(document);
    ASSERT_TRUE(encoded);
    auto const decoded = decode_schedule_document(*encoded);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, document);
    EXPECT_EQ(*encode(*decoded), *encoded);
}

TEST(ScheduleDocument, truncated_or_lengthened_bytes_are_refused) {
    auto const encoded = *encode(sample());
    for (std::size_t length = 0; length < encoded.size(); length += length < 300 ? 1 : 97)
        EXPECT_FALSE(decode_schedule_document({encoded.data(), length})) << length;
    auto longer = encoded;
    longer.push_back(0);
    EXPECT_EQ(decode_schedule_document(longer).error(), Errc::trailing_bytes);
    auto later = encoded;
    later[0] = 2;
    EXPECT_EQ(decode_schedule_document(later).error(), Errc::unsupported);
    EXPECT_EQ(decode_schedule_document(Bytes(64 * 1024 + 1, 1)).error(), Errc::too_long);
}

TEST(ScheduleDocument, what_a_flipped_bit_leaves_valid_writes_the_same_bytes) {
    auto const encoded = *encode(sample());
    int valid = 0;
    for (std::size_t bit = 0; bit < 8 * 300; ++bit) {
        auto flipped = encoded;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        auto const decoded = decode_schedule_document(flipped);
        if (!decoded) continue;
        ++valid;
        EXPECT_EQ(*encode(*decoded), flipped) << bit;
    }
    EXPECT_GT(valid, 100);
}

TEST(ScheduleDocument, each_contradiction_is_refused) {
    using D = ScheduleDocument;
    EXPECT_EQ(fault_of([](D&) {}), "accepted");
    EXPECT_EQ(fault_of([](D& d) { d.number = 0; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.number = 2; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.previous = id<base::Hash32>(1); }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.number = 2, d.previous = id<base::Hash32>(1); }), "accepted");
    EXPECT_EQ(fault_of([](D& d) { d.tzdata = ""; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.tzdata = std::string(33, '2'); }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.rules.weekly.push_back({Weekday::friday, 700, 730}); }), "bad_schedule");
    EXPECT_EQ(fault_of([](D& d) { d.policy.off_hours = static_cast<OffHours>(0); }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.policy.promise = Promise::open_hours; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.policy.promise_hours = 3; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.compiled_span.end += 100 * 24h; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.compiled_span.start = d.compiled.front().start + 1s; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.compiled_span.end = d.compiled.back().end - 1s; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.compiled_span.end += 1ms; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { std::swap(d.compiled[0], d.compiled[1]); }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.compiled[0].end = d.compiled[1].start; }), "malformed");
    EXPECT_EQ(fault_of([](D& d) { d.compiled[0].start += 1ms; }), "malformed");
}

TEST(ScheduleDocument, later_features_decode_and_are_not_yet_supported) {
    auto document = sample();
    EXPECT_TRUE(supported(document));
    document.policy.off_hours = OffHours::quiet;
    EXPECT_EQ(supported(*decode_schedule_document(*encode(document))).error(), Errc::not_yet);
    document = sample();
    document.cover = {1, 2, 3};
    EXPECT_EQ(supported(*decode_schedule_document(*encode(document))).error(), Errc::not_yet);
}

TEST(ScheduleDocument, more_windows_than_fit_are_too_long) {
    auto document = sample();
    document.compiled.clear();
    for (auto t = document.compiled_span.start; document.compiled.size() < 4200; t += 2h)
        document.compiled.push_back({t, t + 1h});
    EXPECT_EQ(encode(document).error(), Errc::too_long);
}

TEST(ScheduleDocument, compiled_intervals_are_compared_with_the_rules) {
    auto document = sample();
    auto const around = zone_span(document.compiled_span);
    auto const zone = *load_zone("Europe/Berlin", around.start, around.end);
    EXPECT_EQ(recompile(document, zone).agreement, Agreement::same);
    auto const lost = document.compiled[3];
    document.compiled.erase(document.compiled.begin() + 3);
    auto const again = recompile(document, zone);
    EXPECT_EQ(again.agreement, Agreement::differs);
    EXPECT_EQ(again.differences, Intervals{lost});
    EXPECT_EQ(again.ours, sample().compiled);
    document.tzdata = "1999z";
    EXPECT_EQ(recompile(document, zone).agreement, Agreement::differs_other_tzdata);
}

TEST(ScheduleDocument, is_signed_anew_when_fewer_than_ninety_days_are_left) {
    auto const document = sample();
    EXPECT_FALSE(wants_renewal(document, document.compiled_span.end - 90 * 24h));
    EXPECT_TRUE(wants_renewal(document, document.compiled_span.end - 90 * 24h + 1s));
}

TEST(OverrideDocument, golden_bytes_are_written_and_read) {
    auto const golden = tests::read_json(tests::case_file("schedule/documents.json"));
    for (auto const* name : {"open_now_for_all", "send_now"}) {
        auto const expected = tests::hex(golden[name]["bytes"]);
        auto const document = decode_override_document(expected);
        ASSERT_TRUE(document) << name;
        EXPECT_EQ(document->number, golden[name]["number"]);
        EXPECT_EQ(schedule::name(document->reason), golden[name]["reason"].get<std::string>());
        EXPECT_EQ(golden[name]["label"], override_label);
        EXPECT_EQ(encode(*document), expected) << name;
    }
}

TEST(OverrideDocument, every_kind_and_scope_comes_back_as_it_was) {
    for (auto const kind :
         {OverrideKind::open_now, OverrideKind::close_now, OverrideKind::postpone, OverrideKind::send_now})
        for (auto const reason : {OverrideReason::illness, OverrideReason::other})
            for (bool const one : {false, true}) {
                auto document = sample_override(kind);
                document.reason = reason;
                if (one && kind != OverrideKind::close_now) document.conversation = id<base::ConversationId>(7);
                auto const encoded = encode(document);
                auto const decoded = decode_override_document(encoded);
                ASSERT_TRUE(decoded) << name(kind);
                EXPECT_EQ(*decoded, document);
                for (std::size_t length = 0; length < encoded.size(); ++length)
                    EXPECT_FALSE(decode_override_document({encoded.data(), length}));
                auto longer = encoded;
                longer.push_back(0);
                EXPECT_EQ(decode_override_document(longer).error(), Errc::trailing_bytes);
            }
}

TEST(OverrideDocument, each_contradiction_is_refused) {
    auto const refused = [](OverrideKind kind, auto change) {
        auto document = sample_override(kind);
        change(document);
        return !check(document).has_value();
    };
    using D = OverrideDocument;
    using enum OverrideKind;
    EXPECT_FALSE(refused(open_now, [](D&) {}));
    EXPECT_FALSE(refused(send_now, [](D&) {}));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.number = 0; }));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.number = 5; }));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.span.end = d.span.start; }));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.span.end += 1ms; }));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.span.end += 400 * 24h; }));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.request = id<base::RequestId>(1); }));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.reason = static_cast<OverrideReason>(0); }));
    EXPECT_TRUE(refused(open_now, [](D& d) { d.kind = static_cast<OverrideKind>(5); }));
    EXPECT_TRUE(refused(close_now, [](D& d) { d.conversation = id<base::ConversationId>(1); }));
    EXPECT_TRUE(refused(send_now, [](D& d) { d.request.reset(); }));
    EXPECT_TRUE(refused(send_now, [](D& d) { d.conversation.reset(); }));
    EXPECT_TRUE(refused(send_now, [](D& d) { d.span = hours(1, 2); }));
}

}  // namespace
}  // namespace interlude::schedule
