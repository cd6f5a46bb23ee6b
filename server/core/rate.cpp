#include "server/core/rate.hpp"

#include <algorithm>

namespace interlude::core {

std::optional<Millis> RateBook::take(RateKind kind, base::MonoTime now) {
    auto const index = static_cast<std::size_t>(kind);
    auto const& rate = rates_[index];
    auto& cell = cells_[index].full_at;
    std::int64_t const at = std::chrono::nanoseconds{now.time_since_epoch()}.count();
    auto full_at = cell.load(std::memory_order_relaxed);
    for (;;) {
        auto const next = std::max(full_at, at) + rate.interval.count();
        auto const wait = next - at - rate.burst * rate.interval.count();
        if (wait > 0) return std::chrono::ceil<Millis>(std::chrono::nanoseconds{wait});
        if (cell.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return std::nullopt;
    }
}

void allow_messages(RateBook::Rates& rates, int burst, std::int64_t per_second) {
    auto const of = [&](RateKind kind) -> Rate& { return rates[static_cast<std::size_t>(kind)]; };
    auto const interval = std::chrono::nanoseconds{std::chrono::seconds{1}} / per_second;
    auto const no_less = [](Rate& rate, int tokens, std::chrono::nanoseconds each) {
        rate = {std::max(rate.burst, tokens), std::min(rate.interval, each)};
    };
    of(RateKind::messages) = {burst, interval};
    no_less(of(RateKind::acks), 2 * burst, interval / 2);
    no_less(of(RateKind::frames), 4 * burst, interval / 4);
}

}  // namespace interlude::core
