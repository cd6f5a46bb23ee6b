#include "client-cli/engine/hours.hpp"

#include <algorithm>
#include <map>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/log_keeper.hpp"
#include "client-cli/engine/outbox.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/invitation.hpp"
#include "common/wire/calendar_documents.hpp"
#include "common/wire/codec.hpp"

namespace interlude::engine {

using base::Errc;

namespace {

/// account ‖ conversation (zeros: the calendar's own chain) ‖ number.
Bytes chain_key(AccountId const& account, std::optional<ConversationId> const& conversation) {
    return bytes::Writer().id(account).id(conversation.value_or(ConversationId{})).take();
}
Bytes calendar_key(AccountId const& account, std::optional<ConversationId> const& conversation, std::uint64_t number) {
    return bytes::Writer().raw(chain_key(account, conversation)).u64(number).take();
}

/// The key of a device that is or once was in the account's lists: a document outlives its device's removal from them.
std::optional<crypto::VerifyKey> key_of_device(Turn& turn, AccountId const& account, DeviceId const& device) {
    auto lists = turn.rows.scan<ListRecord>(Table::device_lists, account.bytes);
    for (auto list = lists.rbegin(); list != lists.rend(); ++list) {
        auto const decoded = identity::decode_device_list(list->record.bytes);
        if (!decoded) continue;
        if (auto const* listed = decoded->find(device)) return listed->auth_key;
    }
    return std::nullopt;
}

void check_compilation(Turn& turn, ZoneSource const& zones, wire::SignedDocument const& document) {
    auto const read = schedule::decode_schedule_document(document.bytes);
    auto const span = schedule::zone_span(read->compiled_span);
    auto const zone = zones(read->rules.zone, span.start, span.end);
    if (!zone) return;  // an unknown zone says nothing about the signed intervals
    switch (schedule::recompile(*read, *zone).agreement) {
        case schedule::Agreement::same:
        case schedule::Agreement::differs_other_tzdata:
            return;
        case schedule::Agreement::differs:
            turn.alarm("compiled_differs",
                       "hours number " + std::to_string(read->number) + " are not what their own rules give",
                       std::nullopt, document.bytes);
            return;
    }
}

/// Verifies and keeps one calendar document.
void take_calendar_document(Turn& turn, ZoneSource const& zones, wire::PublishedDocument const& published) {
    auto const& document = published.document;
    auto const place = wire::place_of(document);
    if (!place || place->number == 0) {
        turn.alarm("bad_document", "the server showed hours that do not parse", std::nullopt, document.bytes);
        return;
    }
    auto const row = calendar_key(place->account, place->conversation, place->number);
    auto const known = turn.rows.get<CalendarRecord>(Table::calendars, row);
    bool const verified_when_kept = known && known->published.document == document;
    if (!verified_when_kept) {
        auto const key = key_of_device(turn, place->account, place->device);
        if (!key) return;  // of somebody whom nobody introduced
        if (!crypto::verify_labelled(key->bytes, wire::calendar_label(document.kind), document.bytes,
                                     document.signature)) {
            turn.alarm("bad_document", "the server showed hours that their therapist did not sign", std::nullopt,
                       document.bytes, document.signature);
            return;
        }
    }
    if (known && known->published.document.bytes != document.bytes) {
        turn.alarm("two_documents", "two sets of hours with number " + std::to_string(place->number), std::nullopt,
                   known->published.document.bytes, document.bytes);
        return;
    }
    if (known && known->stated) {
        if (known->published.in_force_from != published.in_force_from)
            turn.alarm(
                "document_moved",
                "the server says another time for hours number " + std::to_string(place->number) + " than before",
                std::nullopt, document.bytes);
        return;
    }
    // An own one, of which only the acceptance was known: later than that it may not begin by itself.
    if (known && published.in_force_from > known->published.in_force_from + base::limits::clock_tolerance)
        turn.alarm("document_moved",
                   "hours number " + std::to_string(place->number) + " are in force later than the server took them",
                   std::nullopt, document.bytes);
    if (published.in_force_from < place->effective_from)
        turn.alarm("document_moved", "hours number " + std::to_string(place->number) + " were put in force too early",
                   std::nullopt, document.bytes);
    if (place->number > 1) {
        auto const before = turn.rows.get<CalendarRecord>(
            Table::calendars, calendar_key(place->account, place->conversation, place->number - 1));
        if (before && document_hash(before->published.document) != place->previous)
            turn.alarm("two_documents", "hours number " + std::to_string(place->number) + " follow others than known",
                       std::nullopt, before->published.document.bytes, document.bytes);
    }
    if (document.kind == wire::DocumentKind::schedule) check_compilation(turn, zones, document);
    turn.rows.put(Table::calendars, row, CalendarRecord{published, true});
    turn.tell(HoursChanged{place->account});
}

std::optional<wire::ClientBody> body_of(ByteView frame) {
    auto decoded = wire::decode_client_frame(frame);
    if (!decoded) return std::nullopt;
    return std::move(decoded->body);
}

/// The document of a calendar that this frame publishes.
std::optional<wire::SignedDocument> published_by(std::optional<wire::ClientBody> const& body) {
    if (!body) return std::nullopt;
    if (auto const* put = std::get_if<wire::SchedulePut>(&*body)) return put->document;
    if (auto const* put = std::get_if<wire::OverridePut>(&*body)) return put->document;
    return std::nullopt;
}

/// Own schedules and overrides for all that the server has not answered, by number.
std::vector<wire::SignedDocument> unanswered_documents(Turn& turn) {
    std::vector<wire::SignedDocument> found;
    for (auto const& [request, record] : outgoing(turn)) {
        if (record.kind != OutgoingKind::document || record.state != OutgoingState::waiting) continue;
        if (auto document = published_by(body_of(record.frame))) found.push_back(std::move(*document));
    }
    return found;
}

/// What the next own document follows: the newest one, answered or not.
struct Newest {
    schedule::Rules rules;
    std::optional<schedule::ScheduleDocument> schedule;  // that has them
    std::optional<schedule::Rules> rules_before;         // of the schedule before it
    std::uint64_t number = 0;
    std::optional<wire::SignedDocument> document;  // that has this number
};
Newest newest_own(Turn& turn, AccountId const& account) {
    std::map<std::uint64_t, wire::SignedDocument> documents;
    for (auto& kept : calendar_chain(turn, account))
        documents.emplace(kept.number, std::move(kept.record.published.document));
    for (auto& document : unanswered_documents(turn)) {
        auto const place = wire::place_of(document);
        INTERLUDE_CHECK(place);
        documents.emplace(place->number, std::move(document));
    }
    Newest newest;
    if (documents.empty()) return newest;
    newest.number = documents.rbegin()->first;
    newest.document = documents.rbegin()->second;
    for (auto numbered = documents.rbegin(); numbered != documents.rend() && !newest.rules_before; ++numbered) {
        if (numbered->second.kind != wire::DocumentKind::schedule) continue;
        auto read = schedule::decode_schedule_document(numbered->second.bytes);
        INTERLUDE_CHECK(read);
        if (newest.schedule) {
            newest.rules_before = std::move(read->rules);
        } else {
            newest.rules = read->rules;
            newest.schedule = std::move(*read);
        }
    }
    return newest;
}

template <class Document>
void put_behind(Document& document, Newest const& after) {
    document.number = after.number + 1;
    document.previous = after.document ? document_hash(*after.document) : Hash32{};
}

wire::SignedDocument signed_document(AccountRecord const& account, wire::DocumentKind kind, Bytes encoded) {
    auto const signature = crypto::sign_labelled(device_key(account), wire::calendar_label(kind), encoded);
    return {kind, std::move(encoded), bytes::copy(signature.bytes)};
}

/// What follows `after` under these rules, compiled.
Result<schedule::ScheduleDocument> next_schedule(Turn& turn, ZoneSource const& zones, schedule::Rules rules,
                                                 Newest const& after) {
    rules = schedule::without_past(std::move(rules), turn.now);
    INTERLUDE_TRY_VOID(schedule::check(rules));
    auto const span = schedule::zone_span(schedule::compiled_span(turn.now));
    INTERLUDE_TRY(auto zone, zones(rules.zone, span.start, span.end));
    auto const account = turn.account();
    schedule::ScheduleDocument document;
    document.account = account.account;
    document.device = account.device;
    put_behind(document, after);
    document.rules = std::move(rules);
    return schedule::compiled_document(std::move(document), zone, turn.now);
}

Result<wire::ClientBody> put_of(Turn& turn, schedule::ScheduleDocument const& document) {
    INTERLUDE_TRY(auto encoded, schedule::encode(document));
    return wire::SchedulePut{signed_document(turn.account(), wire::DocumentKind::schedule, std::move(encoded))};
}
Result<wire::ClientBody> put_of(Turn& turn, schedule::OverrideDocument const& document) {
    INTERLUDE_TRY_VOID(schedule::check(document));
    return wire::OverridePut{
        signed_document(turn.account(), wire::DocumentKind::override_all, schedule::encode(document))};
}

template <class Document>
Result<RequestId> publish(Turn& turn, Document const& document) {
    INTERLUDE_TRY(auto put, put_of(turn, document));
    return queue_request(turn, OutgoingKind::document, std::move(put));
}

bool is_therapist(Turn& turn) {
    auto const account = turn.rows.home<AccountRecord>(home::account);
    return account && account->side == Side::therapist;
}

}  // namespace

void take_document(Turn& turn, ZoneSource const& zones, wire::PublishedDocument const& published) {
    auto const& document = published.document;
    switch (document.kind) {
        case wire::DocumentKind::device_list: {
            auto const signature = crypto::Signature::from(document.signature);
            if (signature) take_list(turn, {document.bytes, *signature});
            return;
        }
        case wire::DocumentKind::schedule:
        case wire::DocumentKind::override_all:
            take_calendar_document(turn, zones, published);
            return;
        case wire::DocumentKind::override_conversation:
            turn.alarm("unknown_document",
                       "the server showed an override of one conversation, which it may not take yet", std::nullopt,
                       document.bytes);
            return;
        case wire::DocumentKind::invitation:
        case wire::DocumentKind::terms:
            return;  // own invitations are known; terms are the defaults in this version
    }
}

std::vector<KeptDocument> calendar_chain(Turn& turn, AccountId const& account,
                                         std::optional<ConversationId> const& conversation) {
    std::vector<KeptDocument> chain;
    for (auto& [key, record] : turn.rows.scan<CalendarRecord>(Table::calendars, chain_key(account, conversation)))
        chain.push_back({number_at_end(key), std::move(record)});
    return chain;
}

Hash32 document_hash(wire::SignedDocument const& document) {
    return crypto::labelled_hash(wire::calendar_label(document.kind), document.bytes);
}

schedule::Calendar const& Calendars::of(AccountId const& account, std::optional<ConversationId> const& conversation,
                                        DocumentFilter const& counts) {
    Whose const whose{account, conversation};
    auto const [found, is_new] = documents_.try_emplace(whose);
    auto& documents = found->second;
    if (is_new) {
        documents = calendar_chain(turn_, account);
        if (conversation)
            for (auto& kept : calendar_chain(turn_, account, conversation)) documents.push_back(std::move(kept));
    }
    std::vector<bool> counted;
    for (auto const& kept : documents) counted.push_back(!counts || counts(kept));
    if (auto const made = made_.find({whose, counted}); made != made_.end()) return made->second;
    wire::CalendarMaker maker;
    for (std::size_t i = 0; i < documents.size(); ++i)
        if (counted[i]) maker.add(documents[i].record.published);
    return made_.emplace(std::pair{whose, std::move(counted)}, std::move(maker).made()).first->second;
}

schedule::Calendar calendar_of(Turn& turn, AccountId const& account,
                               std::optional<ConversationId> const& conversation) {
    return Calendars(turn).of(account, conversation);
}

std::optional<Side> side_of(ConversationRecord const& conversation, AccountId const& account) {
    for (auto const& member : conversation.members)
        if (member.account == account) return member.side;
    return std::nullopt;
}

bool passes(Calendars& calendars, ConversationId const& id, ConversationRecord const& conversation,
            AccountId const& sender, AccountId const& reader, WallTime stamp, WallTime at) {
    auto const gate_of = [&](AccountId const& account) {
        return side_of(conversation, account) == Side::therapist ? &calendars.of(account, id) : nullptr;
    };
    auto const from = schedule::envelope_from(stamp, sender == reader ? nullptr : gate_of(sender));
    return schedule::passes(from, gate_of(reader), at);
}

bool every_gate_open(Turn& turn, ConversationId const& id, ConversationRecord const& conversation) {
    for (auto const& member : conversation.members)
        if (member.side == Side::therapist && !calendar_of(turn, member.account, id).open(turn.now)) return false;
    return true;
}

void renew_hours_if_due(Turn& turn, ZoneSource const& zones) {
    if (!is_therapist(turn) || !unanswered_documents(turn).empty()) return;
    auto const newest = newest_own(turn, turn.account().account);
    if (!newest.schedule || !schedule::wants_renewal(*newest.schedule, turn.now) || !turn.believes_time()) return;
    auto const document = next_schedule(turn, zones, newest.rules, newest);
    if (document) (void)publish(turn, *document);  // an unknown zone: the person is told by `hours`
}

void document_accepted(Turn& turn, ByteView frame) {
    auto const body = body_of(frame);
    if (!body) return;
    if (auto const document = published_by(body)) {
        auto const place = wire::place_of(*document);
        INTERLUDE_CHECK(place);
        auto const row = calendar_key(place->account, place->conversation, place->number);
        if (!turn.rows.has(Table::calendars, row)) {
            wire::PublishedDocument published{*document, std::max(place->effective_from, server_time(turn))};
            turn.rows.put(Table::calendars, row, CalendarRecord{std::move(published), false});
            turn.tell(HoursChanged{place->account});
        }
    } else if (auto const* invitation = std::get_if<wire::InvitationPut>(&*body)) {
        auto const read = identity::decode_invitation(invitation->document.bytes);
        INTERLUDE_CHECK(read);
        auto const id = read->id();
        if (auto record = turn.rows.get<InvitationRecord>(Table::invitations, id.bytes)) {
            record->on_server = true;
            turn.rows.put(Table::invitations, id.bytes, *record);
        }
    }
}

void document_refused(Turn& turn, ByteView frame, wire::Refused const&) {
    auto const body = body_of(frame);
    auto const* invitation = body ? std::get_if<wire::InvitationPut>(&*body) : nullptr;
    if (!invitation) return;
    if (auto const document = identity::decode_invitation(invitation->document.bytes))
        turn.rows.erase(Table::invitations, document->id().bytes);
}

std::optional<Bytes> signed_anew(Turn& turn, RequestId const& request, ByteView frame, wire::Refused const& refused) {
    auto const own = published_by(body_of(frame));
    if (!own || refused.problem != wire::ScheduleProblem::wrong_number) return std::nullopt;
    auto const place = wire::place_of(*own).value();
    Newest newest;
    auto const stands = [&](wire::SignedDocument document) {
        newest.number = wire::place_of(document)->number;
        newest.document = std::move(document);
    };
    for (auto const& kept : calendar_chain(turn, place.account)) stands(kept.record.published.document);
    if (newest.number >= place.number) return std::nullopt;
    for (auto const& [queued, record] : outgoing(turn)) {
        if (queued == request) break;
        if (record.kind != OutgoingKind::document || record.state != OutgoingState::waiting) continue;
        if (auto document = published_by(body_of(record.frame))) stands(std::move(*document));
    }
    bool const has_its_place = newest.number + 1 == place.number && newest.document;
    if (has_its_place && document_hash(*newest.document) == place.previous) return std::nullopt;
    auto const behind = [&](auto document) {
        put_behind(document, newest);
        return wire::encode(wire::ClientFrame{request, put_of(turn, document).value()});
    };
    if (own->kind == wire::DocumentKind::schedule)
        return behind(schedule::decode_schedule_document(own->bytes).value());
    return behind(schedule::decode_override_document(own->bytes).value());
}

// ---- Engine --------------------------------------------------------------------------------------------------------

namespace {

Result<schedule::Rules> wished_rules(HoursWish wish, Newest const& newest) {
    auto rules = newest.rules;
    if (rules.zone.empty()) rules.zone = wish.zone;
    switch (wish.kind) {
        case HoursWish::Kind::weekly:
            return schedule::with_weekly(newest.rules, std::move(wish.zone), std::move(wish.weekly));
        case HoursWish::Kind::opening:
            return schedule::with_opening(std::move(rules), wish.span);
        case HoursWish::Kind::closure:
            return schedule::with_closure(std::move(rules), wish.span);
        case HoursWish::Kind::undo:
            if (!newest.rules_before) return Errc::unknown;
            return *newest.rules_before;
    }
    return Errc::malformed;
}

}  // namespace

Result<RequestId> Engine::hours_change(HoursWish wish, WallTime now) {
    Turn turn(vault_, entropy_, now);
    if (!is_therapist(turn)) return Errc::not_allowed;
    auto const newest = newest_own(turn, turn.account().account);
    INTERLUDE_TRY(auto rules, wished_rules(std::move(wish), newest));
    INTERLUDE_TRY(auto const document, next_schedule(turn, options_.load_zone, std::move(rules), newest));
    INTERLUDE_TRY(auto const request, publish(turn, document));
    turn.rows.commit();
    return request;
}

Result<HoursPreview> Engine::hours_preview(HoursWish wish, WallTime now) {
    Turn turn(vault_, entropy_, now);
    if (!is_therapist(turn)) return Errc::not_allowed;
    auto const me = turn.account().account;
    auto const newest = newest_own(turn, me);
    INTERLUDE_TRY(auto rules, wished_rules(std::move(wish), newest));
    INTERLUDE_TRY(auto const document, next_schedule(turn, options_.load_zone, std::move(rules), newest));
    wire::CalendarMaker maker;
    for (auto const& kept : calendar_chain(turn, me)) maker.add(kept.record.published);
    auto const before = wire::CalendarMaker(maker).made();
    maker.add(schedule::published(document, now));
    HoursPreview preview;
    preview.calendar = std::move(maker).made();
    preview.zone = document.rules.zone;
    auto const span = schedule::zone_span(document.compiled_span);
    INTERLUDE_TRY(auto const zone, options_.load_zone(document.rules.zone, span.start, span.end));
    preview.odd_days = schedule::odd_days(document.rules, zone, document.compiled_span);
    auto const allowed = schedule::check_change({before, preview.calendar, now, document.effective_from,
                                                 &document.rules, turn.hold_life(), schedule::Excuse::none});
    if (!allowed) preview.problem = allowed.error();
    return preview;
}

Result<RequestId> Engine::hours_override(schedule::OverrideKind kind, base::Interval span,
                                         schedule::OverrideReason reason, WallTime now) {
    Turn turn(vault_, entropy_, now);
    if (!is_therapist(turn)) return Errc::not_allowed;
    auto const account = turn.account();
    schedule::OverrideDocument document;
    document.kind = kind;
    document.account = account.account;
    document.device = account.device;
    document.span = span;
    document.reason = reason;
    put_behind(document, newest_own(turn, account.account));
    INTERLUDE_TRY(auto const request, publish(turn, document));
    turn.rows.commit();
    return request;
}

namespace {

/// Overrides that still speak, or will.
std::vector<OverrideView> overrides_of(std::vector<KeptDocument> const& chain, WallTime now) {
    std::vector<OverrideView> views;
    for (auto const& kept : chain) {
        auto const& published = kept.record.published;
        if (published.document.kind == wire::DocumentKind::schedule) continue;
        auto const read = schedule::decode_override_document(published.document.bytes);
        INTERLUDE_CHECK(read);
        base::Interval const speaks{std::max(read->span.start, published.in_force_from), read->span.end};
        if (speaks.end > now) views.push_back({read->kind, read->reason, speaks, published.in_force_from});
    }
    return views;
}

HoursView hours_view(Turn& turn, AccountId const& account, bool me, std::optional<ConversationId> const& conversation) {
    HoursView view;
    view.account = account;
    view.me = me;
    view.calendar = calendar_of(turn, account, conversation);
    auto const chain = calendar_chain(turn, account);
    view.overrides = overrides_of(chain, turn.now);
    for (auto const& kept : chain) {
        if (kept.record.published.document.kind != wire::DocumentKind::schedule) continue;
        auto read = schedule::decode_schedule_document(kept.record.published.document.bytes);
        INTERLUDE_CHECK(read);
        view.number = read->number;
        view.zone = read->rules.zone;
        view.tzdata = read->tzdata;
        view.rules = std::move(read->rules);
    }
    switch (view.calendar.state_at(turn.now)) {
        case schedule::State::none:
            view.state = HoursState::none;
            break;
        case schedule::State::closed:
            view.state = HoursState::closed;
            break;
        case schedule::State::open:
            view.state = HoursState::open;
            view.until = view.calendar.open_until(turn.now);
            break;
    }
    if (view.state != HoursState::open) view.next_opening = view.calendar.next_opening_after(turn.now);
    view.published_until = view.calendar.known_until();
    for (auto const& window : view.calendar.windows())
        if (window.end > turn.now) view.windows.push_back(window);
    view.awaiting_server = me && !unanswered_documents(turn).empty();
    return view;
}

}  // namespace

std::vector<HoursView> Engine::hours(WallTime now) {
    Turn turn(vault_, entropy_, now);
    std::vector<HoursView> views;
    auto const account = turn.rows.home<AccountRecord>(home::account);
    if (!account) return views;
    std::set<AccountId> seen;
    if (account->side == Side::therapist) {
        seen.insert(account->account);
        views.push_back(hours_view(turn, account->account, true, {}));
    }
    for (auto const& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations))
        for (auto const& member : conversation.members)
            if (member.side == Side::therapist && seen.insert(member.account).second)
                views.push_back(hours_view(turn, member.account, false, {}));
    return views;
}

std::optional<HoursView> Engine::hours_of(ConversationId const& id, WallTime now) {
    Turn turn(vault_, entropy_, now);
    auto const conversation = turn.conversation(id);
    if (!conversation) return std::nullopt;
    auto const me = turn.account().account;
    for (auto const& member : conversation->members)
        if (member.side == Side::therapist) return hours_view(turn, member.account, member.account == me, id);
    return std::nullopt;
}

}  // namespace interlude::engine
