// The server's TLS stream against a peer of plain OpenSSL on a real socket. What asio::ssl::stream promises, too, is
// asked of both.
#include "server/net/openssl_stream.hpp"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <csignal>

namespace interlude::test {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using Failure = boost::system::error_code;

/// What an operation came to.
struct Outcome {
    bool over = false;
    Failure error;
    std::size_t bytes = 0;
};
struct Note {
    Outcome& outcome;
    void operator()(Failure error, std::size_t bytes = 0) const { outcome = {true, error, bytes}; }
};

/// A TLS client that moves its bytes by hand: as few at a time as a test wants, or none.
class TlsPeer {
  public:
    TlsPeer(tcp::socket connected, SSL_CTX* context) : socket(std::move(connected)), ssl(SSL_new(context)) {
        socket.non_blocking(true);
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl);
        SSL_set_msg_callback(ssl, count_key_updates);
        SSL_set_msg_callback_arg(ssl, &answers);
    }
    ~TlsPeer() { SSL_free(ssl); }
    TlsPeer(TlsPeer const&) = delete;
    TlsPeer& operator=(TlsPeer const&) = delete;

    void step() {
        if (!deaf) hear();
        if (SSL_do_handshake(ssl) != 1) refused |= SSL_get_error(ssl, 0) == SSL_ERROR_SSL;
        char text[16 * 1024];
        for (int got; SSL_is_init_finished(ssl) && (got = SSL_read(ssl, text, sizeof text)) > 0;)
            heard.append(text, static_cast<std::size_t>(got));
        ERR_clear_error();
        emit();
    }
    void say(std::string const& text) {
        ASSERT_EQ(SSL_write(ssl, text.data(), static_cast<int>(text.size())), static_cast<int>(text.size()));
        emit();
    }
    void say_raw(std::string const& bytes) { waiting += bytes; }
    void update_key(int kind) {
        ASSERT_EQ(SSL_key_update(ssl, kind), 1);
        ASSERT_EQ(SSL_do_handshake(ssl), 1);
        emit();
    }
    void close_notify() {
        SSL_shutdown(ssl);
        emit();
    }
    bool was_told_the_end() const { return (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0; }
    void reset() {
        socket.set_option(asio::socket_base::linger(true, 0));
        socket.close();
    }

    tcp::socket socket;
    SSL* ssl;
    bool deaf = false;           // reads nothing from the socket
    std::size_t bite = 1 << 20;  // bytes that it sends in one step
    std::string waiting;         // to be sent
    std::string heard;
    std::size_t heard_bytes = 0;  // of TLS
    std::size_t answers = 0;      // KeyUpdates that came
    bool refused = false;         // the handshake

  private:
    void hear() {
        char bytes[64 * 1024];
        Failure nothing;
        auto const got = socket.read_some(asio::buffer(bytes), nothing);
        heard_bytes += got;
        BIO_write(SSL_get_rbio(ssl), bytes, static_cast<int>(got));
    }
    void emit() {
        char bytes[64 * 1024];
        for (int got; (got = BIO_read(SSL_get_wbio(ssl), bytes, sizeof bytes)) > 0;)
            waiting.append(bytes, static_cast<std::size_t>(got));
        Failure full;
        auto const sent = socket.write_some(asio::buffer(waiting, bite), full);
        waiting.erase(0, full ? 0 : sent);
    }
    static void count_key_updates(int sent, int, int type, void const* message, std::size_t, SSL*, void* answers) {
        if (!sent && type == SSL3_RT_HANDSHAKE && *static_cast<unsigned char const*>(message) == SSL3_MT_KEY_UPDATE)
            ++*static_cast<std::size_t*>(answers);
    }
};

struct OurStream {
    using Stream = net::OpensslStream;
    static Stream make(tcp::socket socket, ssl::context& context) {
        return {std::move(socket), context.native_handle()};
    }
    template <typename Handler>
    static void handshake(Stream& stream, Handler handler) {
        stream.async_handshake(std::move(handler));
    }
};
struct AsioStream {
    using Stream = ssl::stream<tcp::socket>;
    static Stream make(tcp::socket socket, ssl::context& context) { return {std::move(socket), context}; }
    template <typename Handler>
    static void handshake(Stream& stream, Handler handler) {
        stream.async_handshake(ssl::stream_base::server, std::move(handler));
    }
};

template <typename Kind>
class TlsStreams : public testing::Test {
  protected:
    using Stream = typename Kind::Stream;

