// Links of the load program: WebSocket over TLS as an app opens them, thousands in one thread. network.cpp alone
// includes Beast.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/bytes/bytes.hpp"

namespace interlude::bench {

struct Target {
    std::string host;  // verified against the certificate
    std::uint16_t port = 0;
    std::string ca_file;
};

/// One connection; finish() or cut() ends it.
class Link {
  public:
    virtual ~Link() = default;
    /// False: why() says what went wrong.
    virtual boost::asio::awaitable<bool> connect() = 0;
    /// TCP and TLS only; then it is closed again.
    virtual boost::asio::awaitable<bool> shake_hands() = 0;
    /// The next message; nullopt: the link ended.
    virtual boost::asio::awaitable<std::optional<bytes::Bytes>> next() = 0;
    /// Queues; leaves in order. Never waits, as an open loop must not.
    virtual void send(bytes::Bytes frame) = 0;
    /// Closes after what is queued: nothing of it is lost.
    virtual void finish() = 0;
    /// Closes at once, without a word.
    virtual void cut() = 0;
    virtual std::string why() const = 0;
};

/// What the links of one thread share: the TLS context and the server's address. Lives longer than they do.
class Network {
  public:
    /// Throws where the CA cannot be read or the host has no address.
    Network(boost::asio::io_context& io, Target target);
    ~Network();
    std::shared_ptr<Link> link();

  private:
    struct Shared;
    std::unique_ptr<Shared> shared_;
};

}  // namespace interlude::bench
