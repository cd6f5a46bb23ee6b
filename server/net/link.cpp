#include "server/net/link.hpp"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/websocket.hpp>

#include "server/net/outbox.hpp"
#include "server/net/watchdog.hpp"
#include "server/ports/use_tuple.hpp"

namespace interlude::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

namespace {

using ports::use_tuple;
constexpr std::uint16_t text_frame = 1003;
constexpr std::uint16_t frame_too_big = 1009;
constexpr std::uint16_t overload = 1013;
constexpr std::uint32_t overload_pause_seconds = 10;

struct Link final : LiveLink {
    Link(TlsStream tls, ServerOptions const& options)
        : stream(std::move(tls)),
          outbox(std::make_shared<Outbox>(stream.get_executor(), options.outbox_bytes_max)),
          frame_bytes_max(options.frame_bytes_max),
          close_time_max(options.close_time_max),
          writer_done(stream.get_executor()) {
        writer_done.expires_at(std::chrono::steady_clock::time_point::max());
    }

    void leave(std::uint16_t close_code) override { outbox->finish(close_code, 0); }
    /// Something that is left, a frame or the close, leaves in time or not at all: a peer that only sends keeps
    /// nothing.
    void hurry() {
        if (!deadline) deadline = std::make_unique<Watchdog>(beast::get_lowest_layer(stream));
        deadline->within(close_time_max);
    }
    void cut() override {
        outbox->abandon();
        boost::system::error_code ignored;
        beast::get_lowest_layer(stream).close(ignored);
    }

    websocket::stream<TlsStream, false> stream;  // no compression
    std::shared_ptr<Outbox> outbox;
    std::unique_ptr<service::LinkHost> host;
    std::size_t frame_bytes_max;
    std::chrono::milliseconds close_time_max;
    std::unique_ptr<Watchdog> deadline;  // once the end is decided
    asio::steady_timer writer_done;
    bool writing = true;
};

enum class Incoming : std::uint8_t { message, too_big, gone };

/// The next message, whole. Its size is counted here: Beast would close the link before the goodbye. While nothing
/// comes there is no buffer.
asio::awaitable<Incoming> next_message(std::shared_ptr<Link> link, beast::flat_buffer& message) {
    std::array<std::uint8_t, 16> first;
    auto [failed, size] = co_await link->stream.async_read_some(asio::buffer(first), use_tuple);
    if (failed) co_return Incoming::gone;
    message.commit(asio::buffer_copy(message.prepare(size), asio::buffer(first)));
    while (message.size() <= link->frame_bytes_max && !link->stream.is_message_done()) {
        auto const room = link->frame_bytes_max + 1 - message.size();
        std::tie(failed, size) = co_await link->stream.async_read_some(message, room, use_tuple);
        if (failed) co_return Incoming::gone;
    }
    co_return message.size() > link->frame_bytes_max ? Incoming::too_big : Incoming::message;
}

/// Reads until the peer closes, breaks a rule or vanishes. What a message means is the host's business.
asio::awaitable<void> read_loop(std::shared_ptr<Link> link) {
    while (link->outbox->open()) {
        beast::flat_buffer message;
        auto const incoming = co_await next_message(link, message);
        if (incoming == Incoming::gone) co_return;
        if (incoming == Incoming::too_big) {
            link->outbox->finish(frame_too_big, 0);
            co_return;
        }
        if (!link->stream.got_binary()) {
            link->outbox->finish(text_frame, 0);
            co_return;
        }
        auto const data = message.cdata();
        link->host->on_message({static_cast<std::uint8_t const*>(data.data()), data.size()});
    }
}

/// Writes until the outbox says how to end, then closes.
asio::awaitable<void> write_loop(std::shared_ptr<Link> link) {
    bool broken = false;
    while (!broken) {
        auto frame = co_await link->outbox->next();
        if (!frame) break;
        if (link->deadline) link->hurry();
        link->stream.next_layer().cork(link->outbox->has_more());  // frames that wait leave together
        auto const [failed, size] = co_await link->stream.async_write(asio::buffer(*frame), use_tuple);
        broken = static_cast<bool>(failed);
    }
    if (!broken && link->stream.is_open()) {
        link->hurry();
        websocket::close_reason const reason(static_cast<websocket::close_code>(link->outbox->close_code()));
        co_await link->stream.async_close(reason, use_tuple);
    }
    link->deadline.reset();
    link->outbox->abandon();
    link->writing = false;
    boost::system::error_code ignored;
    beast::get_lowest_layer(link->stream).close(ignored);  // a reader still waiting wakes up
    link->writer_done.cancel();
}

}  // namespace

asio::awaitable<void> run_link(TlsStream tls, UpgradeRequest request, ServerOptions const& options,
                               service::LinkHosts& hosts, std::function<void(std::shared_ptr<LiveLink>)> joined) {
    auto link = std::make_shared<Link>(std::move(tls), options);
    auto& stream = link->stream;
    link->outbox->when_finishing([weak = std::weak_ptr(link)] {
        if (auto const ending = weak.lock()) ending->hurry();
    });
    websocket::stream_base::timeout const timeouts{options.handshake_time_max, options.idle_time_max, true};
    stream.set_option(timeouts);
    stream.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
        response.set(beast::http::field::sec_websocket_protocol, "interlude.v1");
        response.erase(beast::http::field::server);
    }));
    stream.read_message_max(0);  // next_message counts
    stream.binary(true);
    stream.auto_fragment(false);

    auto const [refused] = co_await stream.async_accept(request, use_tuple);
    if (refused) co_return;
    request = {};  // its header would live as long as the link
    link->host = hosts.host(link->outbox);
    joined(link);
    asio::co_spawn(stream.get_executor(), write_loop(link), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);  // our own bug: nothing in the loop throws
    });
    if (!link->host) {
        link->outbox->finish(overload, overload_pause_seconds);
    } else {
        link->host->opened();
        co_await read_loop(link);
        link->outbox->finish(1000, 0);  // nothing, if it is ending already
        link->host->closed();
    }
    while (link->writing) co_await link->writer_done.async_wait(use_tuple);
}

}  // namespace interlude::net
