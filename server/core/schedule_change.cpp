#include "server/core/schedule_change.hpp"

#include <algorithm>

#include "common/crypto/hash.hpp"
#include "common/crypto/sign.hpp"
#include "common/schedule/schedule_change.hpp"
#include "common/schedule/schedule_document.hpp"
#include "server/core/refusals.hpp"

namespace interlude::core {
namespace {

using schedule::ScheduleDocument;
using wire::ScheduleProblem;

Hash32 schedule_hash(Bytes const& document) {
    return crypto::labelled_hash(schedule::schedule_label, document);
}

ScheduleDocument stored_document(wire::PublishedDocument const& published) {
    auto document = schedule::decode_schedule_document(published.document.bytes);
    INTERLUDE_CHECK(document.has_value());
    return std::move(*document);
}

bool signed_by_listed_device(ScheduleFacts const& facts, SchedulePutRequest const& request,
                             ScheduleDocument const& document) {
    auto const* device = facts.list->find(request.by.device);
    return device && document.account == request.by.account && document.device == request.by.device &&
           crypto::verify_labelled(device->auth_key.span(), schedule::schedule_label, request.document.bytes,
                                   request.document.signature);
}

/// The next of the chain (exact.md, Calendar: numbered, names its predecessor's hash, compare-and-set).
bool continues(std::vector<wire::PublishedDocument> const& chain, ScheduleDocument const& document) {
    if (chain.empty()) return document.number == 1 && document.previous.is_zero();
    return document.number == stored_document(chain.back()).number + 1 &&
           document.previous == schedule_hash(chain.back().document.bytes);
}

ScheduleProblem problem_of(schedule::ChangeProblem problem) {
    switch (problem) {
        case schedule::ChangeProblem::back_dated:
            return ScheduleProblem::back_dated;
        case schedule::ChangeProblem::cuts_begun_window:
            return ScheduleProblem::cuts_begun_window;
        case schedule::ChangeProblem::next_opening_later:
            return ScheduleProblem::next_opening_later;
        case schedule::ChangeProblem::gap_too_long:
            return ScheduleProblem::gap_too_long;
    }
    INTERLUDE_CHECK(false);
}

}  // namespace

std::optional<ZoneNeeds> needs_of(wire::SignedDocument const& document) {
    auto const schedule = schedule::decode_schedule_document(document.bytes);
    if (!schedule) return std::nullopt;
    return ZoneNeeds{schedule->rules.zone, schedule::zone_span(schedule->compiled_span)};
}

CalendarPtr calendar_of(std::vector<wire::PublishedDocument> const& chain) {
    if (chain.empty()) return nullptr;
    std::vector<schedule::PublishedSchedule> schedules;
    for (auto const& published : chain)
        schedules.push_back(schedule::published(stored_document(published), published.in_force_from));
    return std::make_shared<schedule::Calendar const>(std::move(schedules));
}

ScheduleVerdict decide_schedule_change(ScheduleFacts const& facts, SchedulePutRequest const& request, WallTime now,
                                       Policy const& policy) {
    if (request.document.kind != wire::DocumentKind::schedule || !facts.list) return refused(wire::Rule::invalid);
    auto const decoded = schedule::decode_schedule_document(request.document.bytes);
    if (!decoded) {
        bool const overlaps = decoded.error() == base::Errc::bad_schedule;
        return overlaps ? refused(ScheduleProblem::overlaps_itself) : refused(wire::Rule::invalid);
    }
    auto const& document = *decoded;
    if (!signed_by_listed_device(facts, request, document)) return refused(wire::Rule::invalid);
    if (!facts.chain.empty() && facts.chain.back().document.bytes == request.document.bytes) return wire::Done{};
    if (!continues(facts.chain, document)) return refused(ScheduleProblem::wrong_number);
    if (facts.published_today >= policy.schedules_per_day_max) return too_fast(std::chrono::hours{1});
    if (!schedule::supported(document)) return refused(ScheduleProblem::not_supported_yet);
    if (request.zone && schedule::recompile(document, *request.zone).agreement == schedule::Agreement::differs)
        return refused(ScheduleProblem::compiled_differs);

    auto chain = facts.chain;
    // Messages stamped in this very millisecond may have been decided already: the document's stamp is the next one, or
    // a reader of the log could not tell which hours spoke.
    auto const stamp = now + Millis{1};
    auto const in_force_from = std::max(document.effective_from, stamp);
    chain.push_back({request.document, in_force_from});
    auto const before = calendar_of(facts.chain);
    auto const after = calendar_of(chain);
    schedule::Calendar const nothing;
    auto const allowed = schedule::check_change(
        {before ? *before : nothing, *after, now, document.effective_from, &document.rules, policy.hold_life});
    if (!allowed) return refused(problem_of(allowed.error()));

    audit::SchedulePublished const entry{document.account, document.number, schedule_hash(request.document.bytes),
                                         in_force_from};
    return ScheduleChange{
        document.number, in_force_from, after, {audit::subject_of(document.account), stamp, entry, std::nullopt}};
}

std::vector<WindowEvent> window_events(CalendarPtr const& calendar, WallTime after, WallTime up_to, std::size_t max) {
    std::vector<WindowEvent> events;
    if (!calendar) return events;
    auto const add = [&](WallTime instant, bool opened) {
        if (after < instant && instant <= up_to && events.size() < max)
            events.push_back({instant, opened, calendar->schedule_at(instant)});
    };
    for (auto const& window : calendar->windows()) {
        add(window.start, true);
        add(window.end, false);
    }
    return events;
}

EntryDraft entry_for(WindowEvent const& event, AccountId const& account, WallTime now) {
    EntryDraft draft{audit::subject_of(account), now, {}, std::nullopt};
    if (event.opened)
        draft.body = audit::WindowOpened{account, event.instant, event.calendar};
    else
        draft.body = audit::WindowClosed{account, event.instant, event.calendar};
    return draft;
}

}  // namespace interlude::core
