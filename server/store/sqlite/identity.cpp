// Logins, device lists and key packages.
#include "server/core/key_directory.hpp"
#include "server/core/refusals.hpp"
#include "server/store/sqlite/verbs.hpp"

namespace interlude::store_sqlite {

using namespace ports;

namespace {
constexpr std::size_t lists_per_answer_max = 64;
}

std::optional<LoginFacts> Verbs::login_facts(DeviceRef const& device) {
    auto const list = newest_list(device.account);
    auto const* listed_device = list ? list->list().find(device.device) : nullptr;
    if (!listed_device) return std::nullopt;
    auto const [side, suspended] =
        db_.first<Side, bool>("SELECT side, suspended FROM accounts WHERE account = ?", device.account).value();
    return LoginFacts{listed_device->auth_key, side, suspended};
}

Snapshot Verbs::snapshot(DeviceRef const& device) {
    Snapshot snapshot;
    std::set<SubjectId> subjects;
    auto const own = audit::subject_of(device.account);
    if (subject(own)) subjects.insert(own);
    std::vector<std::pair<ConversationId, std::uint64_t>> places;
    {
        auto rows = db_.query(
            "SELECT conversation, last_own_seq FROM places WHERE account = ? AND device = ? AND dropped = 0"
            " ORDER BY conversation",
            device.account, device.device);
        while (rows.next()) places.emplace_back(rows.get<ConversationId>(0), rows.get<std::uint64_t>(1));
    }
    for (auto const& [id, last_own_seq] : places) {
        snapshot.conversations.push_back(state_of(id, conversation(id).value(), last_own_seq));
        for (auto const& state : subjects_of(id)) subjects.insert(state.subject);
    }
    for (auto const& id : subjects) snapshot.subjects.push_back(subject_state(id));
    return snapshot;
}

// ---- Device lists --------------------------------------------------------------------------------------------------

PutAnswer Verbs::put_device_list(DeviceRef const& by, wire::SignedDocument const& document, core::Seed const& seed) {
    auto const newest = newest_list_if_listed(by);
    if (!newest) return core::refused(wire::Rule::invalid);
    auto const time = now().now;
    auto const today = db_.value<int>("SELECT count(*) FROM lists WHERE account = ? AND published_at > ?", by.account,
                                      time - std::chrono::hours{24});
    auto verdict = core::decide_device_list(*newest, by.account, document, time, today.value(), policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) return *refusal;
    if (std::holds_alternative<wire::Done>(verdict)) return wire::Done{};

    auto& change = std::get<core::ListChange>(verdict);
    core::Draws draws(seed);
    put_list(change.list, time);
    append(std::move(change.entry), draws);
    for (auto const& device : change.dropped) drop_device(device);
    announce(std::nullopt, related_to(by.account), change.dropped);
    return wire::Done{};
}

void Verbs::put_list(identity::VerifiedDeviceList const& list, WallTime time) {
    auto const position = list.list().position();
    db_.run("INSERT INTO lists VALUES (?, ?, ?, ?, ?, ?)", list.list().account(), position.generation, position.version,
            list.as_signed().bytes, list.as_signed().signature, time);
}

void Verbs::drop_device(DeviceRef const& device) {
    db_.run("DELETE FROM key_packages WHERE account = ? AND device = ?", device.account, device.device);
    db_.run("DELETE FROM reservations WHERE account = ? AND device = ?", device.account, device.device);
    db_.run("DELETE FROM requests WHERE account = ? AND device = ?", device.account, device.device);
    std::vector<ConversationId> conversations;
    {
        auto rows = db_.query("SELECT conversation FROM places WHERE account = ? AND device = ?", device.account,
                              device.device);
        while (rows.next()) conversations.push_back(rows.get<ConversationId>(0));
    }
    for (auto const& id : conversations) {
        db_.run("UPDATE places SET dropped = 1 WHERE conversation = ? AND account = ? AND device = ?", id,
                device.account, device.device);
        db_.run("DELETE FROM welcomes WHERE conversation = ? AND account = ? AND device = ?", id, device.account,
                device.device);
        settle(id);
    }
}

std::optional<wire::Documents> Verbs::device_lists_after(Fetcher const& reader, AccountId const& account,
                                                         identity::ListPosition after) {
    if (!may_look_up(reader, account)) return std::nullopt;
    if (auto const* invitation = std::get_if<InvitationId>(&reader))
        if (core::phase_of(Verbs::invitation(*invitation).value(), now().now) != wire::InvitationPhase::open)
            return std::nullopt;
    return wire::Documents{lists_after(account, after, lists_per_answer_max)};
}

// ---- Key packages --------------------------------------------------------------------------------------------------

std::uint32_t Verbs::stock_of(DeviceRef const& device) {
    return db_
        .value<std::uint32_t>(
            "SELECT count(*) FROM key_packages"
            " WHERE account = ? AND device = ? AND last_resort = 0 AND handed_out = 0 AND not_after > ?",
            device.account, device.device, now().now)
        .value();
}

StockAnswer Verbs::put_key_packages(DeviceRef const& by, wire::KeyPackagesPut const& put) {
    auto const newest = newest_list_if_listed(by);
    if (!newest) return core::refused(wire::Rule::invalid);
    auto verdict =
        core::check_key_packages(put, by, newest->list(), static_cast<int>(stock_of(by)), now().now, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) return *refusal;
    for (auto const& package : std::get<std::vector<core::CheckedKeyPackage>>(verdict)) {
        if (db_.exists("SELECT 1 FROM key_packages WHERE ref = ?", package.ref)) continue;
        if (package.last_resort) {  // what invitations have reserved stays for them, and for nobody else
            db_.run(
                "DELETE FROM key_packages WHERE account = ? AND device = ? AND last_resort = 1"
                " AND NOT EXISTS (SELECT 1 FROM reservations WHERE reservations.ref = key_packages.ref)",
                by.account, by.device);
            db_.run("UPDATE key_packages SET handed_out = 1 WHERE account = ? AND device = ? AND last_resort = 1",
                    by.account, by.device);
        }
        db_.run(
            "INSERT INTO key_packages (ref, account, device, bytes, not_after, last_resort, handed_out)"
            " VALUES (?, ?, ?, ?, ?, ?, 0)",
            package.ref, by.account, by.device, package.bytes, package.not_after, package.last_resort);
    }
    return wire::KeyPackageStock{stock_of(by)};
}

KeyPackagesAnswer Verbs::fetch_key_packages(Fetcher const& fetcher, AccountId const& account) {
    auto const time = now().now;
    if (!may_look_up(fetcher, account)) return core::refused(wire::Rule::unreachable);
    auto const* const by_invitation = std::get_if<InvitationId>(&fetcher);
    if (by_invitation) {
        auto const phase = core::phase_of(invitation(*by_invitation).value(), time);
        if (phase == wire::InvitationPhase::redeemed) return core::refused(wire::Rule::spent);
        if (phase != wire::InvitationPhase::open) return core::refused(wire::Rule::expired);
    }

    wire::KeyPackages answer;
    auto const newest = newest_list(account).value();
    for (auto const& device : newest.list().devices) {
        if (by_invitation) {
            auto reserved = db_.first<Bytes, bool>(
                "SELECT bytes, last_resort FROM key_packages WHERE not_after > ? AND bytes IS NOT NULL AND ref ="
                " (SELECT ref FROM reservations WHERE invitation = ? AND account = ? AND device = ?)",
                time, *by_invitation, account, device.id);
            if (reserved) {
                answer.packages.push_back({device.id, std::move(std::get<0>(*reserved)), std::get<1>(*reserved)});
                continue;
            }
        }
        // An ordinary one before the last resort, the oldest first.
        auto chosen = db_.first<std::int64_t, KeyPackageRef, Bytes, bool>(
            "SELECT id, ref, bytes, last_resort FROM key_packages"
            " WHERE account = ? AND device = ? AND last_resort IN (0, 1) AND handed_out = 0 AND not_after > ?"
            " ORDER BY last_resort, not_after LIMIT 1",
            account, device.id, time);
        if (!chosen) continue;
        auto& [id, ref, bytes, last_resort] = *chosen;
        answer.packages.push_back({device.id, std::move(bytes), last_resort});
        if (by_invitation)
            db_.run("INSERT OR REPLACE INTO reservations VALUES (?, ?, ?, ?)", *by_invitation, account, device.id, ref);
        if (last_resort) continue;
        if (by_invitation)
            db_.run("UPDATE key_packages SET handed_out = 1 WHERE id = ?", id);
        else
            db_.run("UPDATE key_packages SET handed_out = 1, bytes = NULL WHERE id = ?", id);
    }
    if (answer.packages.empty()) return core::refused(wire::Rule::unreachable);
    return answer;
}

}  // namespace interlude::store_sqlite
