#include "client-cli/net/server_link.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>

#include "client-cli/net/use_tuple.hpp"
#include "common/base/limits.hpp"

namespace interlude::client_net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;

namespace {

asio::ssl::context make_context(LinkTarget const& target, boost::system::error_code& error) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);  // the server decides; AEAD only
    SSL_CTX_set_cipher_list(context.native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
    context.set_verify_mode(asio::ssl::verify_peer);
    if (target.ca_file.empty()) {
        context.set_default_verify_paths(error);
    } else {
        context.load_verify_file(target.ca_file, error);
    }
    return context;
}

LinkFailure unreachable(LinkTarget const& target, std::string const& reason) {
    return {LinkFailure::Kind::unreachable,
            target.host + ":" + std::to_string(target.port) + " cannot be reached (" + reason + ")"};
}

}  // namespace

struct ServerLink::State {
    State(asio::io_context& io_context, LinkTarget where, asio::ssl::context tls)
        : io(io_context),
          target(std::move(where)),
          context(std::move(tls)),
          stream(io, context),
          wake(io),
          closed(io),
          deadline(io) {
        wake.expires_at(std::chrono::steady_clock::time_point::max());
        closed.expires_at(std::chrono::steady_clock::time_point::max());
    }

    void close_socket() {
        boost::system::error_code ignored;
        beast::get_lowest_layer(stream).close(ignored);
        websocket::stream_base::timeout const never{websocket::stream_base::none(), websocket::stream_base::none(),
                                                    false};
        stream.set_option(never);  // else Beast's idle timer goes on for half a minute
        over = true;
        wake.cancel();
        closed.cancel();
    }

    asio::io_context& io;
    LinkTarget target;
    asio::ssl::context context;
    boost::system::error_code context_error;
    websocket::stream<asio::ssl::stream<tcp::socket>> stream;
    std::deque<bytes::Bytes> queue;
    bool writing = false;    // a frame is between queue and socket
    bool finishing = false;  // close when the queue is empty
    bool closing = false;    // the closing handshake reads what still comes: nobody else may
    bool over = false;       // the socket is closed
    asio::steady_timer wake;
    asio::steady_timer closed;
    asio::steady_timer deadline;
};

ServerLink::ServerLink(asio::io_context& io, LinkTarget target) {
    boost::system::error_code error;
    auto context = make_context(target, error);
    state_ = std::make_shared<State>(io, std::move(target), std::move(context));
    state_->context_error = error;
}

ServerLink::~ServerLink() {
    cut();
}

