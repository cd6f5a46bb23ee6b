// The server's side of TLS on a TCP socket. OpenSSL reads and writes the socket itself and lets go of its buffers, so
// an idle connection keeps none (docs/adr/0012-a-tls-stream-of-our-own.md).
#pragma once

#include <openssl/types.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <span>
#include <vector>

namespace interlude::net {

/// SSL and its socket: what a stream shares with its operations under way. Each verb makes one attempt, moves at most
/// one record of data, and never waits.
class TlsSession : public std::enable_shared_from_this<TlsSession> {
  public:
    enum class Wants : std::uint8_t {
        nothing = 1,  // it is over: `error` and `bytes` say how
        input = 2,    // again when the socket can be read
        output = 3,   // again when it can be written; with an error: then ended_by()
    };
    struct Attempt {
        Wants wants = Wants::nothing;
        boost::system::error_code error{};
        std::size_t bytes = 0;
    };

    TlsSession(boost::asio::ip::tcp::socket tcp, SSL_CTX* context);
    ~TlsSession();
    TlsSession(TlsSession const&) = delete;
    TlsSession& operator=(TlsSession const&) = delete;

    Attempt handshake();
    Attempt read(boost::asio::mutable_buffer to);
    /// `sealed` counts what became a record: 0 at first, kept between the attempts of one write.
    Attempt write(boost::asio::const_buffer from, std::size_t& sealed);
    Attempt shutdown();
    /// This error is told when the alert about it has left.
    Attempt ended_by(boost::system::error_code error);
    /// What is unsent leaves as soon as there is room, though nobody writes: an answer to a KeyUpdate, say.
    void leave_when_room();
    /// Whether another read would move on without the socket: records came together, and one without data ended it.
    bool has_ahead() const { return !ahead_.empty(); }
    void cork(bool corked) { corked_ = corked; }

    boost::asio::ip::tcp::socket socket;

  private:
    friend struct TlsWire;
    template <typename Call>
    Attempt attempt(Call const& call);
    Attempt once_sent(Attempt made) const;
    bool only_held() const { return unsent_.size() == held_; }
    void flush();
    std::size_t receive(std::uint8_t* to, std::size_t size);
    void keep_ahead();

    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
    // What the socket gave beyond what OpenSSL asked for: in `kept_ahead_`, or in memory of the attempt, `room_`.
    std::span<std::uint8_t const> ahead_;
    std::span<std::uint8_t> room_;
    std::vector<std::uint8_t> kept_ahead_;
    bool drained_ = false;  // the socket gave less than there was room for: to ask again is to wait
    // Records that the socket has not taken yet. OpenSSL itself cannot wait with one: it would fail when it has to
    // answer a KeyUpdate meanwhile.
    std::vector<std::uint8_t> unsent_;
    bool corked_ = false;
    std::size_t held_ = 0;                     // unsent bytes that the socket was not asked to take yet
    bool leaving_ = false;                     // it waits for room, beside whoever reads or writes
    boost::system::error_code receive_error_;  // of the last attempt
    boost::system::error_code send_error_;     // for good
};

/// Asio's AsyncReadStream and AsyncWriteStream. One read and one write may be pending, all calls on one strand, that of
/// the socket's executor. It may be moved and destroyed meanwhile; destroying it ends them with operation_aborted.
///
/// Errors are those of asio::ssl::stream: eof after close_notify, ssl::error::stream_truncated without one, OpenSSL's
/// own in the ssl category, and the socket's.
///
/// Cancelling (terminal) works at every wait, and the stream stays whole. A cancelled read (partial and total, too) has
/// taken nothing. A cancelled write may have been taken up to one record, which leaves before whatever follows. A
/// handshake or shutdown goes on where it was when it is begun again.
class OpensslStream {
  public:
    using next_layer_type = boost::asio::ip::tcp::socket;
    using lowest_layer_type = next_layer_type::lowest_layer_type;
    using executor_type = next_layer_type::executor_type;

    /// Shares ownership of the context.
    OpensslStream(next_layer_type socket, SSL_CTX* context)
        : session_(std::make_shared<TlsSession>(std::move(socket), context)) {}
    ~OpensslStream() { close(); }
    OpensslStream(OpensslStream&&) noexcept = default;
    OpensslStream& operator=(OpensslStream&& other) noexcept {
        if (this == &other) return *this;
        close();
        session_ = std::move(other.session_);
        return *this;
    }

    executor_type get_executor() { return session_->socket.get_executor(); }
    next_layer_type& next_layer() { return session_->socket; }
    lowest_layer_type& lowest_layer() { return session_->socket.lowest_layer(); }

    template <typename Token>
    auto async_handshake(Token&& token) {
        auto attempt = [](TlsSession& session) { return session.handshake(); };
        return start<Verb::handshake>(attempt, token);
    }

