// Notices openings and closings: sleeps until the next bound of any calendar, has its entry written (one per account
// and instant, whoever notices it first), and by that wakes the couriers. Messages need no write to pass.
#pragma once

#include <map>

#include "common/crypto/entropy.hpp"
#include "server/ports/diag.hpp"
#include "server/ports/store.hpp"
#include "server/ports/timers.hpp"
#include "server/service/outage.hpp"

namespace interlude::service {

class WindowTicker {
  public:
    WindowTicker(ports::Store& store, ports::Timers& timers, crypto::Entropy& entropy, ports::Diag& diag,
                 ports::Metrics& metrics)
        : store_(store),
          timers_(timers),
          entropy_(entropy),
          outage_(diag, metrics, "openings_cannot_be_noted_trying_again", "openings_are_noted_again") {}

    /// Until stop(); looks again at the latest every second, so a changed calendar or a stepped clock is seen.
    /// Where the store fails it tries again.
    boost::asio::awaitable<void> run();
    void stop() { stopped_ = true; }
    /// A calendar changed: read them again.
    void calendars_changed() { known_ = false; }

  private:
    /// What is due by now; until when there is nothing to do.
    boost::asio::awaitable<base::WallTime> note_what_is_due();
    boost::asio::awaitable<void> read_calendars();

    ports::Store& store_;
    ports::Timers& timers_;
    crypto::Entropy& entropy_;
    Outage outage_;
    bool known_ = false;
    bool stopped_ = false;
    std::map<base::WallTime, std::vector<base::AccountId>> bounds_;  // the next one of each account
};

}  // namespace interlude::service
