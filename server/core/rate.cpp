#include "server/core/rate.hpp"

#include <algorithm>

namespace interlude::core {

std::optional<Millis> RateBook::take(RateKind kind, base::MonoTime now) {
    auto const index = static_cast<std::size_t>(kind);
    auto const& rate = rates_[index];
    auto& cell = cells_[index].full_at;
    auto full_at = cell.load(std::memory_order_relaxed);
    for (;;) {
        auto const next = std::max(full_at, base::to_ms(now)) + rate.interval.count();
        auto const wait = next - base::to_ms(now) - rate.burst * rate.interval.count();
        if (wait > 0) return Millis{wait};
        if (cell.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return std::nullopt;
    }
}

}  // namespace interlude::core
