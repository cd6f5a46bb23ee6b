// The face of the server towards the network: TLS listeners, WebSocket links on /v1/link, a few resources over HTTPS.
// Beast and asio::ssl stay behind it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/limits.hpp"
#include "server/net/certificate.hpp"
#include "server/service/link_host.hpp"

namespace interlude::net {

struct ServerOptions {
    std::string server_name;
    std::vector<std::string> listen;  // "127.0.0.1:0", "[::1]:8443"; 0: any free port
    std::filesystem::path certificate;
    std::filesystem::path key;
    bool key_is_credential = false;  // in a folder that systemd guards: an access list shows as the group's bits
    bool tls_1_2 = false;            // AEAD suites only
    std::vector<std::string> origins;
    std::chrono::milliseconds handshake_time_max{10'000};  // TLS, then each HTTP header
    std::chrono::milliseconds idle_time_max{75'000};       // without a frame or a pong
    std::chrono::milliseconds close_time_max{5'000};       // each frame that is left at the end, and the close
    std::size_t frame_bytes_max = base::limits::frame_bytes_max;
    std::size_t outbox_bytes_max = base::limits::outbox_bytes_max;
    std::size_t connections_max = 10'000;
    std::size_t connections_per_address_max = 20;  // of one IPv4 address or IPv6 /64
};

/// What the operator gave us cannot be used; the text says what and what to do.
struct SetupError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Server {
  public:
    /// Reads certificate and key, binds and listens. SetupError. The references outlive the server.
    Server(boost::asio::io_context& io, ServerOptions options, service::LinkHosts& hosts,
           service::Resources& resources);
    ~Server();

    void start();
    /// The port of the first listener.
    std::uint16_t port() const;
    /// Reads certificate and key again. Where apps would refuse them at `now` (seconds since 1970 UTC) it keeps the old
    /// pair and returns what is wrong.
    std::optional<std::string> reload_certificate(std::int64_t now);
    /// Takes no more connections and asks links to leave (1001); they may finish sending.
    void drain();
    /// Ends what is left.
    void close_all();
    std::size_t connections() const;
    Certificate const& certificate() const;

    class Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

/// Opens certificate and key as the server would. SetupError: they cannot be used, or are for another name.
Certificate check_certificate(ServerOptions const& options);

}  // namespace interlude::net
