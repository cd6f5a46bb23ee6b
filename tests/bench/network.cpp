#include "tests/bench/network.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>

#include "common/base/limits.hpp"

namespace interlude::bench {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;

namespace {
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto connect_time_max = std::chrono::seconds{60};  // ten thousand come at once
constexpr auto close_time_max = std::chrono::seconds{5};
}  // namespace

struct Network::Shared {
    Shared(asio::io_context& context_of_thread, Target where)
        : io(context_of_thread), target(std::move(where)), context(asio::ssl::context::tls_client) {
        context.set_verify_mode(asio::ssl::verify_peer);
        context.load_verify_file(target.ca_file);
        endpoints = tcp::resolver(io).resolve(target.host, std::to_string(target.port));
    }
    asio::io_context& io;
    Target target;
    asio::ssl::context context;
    tcp::resolver::results_type endpoints;
};

namespace {

class TlsLink final : public Link, public std::enable_shared_from_this<TlsLink> {
  public:
    TlsLink(asio::io_context& io, asio::ssl::context& context, Target const& target,
            tcp::resolver::results_type const& endpoints)
        : target_(target), endpoints_(endpoints), stream_(io, context), wake_(io), deadline_(io) {
        wake_.expires_at(std::chrono::steady_clock::time_point::max());
    }
    ~TlsLink() override { close_socket(); }

    asio::awaitable<bool> connect() override {
        auto const self = shared_from_this();
        limit(connect_time_max);
        bool const safe = co_await secure();
        if (!safe) co_return false;
        websocket::stream_base::timeout const timeouts{connect_time_max, websocket::stream_base::none(), false};
        stream_.set_option(timeouts);
        stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
            request.set(beast::http::field::sec_websocket_protocol, "interlude.v1");
        }));
        stream_.read_message_max(base::limits::frame_bytes_max);
        stream_.binary(true);
        stream_.auto_fragment(false);
        auto const host = target_.host + ":" + std::to_string(target_.port);
        auto const [refused] = co_await stream_.async_handshake(host, "/v1/link", use_tuple);
        deadline_.cancel();
        if (refused) co_return failed(refused);
        asio::co_spawn(stream_.get_executor(), write_loop(self), asio::detached);
        co_return true;
    }

    asio::awaitable<bool> shake_hands() override {
        auto const self = shared_from_this();
        limit(connect_time_max);
        bool const safe = co_await secure();
        deadline_.cancel();
        close_socket();
        co_return safe;
    }

    asio::awaitable<std::optional<bytes::Bytes>> next() override {
        auto const self = shared_from_this();
        auto const [broken, size] = co_await stream_.async_read(buffer_, use_tuple);
        if (broken) {
            failed(broken);
            co_return std::nullopt;
        }
        auto const data = buffer_.cdata();
        auto const* const first = static_cast<std::uint8_t const*>(data.data());
        bytes::Bytes message(first, first + data.size());
        buffer_.consume(buffer_.size());
        co_return message;
    }

    void send(bytes::Bytes frame) override {
        queue_.push_back(std::move(frame));
        wake_.cancel();
    }
    void finish() override {
        finishing_ = true;
        wake_.cancel();
    }
    void cut() override { close_socket(); }
    std::string why() const override {
        auto const code = stream_.reason().code;
        return code != websocket::close_code::none ? "closed with " + std::to_string(code) : why_;
    }

  private:
    asio::awaitable<bool> secure() {
        auto& socket = beast::get_lowest_layer(stream_);
        auto const [unreachable, endpoint] = co_await asio::async_connect(socket, endpoints_, use_tuple);
        if (unreachable) co_return failed(unreachable);
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        auto& tls = stream_.next_layer();
        SSL_set_tlsext_host_name(tls.native_handle(), target_.host.c_str());
        tls.set_verify_callback(asio::ssl::host_name_verification(target_.host));
        auto const [untrusted] = co_await tls.async_handshake(asio::ssl::stream_base::client, use_tuple);
        if (untrusted) co_return failed(untrusted);
        co_return true;
    }

    static asio::awaitable<void> write_loop(std::shared_ptr<TlsLink> self) {
        while (self->stream_.is_open() && !self->closed_) {
            if (self->queue_.empty()) {
                if (self->finishing_) break;
                co_await self->wake_.async_wait(use_tuple);
                continue;
            }
            auto const frame = std::move(self->queue_.front());
            self->queue_.pop_front();
            auto const [broken, size] = co_await self->stream_.async_write(asio::buffer(frame), use_tuple);
            if (broken) co_return self->close_socket();
        }
        if (self->closed_) co_return;
        self->limit(close_time_max);
        websocket::close_reason const reason(websocket::close_code::normal);
        co_await self->stream_.async_close(reason, use_tuple);
        self->close_socket();
    }

    void limit(std::chrono::seconds within) {
        deadline_.expires_after(within);
        deadline_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
            auto const late = weak.lock();
            if (!cancelled && late) late->close_socket();
        });
    }
    bool failed(boost::system::error_code why) {
        why_ = why.message();
        close_socket();
        return false;
    }
    void close_socket() {
        closed_ = true;
        boost::system::error_code ignored;
        beast::get_lowest_layer(stream_).close(ignored);
        deadline_.cancel();
        wake_.cancel();
    }

    Target const& target_;
    tcp::resolver::results_type const& endpoints_;
    websocket::stream<asio::ssl::stream<tcp::socket>> stream_;
    beast::flat_buffer buffer_;
    std::deque<bytes::Bytes> queue_;
    asio::steady_timer wake_;
    asio::steady_timer deadline_;
    std::string why_ = "closed here";
    bool finishing_ = false;
    bool closed_ = false;
};

}  // namespace

Network::Network(asio::io_context& io, Target target) : shared_(std::make_unique<Shared>(io, std::move(target))) {}
Network::~Network() = default;

std::shared_ptr<Link> Network::link() {
    return std::make_shared<TlsLink>(shared_->io, shared_->context, shared_->target, shared_->endpoints);
}

}  // namespace interlude::bench
