// What ends by time. Nothing does while the time is not believed.
#include <algorithm>

#include "server/core/recall.hpp"
#include "server/store/memory/memory_store.hpp"

namespace interlude::store_memory {

using namespace ports;

MemoryStore::Awaitable<Swept> MemoryStore::expire(std::size_t max, core::Seed seed) {
    auto const time = now();
    Swept swept;
    if (!time.believed) co_return swept;
    core::Draws draws(seed);
    for (auto& [id, row] : disk_->conversations) {
        auto const accounts = accounts_of(row);
        auto const deliveries = deliveries_of(row);
        auto const calendars = calendars_of(row);
        std::vector<core::EnvelopeRow> over;
        for (auto const& [seq, envelope] : row.envelopes) {
            auto const unreached = core::unreached_accounts(envelope.row, accounts, deliveries);
            if (core::expires_at(envelope.row, unreached, calendars, policy_) <= time.now) over.push_back(envelope.row);
        }
        for (auto const& envelope : over) {
            if (swept.rows == max) {
                swept.more = true;
                break;
            }
            auto const unreached = core::unreached_accounts(envelope, accounts, deliveries);
            append(core::expired_entry(id, envelope, unreached, time.now), draws);
            for (auto const& account : unreached)
                row.fates.push_back({++row.fates_made,
                                     envelope.sender.account,
                                     envelope.sender,
                                     time.now,
                                     {id, envelope.seq, wire::FateKind::expired, account}});
            forget(row, envelope.seq);
            ++swept.rows;
        }
        if (over.empty()) continue;
        settle(row);
        announce(id, accounts);
    }
    co_return swept;
}

MemoryStore::Awaitable<Swept> MemoryStore::purge(std::size_t max, core::Seed seed) {
    auto const time = now();
    Swept swept;
    if (!time.believed) co_return swept;
    swept.rows += std::erase_if(disk_->requests, [&](auto const& item) {
        auto const& [answer, confirmed_at] = item.second;
        return core::KeepUntil::request(answer.stamp, policy_) <= time.now ||
               (confirmed_at && core::KeepUntil::confirmed_request(*confirmed_at) <= time.now);
    });
    swept.rows +=
        std::erase_if(disk_->key_packages, [&](auto const& item) { return item.second.not_after <= time.now; });
    for (auto& [invitation, reserved] : disk_->reservations)
        std::erase_if(reserved, [&](auto const& item) { return !disk_->key_packages.contains(item.second); });
    for (auto& [id, row] : disk_->conversations) {
        swept.rows += std::erase_if(row.handshakes, [&](auto const& item) {
            return core::KeepUntil::handshake(item.second.stamp, policy_) <= time.now;
        });
        swept.rows += std::erase_if(row.welcomes, [&](auto const& item) {
            return core::KeepUntil::handshake(item.second.stamp, policy_) <= time.now;
        });
        swept.rows += std::erase_if(
            row.fates, [&](FateRow const& fate) { return core::KeepUntil::fate(fate.at, policy_) <= time.now; });
        for (auto& [device, commits] : row.commits)
            std::erase_if(commits, [&](WallTime at) { return at <= time.now - std::chrono::hours{24}; });
    }
    core::Draws draws(seed);
    swept.rows += purge_payloads(max, draws);
    co_return swept;
}

std::uint64_t MemoryStore::purge_payloads(std::size_t max, core::Draws& draws) {
    auto const time = now().now;
    std::uint64_t forgotten = 0;
    std::vector<core::EntryDraft> purges;
    for (auto& [id, subject] : disk_->subjects) {
        // Parties of a conversation are known; an account's may grow, so its entries are kept for their whole time.
        std::uint64_t kept_by_all = 0;
        if (subject.kind == audit::SubjectKind::conversation) {
            kept_by_all = UINT64_MAX;
            for (auto const& [account, member] : disk_->conversations.at(*subject.conversation).members) {
                std::uint64_t newest = 0;
                for (auto const& [device, counter] : subject.acked)
                    if (device.account == account) newest = std::max(newest, counter);
                kept_by_all = std::min(kept_by_all, newest);
            }
        }
        audit::RetentionPurge purge;
        bool worth_an_entry = false;
        for (auto const index : subject.entries) {
            auto& entry = disk_->log[index];
            if (entry.row.payload.empty()) continue;
            bool const over = core::KeepUntil::payload(entry.decided_at, policy_) <= time;
            if ((!over && entry.row.counter > kept_by_all) || forgotten == max) break;
            entry.row.payload.clear();
            entry.row.salt.clear();
            ++forgotten;
            if (entry.row.counter <= kept_by_all) continue;
            purge.up_to = entry.row.counter;
            purge.count += 1;
            worth_an_entry = worth_an_entry || entry.type != audit::EntryType::retention_purge;
        }
        if (worth_an_entry) purges.push_back({id, time, purge, {}});
    }
    for (auto& purge : purges) append(std::move(purge), draws);
    return forgotten;
}

}  // namespace interlude::store_memory
