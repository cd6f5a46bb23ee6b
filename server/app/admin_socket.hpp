// The operator's way in: a local socket, one JSON object a line each way, for the server's own user and root only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <functional>
#include <string>

namespace interlude::app {

/// Answers one request: {"verb": ..., ...} -> {"ok": true, ...} or {"ok": false, "text": ..., "hint": ...}.
using AdminHandler = std::function<boost::asio::awaitable<std::string>(std::string request)>;

class AdminSocket {
  public:
    /// Binds `path` (mode 0600), taking over a socket that nobody listens on any more. Throws std::runtime_error.
    AdminSocket(boost::asio::io_context& io, std::filesystem::path path, AdminHandler handler);
    ~AdminSocket();

    void start();
    void stop();

  private:
    boost::asio::awaitable<void> accept_loop();
    boost::asio::awaitable<void> serve(boost::asio::local::stream_protocol::socket socket);
    boost::asio::awaitable<void> turn_away(boost::asio::local::stream_protocol::socket socket);

    boost::asio::io_context& io_;
    std::filesystem::path path_;
    AdminHandler handler_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
};

}  // namespace interlude::app
