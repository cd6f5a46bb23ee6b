// What the server takes the time to be: the last believed wall time plus monotonic time, following the wall clock by
// slewing (exact.md, Time of a decision). Never goes back; a step forward that nothing confirms is ignored and alarmed.
#pragma once

#include "server/core/types.hpp"

namespace interlude::core {

class ServerTime {
  public:
    static constexpr Millis followed_max = std::chrono::minutes{2};    // a larger lead of the wall clock is a step
    static constexpr int slew_divisor = 20;                            // corrects at most 1/20 of the time that passed
    static constexpr Millis start_ahead_max = std::chrono::hours{24};  // of the stored mark, without synchronisation

    struct Start {
        WallTime wall{};
        base::MonoTime mono{};
        WallTime mark{};            // stored high-water mark; zero: a new store
        bool synchronised = false;  // the kernel says so
    };
    explicit ServerTime(Start const& start);

    /// The reading at a monotonic instant, at or after the last one given to any function here.
    TimeReading at(base::MonoTime mono) const;
    bool releases_allowed() const { return believed_; }

    enum class Event : std::uint8_t {
        none,
        step_ignored,  // the wall clock ran ahead by more than is followed: releases, expiry and purges wait
        behind,        // the wall clock is behind by more than is followed; time goes on, slower
        came_back,     // within reach again: believed
    };
    /// Once a second: compares with the wall clock and slews. Tells what began, once.
    Event observe(WallTime wall, base::MonoTime mono);
    /// The operator confirms the wall clock: server time takes it over at once (forward only).
    void confirm(WallTime wall, base::MonoTime mono);
    /// Wall clock minus server time at the last observation.
    Millis skew() const { return skew_; }

  private:
    WallTime base_wall_;
    base::MonoTime base_mono_;
    bool believed_ = true;
    bool behind_ = false;
    Millis skew_{0};
};

}  // namespace interlude::core
