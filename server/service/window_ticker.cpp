#include "server/service/window_ticker.hpp"

#include <algorithm>

namespace interlude::service {

using namespace std::chrono_literals;

namespace {

constexpr auto look_again_after = 1s;

/// The first opening or closing after `after`.
std::optional<base::WallTime> next_bound(core::CalendarPtr const& calendar, base::WallTime after) {
    if (!calendar) return std::nullopt;
    auto const& windows = calendar->windows();
    auto const span = std::partition_point(windows.begin(), windows.end(),
                                           [&](base::Interval const& window) { return window.end <= after; });
    if (span == windows.end()) return std::nullopt;
    return span->start > after ? span->start : span->end;
}

}  // namespace

boost::asio::awaitable<void> WindowTicker::run() {
    while (!stopped_) {
        base::WallTime until{};
        bool failed = false;
        try {
            until = co_await note_what_is_due();
            outage_.worked();
        } catch (std::exception const& error) {
            failed = true;
            outage_.failed(error);
        }
        if (failed) {
            known_ = false;  // what was taken from the bounds may not be noted
            co_await timers_.sleep_until(timers_.mono_now() + try_again_after);
        } else if (!known_) {
            co_await timers_.sleep_until(timers_.mono_now() + 1ms);  // a store that does not move on is no busy loop
        } else {
            co_await timers_.sleep_until_wall(until);
        }
    }
}

boost::asio::awaitable<base::WallTime> WindowTicker::note_what_is_due() {
    if (!known_) co_await read_calendars();
    auto const reading = timers_.time();
    while (reading.believed && !bounds_.empty() && bounds_.begin()->first <= reading.now) {
        auto const accounts = std::move(bounds_.begin()->second);
        bounds_.erase(bounds_.begin());
        for (auto const& account : accounts) co_await store_.note_windows(account, entropy_.id<core::Seed>());
        known_ = false;  // their next bounds
    }
    auto until = reading.now + look_again_after;
    if (reading.believed && !bounds_.empty()) until = std::min(until, bounds_.begin()->first);
    co_return until;
}

boost::asio::awaitable<void> WindowTicker::read_calendars() {
    known_ = true;
    auto const calendars = co_await store_.calendars();
    bounds_.clear();
    for (auto const& [account, calendar, marked_up_to] : calendars)
        if (auto const next = next_bound(calendar, marked_up_to)) bounds_[*next].push_back(account);
}

}  // namespace interlude::service