    TlsStreams() {
        certify("");
        auto* const native = server_context.native_handle();
        SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
        SSL_CTX_set_num_tickets(native, 0);
    }
    /// With a comment in the certificate, to make the server's part of the handshake long.
    void certify(std::string const& comment) {
        auto* const key = EVP_EC_gen("P-256");
        auto* const made = X509_new();
        X509_set_version(made, X509_VERSION_3);
        X509_gmtime_adj(X509_getm_notBefore(made), -86'400);
        X509_gmtime_adj(X509_getm_notAfter(made), 86'400);
        X509_set_pubkey(made, key);
        if (!comment.empty()) {
            auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_netscape_comment, comment.c_str());
            X509_add_ext(made, extension, -1);
            X509_EXTENSION_free(extension);
        }
        X509_sign(made, key, EVP_sha256());
        SSL_CTX_use_certificate(server_context.native_handle(), made);
        SSL_CTX_use_PrivateKey(server_context.native_handle(), key);
        X509_free(made);
        EVP_PKEY_free(key);
    }
    void connect() {
        tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        tcp::socket near(io);
        tcp::socket far(io);
        far.connect(acceptor.local_endpoint());
        acceptor.accept(near);
        near.set_option(asio::socket_base::send_buffer_size(16 * 1024));
        near.set_option(tcp::no_delay(true));
        far.set_option(tcp::no_delay(true));
        peer.emplace(std::move(far), client_context.native_handle());
        stream.emplace(Kind::make(std::move(near), server_context));
    }
    void open() {
        connect();
        Outcome shaken;
        Kind::handshake(*stream, Note{shaken});
        ASSERT_TRUE(until([&] { return shaken.over && SSL_is_init_finished(peer->ssl); }));
        ASSERT_FALSE(shaken.error) << shaken.error.message();
    }
    /// Lets both sides work until it is so; false: it does not become so.
    template <typename Done>
    bool until(Done const& done) {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            io.restart();
            io.poll();
            peer->step();
        }
        return true;
    }
    /// Until nothing more happens here.
    void settle() {
        do io.restart();
        while (io.run_for(std::chrono::milliseconds{30}) > 0);
    }
    /// The socket may find some more room while nobody reads.
    void settle_full() {
        for (int again = 0; again < 10; ++again) settle();
    }
    /// All that the peer said is in the socket.
    void arrived() {
        auto const all = [&] { return peer->waiting.empty(); };
        ASSERT_TRUE(until(all));
        settle();
    }
    std::string read(std::size_t room = 64) {
        std::string text(room, '\0');
        Outcome got;
        stream->async_read_some(asio::buffer(text), Note{got});
        EXPECT_TRUE(until([&] { return got.over; }));
        EXPECT_FALSE(got.error) << got.error.message();
        text.resize(got.bytes);
        return text;
    }
    void write(std::string const& text) {
        Outcome sent;
        asio::async_write(*stream, asio::buffer(text), Note{sent});
        EXPECT_TRUE(until([&] { return sent.over; }));
        EXPECT_FALSE(sent.error) << sent.error.message();
    }
    Failure failure_of_read() {
        char byte;
        Outcome got;
        stream->async_read_some(asio::buffer(&byte, 1), Note{got});
        EXPECT_TRUE(until([&] { return got.over; }));
        return got.error;
    }
    Failure failure_of_handshake() {
        Outcome shaken;
        Kind::handshake(*stream, Note{shaken});
        EXPECT_TRUE(until([&] { return shaken.over; }));
        return shaken.error;
    }
    Failure failure_of_shutdown() {
        Outcome ended;
        stream->async_shutdown(Note{ended});
        EXPECT_TRUE(until([&] { return ended.over; }));
        return ended.error;
    }
    /// A write that the peer does not take.
    void write_until_full(std::string const& text, Outcome& outcome) {
        peer->deaf = true;
        asio::async_write(*stream, asio::buffer(text), Note{outcome});
        settle_full();
        ASSERT_FALSE(outcome.over);
    }
    auto cancellable(Outcome& outcome) { return asio::bind_cancellation_slot(cancel.slot(), Note{outcome}); }

