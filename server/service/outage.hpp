// A store that fails for a while (a full disk, most likely) as a service sees it: said once when it begins and once
// when it is over, however often it is tried in between.
#pragma once

#include <chrono>
#include <stdexcept>

#include "server/ports/diag.hpp"
#include "server/ports/metrics.hpp"

namespace interlude::service {

/// How long to wait before the store is asked again.
inline constexpr auto try_again_after = std::chrono::seconds{1};

class Outage {
  public:
    Outage(ports::Diag& diag, ports::Metrics& metrics, base::LogLiteral began, base::LogLiteral over)
        : diag_(diag), metrics_(metrics), began_(began), over_(over) {}

    /// `reason` is the store's own text, which holds no person.
    void failed(std::exception const& reason) {
        metrics_.add(ports::Counter::store_errors);
        if (!lasting_)
            diag_.say(ports::Level::error, began_, {{"reason", base::LogSafe::operator_text(reason.what())}});
        lasting_ = true;
    }
    void worked() {
        if (lasting_) diag_.say(ports::Level::info, over_);
        lasting_ = false;
    }
    bool lasting() const { return lasting_; }

  private:
    ports::Diag& diag_;
    ports::Metrics& metrics_;
    base::LogLiteral began_, over_;
    bool lasting_ = false;
};

}  // namespace interlude::service