    /// Sends close_notify and waits for the peer's.
    template <typename Token>
    auto async_shutdown(Token&& token) {
        auto attempt = [](TlsSession& session) { return session.shutdown(); };
        return start<Verb::shutdown>(attempt, token);
    }

    /// At most one record.
    template <typename Buffers, typename Token>
    auto async_read_some(Buffers const& buffers, Token&& token) {
        boost::asio::mutable_buffer into;
        for (auto at = boost::asio::buffer_sequence_begin(buffers);
             into.size() == 0 && at != boost::asio::buffer_sequence_end(buffers); ++at)
            into = *at;
        auto attempt = [into](TlsSession& session) { return session.read(into); };
        return start<Verb::read>(attempt, token);
    }

    /// While it is corked what is written is sealed and leaves with the first write after it, or when it is much.
    void cork(bool corked) { session_->cork(corked); }

    /// At most one record. The buffers must stay as they are until it is over.
    template <typename Buffers, typename Token>
    auto async_write_some(Buffers const& buffers, Token&& token) {
        auto attempt = [buffers, sealed = std::size_t{0}](TlsSession& session) mutable {
            return write_record(session, buffers, sealed);
        };
        return start<Verb::write>(attempt, token);
    }

  private:
    enum class Verb : std::uint8_t { handshake, read, write, shutdown };
    static constexpr bool counts(Verb verb) { return verb == Verb::read || verb == Verb::write; }
    static constexpr std::size_t record_bytes_max = 16 * 1024;  // RFC 8446 §5.1

    void close() {
        boost::system::error_code ignored;
        if (session_) session_->socket.close(ignored);
    }

    /// A header and the text behind it leave as one record.
    template <typename Buffers>
    static TlsSession::Attempt write_record(TlsSession& session, Buffers const& buffers, std::size_t& sealed) {
        auto const size = boost::asio::buffer_size(buffers);
        if (size == 0) return {};
        boost::asio::const_buffer const first = *boost::asio::buffer_sequence_begin(buffers);
        if (first.size() == size || first.size() >= record_bytes_max) return session.write(first, sealed);
        std::array<std::uint8_t, record_bytes_max> record;
        auto const filled = boost::asio::buffer_copy(boost::asio::buffer(record), buffers);
        return session.write({record.data(), filled}, sealed);
    }

    /// Attempts, with waits between them, until one wants nothing more.
    template <Verb verb, typename Try>
    struct Operation {
        template <typename Self>
        void operator()(Self& self, boost::system::error_code waited = {}) {
            bool const begins = stage == Stage::begins;
            if (begins && verb == Verb::read) self.reset_cancellation_state(boost::asio::enable_total_cancellation());
            if (stage == Stage::waits) {
                bool const over =
                    self.cancelled() != boost::asio::cancellation_type::none || !session->socket.is_open();
                if (!waited && over) waited = boost::asio::error::operation_aborted;
                if (waited) {
                    last = {TlsSession::Wants::nothing, waited, 0};
                    return complete(self);
                }
            }
            if (stage != Stage::posted) last = last.error ? session->ended_by(last.error) : attempt(*session);
            if (last.wants != TlsSession::Wants::nothing) return wait(self);
            if (!begins) return complete(self);
            stage = Stage::posted;  // never from within the initiating function
            auto const executor = session->socket.get_executor();
            boost::asio::post(executor, std::move(self));
        }

        template <typename Self>
        void wait(Self& self) {
            stage = Stage::waits;
            auto& socket = session->socket;
            if (last.wants == TlsSession::Wants::input) {
                session->leave_when_room();
                if (session->has_ahead()) {
                    auto const executor = socket.get_executor();
                    return boost::asio::post(executor, std::move(self));  // others have their turn
                }
            }
            auto const what =
                last.wants == TlsSession::Wants::input ? next_layer_type::wait_read : next_layer_type::wait_write;
            socket.async_wait(what, std::move(self));
        }
        template <typename Self>
        void complete(Self& self) {
            session.reset();
            if constexpr (counts(verb))
                self.complete(last.error, last.bytes);
            else
                self.complete(last.error);
        }

        enum class Stage : std::uint8_t { begins, waits, posted };
        std::shared_ptr<TlsSession> session;
        Try attempt;
        TlsSession::Attempt last{};
        Stage stage = Stage::begins;
    };

    template <Verb verb, typename Try, typename Token>
    auto start(Try attempt, Token& token) {
        using Counted = void(boost::system::error_code, std::size_t);
        using Signature = std::conditional_t<counts(verb), Counted, void(boost::system::error_code)>;
        return boost::asio::async_compose<Token, Signature>(Operation<verb, Try>{session_, std::move(attempt)}, token,
                                                            session_->socket);
    }

    std::shared_ptr<TlsSession> session_;
};

}  // namespace interlude::net
