// Listeners, TLS set-up and the life of a connection up to its upgrade.
#include "server/net/server.hpp"

#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <list>
#include <map>

#include "server/net/address_group.hpp"
#include "server/net/http.hpp"
#include "server/net/link.hpp"
#include "server/net/watchdog.hpp"
#include "server/ports/use_tuple.hpp"

namespace interlude::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

using ports::use_tuple;
constexpr std::uint16_t going_away = 1001;

struct Tls {
    std::shared_ptr<asio::ssl::context> context;
    Certificate certificate;
};

Tls make_tls(ServerOptions const& options) {
    auto const& [certificate, key] = std::tie(options.certificate, options.key);
    for (auto const& file : {certificate, key}) {
        std::error_code unseen;  // a folder that this user may not enter, say
        bool const there = std::filesystem::exists(file, unseen);
        if (unseen) throw SetupError("cannot read " + file.string() + ": " + unseen.message());
        if (!there)
            throw SetupError("cannot read " + file.string() +
                             ": there is no such file. Set tls.certificate and tls.key, or make a pair for tests with "
                             "certs/make-dev-pki.");
    }
    struct stat status {};
    if (stat(key.c_str(), &status) == 0 && (status.st_mode & (options.key_is_credential ? 07 : 077)) != 0)
        throw SetupError("the private key " + key.string() + " can be read by others. Run: chmod 600 " + key.string());
    auto const facts = read_certificate(certificate, options.server_name);
    if (!facts.names_server)
        throw SetupError("the certificate " + certificate.string() + " is not for " + options.server_name +
                         ", and apps refuse it: get one that names it, or set server_name to a name that it has");
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    auto* const native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, options.tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");  // TLS 1.2: AEAD only
    SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(native, 0);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    boost::system::error_code error;
    context->use_certificate_chain_file(certificate.string(), error);
    if (error) throw SetupError("cannot use the certificate " + certificate.string() + ": " + error.message());
    context->use_private_key_file(key.string(), asio::ssl::context::pem, error);
    if (error)
        throw SetupError("cannot use the private key " + key.string() + ": " + error.message() +
                         ". Does it belong to the certificate?");
    if (SSL_CTX_check_private_key(native) != 1)
        throw SetupError("the private key " + key.string() + " does not belong to " + certificate.string());
    return {std::move(context), facts};
}

tcp::endpoint parse_endpoint(std::string const& text) {
    auto const colon = text.rfind(':');
    auto const usage =
        SetupError("cannot listen on \"" + text + "\": write ADDRESS:PORT, e.g. 127.0.0.1:8443 or [::]:443");
    if (colon == std::string::npos) throw usage;
    auto host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    boost::system::error_code error;
    auto const address = asio::ip::make_address(host, error);
    auto const port_text = text.substr(colon + 1);
    if (error || port_text.empty() || port_text.size() > 5 ||
        port_text.find_first_not_of("0123456789") != std::string::npos || std::stoul(port_text) > 65535)
        throw usage;
    return {address, static_cast<std::uint16_t>(std::stoul(port_text))};
}

}  // namespace

class Server::Impl {
  public:
    Impl(asio::io_context& io, ServerOptions options, service::LinkHosts& hosts, service::Resources& resources)
        : io_(io), options_(std::move(options)), hosts_(hosts), resources_(resources) {
        tls_ = make_tls(options_);
        for (auto const& text : options_.listen) {
            auto const endpoint = parse_endpoint(text);
            tcp::acceptor acceptor(io_);
            boost::system::error_code error;
            acceptor.open(endpoint.protocol(), error);
            if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
            if (!error) acceptor.bind(endpoint, error);
            if (!error) acceptor.listen(1024, error);
            if (error)
                throw SetupError(
                    "cannot listen on " + text + ": " + error.message() +
                    (error == asio::error::address_in_use
                         ? ". Is another server running? Stop it, or set listen to another port (0: any free one)."
                         : ". Set listen to an address of this machine."));
            acceptors_.push_back(std::move(acceptor));
        }
        if (acceptors_.empty()) throw SetupError("listen is empty: name at least one address, e.g. 127.0.0.1:8443");
    }

    void start() {
        for (auto& acceptor : acceptors_) asio::co_spawn(io_, accept_loop(acceptor), asio::detached);
    }

    asio::awaitable<void> accept_loop(tcp::acceptor& acceptor) {
        asio::steady_timer pause(io_);
        while (acceptor.is_open()) {
            auto [failed, socket] = co_await acceptor.async_accept(use_tuple);
            if (failed == asio::error::operation_aborted) co_return;
            if (failed) {  // out of descriptors, or the peer is gone already: breathe, go on
                pause.expires_after(std::chrono::milliseconds{50});
                co_await pause.async_wait(use_tuple);
                continue;
            }
            asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
        }
    }

    /// Counts a connection while it lives, in all and per address, and knows its link when it has one.
    struct Counted {
        Counted(Impl& of, std::string address)
            : owner(of), group(std::move(address)), link(owner.links_.emplace(owner.links_.end())) {
            ++owner.per_address_[group];
        }
        ~Counted() {
            owner.links_.erase(link);
            if (--owner.per_address_[group] == 0) owner.per_address_.erase(group);
        }
        Counted(Counted const&) = delete;
        Counted& operator=(Counted const&) = delete;
        Impl& owner;
        std::string group;
        std::list<std::weak_ptr<LiveLink>>::iterator link;
    };

