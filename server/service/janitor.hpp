// Ends what has lived its hold life and forgets what nobody needs, in small batches, once a minute. What the store does
// depends on its believed time; the janitor only asks.
#pragma once

#include "common/crypto/entropy.hpp"
#include "server/ports/diag.hpp"
#include "server/ports/metrics.hpp"
#include "server/ports/store.hpp"
#include "server/ports/timers.hpp"
#include "server/service/outage.hpp"

namespace interlude::service {

class Janitor {
  public:
    Janitor(ports::Store& store, ports::Timers& timers, crypto::Entropy& entropy, ports::Diag& diag,
            ports::Metrics& metrics)
        : store_(store),
          timers_(timers),
          entropy_(entropy),
          metrics_(metrics),
          outage_(diag, metrics, "nothing_can_be_cleared_trying_again", "it_is_cleared_again") {}

    /// Until stop(). Where the store fails it tries again in the next round.
    boost::asio::awaitable<void> run();
    void stop() { stopped_ = true; }

  private:
    boost::asio::awaitable<void> clear();

    ports::Store& store_;
    ports::Timers& timers_;
    crypto::Entropy& entropy_;
    ports::Metrics& metrics_;
    Outage outage_;
    bool stopped_ = false;
};

}  // namespace interlude::service
