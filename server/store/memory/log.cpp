// The audit log, hours and their windows.
#include <algorithm>

#include "server/core/refusals.hpp"
#include "server/store/memory/memory_store.hpp"

namespace interlude::store_memory {

using namespace ports;

namespace {
constexpr std::size_t windows_per_transaction_max = 64;
}

// ---- Hours ---------------------------------------------------------------------------------------------------------

MemoryStore::Awaitable<PutAnswer> MemoryStore::put_calendar(core::CalendarPutRequest request) {
    auto* row = account(request.by.account);
    if (!row || !listed(request.by)) co_return core::refused(wire::Rule::invalid);
    auto const time = now().now;
    auto const today = std::count_if(row->schedules_at.begin(), row->schedules_at.end(),
                                     [&](WallTime at) { return at > time - std::chrono::hours{24}; });
    core::ScheduleFacts const facts{row->newest->list(), row->schedules, static_cast<int>(today)};
    auto verdict = core::decide_schedule_change(facts, request, time, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) co_return *refusal;
    if (std::holds_alternative<wire::Done>(verdict)) co_return wire::Done{};
    auto& change = std::get<core::ScheduleChange>(verdict);
    core::Draws draws(request.seed);
    if (row->schedules.empty()) row->marked_up_to = core::first_mark(change.in_force_from);
    row->schedules.push_back({request.document, change.in_force_from});
    row->schedules_at.push_back(time);
    row->calendar = change.calendar;
    append(std::move(change.entry), draws);
    auto const related = related_to(request.by.account);
    announce(std::nullopt, {related.begin(), related.end()});
    co_return wire::Done{};
}

MemoryStore::Awaitable<std::vector<AccountCalendar>> MemoryStore::calendars() {
    std::vector<AccountCalendar> calendars;
    for (auto const& [id, row] : disk_->accounts)
        if (row.calendar) calendars.push_back({id, row.calendar, row.marked_up_to});
    co_return calendars;
}

MemoryStore::Awaitable<std::uint64_t> MemoryStore::note_windows(AccountId account_id, core::Seed seed) {
    auto const time = now();
    auto* row = account(account_id);
    if (!row || !row->calendar || !time.believed) co_return 0;
    auto const events = core::window_events(row->calendar, row->marked_up_to, time.now, windows_per_transaction_max);
    core::Draws draws(seed);
    for (auto const& event : events) append(core::entry_for(event, account_id, time.now), draws);
    if (!events.empty()) {
        row->marked_up_to = events.back().instant;
        auto const related = related_to(account_id);
        announce(std::nullopt, {related.begin(), related.end()});
    }
    co_return events.size();
}

// ---- The log -------------------------------------------------------------------------------------------------------

MemoryStore::Awaitable<LogHead> MemoryStore::log_head() {
    co_return LogHead{disk_->checkpoint_size, disk_->checkpoint_note, disk_->log.size()};
}

MemoryStore::Awaitable<std::vector<Bytes>> MemoryStore::entries_from(std::uint64_t from, std::size_t max) {
    std::vector<Bytes> entries;
    for (auto index = from; index < disk_->log.size() && entries.size() < max; ++index)
        entries.push_back(disk_->log[index].row.entry);
    co_return entries;
}

MemoryStore::Awaitable<bool> MemoryStore::append_checkpoint(CheckpointBatch batch) {
    if (batch.from != disk_->checkpoint_size) co_return false;
    INTERLUDE_CHECK(batch.size >= batch.from && batch.size <= disk_->log.size());
    for (auto& [tile, content] : batch.tiles) {
        auto& row = disk_->tiles[{tile.level, tile.index}];
        if (tile.width > row.width) row = {tile.width, std::move(content)};
    }
    disk_->checkpoint_size = batch.size;
    disk_->checkpoint_note = std::move(batch.note);
    co_return true;
}

MemoryStore::Awaitable<std::vector<Bytes>> MemoryStore::tiles(std::vector<audit::Tile> wanted) {
    std::vector<Bytes> contents;
    for (auto const& tile : wanted) {
        auto const found = disk_->tiles.find({tile.level, tile.index});
        bool const there = found != disk_->tiles.end() && found->second.width >= tile.width;
        contents.push_back(there ? found->second.content : Bytes{});
    }
    co_return contents;
}

MemoryStore::Awaitable<std::optional<LogPage>> MemoryStore::log_entries(DeviceRef reader, SubjectId subject_id,
                                                                        std::uint64_t from, std::size_t max) {
    auto const time = now();
    auto const found = disk_->subjects.find(subject_id);
    if (found == disk_->subjects.end() || !listed(reader) || !is_party(reader.account, found->second))
        co_return std::nullopt;
    auto const& subject = found->second;
    LogPage page;
    page.head_counter = subject.head.counter;
    page.head = subject.head.head;
    for (auto at = std::max<std::uint64_t>(from, 1) - 1; at < subject.entries.size() && page.rows.size() < max; ++at) {
        auto const& entry = disk_->log[subject.entries[at]];
        page.rows.push_back(entry.row);
        core::Calendars calendars;
        if (entry.veil) calendars = calendars_of(disk_->conversations.at(entry.veil->conversation));
        if (!core::sees(reader.account, entry.veil, calendars, time.now)) {
            page.rows.back().salt.clear();
            page.rows.back().payload.clear();
        }
    }
    co_return page;
}

MemoryStore::Awaitable<void> MemoryStore::ack_log(DeviceRef reader, SubjectId subject_id, std::uint64_t counter) {
    auto const found = disk_->subjects.find(subject_id);
    if (found == disk_->subjects.end() || !listed(reader) || !is_party(reader.account, found->second)) co_return;
    auto& acked = found->second.acked[reader];
    acked = std::max(acked, std::min(counter, found->second.head.counter));
}

MemoryStore::Awaitable<void> MemoryStore::record(audit::OperatorAction action, core::Seed seed) {
    core::Draws draws(seed);
    append({audit::operator_subject(disk_->info.instance), now().now, action, {}}, draws);
    announce(std::nullopt, {});
    co_return;
}

}  // namespace interlude::store_memory
