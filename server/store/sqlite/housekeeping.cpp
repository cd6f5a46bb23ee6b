// What ends by time. Nothing does while the time is not believed.
#include <algorithm>

#include "server/core/recall.hpp"
#include "server/store/sqlite/verbs.hpp"

namespace interlude::store_sqlite {

using namespace ports;

Swept Verbs::expire(std::size_t max, core::Seed const& seed) {
    auto const time = now();
    Swept swept;
    if (!time.believed) return swept;
    std::vector<std::pair<ConversationId, std::uint64_t>> due;
    {
        auto rows = db_.query("SELECT conversation, seq FROM envelopes WHERE look_at <= ? ORDER BY look_at LIMIT ?",
                              time.now, max);
        while (rows.next()) due.emplace_back(rows.get<ConversationId>(0), rows.get<std::uint64_t>(1));
    }
    swept.more = due.size() == max;
    std::sort(due.begin(), due.end());  // a conversation's entries in the order of its messages

    core::Draws draws(seed);
    std::map<ConversationId, Surroundings> around;
    std::set<ConversationId> touched;
    for (auto const& [id, seq] : due) {
        if (!around.contains(id)) around[id] = surroundings_of(id);
        auto const& [accounts, deliveries, calendars] = around[id];
        auto const row = envelope(id, seq).value();
        auto const unreached = core::unreached_accounts(row, accounts, deliveries);
        auto const end = core::expires_at(row, unreached, calendars, policy_);
        if (end > time.now) {  // no later document makes it sooner: what did not pass by now ends at the latest time
            db_.run("UPDATE envelopes SET look_at = ? WHERE conversation = ? AND seq = ?", end, id, seq);
            continue;
        }
        append(core::expired_entry(id, row, unreached, time.now), draws);
        for (auto const& account : unreached)
            note_fate(row.sender, time.now, {id, seq, wire::FateKind::expired, account});
        forget(id, {row}, accounts);
        touched.insert(id);
        ++swept.rows;
    }
    for (auto const& id : touched) announce(id, around[id].accounts);
    return swept;
}

Swept Verbs::purge(std::size_t max, core::Seed const& seed) {
    auto const time = now();
    Swept swept;
    if (!time.believed) return swept;
    auto const count = [&](std::int64_t rows) {
        swept.rows += static_cast<std::uint64_t>(rows);
        swept.more = swept.more || static_cast<std::size_t>(rows) == max;
    };
    // KeepUntil::x(at) <= now as a bound on `at`.
    auto const before = [&](WallTime keep_until_zero) { return time.now - keep_until_zero.time_since_epoch(); };
    using Keep = core::KeepUntil;
    count(
        db_.run("DELETE FROM requests WHERE (account, device, request) IN"
                " (SELECT account, device, request FROM requests WHERE stamp <= ? LIMIT ?)",
                before(Keep::request({}, policy_)), max));
    count(
        db_.run("DELETE FROM requests WHERE (account, device, request) IN"
                " (SELECT account, device, request FROM requests WHERE confirmed_at <= ? LIMIT ?)",
                before(Keep::confirmed_request({})), max));
    db_.run(
        "DELETE FROM reservations WHERE ref IN (SELECT ref FROM key_packages WHERE not_after <= ? ORDER BY not_after"
        " LIMIT ?)",
        time.now, max);
    count(db_.run(
        "DELETE FROM key_packages WHERE id IN (SELECT id FROM key_packages WHERE not_after <= ? ORDER BY not_after"
        " LIMIT ?)",
        time.now, max));
    count(db_.run("DELETE FROM handshakes WHERE id IN (SELECT id FROM handshakes WHERE stamp <= ? LIMIT ?)",
                  before(Keep::handshake({}, policy_)), max));
    count(db_.run("DELETE FROM welcomes WHERE id IN (SELECT id FROM welcomes WHERE stamp <= ? LIMIT ?)",
                  before(Keep::handshake({}, policy_)), max));
    count(db_.run(
        "DELETE FROM fates WHERE (conversation, number) IN (SELECT conversation, number FROM fates WHERE at <= ?"
        " LIMIT ?)",
        before(Keep::fate({}, policy_)), max));
    db_.run(
        "DELETE FROM commits WHERE (conversation, account, device, epoch) IN"
        " (SELECT conversation, account, device, epoch FROM commits WHERE at <= ? LIMIT ?)",
        time.now - std::chrono::hours{24}, max);
    core::Draws draws(seed);
    count(static_cast<std::int64_t>(purge_payloads(max, draws)));

    constexpr char const* give_back = "PRAGMA incremental_vacuum(256)";  // pages
    for (auto rows = db_.query(give_back); rows.next();) {
    }
    return swept;
}

// ---- Payloads ------------------------------------------------------------------------------------------------------

std::uint64_t Verbs::purge_payloads(std::size_t max, core::Draws& draws) {
    auto const kept_by_all = purge_kept_by_all(max);
    return kept_by_all + purge_old_payloads(max - kept_by_all, draws);
}

/// Those that a device of every party has.
std::uint64_t Verbs::purge_kept_by_all(std::size_t max) {
    std::uint64_t forgotten = 0;
    while (forgotten < max) {
        auto const subject = db_.first<std::int64_t, std::uint64_t, std::uint64_t>(
            "SELECT id, kept_by_all, forgotten FROM subjects WHERE kept_by_all > forgotten LIMIT 1");
        if (!subject) break;
        auto const& [id, kept_by_all, before] = *subject;
        auto const up_to = std::min<std::uint64_t>(kept_by_all, before + (max - forgotten));
        forgotten += static_cast<std::uint64_t>(
            db_.run("UPDATE entries SET salt = NULL, payload = NULL WHERE subject = ? AND counter > ? AND counter <= ?"
                    " AND payload IS NOT NULL",
                    id, before, up_to));
        db_.run("UPDATE subjects SET forgotten = ? WHERE id = ?", up_to, id);
    }
    return forgotten;
}

/// Those whose time is over: what somebody did not fetch by then is gone, and an entry says so.
std::uint64_t Verbs::purge_old_payloads(std::size_t max, core::Draws& draws) {
    struct Old {
        std::uint64_t index = 0, counter = 0;
        audit::EntryType type{};
    };
    auto const time = now().now;
    std::map<SubjectId, std::vector<Old>> old;
    {
        auto rows = db_.query(
            "SELECT subjects.subject, idx, entries.counter, type FROM entries JOIN subjects"
            " ON subjects.id = entries.subject WHERE payload IS NOT NULL AND decided_at <= ? ORDER BY decided_at, idx"
            " LIMIT ?",
            time - core::KeepUntil::payload({}, policy_).time_since_epoch(), max);
        while (rows.next()) {
            auto const [subject, index, counter, type] =
                rows.as<SubjectId, std::uint64_t, std::uint64_t, audit::EntryType>();
            old[subject].push_back({index, counter, type});
        }
    }
    std::uint64_t forgotten = 0;
    for (auto const& [subject, entries] : old) {
        audit::RetentionPurge purge;
        bool worth_an_entry = false;
        for (auto const& entry : entries) {
            db_.run("UPDATE entries SET salt = NULL, payload = NULL WHERE idx = ?", entry.index);
            purge.up_to = std::max(purge.up_to, entry.counter);
            purge.count += 1;
            worth_an_entry = worth_an_entry || entry.type != audit::EntryType::retention_purge;
        }
        forgotten += entries.size();
        db_.run("UPDATE subjects SET forgotten = max(forgotten, ?) WHERE subject = ?", purge.up_to, subject);
        if (worth_an_entry) append({subject, time, purge, std::nullopt}, draws);
    }
    return forgotten;
}

}  // namespace interlude::store_sqlite
