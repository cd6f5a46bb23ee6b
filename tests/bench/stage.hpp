// Where the coroutines of one thread play: an io_context, its network, and the first thing that went wrong.
#pragma once

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "tests/bench/load_options.hpp"
#include "tests/bench/session.hpp"

namespace interlude::bench {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

inline constexpr std::size_t coming_at_once = 64;        // links that log in at one time
inline constexpr std::chrono::seconds leaving_takes{5};  // at most

class Stage {
  public:
    explicit Stage(LoadOptions const& options) : network_(io_, {options.host, options.port, options.ca_file}) {}

    boost::asio::io_context& io() { return io_; }
    Network& network() { return network_; }

    /// An exception of it ends the run.
    void spawn(boost::asio::awaitable<void> part) {
        boost::asio::co_spawn(io_, std::move(part), [this](std::exception_ptr error) {
            if (error && !failure_) failure_ = error;
        });
    }
    /// `workers` coroutines take the items [0, count) one after the other.
    void share(std::size_t count, std::size_t workers, std::function<boost::asio::awaitable<void>(std::size_t)> item) {
        auto const next = std::make_shared<std::size_t>(0);
        for (std::size_t worker = 0; worker < std::min(workers, count); ++worker) spawn(work(next, count, item));
    }
    /// Throws what a part threw.
    void run_until(std::function<bool()> const& done) {
        while (!failure_ && !done()) {
            if (io_.stopped()) io_.restart();  // it had nothing to do for a moment
            io_.run_one_for(std::chrono::milliseconds{100});
        }
        if (failure_) std::rethrow_exception(failure_);
    }

  private:
    static boost::asio::awaitable<void> work(std::shared_ptr<std::size_t> next, std::size_t count,
                                             std::function<boost::asio::awaitable<void>(std::size_t)> item) {
        while (*next < count) {
            auto one = item((*next)++);
            co_await std::move(one);
        }
    }

    boost::asio::io_context io_{1};
    Network network_;
    std::exception_ptr failure_;
};

boost::asio::awaitable<void> sleep_until(boost::asio::io_context& io, Instant instant);

}  // namespace interlude::bench
