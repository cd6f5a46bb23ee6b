// The operator's socket goes on after what it could not accept.
#include "server/app/admin_socket.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "tests/support/scratch_folder.hpp"

namespace interlude::test {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

asio::awaitable<std::string> echo(std::string request) {
    co_return "heard " + request;
}

TEST(AdminSocket, goes_on_when_there_were_no_descriptors_for_a_while) {
    ScratchFolder folder;
    asio::io_context io;
    app::AdminSocket socket(io, folder / "admin.socket", echo);
    socket.start();
    io.poll();  // it waits for somebody
    stream_protocol::socket asker(io);
    asker.open();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    int const next = dup(0);
    close(next);
    rlimit const none{static_cast<rlim_t>(next), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    asker.connect(stream_protocol::endpoint((folder / "admin.socket").string()));
    asio::write(asker, asio::buffer(std::string("status\n")));
    io.run_for(std::chrono::milliseconds{120});
    setrlimit(RLIMIT_NOFILE, &before);

    std::string answer;
    auto const note = [&](boost::system::error_code, std::size_t) { socket.stop(); };
    asio::async_read_until(asker, asio::dynamic_buffer(answer), '\n', note);
    io.restart();
    io.run_for(std::chrono::seconds{20});
    EXPECT_EQ(answer, "heard status\n");
}

}  // namespace
}  // namespace interlude::test
