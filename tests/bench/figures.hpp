// What a run of the load program comes to: when each message of an open loop is due, and exact percentiles of what was
// measured. Pure: instants are arguments.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace interlude::bench {

using Nanos = std::chrono::nanoseconds;

/// Due times of an open loop: a message is due when it is due, whatever the server has answered by then. So a server
/// that stalls is charged for every message that it kept waiting, not only for those that a waiting client still sent.
class RateSchedule {
  public:
    /// `per_second` > 0.
    RateSchedule(double per_second, Nanos length);

    /// Messages that are due in [0, length).
    std::uint64_t count() const { return count_; }
    /// After the start.
    Nanos due(std::uint64_t message) const;

  private:
    double per_second_;
    std::uint64_t count_;
};

struct Percentiles {
    std::size_t count = 0;
    Nanos p50{0}, p99{0}, p999{0}, most{0};  // zeros where nothing was measured
    bool operator==(Percentiles const&) const = default;
};

/// Keeps every value: ten million cost 80 MB, and no percentile is an estimate.
class Latencies {
  public:
    void add(Nanos latency) { values_.push_back(latency); }
    void add(Latencies const& others);
    std::size_t count() const { return values_.size(); }
    /// By nearest rank: the least value that at least so many of all do not exceed.
    Percentiles percentiles() const;

  private:
    std::vector<Nanos> values_;
};

/// A pair is a therapist and a client: two apps, each with a link of its own.
constexpr std::size_t pairs_needed(std::size_t links) {
    return (links + 1) / 2;
}

}  // namespace interlude::bench