    asio::awaitable<void> serve(tcp::socket socket) {
        boost::system::error_code gone;
        auto const peer = socket.remote_endpoint(gone);
        if (gone || links_.size() >= options_.connections_max) co_return;
        auto const address = real_address(peer.address());
        auto const group = address_group(address);
        auto const same = per_address_.find(group);
        bool const local = address.is_loopback();  // a proxy or tests on this machine share one address
        if (!local && same != per_address_.end() && same->second >= options_.connections_per_address_max) co_return;
        Counted const counted(*this, group);
        socket.set_option(tcp::no_delay(true), gone);

        TlsStream stream(std::move(socket), tls_.context->native_handle());
        std::optional<UpgradeRequest> upgrade;
        {
            Watchdog deadline(stream.next_layer());
            deadline.within(options_.handshake_time_max);
            auto const [refused] = co_await stream.async_handshake(use_tuple);
            if (refused) co_return;
            upgrade = co_await serve_http(stream, deadline);
        }
        if (!upgrade) co_return;
        std::function<void(std::shared_ptr<LiveLink>)> joined = [this,
                                                                 at = counted.link](std::shared_ptr<LiveLink> link) {
            *at = link;
            if (draining_) link->leave(going_away);  // drain() came before there was a link to ask
        };
        co_await run_link(std::move(stream), std::move(*upgrade), options_, hosts_, std::move(joined));
    }

    /// Answers requests until one asks for a link; nullopt: the connection is over.
    asio::awaitable<std::optional<UpgradeRequest>> serve_http(TlsStream& stream, Watchdog& deadline) {
        boost::beast::flat_buffer buffer;
        while (true) {
            deadline.within(options_.handshake_time_max);
            http::request_parser<http::empty_body> parser;
            parser.header_limit(base::limits::http_header_bytes_max);
            auto const [failed, size] = co_await http::async_read(stream, buffer, parser, use_tuple);
            if (failed) {
                if (failed == http::error::header_limit || failed == http::error::body_limit ||
                    failed == http::error::unexpected_body) {
                    auto const response = plain(UpgradeRequest{}, http::status::request_header_fields_too_large,
                                                "The header is larger than 8 KiB, or there is a body.");
                    co_await http::async_write(stream, response, use_tuple);
                }
                break;
            }
            auto request = parser.release();
            auto const where = route(request, options_);
            if (where == Route::link && !draining_) {
                deadline.off();
                co_return request;
            }
            HttpResponse response;
            switch (where) {
                case Route::link:
                    response = plain(request, http::status::service_unavailable, "The server is about to stop.");
                    break;
                case Route::resource:
                    response = co_await answer(request, resources_);
                    break;
                case Route::foreign_origin:
                    response = plain(request, http::status::forbidden, "This origin may not open a link.");
                    break;
                case Route::wrong_upgrade:
                    response = plain(request, http::status::bad_request,
                                     "Links are at /v1/link with the subprotocol interlude.v1.");
                    break;
            }
            auto const [broken, written] = co_await http::async_write(stream, response, use_tuple);
            if (broken || response.need_eof() || where != Route::resource) break;
        }
        deadline.within(std::chrono::seconds{2});
        co_await stream.async_shutdown(use_tuple);
        co_return std::nullopt;
    }

    asio::io_context& io_;
    ServerOptions options_;
    service::LinkHosts& hosts_;
    service::Resources& resources_;
    Tls tls_;
    std::list<tcp::acceptor> acceptors_;
    std::list<std::weak_ptr<LiveLink>> links_;  // one for each connection, empty before its upgrade
    std::map<std::string, std::size_t> per_address_;
    bool draining_ = false;
};

Server::Server(asio::io_context& io, ServerOptions options, service::LinkHosts& hosts, service::Resources& resources)
    : impl_(std::make_unique<Impl>(io, std::move(options), hosts, resources)) {}
Server::~Server() = default;

void Server::start() {
    impl_->start();
}

std::uint16_t Server::port() const {
    return impl_->acceptors_.front().local_endpoint().port();
}

std::optional<std::string> Server::reload_certificate(std::int64_t now) {
    try {
        auto fresh = make_tls(impl_->options_);
        auto problem = why_not_now(fresh.certificate, impl_->options_.certificate, now);
        if (!problem) impl_->tls_ = std::move(fresh);
        return problem;
    } catch (SetupError const& error) {
        return error.what();
    }
}

void Server::drain() {
    impl_->draining_ = true;
    for (auto& acceptor : impl_->acceptors_) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
    }
    for (auto const& weak : impl_->links_)
        if (auto const link = weak.lock()) link->leave(going_away);
}

void Server::close_all() {
    for (auto const& weak : impl_->links_)
        if (auto const link = weak.lock()) link->cut();
}

std::size_t Server::connections() const {
    return impl_->links_.size();
}

Certificate const& Server::certificate() const {
    return impl_->tls_.certificate;
}

Certificate check_certificate(ServerOptions const& options) {
    return make_tls(options).certificate;
}

}  // namespace interlude::net
