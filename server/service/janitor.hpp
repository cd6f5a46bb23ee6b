// Ends what has lived its hold life and forgets what nobody needs, in small batches, once a minute. What the store does
// depends on its believed time; the janitor only asks.
#pragma once

#include "common/crypto/entropy.hpp"
#include "server/ports/diag.hpp"
#include "server/ports/metrics.hpp"
#include "server/ports/store.hpp"
#include "server/ports/timers.hpp"

namespace interlude::service {

class Janitor {
  public:
    Janitor(ports::Store& store, ports::Timers& timers, crypto::Entropy& entropy, ports::Metrics& metrics)
        : store_(store), timers_(timers), entropy_(entropy), metrics_(metrics) {}

    boost::asio::awaitable<void> run();
    void stop() { stopped_ = true; }

  private:
    ports::Store& store_;
    ports::Timers& timers_;
    crypto::Entropy& entropy_;
    ports::Metrics& metrics_;
    bool stopped_ = false;
};

}  // namespace interlude::service
