// One link of the app against a server that does whatever the test says.
#include "client-cli/net/server_link.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "raw_server.hpp"

namespace interlude::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using client_net::LinkTarget;
using client_net::ServerLink;

constexpr std::uint8_t binary = 2;
constexpr std::uint8_t closing = 8;
std::string const normal_closure("\x03\xe8", 2);

class Linked : public testing::Test {
  protected:
    void SetUp() override { signal(SIGPIPE, SIG_IGN); }

    /// Runs the client's side to its end; false: something of it was still waiting long after.
    template <class Body>
    bool run(Body body) {
        asio::co_spawn(io, body, [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
        io.run_for(20s);
        return io.stopped();
    }

    /// Connects and takes what comes until the end.
    asio::awaitable<void> read_all() {
        auto const failure = co_await link.connect(10s);
        EXPECT_FALSE(failure) << failure->text;
        bool more = !failure;
        while (more) {
            auto const message = co_await link.next();
            more = message.has_value();
            if (more) came.emplace_back(message->begin(), message->end());
        }
    }

    std::vector<std::string> came;
    RawServer server;
    asio::io_context io{1};
    ServerLink link{io, LinkTarget{"localhost", server.port(), server.ca_file()}};
};

TEST_F(Linked, CutWhileTheNameIsLookedUpConnectsToNobody) {
    bool failed = false;
    // The server takes the connection and says nothing, for ever.
    bool const ended = run([&]() -> asio::awaitable<void> {
        asio::post(io, [this] { link.cut(); });
        auto const failure = co_await link.connect(10s);
        failed = failure.has_value();
    });
    EXPECT_TRUE(ended);
    EXPECT_TRUE(failed);
}

TEST_F(Linked, MessagesComeUntilTheServerCloses) {
    server.play([](RawServer& peer) {
        peer.send_frame(binary, "one");
        peer.send_frame(binary, "two");
        peer.send_frame(closing, normal_closure);
        peer.read_frame();
    });
    run([&]() -> asio::awaitable<void> { co_await read_all(); });
    EXPECT_EQ(came, (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(link.close_code(), 1000);
}

// The closing handshake takes the rest of a message that is half there. A reader who asks once more after that broke an
// assertion of Beast, and with it the app.
TEST_F(Linked, WhoeverAsksAgainAfterTheEndIsTold) {
    server.play([](RawServer& peer) {
        peer.send_bytes("\x82\x08");  // a head, and its eight bytes later
        while (peer.read_frame() != closing)
            ;
        std::this_thread::sleep_for(100ms);
        peer.send_bytes("half");
        std::this_thread::sleep_for(100ms);
        peer.send_bytes("rest");
        peer.send_frame(binary, "late");
        peer.send_frame(closing, normal_closure);
    });
    int ends = 0;
    run([&]() -> asio::awaitable<void> {
        auto const failure = co_await link.connect(10s);
        EXPECT_FALSE(failure) << failure->text;
        asio::steady_timer pause(io, 200ms);
        pause.async_wait([&](boost::system::error_code) { link.finish(); });
        for (int i = 0; i < 3; ++i) {
            auto const message = co_await link.next();
            ends += message ? 0 : 1;
        }
    });
    EXPECT_EQ(ends, 3);
}

// Beast's idle timer outlives a broken link by half a minute: a verb that was done waited for it.
TEST_F(Linked, NothingOfALinkIsLeftWhenTheServerVanished) {
    server.play([](RawServer& peer) { peer.send_frame(binary, "last words"); });
    bool const ended = run([&]() -> asio::awaitable<void> {
        co_await read_all();
        link.finish();
    });
    EXPECT_EQ(came.size(), 1u);
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace interlude::test
