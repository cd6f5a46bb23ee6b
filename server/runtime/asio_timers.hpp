// Timers over Asio and the system's clocks; keeps the server's time (core/server_time.hpp) for every thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <mutex>

#include "server/core/server_time.hpp"
#include "server/ports/timers.hpp"

namespace interlude::runtime {

class AsioTimers final : public ports::Timers {
  public:
    /// `mark`: the stored high-water mark.
    AsioTimers(boost::asio::any_io_executor executor, base::WallTime mark);

    base::MonoTime mono_now() const override;
    core::TimeReading time() const override;
    boost::asio::awaitable<bool> sleep_until(base::MonoTime deadline) override;
    boost::asio::awaitable<bool> sleep_until_wall(base::WallTime deadline) override;

    /// Once a second.
    core::ServerTime::Event observe();
    void confirm();
    base::Millis skew() const;

  private:
    boost::asio::any_io_executor executor_;
    mutable std::mutex mutex_;  // stores ask for the time on their own thread
    core::ServerTime time_;
};

}  // namespace interlude::runtime
