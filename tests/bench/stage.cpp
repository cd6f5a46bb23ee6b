#include "tests/bench/stage.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace interlude::bench {

boost::asio::awaitable<void> sleep_until(boost::asio::io_context& io, Instant instant) {
    constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);
    boost::asio::steady_timer timer(io, instant);
    co_await timer.async_wait(use_tuple);
}

}  // namespace interlude::bench
