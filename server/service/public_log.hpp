// What everybody may read over HTTPS: health, the log's public checkpoint (which moves once a minute, so that it does
// not show who writes at night), its tiles, the verifier key, and two pages for people.
#pragma once

#include "server/ports/timers.hpp"
#include "server/service/audit_sequencer.hpp"
#include "server/service/link_host.hpp"

namespace interlude::service {

class PublicLog final : public Resources {
  public:
    PublicLog(ports::Store& store, ports::Timers& timers, AuditSequencer& sequencer)
        : store_(store), timers_(timers), sequencer_(sequencer) {}

    boost::asio::awaitable<std::optional<Resource>> get(std::string path) override;

    void set_draining() { draining_ = true; }
    void set_certificate_expiry(base::WallTime expires) { certificate_expires_ = expires; }
    /// The store answered something, now. The app asks it every second.
    void store_answered() { store_answered_ = timers_.mono_now(); }

  private:
    boost::asio::awaitable<std::optional<Resource>> tile(std::string path);
    Resource health() const;
    /// Takes over the newest checkpoint if the public one is a minute old.
    void move_on();

    ports::Store& store_;
    ports::Timers& timers_;
    AuditSequencer& sequencer_;
    std::string note_;
    std::uint64_t size_ = 0;
    std::optional<base::MonoTime> published_;
    base::MonoTime store_answered_{};
    base::WallTime certificate_expires_ = base::WallTime::max();
    bool draining_ = false;
};

}  // namespace interlude::service
