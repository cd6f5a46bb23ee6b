// One life of the server process: the production services over the memory store's disk. Destroying it is a crash.
#pragma once

#include "common/crypto/entropy.hpp"
#include "server/service/audit_sequencer.hpp"
#include "server/service/janitor.hpp"
#include "server/service/link_service.hpp"
#include "server/service/window_ticker.hpp"
#include "server/store/memory/memory_store.hpp"
#include "tests/sim/link.hpp"

namespace interlude::sim {

inline constexpr std::string_view server_name = "relay.test";

class Server {
  public:
    Server(Clock& clock, std::shared_ptr<store_memory::Disk> disk, crypto::Entropy& entropy,
           crypto::SigningKey const& log_key);
    ~Server();

    void accept(std::shared_ptr<Link> const& link);
    /// Does everything that can be done at this instant, or so many things of it. False: there was more to do.
    bool settle(std::uint64_t handlers_max = UINT64_MAX);
    /// As the operator's tool does.
    std::string invite_therapist(WallTime now);

  private:
    void spawn(boost::asio::awaitable<void> service);

    /// Lets go of what waits while the services that it refers to are still there.
    class Loop : public boost::asio::io_context {
      public:
        Loop() : io_context(1) {}
        void drop_everything() { shutdown(); }
    };

    Loop io_;
    crypto::Entropy& entropy_;
    Timers timers_;
    ports::NoDiag diag_;
    ports::NoMetrics metrics_;
    store_memory::MemoryStore store_;
    service::LinkRegistry registry_;
    service::AuditSequencer sequencer_;
    service::WindowTicker ticker_;
    service::Janitor janitor_;
    std::optional<service::Shared> shared_;
    std::optional<service::LinkService> links_;
    std::vector<std::weak_ptr<Link>> accepted_;
};

}  // namespace interlude::sim
