#include "server/core/schedule_change.hpp"

#include <algorithm>

#include "common/crypto/hash.hpp"
#include "common/crypto/sign.hpp"
#include "common/schedule/schedule_change.hpp"
#include "common/wire/calendar_documents.hpp"
#include "server/core/refusals.hpp"

namespace interlude::core {
namespace {

using schedule::ScheduleDocument;
using wire::ScheduleProblem;

Hash32 document_hash(wire::SignedDocument const& document) {
    return crypto::labelled_hash(wire::calendar_label(document.kind), document.bytes);
}

bool signed_by_listed_device(ScheduleFacts const& facts, CalendarPutRequest const& request,
                             schedule::ChainPlace const& place) {
    auto const* device = facts.list->find(request.by.device);
    return device && place.account == request.by.account && place.device == request.by.device &&
           crypto::verify_labelled(device->auth_key.span(), wire::calendar_label(request.document.kind),
                                   request.document.bytes, request.document.signature);
}

/// The next of the chain (exact.md, Calendar: numbered, names its predecessor's hash, compare-and-set).
bool continues(std::vector<wire::PublishedDocument> const& chain, schedule::ChainPlace const& place) {
    if (chain.empty()) return place.number == 1 && place.previous.is_zero();
    auto const last = wire::place_of(chain.back().document);
    INTERLUDE_CHECK(last);
    return place.number == last->number + 1 && place.previous == document_hash(chain.back().document);
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

/// What of a document its kind alone has.
struct OfSchedule {
    ScheduleDocument const& document;
    std::optional<schedule::ZoneRules> const& zone;  // as the server has it

    ScheduleProblem problem(WallTime) const {
        if (!schedule::supported(document)) return ScheduleProblem::not_supported_yet;
        if (zone && schedule::recompile(document, *zone).agreement == schedule::Agreement::differs)
            return ScheduleProblem::compiled_differs;
        return ScheduleProblem::none;
    }
    schedule::Rules const* rules() const { return &document.rules; }
    schedule::Excuse excuse() const { return schedule::Excuse::none; }
    audit::Body entry(Hash32 const& hash, WallTime in_force_from) const {
        return audit::SchedulePublished{document.account, document.number, hash, in_force_from};
    }
};
struct OfOverride {
    schedule::OverrideDocument const& document;

    /// One that is over already would say something about the past.
    ScheduleProblem problem(WallTime now) const {
        return document.span.end <= now ? ScheduleProblem::back_dated : ScheduleProblem::none;
    }
    schedule::Rules const* rules() const { return nullptr; }
    schedule::Excuse excuse() const { return schedule::excuse_of(document.kind); }
    audit::Body entry(Hash32 const& hash, WallTime in_force_from) const {
        return audit::OverridePublished{document.account, document.number, hash, in_force_from,
                                        static_cast<std::uint8_t>(document.reason)};
    }
};

/// A document that is rightly the next of its chain.
template <class OfKind>
ScheduleVerdict decide_next(ScheduleFacts const& facts, CalendarPutRequest const& request,
                            schedule::ChainPlace const& place, OfKind const& of_kind, WallTime now,
                            Policy const& policy) {
    if (auto const problem = of_kind.problem(now); problem != ScheduleProblem::none) return refused(problem);
    auto chain = facts.chain;
    // Messages stamped in this very millisecond may have been decided already: the document's stamp is the next one, or
    // a reader of the log could not tell which hours spoke.
    auto const stamp = now + Millis{1};
    auto const in_force_from = std::max(place.effective_from, stamp);
    chain.push_back({request.document, in_force_from});
    auto const before = calendar_of(facts.chain);
    auto const after = calendar_of(chain);
    schedule::Calendar const nothing;
    auto const allowed = schedule::check_change({before ? *before : nothing, *after, now, place.effective_from,
                                                 of_kind.rules(), policy.hold_life, of_kind.excuse()});
    if (!allowed) return refused(problem_of(allowed.error()));
    auto const entry = of_kind.entry(document_hash(request.document), in_force_from);
    return ScheduleChange{
        place.number, in_force_from, after, {audit::subject_of(place.account), stamp, entry, std::nullopt}};
}

}  // namespace

std::optional<ZoneNeeds> needs_of(wire::SignedDocument const& document) {
    auto const schedule = schedule::decode_schedule_document(document.bytes);
    if (!schedule) return std::nullopt;
    return ZoneNeeds{schedule->rules.zone, schedule::zone_span(schedule->compiled_span)};
}

CalendarPtr calendar_of(std::vector<wire::PublishedDocument> const& chain) {
    if (chain.empty()) return nullptr;
    wire::CalendarMaker maker;
    for (auto const& published : chain) maker.add(published);
    return std::make_shared<schedule::Calendar const>(std::move(maker).made());
}

ScheduleVerdict decide_schedule_change(ScheduleFacts const& facts, CalendarPutRequest const& request, WallTime now,
                                       Policy const& policy) {
    auto const kind = request.document.kind;
    if (!wire::is_of_calendar(kind) || !facts.list) return refused(wire::Rule::invalid);
    if (kind == wire::DocumentKind::override_conversation) return refused(wire::Rule::not_yet);
    auto const place = wire::place_of(request.document);
    if (!place) {
        bool const overlaps = place.error() == base::Errc::bad_schedule;
        return overlaps ? refused(ScheduleProblem::overlaps_itself) : refused(wire::Rule::invalid);
    }
    if (!signed_by_listed_device(facts, request, *place)) return refused(wire::Rule::invalid);
    if (!facts.chain.empty() && facts.chain.back().document.bytes == request.document.bytes) return wire::Done{};
    if (!continues(facts.chain, *place)) return refused(ScheduleProblem::wrong_number);
    if (facts.published_today >= policy.schedules_per_day_max) return too_fast(std::chrono::hours{1});
    if (kind == wire::DocumentKind::schedule) {
        auto const document = schedule::decode_schedule_document(request.document.bytes).value();
        return decide_next(facts, request, *place, OfSchedule{document, request.zone}, now, policy);
    }
    auto const document = schedule::decode_override_document(request.document.bytes).value();
    return decide_next(facts, request, *place, OfOverride{document}, now, policy);
}

std::vector<WindowEvent> window_events(CalendarPtr const& calendar, WallTime after, WallTime up_to, std::size_t max) {
    std::vector<WindowEvent> events;
    if (!calendar) return events;
    auto const add = [&](WallTime instant, bool opened) {
        if (after < instant && instant <= up_to && events.size() < max)
            events.push_back({instant, opened, calendar->document_at(instant)});
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
