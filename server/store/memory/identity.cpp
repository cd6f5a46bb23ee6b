// Logins, device lists and key packages.
#include <algorithm>

#include "server/core/refusals.hpp"
#include "server/store/memory/memory_store.hpp"

namespace interlude::store_memory {

using namespace ports;

namespace {
constexpr std::size_t lists_per_answer_max = 64;

/// What invitations have reserved stays for them, and is given to nobody else any more.
void supersede_last_resort(Disk& disk, DeviceRef const& device) {
    auto const reserved = [&](KeyPackageRef const& ref) {
        return std::any_of(disk.reservations.begin(), disk.reservations.end(), [&](auto const& of_invitation) {
            auto const found = of_invitation.second.find(device);
            return found != of_invitation.second.end() && found->second == ref;
        });
    };
    for (auto& [ref, row] : disk.key_packages)
        if (row.device == device && row.last_resort) row.handed_out = true;
    std::erase_if(disk.key_packages, [&](auto const& item) {
        return item.second.device == device && item.second.last_resort && !reserved(item.first);
    });
}

}  // namespace

MemoryStore::Awaitable<std::optional<LoginFacts>> MemoryStore::login_facts(DeviceRef device) {
    auto const* row = account(device.account);
    auto const* entry = row ? row->newest->list().find(device.device) : nullptr;
    if (!entry) co_return std::nullopt;
    co_return LoginFacts{entry->auth_key, row->side, row->suspended};
}

MemoryStore::Awaitable<Snapshot> MemoryStore::snapshot(DeviceRef device) {
    Snapshot snapshot;
    std::set<SubjectId> subjects;
    if (account(device.account)) subjects.insert(audit::subject_of(device.account));
    for (auto& [id, row] : disk_->conversations) {
        if (!delivery_of(row, device)) continue;
        snapshot.conversations.push_back(state_of(id, row, device));
        for (auto const& subject : subjects_of(id, row)) subjects.insert(subject.subject);
    }
    for (auto const& subject : subjects) snapshot.subjects.push_back(state_of(subject));
    co_return snapshot;
}

// ---- Device lists --------------------------------------------------------------------------------------------------

MemoryStore::Awaitable<PutAnswer> MemoryStore::put_device_list(DeviceRef by, wire::SignedDocument document,
                                                               core::Seed seed) {
    auto* row = account(by.account);
    if (!row || !listed(by)) co_return core::refused(wire::Rule::invalid);
    auto const time = now().now;
    auto const today = std::count_if(row->lists.begin(), row->lists.end(), [&](auto const& list) {
        return list.in_force_from > time - std::chrono::hours{24};
    });
    auto verdict = core::decide_device_list(*row->newest, by.account, document, time, static_cast<int>(today), policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) co_return *refusal;
    if (std::holds_alternative<wire::Done>(verdict)) co_return wire::Done{};

    auto& change = std::get<core::ListChange>(verdict);
    core::Draws draws(seed);
    row->lists.push_back({document, time});
    row->newest = change.list;
    append(std::move(change.entry), draws);
    for (auto const& device : change.dropped) drop_device(device);
    auto const related = related_to(by.account);
    announce(std::nullopt, {related.begin(), related.end()}, change.dropped);
    co_return wire::Done{};
}

void MemoryStore::drop_device(DeviceRef const& device) {
    std::erase_if(disk_->key_packages, [&](auto const& item) { return item.second.device == device; });
    for (auto& [invitation, reserved] : disk_->reservations) reserved.erase(device);
    std::erase_if(disk_->requests, [&](auto const& item) { return item.first.first == device; });
    for (auto& [id, row] : disk_->conversations) {
        auto const found = row.devices.find(device);
        if (found == row.devices.end()) continue;
        found->second.dropped = true;
        row.welcomes.erase(device);
        settle(row);
    }
}

MemoryStore::Awaitable<std::optional<wire::Documents>> MemoryStore::device_lists_after(Fetcher reader,
                                                                                       AccountId account,
                                                                                       identity::ListPosition after) {
    if (!may_look_up(reader, account)) co_return std::nullopt;
    if (auto const* invitation = std::get_if<InvitationId>(&reader))
        if (core::phase_of(disk_->invitations.at(*invitation), now().now) != wire::InvitationPhase::open)
            co_return std::nullopt;
    wire::Documents documents;
    for (auto const& list : disk_->accounts.at(account).lists) {
        auto const position = identity::decode_device_list(list.document.bytes)->position();
        if (position > after && documents.documents.size() < lists_per_answer_max) documents.documents.push_back(list);
    }
    co_return documents;
}

// ---- Key packages --------------------------------------------------------------------------------------------------

std::uint32_t MemoryStore::stock_of(DeviceRef const& device) const {
    auto const time = now().now;
    return static_cast<std::uint32_t>(
        std::count_if(disk_->key_packages.begin(), disk_->key_packages.end(), [&](auto const& item) {
            auto const& row = item.second;
            return row.device == device && !row.last_resort && !row.handed_out && time < row.not_after;
        }));
}

MemoryStore::Awaitable<StockAnswer> MemoryStore::put_key_packages(DeviceRef by, wire::KeyPackagesPut put) {
    auto const* row = account(by.account);
    if (!row || !listed(by)) co_return core::refused(wire::Rule::invalid);
    auto verdict =
        core::check_key_packages(put, by, row->newest->list(), static_cast<int>(stock_of(by)), now().now, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) co_return *refusal;
    for (auto& package : std::get<std::vector<core::CheckedKeyPackage>>(verdict)) {
        if (disk_->key_packages.contains(package.ref)) continue;
        if (package.last_resort) supersede_last_resort(*disk_, by);
        disk_->key_packages[package.ref] = {by, std::move(package.bytes), package.not_after, package.last_resort,
                                            false};
    }
    co_return wire::KeyPackageStock{stock_of(by)};
}

MemoryStore::Awaitable<KeyPackagesAnswer> MemoryStore::fetch_key_packages(Fetcher fetcher, AccountId account) {
    auto const time = now().now;
    if (!may_look_up(fetcher, account)) co_return core::refused(wire::Rule::unreachable);
    std::map<DeviceRef, KeyPackageRef>* reserved = nullptr;
    if (auto const* invitation = std::get_if<InvitationId>(&fetcher)) {
        auto const phase = core::phase_of(disk_->invitations.at(*invitation), time);
        if (phase == wire::InvitationPhase::redeemed) co_return core::refused(wire::Rule::spent);
        if (phase != wire::InvitationPhase::open) co_return core::refused(wire::Rule::expired);
        reserved = &disk_->reservations[*invitation];
    }

    wire::KeyPackages answer;
    for (auto const& device : disk_->accounts.at(account).newest->list().devices) {
        DeviceRef const owner{account, device.id};
        if (reserved && reserved->contains(owner)) {
            auto const kept = disk_->key_packages.find(reserved->at(owner));
            if (kept != disk_->key_packages.end() && time < kept->second.not_after) {
                answer.packages.push_back({device.id, kept->second.bytes, kept->second.last_resort});
                continue;
            }
        }
        auto chosen = disk_->key_packages.end();
        for (auto item = disk_->key_packages.begin(); item != disk_->key_packages.end(); ++item) {
            auto const& row = item->second;
            bool const usable = row.device == owner && !row.handed_out && time < row.not_after;
            if (usable && (chosen == disk_->key_packages.end() || chosen->second.last_resort)) chosen = item;
        }
        if (chosen == disk_->key_packages.end()) continue;
        auto& row = chosen->second;
        answer.packages.push_back({device.id, row.bytes, row.last_resort});
        if (reserved) (*reserved)[owner] = chosen->first;
        if (row.last_resort) continue;
        row.handed_out = true;
        if (!reserved) row.bytes.clear();
    }
    if (answer.packages.empty()) co_return core::refused(wire::Rule::unreachable);
    co_return answer;
}

}  // namespace interlude::store_memory
