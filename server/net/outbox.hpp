// What waits to leave on one link: bounded, in order, with the close as its last item.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <optional>
#include <vector>

#include "common/bytes/bytes.hpp"
#include "server/ports/delivery_sink.hpp"

namespace interlude::net {

class Outbox final : public ports::DeliverySink {
  public:
    Outbox(boost::asio::any_io_executor executor, std::size_t bytes_max);

    bool push(wire::ServerFrame frame) override;
    void finish(std::uint16_t close_code, std::uint32_t retry_after_seconds) override;
    bool open() const override { return state_ == State::open; }
    void when_drained(std::function<void()> drained) override;

    /// The next frame; nullopt when nothing more comes: then close_code() says how to end.
    boost::asio::awaitable<std::optional<bytes::Bytes>> next();
    /// Another frame follows the one that next() gave: what is queued is dropped only for a goodbye, or with the
    /// socket.
    bool has_more() const { return !frames_.empty(); }
    std::uint16_t close_code() const { return close_code_; }
    /// Calls `told` when the end is decided. What is queued has still to leave.
    void when_finishing(std::function<void()> told) { finishing_ = std::move(told); }
    /// The socket is gone: drops everything.
    void abandon();

  private:
    enum class State : std::uint8_t {
        open = 1,
        finishing = 2,  // what is queued leaves, then the close
        gone = 3,
    };
    State state_ = State::open;
    std::list<bytes::Bytes> frames_;  // an empty one keeps no memory
    std::size_t bytes_ = 0;
    std::size_t bytes_max_;
    std::uint16_t close_code_ = 1000;
    boost::asio::steady_timer wake_;  // cancelled when something changed
    std::vector<std::function<void()>> drained_;
    std::function<void()> finishing_;
    void notify_drained();
};

}  // namespace interlude::net
