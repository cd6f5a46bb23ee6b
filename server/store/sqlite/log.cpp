// The audit log, hours and their windows.
#include <algorithm>

#include "server/core/refusals.hpp"
#include "server/store/sqlite/verbs.hpp"

namespace interlude::store_sqlite {

using namespace ports;

namespace {
constexpr std::size_t windows_per_transaction_max = 64;
}

// ---- Hours ---------------------------------------------------------------------------------------------------------

PutAnswer Verbs::put_calendar(core::CalendarPutRequest const& request) {
    auto const& account = request.by.account;
    auto const newest = newest_list_if_listed(request.by);
    if (!newest) return core::refused(wire::Rule::invalid);
    auto const time = now().now;
    auto const today = db_.value<int>("SELECT count(*) FROM schedules WHERE account = ? AND published_at > ?", account,
                                      time - std::chrono::hours{24});
    core::ScheduleFacts const facts{newest->list(), schedules_after(account, 0), today.value()};
    auto verdict = core::decide_schedule_change(facts, request, time, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) return *refusal;
    if (std::holds_alternative<wire::Done>(verdict)) return wire::Done{};
    auto& change = std::get<core::ScheduleChange>(verdict);
    core::Draws draws(request.seed);
    if (facts.chain.empty())
        db_.run("UPDATE accounts SET marked_up_to = ? WHERE account = ?", core::first_mark(change.in_force_from),
                account);
    db_.run(
        "INSERT INTO schedules (account, number, kind, bytes, signature, in_force_from, published_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        account, change.number, request.document.kind, request.document.bytes, request.document.signature,
        change.in_force_from, time);
    calendars_[account] = change.calendar;
    append(std::move(change.entry), draws);
    announce(std::nullopt, related_to(account));
    return wire::Done{};
}

std::vector<AccountCalendar> Verbs::calendars() {
    std::vector<AccountCalendar> calendars;
    {
        auto rows =
            db_.query("SELECT account, marked_up_to FROM accounts WHERE marked_up_to IS NOT NULL ORDER BY account");
        while (rows.next()) calendars.push_back({rows.get<AccountId>(0), nullptr, rows.get<WallTime>(1)});
    }
    for (auto& row : calendars) row.calendar = calendar_of(row.account);
    return calendars;
}

std::uint64_t Verbs::note_windows(AccountId const& account, core::Seed const& seed) {
    auto const time = now();
    auto const marked =
        db_.value<std::optional<WallTime>>("SELECT marked_up_to FROM accounts WHERE account = ?", account);
    if (!marked || !*marked || !time.believed) return 0;
    auto const events = core::window_events(calendar_of(account), **marked, time.now, windows_per_transaction_max);
    if (events.empty()) return 0;
    core::Draws draws(seed);
    for (auto const& event : events) append(core::entry_for(event, account, time.now), draws);
    db_.run("UPDATE accounts SET marked_up_to = ? WHERE account = ?", events.back().instant, account);
    announce(std::nullopt, related_to(account));
    return events.size();
}

// ---- Subjects and entries ------------------------------------------------------------------------------------------

std::optional<Verbs::Subject> Verbs::subject(SubjectId const& id) {
    auto rows = db_.query("SELECT id, kind, account, conversation, counter, head FROM subjects WHERE subject = ?", id);
    if (!rows.next()) return std::nullopt;
    auto const [row, kind, account, conversation, counter, head] =
        rows.as<std::int64_t, audit::SubjectKind, std::optional<AccountId>, std::optional<ConversationId>,
                std::uint64_t, Hash32>();
    return Subject{row, kind, account, conversation, {counter, head}};
}

wire::SubjectState Verbs::subject_state(SubjectId const& id) {
    auto const [k_tag, counter, head] =
        db_.first<Bytes, std::uint64_t, Hash32>("SELECT k_tag, counter, head FROM subjects WHERE subject = ?", id)
            .value();
    return {id, k_tag, counter, head};
}

bool Verbs::is_party(AccountId const& account, Subject const& subject) {
    switch (subject.kind) {
        case audit::SubjectKind::conversation:
            return db_.exists("SELECT 1 FROM members WHERE conversation = ? AND account = ?", *subject.conversation,
                              account);
        case audit::SubjectKind::account:
            return share_conversation(account, *subject.account);
        case audit::SubjectKind::operator_:
            return false;
    }
    return false;
}

void Verbs::make_subject(SubjectId const& id, audit::SubjectKind kind, std::optional<AccountId> account,
                         std::optional<ConversationId> conversation, Hash32 const& k_tag) {
    db_.run(
        "INSERT INTO subjects (subject, kind, account, conversation, k_tag, counter, head)"
        " VALUES (?, ?, ?, ?, ?, 0, ?)",
        id, kind, account, conversation, k_tag, Hash32{});
}

std::uint64_t Verbs::append(core::EntryDraft draft, core::Draws& draws) {
    auto const [id, k_tag, counter, head] =
        db_.first<std::int64_t, Bytes, std::uint64_t, Hash32>(
               "SELECT id, k_tag, counter, head FROM subjects WHERE subject = ?", draft.subject)
            .value();
    auto const decided_at = draft.decided_at;
    auto const type = audit::type_of(draft.body);
    audit::SubjectKey const key{bytes::SecretBytes(bytes::ByteView(k_tag))};
    auto const sealed = core::seal_entry(std::move(draft), key, {counter, head}, draws.next());

    std::optional<ConversationId> veil_conversation;
    std::optional<AccountId> veil_sender, veil_late_sender;
    std::optional<WallTime> veil_stamp;
    if (sealed.veil) {
        veil_conversation = sealed.veil->conversation;
        veil_sender = sealed.veil->origin.sender;
        veil_late_sender = sealed.veil->origin.late_sender;
        veil_stamp = sealed.veil->origin.stamp;
    }
    auto const index = log_head().entries;
    db_.run("UPDATE subjects SET counter = ?, head = ? WHERE id = ?", sealed.counter, sealed.hash, id);
    db_.run("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", index, id, sealed.counter, sealed.entry,
            sealed.salt, sealed.payload, type, decided_at, veil_conversation, veil_sender, veil_late_sender,
            veil_stamp);
    return index;
}

LogRow Verbs::log_row(std::uint64_t index) {
    auto row = db_.first<SubjectId, std::uint64_t, Bytes, std::optional<Bytes>, std::optional<Bytes>>(
        "SELECT subjects.subject, entries.counter, entry, salt, payload FROM entries"
        " JOIN subjects ON subjects.id = entries.subject WHERE idx = ?",
        index);
    if (!row) throw_damaged("an entry of the log is missing");
    auto& [subject, counter, entry, salt, payload] = *row;
    return {subject,
            counter,
            index,
            std::move(entry),
            std::move(salt).value_or(Bytes{}),
            std::move(payload).value_or(Bytes{})};
}

LogHead Verbs::log_head() {
    auto const [size, note] = db_.first<std::uint64_t, std::string>("SELECT log_size, log_note FROM store").value();
    auto const last = db_.value<std::uint64_t>("SELECT idx FROM entries ORDER BY idx DESC LIMIT 1");
    return {size, note, last ? *last + 1 : 0};
}

std::vector<Bytes> Verbs::entries_from(std::uint64_t from, std::size_t max) {
    std::vector<Bytes> entries;
    auto rows = db_.query("SELECT entry FROM entries WHERE idx >= ? ORDER BY idx LIMIT ?", from, max);
    while (rows.next()) entries.push_back(rows.get<Bytes>(0));
    return entries;
}

bool Verbs::append_checkpoint(CheckpointBatch const& batch) {
    auto const head = log_head();
    if (batch.from != head.size) return false;
    INTERLUDE_CHECK(batch.size >= batch.from && batch.size <= head.entries);
    for (auto const& [tile, content] : batch.tiles)
        db_.run(
            "INSERT INTO tiles VALUES (?1, ?2, ?3, ?4) ON CONFLICT (level, idx) DO UPDATE SET width = ?3, content = ?4"
            " WHERE width < ?3",
            tile.level, tile.index, tile.width, content);
    db_.run("UPDATE store SET log_size = ?, log_note = ?", batch.size, batch.note);
    return true;
}

std::vector<Bytes> Verbs::tiles(std::vector<audit::Tile> const& wanted) {
    std::vector<Bytes> contents;
    for (auto const& tile : wanted)
        contents.push_back(db_.value<Bytes>("SELECT content FROM tiles WHERE level = ? AND idx = ? AND width >= ?",
                                            tile.level, tile.index, tile.width)
                               .value_or(Bytes{}));
    return contents;
}

std::optional<LogPage> Verbs::log_entries(DeviceRef const& reader, SubjectId const& id, std::uint64_t from,
                                          std::size_t max) {
    auto const time = now();
    auto const about = subject(id);
    if (!about || !listed(reader) || !is_party(reader.account, *about)) return std::nullopt;
    LogPage page;
    page.head_counter = about->head.counter;
    page.head = about->head.head;
    std::vector<std::optional<core::Veil>> veils;
    {
        auto rows = db_.query(
            "SELECT idx, counter, entry, salt, payload, veil_conversation, veil_sender, veil_late_sender, veil_stamp"
            " FROM entries WHERE subject = ? AND counter >= ? ORDER BY counter LIMIT ?",
            about->id, from, max);
        while (rows.next()) {
            page.rows.push_back({id, rows.get<std::uint64_t>(1), rows.get<std::uint64_t>(0), rows.get<Bytes>(2),
                                 rows.get<Bytes>(3), rows.get<Bytes>(4)});
            auto& veil = veils.emplace_back();
            if (auto const conversation = rows.get<std::optional<ConversationId>>(5))
                veil =
                    core::Veil{*conversation,
                               {rows.get<AccountId>(6), rows.get<std::optional<AccountId>>(7), rows.get<WallTime>(8)}};
        }
    }
    std::map<ConversationId, core::Calendars> calendars;
    for (std::size_t i = 0; i < veils.size(); ++i) {
        if (!veils[i]) continue;
        auto const& conversation = veils[i]->conversation;
        if (!calendars.contains(conversation)) calendars[conversation] = calendars_of(conversation);
        if (core::sees(reader.account, veils[i], calendars[conversation], time.now)) continue;
        page.rows[i].salt.clear();
        page.rows[i].payload.clear();
    }
    return page;
}

void Verbs::ack_log(DeviceRef const& reader, SubjectId const& id, std::uint64_t counter) {
    auto const about = subject(id);
    if (!about || !listed(reader) || !is_party(reader.account, *about)) return;
    auto const acked = std::min(counter, about->head.counter);
    auto const changed = db_.run(
        "INSERT INTO log_acks VALUES (?1, ?2, ?3, ?4) ON CONFLICT (subject, account, device) DO UPDATE SET"
        " counter = ?4 WHERE counter < ?4",
        about->id, reader.account, reader.device, acked);
    // Parties of a conversation are known; an account's may grow, so its entries are kept for their whole time.
    if (changed == 0 || about->kind != audit::SubjectKind::conversation) return;
    auto kept_by_all = acked;
    for (auto const& account : accounts_of(*about->conversation)) {
        auto const newest = db_.value<std::optional<std::uint64_t>>(
            "SELECT max(counter) FROM log_acks WHERE subject = ? AND account = ?", about->id, account);
        kept_by_all = std::min(kept_by_all, newest.value().value_or(0));
    }
    db_.run("UPDATE subjects SET kept_by_all = ?1 WHERE id = ?2 AND kept_by_all < ?1", kept_by_all, about->id);
}

void Verbs::record(audit::OperatorAction const& action, core::Seed const& seed) {
    core::Draws draws(seed);
    append({audit::operator_subject(instance_), now().now, action, std::nullopt}, draws);
    announce(std::nullopt, {});
}

}  // namespace interlude::store_sqlite
