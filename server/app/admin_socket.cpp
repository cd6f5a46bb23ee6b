#include "server/app/admin_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "server/ports/use_tuple.hpp"

namespace interlude::app {

namespace asio = boost::asio;
using asio::local::stream_protocol;

namespace {

using ports::use_tuple;
constexpr std::size_t request_bytes_max = 64 * 1024;

/// The kernel says who is at the other end: only our own user and root may ask.
bool peer_is_operator(stream_protocol::socket& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace

AdminSocket::AdminSocket(asio::io_context& io, std::filesystem::path path, AdminHandler handler)
    : io_(io), path_(std::move(path)), handler_(std::move(handler)), acceptor_(io) {
    auto const text = path_.string();
    if (text.size() >= sizeof(sockaddr_un{}.sun_path))
        throw std::runtime_error("admin.socket: the path " + text + " is too long for a socket; choose a shorter one");
    stream_protocol::endpoint const endpoint(text);
    if (std::filesystem::exists(path_)) {
        stream_protocol::socket probe(io);
        boost::system::error_code nobody;
        probe.connect(endpoint, nobody);
        if (!nobody)
            throw std::runtime_error("another server listens on " + text +
                                     "; stop it first, or set admin.socket to another path");
        std::filesystem::remove(path_);
    }
    acceptor_.open(endpoint.protocol());
    auto const before = umask(0177);
    boost::system::error_code error;
    acceptor_.bind(endpoint, error);
    umask(before);
    if (error) throw std::runtime_error("cannot make the admin socket " + text + ": " + error.message());
    acceptor_.listen();
}

AdminSocket::~AdminSocket() {
    stop();
}

void AdminSocket::start() {
    asio::co_spawn(io_, accept_loop(), asio::detached);
}

void AdminSocket::stop() {
    if (!acceptor_.is_open()) return;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    std::filesystem::remove(path_);
}

asio::awaitable<void> AdminSocket::accept_loop() {
    asio::steady_timer pause(io_);
    while (acceptor_.is_open()) {
        auto [failed, socket] = co_await acceptor_.async_accept(use_tuple);
        if (failed == asio::error::operation_aborted) co_return;
        if (failed) {  // out of descriptors, or the peer is gone already: breathe, go on
            pause.expires_after(std::chrono::milliseconds{50});
            co_await pause.async_wait(use_tuple);
        } else if (peer_is_operator(socket)) {
            asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
        } else {
            asio::co_spawn(io_, turn_away(std::move(socket)), asio::detached);
        }
    }
}

asio::awaitable<void> AdminSocket::turn_away(stream_protocol::socket socket) {
    std::string const answer =
        "{\"ok\":false,\"code\":\"not_allowed\",\"text\":\"this server answers its own user and root only\","
        "\"hint\":\"Ask with sudo\"}\n";
    co_await asio::async_write(socket, asio::buffer(answer), use_tuple);
}

asio::awaitable<void> AdminSocket::serve(stream_protocol::socket socket) {
    std::string pending;
    while (true) {
        auto buffer = asio::dynamic_buffer(pending, request_bytes_max);
        auto const [failed, size] = co_await asio::async_read_until(socket, buffer, '\n', use_tuple);
        if (failed) co_return;
        auto request = pending.substr(0, size - 1);
        pending.erase(0, size);
        auto answering = handler_(std::move(request));
        auto answer = co_await std::move(answering);
        answer += '\n';
        auto const [broken, written] = co_await asio::async_write(socket, asio::buffer(answer), use_tuple);
        if (broken) co_return;
    }
}

}  // namespace interlude::app
