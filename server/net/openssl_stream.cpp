#include "server/net/openssl_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

namespace interlude::net {

namespace asio = boost::asio;

namespace {

// Without this many unsent bytes the peer's next record is read. A whole record of data waits when a write does; what
// is above it are answers, to a peer that asks and does not read.
constexpr std::size_t unsent_bytes_max = 20 * 1024;
constexpr std::size_t held_bytes_max = 16 * 1024;   // more leaves, corked or not
constexpr std::size_t ahead_bytes_max = 16 * 1024;  // what the socket is asked for at once

template <typename Call>
ssize_t uninterrupted(Call const& call) {
    ssize_t moved;
    do moved = call();
    while (moved < 0 && errno == EINTR);
    return moved;
}

bool must_wait() {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

int length(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

/// What OpenSSL takes for the wire: it reads from the socket, and what it writes is sent at the end of the attempt.
struct TlsWire {
    static TlsSession& session_of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* to, std::size_t size, std::size_t* bytes) {
        auto& session = session_of(bio);
        BIO_clear_retry_flags(bio);
        *bytes = session.receive(reinterpret_cast<std::uint8_t*>(to), size);
        if (*bytes > 0) return 1;
        if (!session.receive_error_) BIO_set_retry_read(bio);
        return 0;
    }

    static int write(BIO* bio, char const* from, std::size_t size, std::size_t* bytes) {
        auto& session = session_of(bio);
        try {
            if (!session.send_error_) session.unsent_.insert(session.unsent_.end(), from, from + size);
        } catch (std::bad_alloc const&) {  // not through OpenSSL's frames
            session.send_error_ = make_error_code(boost::system::errc::not_enough_memory);
        }
        *bytes = size;
        return 1;
    }

    static long control(BIO*, int command, long, void*) {
        return command == BIO_CTRL_FLUSH ? 1 : 0;  // everything else is unknown here
    }

    static BIO_METHOD const* method() {
        static auto const method = [] {
            std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)> made(
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket of a stream"), BIO_meth_free);
            if (!made || BIO_meth_set_read_ex(made.get(), read) != 1 || BIO_meth_set_write_ex(made.get(), write) != 1 ||
                BIO_meth_set_ctrl(made.get(), control) != 1)
                throw std::bad_alloc();
            return made;
        }();
        return method.get();
    }
};

TlsSession::TlsSession(asio::ip::tcp::socket tcp, SSL_CTX* context)
    : socket(std::move(tcp)), ssl_(SSL_new(context), SSL_free) {
    auto* const bio = ssl_ ? BIO_new(TlsWire::method()) : nullptr;
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
    SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    // A record without data ends the attempt: a peer that sends one KeyUpdate after the other holds up nobody else.
    SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
}

TlsSession::~TlsSession() = default;

template <typename Call>
TlsSession::Attempt TlsSession::attempt(Call const& call) {
    ERR_clear_error();
    receive_error_.clear();
    auto const result = call(ssl_.get());
    auto const outcome = SSL_get_error(ssl_.get(), result);
    bool const goes_on = outcome == SSL_ERROR_NONE || outcome == SSL_ERROR_WANT_READ;
    if (goes_on && corked_ && unsent_.size() < held_bytes_max)
        held_ = unsent_.size();
    else
        flush();  // alerts, too
    switch (outcome) {
        case SSL_ERROR_NONE:
            return {Wants::nothing, {}, static_cast<std::size_t>(result)};
        case SSL_ERROR_WANT_READ:
            return {Wants::input};
        case SSL_ERROR_ZERO_RETURN:
            return {Wants::nothing, asio::error::eof};
        case SSL_ERROR_SSL:
            return {Wants::nothing, {static_cast<int>(ERR_get_error()), asio::error::get_ssl_category()}};
        case SSL_ERROR_SYSCALL:
            if (receive_error_) return {Wants::nothing, receive_error_};
            return {Wants::nothing, asio::ssl::error::unspecified_system_error};
    }
    return {Wants::nothing, asio::ssl::error::unexpected_result};
}

/// The same, but neither done nor waiting for the peer while something has to leave.
TlsSession::Attempt TlsSession::once_sent(Attempt made) const {
    if (!only_held()) return {Wants::output, made.error};
    if (send_error_ && !made.error) return {Wants::nothing, send_error_};
    return made;
}

TlsSession::Attempt TlsSession::ended_by(boost::system::error_code error) {
    flush();
    return once_sent({Wants::nothing, error});
}

void TlsSession::leave_when_room() {
    if (only_held() || leaving_) return;
    leaving_ = true;
    socket.async_wait(socket.wait_write, [self = shared_from_this()](boost::system::error_code failed) {
        self->leaving_ = false;
        if (failed) return;
        self->flush();
        self->leave_when_room();
    });
}

void TlsSession::flush() {
    held_ = 0;
    while (!unsent_.empty()) {
        auto const send_some = [this] {
            return ::send(socket.native_handle(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        };
        auto const sent = uninterrupted(send_some);
        if (sent < 0 && must_wait()) return;
        if (sent < 0) {
            send_error_.assign(errno, boost::system::system_category());
            unsent_.clear();
        } else {
            unsent_.erase(unsent_.begin(), unsent_.begin() + sent);
        }
    }
    unsent_.shrink_to_fit();  // an idle connection keeps nothing
}

TlsSession::Attempt TlsSession::handshake() {
    return once_sent(attempt(SSL_do_handshake));
}

/// Up to `size` bytes for OpenSSL; 0: none now, or `receive_error_` says why never.
std::size_t TlsSession::receive(std::uint8_t* to, std::size_t size) {
    if (ahead_.empty()) {
        if (std::exchange(drained_, false)) return 0;
        auto const into = room_.empty() ? std::span(to, size) : room_;
        auto const receive_some = [&] {
            return ::recv(socket.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
        };
        auto const moved = uninterrupted(receive_some);
        if (moved == 0)
            receive_error_ = asio::ssl::error::stream_truncated;  // after close_notify nothing is asked for
        else if (moved < 0 && !must_wait())
            receive_error_.assign(errno, boost::system::system_category());
        if (moved <= 0) return 0;
        auto const received = into.first(static_cast<std::size_t>(moved));
        if (room_.empty()) return received.size();
        drained_ = received.size() < room_.size();
        ahead_ = received;
    }
    auto const given = ahead_.first(std::min(size, ahead_.size()));
    std::copy(given.begin(), given.end(), to);
    ahead_ = ahead_.subspan(given.size());
    return given.size();
}

/// The attempt's memory ends with it.
void TlsSession::keep_ahead() {
    bool const in_room =
        !ahead_.empty() && ahead_.data() >= room_.data() && ahead_.data() < room_.data() + room_.size();
    if (in_room) {
        kept_ahead_.assign(ahead_.begin(), ahead_.end());
        ahead_ = kept_ahead_;
    } else if (ahead_.empty()) {
        kept_ahead_ = {};
    }
    room_ = {};
}

TlsSession::Attempt TlsSession::read(asio::mutable_buffer to) {
    if (to.size() == 0) return {};
    if (!only_held()) flush();
    if (unsent_.size() > unsent_bytes_max) return {Wants::output};
    std::array<std::uint8_t, ahead_bytes_max> room;
    room_ = room;
    auto const made = attempt([to](SSL* ssl) { return SSL_read(ssl, to.data(), length(to.size())); });
    keep_ahead();
    bool const alerts = made.error.category() == asio::error::get_ssl_category();
    return alerts ? once_sent(made) : made;
}

TlsSession::Attempt TlsSession::write(asio::const_buffer from, std::size_t& sealed) {
    if (!only_held()) flush();
    bool const ready = sealed == 0 && only_held() && !send_error_;
    if (!ready) return once_sent({Wants::nothing, {}, sealed});
    auto const made = attempt([from](SSL* ssl) { return SSL_write(ssl, from.data(), length(from.size())); });
    sealed = made.bytes;
    return once_sent(made);
}

TlsSession::Attempt TlsSession::shutdown() {
    cork(false);
    auto const both = [](SSL* ssl) {
        auto const sent = SSL_shutdown(ssl);
        return sent == 0 ? SSL_shutdown(ssl) : sent;  // 0: ours has left, the peer's has not come
    };
    return once_sent(attempt(both));
}

}  // namespace interlude::net
