// One WebSocket link to the server: TLS 1.3 with the certificate verified against the CA that the home keeps (or the
// system's), subprotocol interlude.v1. Moves bytes only. Beast stays behind it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/bytes/bytes.hpp"

namespace interlude::client_net {

struct LinkTarget {
    std::string host;  // verified against the certificate
    std::uint16_t port = 443;
    std::string ca_file;  // empty: the system's
};

struct LinkFailure {
    enum class Kind : std::uint8_t {
        unreachable = 1,  // no address, refused, timed out, cut
        certificate = 2,  // TLS does not hold: not the server it says it is
        refused = 3,      // it answered, but not as an Interlude server
    };
    Kind kind{};
    std::string text;
};

class ServerLink {
  public:
    ServerLink(boost::asio::io_context& io, LinkTarget target);
    ~ServerLink();

    /// nullopt: the link is up.
    boost::asio::awaitable<std::optional<LinkFailure>> connect(std::chrono::milliseconds within);
    /// The next binary message; nullopt: the link ended, close_code() says how.
    boost::asio::awaitable<std::optional<bytes::Bytes>> next();
    /// Queues; leaves in order.
    void send(bytes::Bytes frame);
    /// Closes after what is queued.
    void finish();
    /// Closes at once; next() and connect() end.
    void cut();
    /// All that was queued is on its way.
    bool flushed() const;
    std::uint16_t close_code() const;

  private:
    struct State;
    static boost::asio::awaitable<void> write_loop(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace interlude::client_net
