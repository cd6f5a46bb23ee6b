// The end of a link, as an app's WebSocket over TLS sees it.
#include "server/net/server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <ctime>

#include "common/wire/codec.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/net/own_certificate.hpp"

namespace interlude::test {
namespace {

using namespace std::chrono_literals;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::asio::ip::tcp;

/// Hosts that listen to nothing, and one app.
class ServedLink : public testing::Test, public service::LinkHosts, public service::Resources {
  protected:
    struct Mute final : service::LinkHost {
        void opened() override {}
        void on_message(bytes::ByteView) override {}
        void closed() override {}
    };
    std::unique_ptr<service::LinkHost> host(std::shared_ptr<ports::DeliverySink> to) override {
        sink = std::move(to);
        born();
        return std::make_unique<Mute>();
    }
    boost::asio::awaitable<std::optional<service::Resource>> get(std::string) override { co_return std::nullopt; }

    ServedLink() {
        options.server_name = "localhost";
        options.listen = {"127.0.0.1:0"};
        options.certificate = folder / "server.pem";
        options.key = folder / "server.key";
        auto* const key = EVP_EC_gen("P-256");
        write_certificate(options.certificate, key, "DNS:localhost", -60, 3600);
        write_key(options.key, key);
        EVP_PKEY_free(key);
    }
    ~ServedLink() override {
        if (server) server->close_all();
        settle();
    }
    auto note() {
        done = false;
        return [this](boost::system::error_code error, std::size_t = 0) {
            done = true;
            failed = error;
        };
    }
    void open() {
        server.emplace(io, options, *this, *this);
        server->start();
        auto& socket = beast::get_lowest_layer(app);
        socket.open(tcp::v4());
        socket.set_option(boost::asio::socket_base::receive_buffer_size(4096));
        socket.connect({boost::asio::ip::address_v4::loopback(), server->port()});
        app.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
            request.set(beast::http::field::sec_websocket_protocol, "interlude.v1");
        }));
        app.next_layer().async_handshake(boost::asio::ssl::stream_base::client, note());
        ASSERT_TRUE(until([this] { return done; }));
        app.async_handshake("localhost", "/v1/link", note());
        ASSERT_TRUE(until([this] { return done; }));
        ASSERT_FALSE(failed) << failed.message();
    }
    void settle() {
        io.restart();
        io.run_for(10ms);
    }
    template <typename Done>
    bool until(Done const& so) {
        auto const end = std::chrono::steady_clock::now() + 5s;
        while (!so() && std::chrono::steady_clock::now() < end) settle();
        return so();
    }

    ScratchFolder folder;
    net::ServerOptions options;
    boost::asio::io_context io;
    boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
    std::optional<net::Server> server;
    std::shared_ptr<ports::DeliverySink> sink;
    std::function<void()> born = [] {};
    websocket::stream<boost::asio::ssl::stream<tcp::socket>> app{io, context};
    bool done = false;
    boost::system::error_code failed;
};

TEST_F(ServedLink, that_is_born_while_the_server_drains_is_asked_to_leave) {
    born = [this] { server->drain(); };
    open();
    beast::flat_buffer frame;
    app.async_read(frame, note());
    ASSERT_TRUE(until([this] { return done; }));
    ASSERT_FALSE(failed) << failed.message();
    auto const data = frame.cdata();
    auto const goodbye = wire::decode_server_frame({static_cast<std::uint8_t const*>(data.data()), data.size()});
    EXPECT_EQ(std::get<wire::Goodbye>(goodbye.value().body).code, 1001);
    app.async_read(frame, note());
    ASSERT_TRUE(until([this] { return done; }));
    EXPECT_EQ(failed, websocket::error::closed);
    EXPECT_EQ(app.reason().code, 1001);
    EXPECT_TRUE(until([this] { return server->connections() == 0; }));
}

TEST_F(ServedLink, that_is_too_slow_ends_though_its_app_is_alive_and_sends_pongs) {
    options.close_time_max = 200ms;
    options.idle_time_max = 500ms;
    open();
    wire::Envelope envelope;
    envelope.mls = bytes::Bytes(200'000, 1);
    while (sink->push({{}, envelope})) settle();
    EXPECT_TRUE(until([this] {
        app.async_pong({}, note());
        return until([this] { return done; }) && server->connections() == 0;
    }));
}

}  // namespace
}  // namespace interlude::test