    asio::io_context io;
    ssl::context server_context{ssl::context::tls_server};
    ssl::context client_context{ssl::context::tls_client};
    asio::cancellation_signal cancel;
    std::optional<Stream> stream;
    std::optional<TlsPeer> peer;
};

using Kinds = testing::Types<OurStream, AsioStream>;
TYPED_TEST_SUITE(TlsStreams, Kinds);
using OurTlsStream = TlsStreams<OurStream>;

std::string long_text(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>(at * 2'654'435'761u >> 13);
    return text;
}

// ---- bytes ----

TYPED_TEST(TlsStreams, carry_bytes_both_ways) {
    this->open();
    this->peer->say("question");
    EXPECT_EQ(this->read(), "question");
    this->write("answer");
    EXPECT_TRUE(this->until([this] { return this->peer->heard == "answer"; }));
}

TYPED_TEST(TlsStreams, give_a_read_what_fits_and_keep_the_rest) {
    this->open();
    this->peer->say("0123456789");
    EXPECT_EQ(this->read(4), "0123");
    EXPECT_EQ(this->read(4), "4567");
    EXPECT_EQ(this->read(4), "89");
}

TYPED_TEST(TlsStreams, take_no_bytes_and_give_none_where_there_is_no_room) {
    this->open();
    EXPECT_EQ(this->read(0), "");
    this->write("");
}

TYPED_TEST(TlsStreams, take_several_buffers_of_which_the_first_may_be_empty) {
    this->open();
    std::string const header = "he";
    auto const body = long_text(40'000);
    std::array<asio::const_buffer, 3> const from{asio::const_buffer(), asio::buffer(header), asio::buffer(body)};
    Outcome sent;
    asio::async_write(*this->stream, from, Note{sent});
    EXPECT_TRUE(this->until([&] { return sent.over && this->peer->heard.size() == 40'002; }));
    EXPECT_EQ(this->peer->heard, header + body);

    this->peer->say("text");
    std::string text(4, '\0');
    std::array<asio::mutable_buffer, 2> const to{asio::mutable_buffer(), asio::buffer(text)};
    Outcome got;
    this->stream->async_read_some(to, Note{got});
    EXPECT_TRUE(this->until([&] { return got.over; }));
    EXPECT_EQ(text, "text");
}

TYPED_TEST(TlsStreams, understand_a_peer_that_sends_byte_by_byte) {
    this->connect();
    this->peer->bite = 1;
    EXPECT_FALSE(this->failure_of_handshake());
    EXPECT_TRUE(this->until([this] { return SSL_is_init_finished(this->peer->ssl) && this->peer->waiting.empty(); }));
    this->peer->say("slowly");
    EXPECT_EQ(this->read(), "slowly");
}

TYPED_TEST(TlsStreams, wait_for_room_in_a_handshake_with_a_peer_that_does_not_read) {
    this->certify(std::string(500'000, 'c'));
    SSL_CTX_set_max_cert_list(this->client_context.native_handle(), 1'000'000);
    this->connect();
    this->peer->step();
    this->peer->deaf = true;
    Outcome shaken;
    TypeParam::handshake(*this->stream, Note{shaken});
    this->settle();
    EXPECT_FALSE(shaken.over);
    this->peer->deaf = false;
    EXPECT_TRUE(this->until([&] { return shaken.over; }));
    EXPECT_FALSE(shaken.error) << shaken.error.message();
}

TYPED_TEST(TlsStreams, move_much_in_both_directions_at_once) {
    this->open();
    auto const ours = long_text(3'000'000);
    auto const theirs = long_text(2'500'000);
    std::string received(theirs.size(), '\0');
    Outcome sent;
    Outcome got;
    asio::async_write(*this->stream, asio::buffer(ours), Note{sent});
    asio::async_read(*this->stream, asio::buffer(received), Note{got});
    this->peer->say(theirs);
    EXPECT_TRUE(this->until([&] { return sent.over && got.over && this->peer->heard.size() == ours.size(); }));
    EXPECT_TRUE(this->peer->heard == ours);
    EXPECT_TRUE(received == theirs);
}

TYPED_TEST(TlsStreams, wait_for_a_slow_peer_and_go_on_where_they_were) {
    this->open();
    auto const text = long_text(6'000'000);
    Outcome sent;
    this->write_until_full(text, sent);
    this->peer->deaf = false;
    EXPECT_TRUE(this->until([&] { return sent.over && this->peer->heard.size() == text.size(); }));
    EXPECT_TRUE(this->peer->heard == text);
}

TYPED_TEST(TlsStreams, read_while_a_write_waits) {
    this->open();
    auto const text = long_text(6'000'000);
    Outcome sent;
    this->write_until_full(text, sent);
    this->peer->say("meanwhile");
    EXPECT_EQ(this->read(), "meanwhile");
    EXPECT_FALSE(sent.over);
}

TEST_F(OurTlsStream, sends_a_header_and_the_text_behind_it_as_one_record) {
    open();
    peer->heard_bytes = 0;
    std::string const header(4, 'h');
    std::string const body(100, 'b');
    std::array<asio::const_buffer, 2> const from{asio::buffer(header), asio::buffer(body)};
    Outcome sent;
    stream->async_write_some(from, Note{sent});
    EXPECT_TRUE(until([&] { return peer->heard.size() == 104; }));
    EXPECT_EQ(sent.bytes, 104u);
    constexpr std::size_t record_overhead = 5 + 1 + 16;  // RFC 8446 §5.2: header, type, tag
    EXPECT_EQ(peer->heard_bytes, 104 + record_overhead);
}

// ---- the end ----

TYPED_TEST(TlsStreams, end_with_eof_after_close_notify) {
    this->open();
    this->peer->say("last");
    this->peer->close_notify();
    EXPECT_EQ(this->read(), "last");
    EXPECT_EQ(this->failure_of_read(), asio::error::eof);
    EXPECT_EQ(this->failure_of_read(), asio::error::eof);
    EXPECT_FALSE(this->failure_of_shutdown());
    EXPECT_TRUE(this->until([this] { return this->peer->was_told_the_end(); }));
}

TYPED_TEST(TlsStreams, call_an_end_without_close_notify_truncated) {
    this->open();
    this->peer->say("last");
    this->peer->socket.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(this->read(), "last");
    EXPECT_EQ(this->failure_of_read(), ssl::error::stream_truncated);
}

TYPED_TEST(TlsStreams, call_an_end_within_a_record_truncated) {
    this->open();
    this->peer->bite = 10;
    this->peer->say("never whole");
    this->peer->socket.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(this->failure_of_read(), ssl::error::stream_truncated);
}

TYPED_TEST(TlsStreams, shut_down_with_a_peer_that_answers) {
    this->open();
    Outcome ended;
    this->stream->async_shutdown(Note{ended});
    EXPECT_TRUE(this->until([this] { return this->peer->was_told_the_end(); }));
    EXPECT_FALSE(ended.over);
    this->peer->close_notify();
    EXPECT_TRUE(this->until([&] { return ended.over; }));
    EXPECT_FALSE(ended.error) << ended.error.message();
}

TYPED_TEST(TlsStreams, call_a_shutdown_without_an_answer_truncated) {
    this->open();
    this->peer->socket.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(this->failure_of_shutdown(), ssl::error::stream_truncated);
}

TYPED_TEST(TlsStreams, report_a_reset_and_send_no_signal) {
    static volatile std::sig_atomic_t signals;
    signals = 0;
    auto* const before = std::signal(SIGPIPE, [](int) { signals = signals + 1; });
    this->open();
    this->peer->reset();
    EXPECT_EQ(this->failure_of_read(), asio::error::connection_reset);  // from now on a plain send() raises SIGPIPE
    auto const text = long_text(200'000);
    for (int again = 0; again < 3; ++again) {
        Outcome sent;
        asio::async_write(*this->stream, asio::buffer(text), Note{sent});
        EXPECT_TRUE(this->until([&] { return sent.over; }));
        EXPECT_TRUE(sent.error == asio::error::connection_reset || sent.error == asio::error::broken_pipe)
            << sent.error.message();
    }
    EXPECT_EQ(signals, 0);
    std::signal(SIGPIPE, before);
}

TYPED_TEST(TlsStreams, refuse_what_is_no_tls) {
    this->connect();
    this->peer->say_raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    this->peer->deaf = true;
    auto const failed = this->failure_of_handshake();
    EXPECT_EQ(failed.category(), asio::error::get_ssl_category());
    EXPECT_EQ(ERR_GET_REASON(static_cast<unsigned long>(failed.value())), SSL_R_HTTP_REQUEST);
}

TYPED_TEST(TlsStreams, refuse_a_version_that_the_context_forbids_and_say_so) {
    SSL_CTX_set_max_proto_version(this->client_context.native_handle(), TLS1_2_VERSION);
    this->connect();
    auto const failed = this->failure_of_handshake();
    EXPECT_EQ(failed.category(), asio::error::get_ssl_category());
    EXPECT_EQ(ERR_GET_REASON(static_cast<unsigned long>(failed.value())), SSL_R_UNSUPPORTED_PROTOCOL);
    EXPECT_TRUE(this->until([this] { return this->peer->refused; }));
}

TYPED_TEST(TlsStreams, call_an_end_within_the_handshake_truncated) {
    this->connect();
    this->peer->bite = 20;
    this->peer->step();
    this->peer->socket.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(this->failure_of_handshake(), ssl::error::stream_truncated);
}

TYPED_TEST(TlsStreams, let_a_peer_of_tls_1_2_negotiate_once) {
    auto* const native = this->server_context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_max_proto_version(this->client_context.native_handle(), TLS1_2_VERSION);
    this->open();
    std::string text(64, '\0');
    Outcome got;
    this->stream->async_read_some(asio::buffer(text), Note{got});
    SSL_renegotiate(this->peer->ssl);
    EXPECT_TRUE(this->until([this] { return this->peer->refused; }));
    EXPECT_FALSE(got.over);
    this->write("still here");  // the server's side of the connection is whole
}

// ---- cancellation ----

TYPED_TEST(TlsStreams, give_the_next_read_what_a_cancelled_one_did_not_take) {
    this->open();
    std::string text(64, '\0');
    Outcome got;
    this->stream->async_read_some(asio::buffer(text), this->cancellable(got));
    this->peer->bite = 10;
    this->peer->say("later");  // a part of its record has come when the read is cancelled
    this->settle();
    this->cancel.emit(asio::cancellation_type::terminal);
    this->settle();
    EXPECT_EQ(got.error, asio::error::operation_aborted);
    EXPECT_EQ(this->read(), "later");
    this->write("answer");
    EXPECT_TRUE(this->until([this] { return this->peer->heard == "answer"; }));
}

TYPED_TEST(TlsStreams, let_a_waiting_handshake_be_cancelled) {
    this->connect();
    Outcome shaken;
    TypeParam::handshake(*this->stream, this->cancellable(shaken));
    this->settle();
    EXPECT_FALSE(shaken.over);
    this->cancel.emit(asio::cancellation_type::terminal);
    this->settle();
    EXPECT_EQ(shaken.error, asio::error::operation_aborted);
}

TYPED_TEST(TlsStreams, let_a_waiting_shutdown_be_cancelled) {
    this->open();
    Outcome ended;
    this->stream->async_shutdown(this->cancellable(ended));
    this->settle();
    EXPECT_FALSE(ended.over);
    this->cancel.emit(asio::cancellation_type::terminal);
    this->settle();
    EXPECT_EQ(ended.error, asio::error::operation_aborted);
}

TYPED_TEST(TlsStreams, let_a_waiting_write_be_cancelled) {
    this->open();
    auto const text = long_text(6'000'000);
    this->peer->deaf = true;
    Outcome sent;
    asio::async_write(*this->stream, asio::buffer(text), this->cancellable(sent));
    this->settle();
    EXPECT_FALSE(sent.over);
    this->cancel.emit(asio::cancellation_type::terminal);
    this->settle();
    EXPECT_EQ(sent.error, asio::error::operation_aborted);
}

TYPED_TEST(TlsStreams, fail_what_waits_when_the_socket_is_closed) {
    this->open();
    auto const text = long_text(6'000'000);
    Outcome sent;
    Outcome got;
    this->write_until_full(text, sent);
    std::string received(64, '\0');
    this->stream->async_read_some(asio::buffer(received), Note{got});
    this->stream->next_layer().close();
    this->settle();
    EXPECT_EQ(sent.error, asio::error::operation_aborted);
    EXPECT_EQ(got.error, asio::error::operation_aborted);
    EXPECT_EQ(this->failure_of_read(), asio::error::bad_descriptor);
}

TEST_F(OurTlsStream, stays_whole_when_a_write_is_cancelled) {
    open();
    auto const text = long_text(6'000'000);
    peer->deaf = true;
    Outcome sent;
    asio::async_write(*stream, asio::buffer(text), cancellable(sent));
    settle();
    cancel.emit(asio::cancellation_type::terminal);
    settle();
    ASSERT_EQ(sent.error, asio::error::operation_aborted);
    peer->say("heard");
    EXPECT_EQ(read(), "heard");
    peer->deaf = false;
    write("next");
    auto const next_came = [&] {
        return peer->heard.size() >= 4 && peer->heard.substr(peer->heard.size() - 4) == "next";
    };
    EXPECT_TRUE(until(next_came));
    auto const taken = peer->heard.size() - 4;
    EXPECT_GE(taken, sent.bytes);
    EXPECT_LE(taken, sent.bytes + 16 * 1024);
    EXPECT_TRUE(peer->heard.substr(0, taken) == text.substr(0, taken));
}

TEST_F(OurTlsStream, lets_a_read_be_cancelled_totally_and_a_write_not) {
    open();
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), cancellable(got));
    settle();
    cancel.emit(asio::cancellation_type::total);
    settle();
    EXPECT_EQ(got.error, asio::error::operation_aborted);

    auto const text = long_text(16 * 1024);
    peer->deaf = true;
    Outcome sent;
    do {
        sent = {};
        stream->async_write_some(asio::buffer(text), cancellable(sent));
        settle_full();
    } while (sent.over);
    cancel.emit(asio::cancellation_type::total);
    cancel.emit(asio::cancellation_type::partial);
    settle();
    EXPECT_FALSE(sent.over);
    peer->deaf = false;
    EXPECT_TRUE(until([&] { return sent.over; }));
    EXPECT_FALSE(sent.error) << sent.error.message();
}

TEST_F(OurTlsStream, keeps_what_was_read_when_the_cancelling_comes_too_late) {
    open();
    peer->say("there");
    arrived();
    std::string text(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(text), cancellable(got));
    cancel.emit(asio::cancellation_type::terminal);
    settle();
    EXPECT_FALSE(got.error) << got.error.message();
    EXPECT_EQ(got.bytes, 5u);
}

// ---- KeyUpdate (RFC 8446 §4.6.3) ----

TYPED_TEST(TlsStreams, follow_the_peer_to_new_keys_while_reading) {
    this->open();
    std::string text(64, '\0');
    Outcome got;
    this->stream->async_read_some(asio::buffer(text), Note{got});
    this->peer->update_key(SSL_KEY_UPDATE_REQUESTED);
    this->arrived();
    EXPECT_FALSE(got.over);
    this->peer->say("new keys");
    EXPECT_TRUE(this->until([&] { return got.over; }));
    EXPECT_EQ(got.bytes, 8u);
    this->write("ours are new, too");
    EXPECT_TRUE(this->until([this] { return this->peer->heard == "ours are new, too"; }));
    EXPECT_EQ(this->peer->answers, 1u);
}

// asio::ssl::stream cannot read in these two: OpenSSL has to answer, and its own write waits.
TEST_F(OurTlsStream, follows_the_peer_to_new_keys_while_a_write_waits) {
    open();
    auto const text = long_text(6'000'000);
    Outcome sent;
    write_until_full(text, sent);
    for (auto const* said : {"one", "two", "three"}) {
        peer->update_key(SSL_KEY_UPDATE_REQUESTED);
        peer->say(said);
        EXPECT_EQ(read(), said);
    }
    EXPECT_FALSE(sent.over);
    Outcome got;
    std::string received(64, '\0');
    stream->async_read_some(asio::buffer(received), Note{got});
    peer->deaf = false;
    EXPECT_TRUE(until([&] { return sent.over && peer->heard.size() == text.size(); }));
    EXPECT_TRUE(peer->heard == text);
    peer->say("four");
    EXPECT_TRUE(until([&] { return got.over; }));
    EXPECT_EQ(got.bytes, 4u);
}

TEST_F(OurTlsStream, reads_no_further_while_its_answers_pile_up_unread) {
    open();
    auto const text = long_text(6'000'000);
    peer->deaf = true;
    Outcome sent;
    asio::async_write(*stream, asio::buffer(text), cancellable(sent));
    settle_full();
    cancel.emit(asio::cancellation_type::terminal);  // from here on the read alone makes room
    settle();
    ASSERT_TRUE(sent.over);
    for (int again = 0; again < 3'000; ++again) peer->update_key(SSL_KEY_UPDATE_REQUESTED);
    peer->say("at last");
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), Note{got});
    arrived();
    EXPECT_GT(stream->next_layer().available(), 40'000u);  // of 81 kB
    EXPECT_FALSE(got.over);
    peer->deaf = false;
    EXPECT_TRUE(until([&] { return got.over && peer->answers >= 2'900; }));
    EXPECT_EQ(received.substr(0, got.bytes), "at last");
    EXPECT_GE(peer->heard.size(), sent.bytes);
    EXPECT_TRUE(peer->heard == text.substr(0, peer->heard.size()));
}

// ---- being one of many ----

/// Takes a turn whenever the others let it.
struct Neighbour {
    asio::io_context& io;
    std::size_t& turns;
    bool const& done;
    void operator()() const {
        ++turns;
        if (!done) asio::post(io, *this);
    }
};

TYPED_TEST(TlsStreams, let_others_have_their_turn_while_data_does_not_end) {
    this->open();
    for (int again = 0; again < 100; ++again) this->peer->say(std::string(1'000, 'x'));
    this->arrived();
    std::string text(100'000, '\0');
    Outcome got;
    std::size_t turns = 0;
    asio::async_read(*this->stream, asio::buffer(text), Note{got});
    asio::post(this->io, Neighbour{this->io, turns, got.over});
    EXPECT_TRUE(this->until([&] { return got.over; }));
    EXPECT_GE(turns, 80u);
}

TEST_F(OurTlsStream, lets_others_have_their_turn_while_key_updates_do_not_end) {
    open();
    for (int again = 0; again < 1'000; ++again) peer->update_key(SSL_KEY_UPDATE_NOT_REQUESTED);
    peer->say("x");
    arrived();
    std::string text(64, '\0');
    Outcome got;
    std::size_t turns = 0;
    stream->async_read_some(asio::buffer(text), Note{got});
    asio::post(io, Neighbour{io, turns, got.over});
    EXPECT_TRUE(until([&] { return got.over; }));
    EXPECT_GE(turns, 500u);
}

TYPED_TEST(TlsStreams, never_complete_an_operation_that_is_being_begun) {
    this->connect();
    this->peer->say_raw("this is no TLS at all");
    this->peer->deaf = true;
    this->arrived();
    Outcome shaken;
    TypeParam::handshake(*this->stream, Note{shaken});
    EXPECT_FALSE(shaken.over);
    this->settle();
    EXPECT_TRUE(shaken.over);

    this->open();
    this->peer->say("there");
    this->peer->close_notify();
    this->arrived();
    std::string text(64, '\0');
    Outcome got;
    Outcome sent;
    this->stream->async_read_some(asio::buffer(text), Note{got});
    this->stream->async_write_some(asio::buffer("text", 4), Note{sent});
    EXPECT_FALSE(got.over || sent.over);
    this->settle();
    EXPECT_TRUE(got.over && sent.over);
    EXPECT_EQ(this->failure_of_read(), asio::error::eof);
    Outcome ended;
    this->stream->async_shutdown(Note{ended});
    EXPECT_FALSE(ended.over);
    this->settle();
    EXPECT_TRUE(ended.over);
}

TYPED_TEST(TlsStreams, complete_on_the_executor_of_the_handler) {
    this->open();
    asio::io_context elsewhere;
    std::string text(64, '\0');
    for (bool const at_once : {true, false}) {
        Outcome got;
        if (at_once) {
            this->peer->say("text");
            this->arrived();
        }
        this->stream->async_read_some(asio::buffer(text), asio::bind_executor(elsewhere, Note{got}));
        if (!at_once) this->peer->say("text");
        this->arrived();
        EXPECT_FALSE(got.over);
        EXPECT_TRUE(this->until([&] {
            elsewhere.restart();
            elsewhere.poll();
            return got.over;
        }));
    }
}

/// Counts what is taken from it.
template <typename T>
struct Counting {
    using value_type = T;
    std::size_t* taken;
    explicit Counting(std::size_t* count) : taken(count) {}
    template <typename U>
    Counting(Counting<U> const& other) : taken(other.taken) {}
    T* allocate(std::size_t size) {
        ++*taken;
        return std::allocator<T>().allocate(size);
    }
    void deallocate(T* at, std::size_t size) { std::allocator<T>().deallocate(at, size); }
    bool operator==(Counting const& other) const { return taken == other.taken; }
    bool operator!=(Counting const& other) const { return taken != other.taken; }
};

TYPED_TEST(TlsStreams, take_memory_from_the_allocator_of_the_handler) {
    this->open();
    std::size_t taken = 0;
    Outcome got;
    std::string text(64, '\0');
    this->stream->async_read_some(asio::buffer(text), asio::bind_allocator(Counting<char>(&taken), Note{got}));
    this->settle();
    EXPECT_GE(taken, 1u);
    this->peer->say("text");
    EXPECT_TRUE(this->until([&] { return got.over; }));
}

TEST_F(OurTlsStream, may_be_destroyed_while_it_waits) {
    open();
    auto const text = long_text(6'000'000);
    Outcome sent;
    write_until_full(text, sent);
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), Note{got});
    stream.reset();
    settle();
    EXPECT_EQ(sent.error, asio::error::operation_aborted);
    EXPECT_EQ(got.error, asio::error::operation_aborted);
}

TEST_F(OurTlsStream, may_be_destroyed_when_a_result_is_on_its_way) {
    open();
    peer->say("text");
    arrived();
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), Note{got});
    stream.reset();
    settle();
    EXPECT_EQ(got.bytes, 4u);
}

TEST_F(OurTlsStream, may_be_moved_while_it_waits) {
    open();
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), Note{got});
    auto moved = std::move(*stream);
    *stream = std::move(moved);
    peer->say("text");
    EXPECT_TRUE(until([&] { return got.over; }));
    EXPECT_FALSE(got.error) << got.error.message();
}

TEST_F(OurTlsStream, waits_without_buffers) {
    open();
    peer->say("text");
    EXPECT_EQ(read(), "text");
    write(long_text(16 * 1024));
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), Note{got});
    settle();
    auto const before = mallinfo2().uordblks;
    stream.reset();
    settle();
    auto const held = before - mallinfo2().uordblks;
    EXPECT_LE(held, 16u * 1024);  // OpenSSL's two buffers alone would be more
    RecordProperty("bytes", static_cast<int>(held));
    EXPECT_TRUE(before == 0 || held >= 4u * 1024);  // a sanitizer has its own memory and counts none here
}

}  // namespace
}  // namespace interlude::test
