// A deadline for whatever a connection is waiting for: when it strikes, the socket is closed and the wait fails.
// (asio::cancel_after is missing from Boost 1.81, and a closed socket ends TLS and WebSocket operations alike.)
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

namespace interlude::net {

class Watchdog {
  public:
    explicit Watchdog(boost::asio::ip::tcp::socket& socket)
        : socket_(socket), timer_(socket.get_executor()), alive_(std::make_shared<bool>(true)) {}
    ~Watchdog() { *alive_ = false; }
    Watchdog(Watchdog const&) = delete;
    Watchdog& operator=(Watchdog const&) = delete;

    /// Replaces an earlier deadline.
    void within(std::chrono::milliseconds time) {
        timer_.expires_after(time);
        timer_.async_wait([this, alive = alive_](boost::system::error_code cancelled) {
            if (cancelled || !*alive) return;
            if (timer_.expiry() > std::chrono::steady_clock::now()) return;  // replaced when this was queued already
            boost::system::error_code ignored;
            socket_.close(ignored);
        });
    }
    void off() { timer_.expires_at(std::chrono::steady_clock::time_point::max()); }

  private:
    boost::asio::ip::tcp::socket& socket_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<bool> alive_;
};

}  // namespace interlude::net
