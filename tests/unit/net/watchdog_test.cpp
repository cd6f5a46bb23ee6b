// Deadlines that have struck, but whose turn has not come, and were renewed or called off meanwhile.
#include "server/net/watchdog.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

namespace interlude::test {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

class Deadline : public testing::Test {
  protected:
    /// Both timers have struck before either is heard; `renew` is heard first.
    template <typename Renew>
    void strike_and(Renew const& renew) {
        boost::asio::steady_timer first(io, 1ms);
        first.async_wait([&](boost::system::error_code) { renew(); });
        watchdog.within(2ms);
        std::this_thread::sleep_for(10ms);
        io.poll();
    }

    boost::asio::io_context io;
    tcp::socket socket{io, tcp::v4()};
    net::Watchdog watchdog{socket};
};

TEST_F(Deadline, closes_the_socket_when_it_strikes) {
    strike_and([] {});
    EXPECT_FALSE(socket.is_open());
}

TEST_F(Deadline, that_was_renewed_is_not_ended_by_the_former_one) {
    strike_and([this] { watchdog.within(1h); });
    EXPECT_TRUE(socket.is_open());
}

TEST_F(Deadline, that_was_called_off_ends_nothing) {
    strike_and([this] { watchdog.off(); });
    EXPECT_TRUE(socket.is_open());
}

}  // namespace
}  // namespace interlude::test
