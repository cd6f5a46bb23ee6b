// Virtual time: a queue of what is to happen, and the Timers of a server that lives in it. Nothing waits for real.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>

#include "server/ports/timers.hpp"

namespace interlude::sim {

using base::Millis;
using base::WallTime;

class Clock {
  public:
    explicit Clock(WallTime start) : start_(start), now_(start) {}

    WallTime now() const { return now_; }
    base::MonoTime mono() const { return base::MonoTime{now_ - start_}; }
    /// At that instant (now at the earliest), after everything asked for before.
    void at(WallTime when, std::function<void()> what) { queue_.emplace(std::max(when, now_), std::move(what)); }
    void after(Millis delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
    /// Goes on to the next thing and does it. False: there is none before `until`; it is `until` now.
    bool step(WallTime until);

  private:
    WallTime start_;
    WallTime now_;
    std::multimap<WallTime, std::function<void()>> queue_;
};

class Timers final : public ports::Timers {
  public:
    Timers(boost::asio::any_io_executor executor, Clock& clock) : executor_(std::move(executor)), clock_(clock) {}

    base::MonoTime mono_now() const override { return clock_.mono(); }
    core::TimeReading time() const override { return {clock_.now(), true}; }
    boost::asio::awaitable<bool> sleep_until(base::MonoTime deadline) override;
    boost::asio::awaitable<bool> sleep_until_wall(WallTime deadline) override;

  private:
    boost::asio::any_io_executor executor_;
    Clock& clock_;
};

}  // namespace interlude::sim
