// Token buckets (notes: messages 60 + 1/s per device): a burst, then one more per interval.
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "server/core/types.hpp"

namespace interlude::core {

struct Rate {
    int burst = 0;
    std::chrono::nanoseconds interval{0};  // one more token per interval
};

/// Each kind of request that an app may repeat too fast.
enum class RateKind : std::uint8_t { frames, messages, requests, key_package_fetches, redemptions, acks };
inline constexpr std::size_t rate_kinds = 6;

/// Shared by the links of one device (or used by one invited link). The generic cell rate algorithm: a bucket is one
/// number, the time at which it will be full again, so several strands may take from it at once without a lock.
class RateBook {
  public:
    using Rates = std::array<Rate, rate_kinds>;  // by RateKind
    explicit RateBook(Rates const& rates) : rates_(rates) {}
    /// nullopt: taken. Else nothing was, and this is how long to wait.
    std::optional<Millis> take(RateKind kind, base::MonoTime now);

  private:
    static constexpr std::int64_t never = INT64_MIN / 2;
    struct Cell {
        std::atomic<std::int64_t> full_at{never};
    };
    Rates rates_;
    std::array<Cell, rate_kinds> cells_;
};

/// Lets a device write `burst` messages at once and `per_second` (from 1) lasting. With each of them comes a
/// confirmation, and an ack of what the other side writes: frames and acks are allowed accordingly, or such a link
/// would end by them.
void allow_messages(RateBook::Rates& rates, int burst, std::int64_t per_second);

}  // namespace interlude::core