asio::awaitable<std::optional<LinkFailure>> ServerLink::connect(std::chrono::milliseconds within) {
    auto const state = state_;
    auto const& target = state->target;
    if (state->context_error)
        co_return LinkFailure{LinkFailure::Kind::certificate, "the CA file " + target.ca_file + " cannot be used (" +
                                                                  state->context_error.message() + ")"};
    state->deadline.expires_after(within);
    state->deadline.async_wait([weak = std::weak_ptr(state)](boost::system::error_code cancelled) {
        auto const late = weak.lock();
        if (!cancelled && late) late->close_socket();
    });

    tcp::resolver resolver(state->io);
    auto const port = std::to_string(target.port);
    auto const [unknown, endpoints] = co_await resolver.async_resolve(target.host, port, use_tuple);
    if (unknown) co_return unreachable(target, unknown.message());
    // Connecting opens the socket again, and nobody would end that: the time is over.
    if (state->over) co_return unreachable(target, "its name was not found in time");
    auto& socket = beast::get_lowest_layer(state->stream);
    auto const [refused, endpoint] = co_await asio::async_connect(socket, endpoints, use_tuple);
    if (refused) co_return unreachable(target, refused.message());
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);

    auto& tls = state->stream.next_layer();
    SSL_set_tlsext_host_name(tls.native_handle(), target.host.c_str());
    tls.set_verify_callback(asio::ssl::host_name_verification(target.host));
    auto const [untrusted] = co_await tls.async_handshake(asio::ssl::stream_base::client, use_tuple);
    if (untrusted) {
        if (SSL_get_verify_result(tls.native_handle()) != X509_V_OK)
            co_return LinkFailure{LinkFailure::Kind::certificate,
                                  target.host + " does not show a certificate that is trusted here (" +
                                      X509_verify_cert_error_string(SSL_get_verify_result(tls.native_handle())) + ")"};
        co_return unreachable(target, untrusted.message());
    }

    auto& stream = state->stream;
    websocket::stream_base::timeout const timeouts{std::chrono::seconds{10}, std::chrono::seconds{60}, true};
    stream.set_option(timeouts);
    stream.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
        request.set(beast::http::field::sec_websocket_protocol, "interlude.v1");
        request.erase(beast::http::field::user_agent);
    }));
    stream.read_message_max(base::limits::frame_bytes_max);
    stream.binary(true);
    stream.auto_fragment(false);
    auto const host = target.host + ":" + port;
    auto const [not_ours] = co_await stream.async_handshake(host, "/v1/link", use_tuple);
    state->deadline.cancel();
    if (not_ours) {
        if (not_ours.category() == beast::http::make_error_code(beast::http::error::end_of_stream).category() ||
            not_ours == websocket::error::upgrade_declined)
            co_return LinkFailure{LinkFailure::Kind::refused,
                                  host + " answers, but takes no link now (" + not_ours.message() + ")"};
        co_return unreachable(target, not_ours.message());
    }
    asio::co_spawn(state->io, write_loop(state), asio::detached);
    co_return std::nullopt;
}

asio::awaitable<std::optional<bytes::Bytes>> ServerLink::next() {
    auto const state = state_;
    if (state->closing || state->over) {  // a dead stream is not to be read again: Beast does not expect it
        while (!state->over) co_await state->closed.async_wait(use_tuple);
        co_return std::nullopt;
    }
    beast::flat_buffer buffer;
    auto const [failed, size] = co_await state->stream.async_read(buffer, use_tuple);
    if (failed) {
        state->close_socket();
        co_return std::nullopt;
    }
    auto const data = buffer.cdata();
    auto const* const first = static_cast<std::uint8_t const*>(data.data());
    co_return bytes::Bytes(first, first + data.size());
}

asio::awaitable<void> ServerLink::write_loop(std::shared_ptr<State> state) {
    while (state->stream.is_open()) {
        if (state->queue.empty()) {
            if (state->finishing) break;
            co_await state->wake.async_wait(use_tuple);
            continue;
        }
        auto frame = std::move(state->queue.front());
        state->queue.pop_front();
        state->writing = true;
        auto const [failed, size] = co_await state->stream.async_write(asio::buffer(frame), use_tuple);
        state->writing = false;
        if (failed) {
            state->close_socket();
            co_return;
        }
    }
    state->closing = true;
    state->deadline.expires_after(std::chrono::seconds{2});
    state->deadline.async_wait([weak = std::weak_ptr(state)](boost::system::error_code cancelled) {
        auto const late = weak.lock();
        if (!cancelled && late) late->close_socket();
    });
    websocket::close_reason const reason(websocket::close_code::normal);
    co_await state->stream.async_close(reason, use_tuple);
    state->deadline.cancel();
    state->close_socket();
}

void ServerLink::send(bytes::Bytes frame) {
    state_->queue.push_back(std::move(frame));
    state_->wake.cancel();
}

void ServerLink::finish() {
    state_->finishing = true;
    state_->wake.cancel();
}

void ServerLink::cut() {
    state_->queue.clear();
    state_->finishing = true;
    state_->deadline.cancel();
    state_->close_socket();
}

bool ServerLink::flushed() const {
    return state_->queue.empty() && !state_->writing;
}

std::uint16_t ServerLink::close_code() const {
    return state_->stream.reason().code;
}

}  // namespace interlude::client_net
