// Schedules and overrides, and what check() refuses in them.
#include "common/schedule/override_document.hpp"
#include "common/schedule/schedule_document.hpp"
#include "tests/fuzz/make_corpus.hpp"
#include "tests/unit/schedule/builders.hpp"

namespace interlude::fuzz {

using namespace schedule;

namespace {

ScheduleDocument sample_schedule() {
    ScheduleDocument document;
    document.account = id_of<base::AccountId>(1);
    document.device = id_of<base::DeviceId>(2);
    document.rules.zone = "UTC";
    document.rules.weekly = schedule::test::weekly("Mon-Fri 09:00-12:00; Sat 22:00-02:00");
    document.rules.closures = {schedule::test::span("2026-12-24T00:00/2026-12-27T00:00")};
    document.rules.openings = {schedule::test::span("2026-12-25T10:00/2026-12-25T11:00")};
    document = compiled_document(document, ZoneRules::utc(), schedule::test::utc("2026-11-23"));
    document.compiled.resize(20);  // the rest of the year adds nothing but bytes
    return document;
}

OverrideDocument sample_override(OverrideKind kind) {
    OverrideDocument document;
    document.kind = kind;
    document.account = id_of<base::AccountId>(1);
    document.device = id_of<base::DeviceId>(2);
    if (kind == OverrideKind::send_now) {
        document.conversation = id_of<base::ConversationId>(3);
        document.request = id_of<base::RequestId>(4);
    } else {
        document.span = schedule::test::span("2026-12-24T09:00/2026-12-24T12:00");
    }
    return document;
}

}  // namespace

void make_schedule_seeds() {
    auto document = sample_schedule();
    auto const sound = encode(document).value();
    seed("schedule_document", "weekly", sound);
    document.number = 2;
    document.previous = id_of<base::Hash32>(5);
    document.policy = {OffHours::refuse, TherapistOffHours::refuse, 3, Promise::open_hours, 24, 48};
    document.cover = Bytes(5, 1);
    seed("schedule_document", "second_with_policy", encode(document).value());
    document.compiled.clear();
    seed("schedule_document", "closed", encode(document).value());
    // Each byte in which a document of other values differs: places in the struct's fixed part, and one behind the
    // zone.
    std::pair<char const*, std::size_t> const places[] = {
        {"version", 0}, {"number", 56}, {"previous", 57}, {"zone", 89}, {"tzdata", 93}};
    for (auto const& [name, at] : places) {
        auto changed = sound;
        changed.at(at) ^= 0x40;
        seed("schedule_document", std::string("bad_") + name, changed);
    }
    auto longer = sound;
    longer.push_back(0);
    seed("schedule_document", "bad_end", longer);

    std::size_t number = 1;
    for (auto const kind :
         {OverrideKind::open_now, OverrideKind::close_now, OverrideKind::postpone, OverrideKind::send_now}) {
        auto one = sample_override(kind);
        one.reason = OverrideReason{static_cast<std::uint8_t>(number++)};
        seed("override_document", std::string(name(kind)), encode(one));
    }
    for (auto const reason : {OverrideReason::agreed, OverrideReason::other}) {
        auto one = sample_override(OverrideKind::open_now);
        one.reason = reason;
        seed("override_document", "open_now_" + std::string(name(reason)), encode(one));
    }
    auto const open = encode(sample_override(OverrideKind::open_now));
    auto const send = encode(sample_override(OverrideKind::send_now));
    auto const refused = [](char const* name, Bytes bytes, std::size_t at, std::uint8_t value) {
        bytes.at(at) = value;
        seed("override_document", std::string("bad_") + name, bytes);
    };
    refused("version", open, 0, 9);
    refused("kind", open, 1, 9);
    refused("kind_of_a_message", open, 1, 4);
    refused("kind_without_span", send, 1, 1);
    refused("presence", open, 50, 2);
    refused("number", open, 58, 0);
    refused("previous", open, 59, 1);
    refused("span", open, 91 + 7, 0xff);
    refused("year", open, 91, 0xff);
    refused("reason", open, 107, 9);
    refused("message_span", send, 114, 1);
}

}  // namespace interlude::fuzz
