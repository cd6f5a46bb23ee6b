// Counters and gauges by enumerator; names of the exposition are the runtime's.
#pragma once

#include <cstdint>

namespace interlude::ports {

enum class Counter : std::uint8_t {
    links_opened,
    logins,
    logins_refused,
    frames_received,
    frames_malformed,
    messages_accepted,
    messages_held,
    messages_refused,
    envelopes_offered,
    acks,
    commits_accepted,
    commits_lost,
    commits_rejected_by_members,
    redemptions,
    second_attempts,
    too_fast,
    outboxes_overflowed,
    checkpoints,
    envelopes_expired,
    clock_steps_ignored,
    store_errors,
};
enum class Gauge : std::uint8_t { links, queue_depth, unsequenced_entries, skew_milliseconds };

class Metrics {
  public:
    virtual ~Metrics() = default;
    virtual void add(Counter counter, std::uint64_t amount = 1) = 0;
    virtual void set(Gauge gauge, std::int64_t value) = 0;
};

class NoMetrics final : public Metrics {
  public:
    void add(Counter, std::uint64_t) override {}
    void set(Gauge, std::int64_t) override {}
};

}  // namespace interlude::ports
