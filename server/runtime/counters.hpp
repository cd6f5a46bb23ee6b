// Metrics in memory: what `interludectl status` shows.
#pragma once

#include <array>
#include <atomic>

#include "server/ports/metrics.hpp"

namespace interlude::runtime {

class Counters final : public ports::Metrics {
  public:
    void add(ports::Counter counter, std::uint64_t amount) override {
        counters_[static_cast<std::size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
    }
    void set(ports::Gauge gauge, std::int64_t value) override {
        gauges_[static_cast<std::size_t>(gauge)].store(value, std::memory_order_relaxed);
    }
    std::uint64_t get(ports::Counter counter) const { return counters_[static_cast<std::size_t>(counter)]; }
    std::int64_t get(ports::Gauge gauge) const { return gauges_[static_cast<std::size_t>(gauge)]; }

  private:
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(ports::Counter::store_errors) + 1> counters_{};
    std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(ports::Gauge::skew_milliseconds) + 1> gauges_{};
};

}  // namespace interlude::runtime
