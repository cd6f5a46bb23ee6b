// Time for services: what the clocks say, and waiting. Simulations hand in their own.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "server/core/types.hpp"

namespace interlude::ports {

class Timers {
  public:
    virtual ~Timers() = default;
    virtual base::MonoTime mono_now() const = 0;
    /// Server time (core/server_time.hpp), the same that the store is given.
    virtual core::TimeReading time() const = 0;

    /// True when the deadline is reached, false when the waiting coroutine was cancelled.
    virtual boost::asio::awaitable<bool> sleep_until(base::MonoTime deadline) = 0;
    /// Likewise for server time, which may jump: looked at every second at the latest.
    virtual boost::asio::awaitable<bool> sleep_until_wall(base::WallTime deadline) = 0;
};

}  // namespace interlude::ports
