// So many of one kind are under way at once; the others wait for their turn, in the order in which they came.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>

namespace interlude::service {

class Turns {
  public:
    Turns(boost::asio::any_io_executor executor, std::size_t at_once);

    /// Ends with its owner, and the next one begins.
    class Turn;
    boost::asio::awaitable<Turn> take();

  private:
    struct State {
        boost::asio::any_io_executor executor;
        std::size_t free;
        std::deque<std::shared_ptr<boost::asio::steady_timer>> waiting;  // cancelled: has its turn
    };
    std::shared_ptr<State> state_;
};

class Turns::Turn {
  public:
    explicit Turn(std::shared_ptr<State> of) : state_(std::move(of)) {}
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

  private:
    std::shared_ptr<State> state_;
};

}  // namespace interlude::service
