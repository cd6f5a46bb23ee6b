#include "server/service/link_registry.hpp"

#include <algorithm>
#include <utility>

#include "common/base/limits.hpp"

namespace interlude::service {

namespace {
constexpr std::uint16_t removed = 4403;
constexpr std::uint16_t too_many_links = 4409;
}  // namespace

LinkRegistry::Handle LinkRegistry::enter(LiveDevice live) {
    auto& links = accounts_[live.device.account];
    auto const same = [&](LiveDevice const& other) { return other.device == live.device && other.sink->open(); };
    if (std::count_if(links.begin(), links.end(), same) >= base::limits::links_per_device_max)
        std::find_if(links.begin(), links.end(), same)->sink->finish(too_many_links, 0);
    ++size_;
    return links.insert(links.end(), std::move(live));
}

void LinkRegistry::leave(Handle handle) {
    auto const account = handle->device.account;
    auto& links = accounts_[account];
    links.erase(handle);
    --size_;
    if (links.empty()) accounts_.erase(account);
}

void LinkRegistry::now_ready(Handle handle) {
    handle->ready = true;
    for (auto& body : std::exchange(handle->told, {})) handle->sink->push({{}, std::move(body)});
}

void LinkRegistry::changed(core::Changed const& changed) {
    for (auto const& account : changed.accounts) {
        auto const found = accounts_.find(account);
        if (found == accounts_.end()) continue;
        for (auto const& link : found->second)
            if (link.device != changed.author) link.courier->changed(changed.conversation);
    }
    for (auto const& device : changed.dropped) {
        auto const found = accounts_.find(device.account);
        if (found == accounts_.end()) continue;
        for (auto const& link : found->second)
            if (link.device == device) link.sink->finish(removed, 0);
    }
}

void LinkRegistry::wake_all() {
    for (auto const& [account, links] : accounts_)
        for (auto const& link : links) link.courier->changed(std::nullopt);
}

void LinkRegistry::tell(base::AccountId const& account, wire::ServerBody const& body) {
    auto const found = accounts_.find(account);
    if (found == accounts_.end()) return;
    for (auto& link : found->second)
        if (link.ready)
            link.sink->push({{}, body});
        else
            link.told.push_back(body);
}

std::optional<core::DeviceRef> LinkRegistry::device_with_link(base::AccountId const& account) const {
    auto const found = accounts_.find(account);
    if (found == accounts_.end()) return std::nullopt;
    for (auto const& link : found->second)
        if (link.sink->open()) return link.device;
    return std::nullopt;
}

}  // namespace interlude::service
