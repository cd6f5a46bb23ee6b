// A TLS stream on a real socket, and its peer of plain OpenSSL: the server's stream, and asio::ssl::stream, of which
// the same is asked.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "server/net/openssl_stream.hpp"

namespace interlude::test {

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
        SSL_set_msg_callback(ssl, note_message);
        SSL_set_msg_callback_arg(ssl, this);
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
    bool was_alerted = false;     // fatally
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
    static void note_message(int sent, int, int type, void const* message, std::size_t, SSL*, void* peer) {
        if (sent) return;
        auto& self = *static_cast<TlsPeer*>(peer);
        auto const first = *static_cast<unsigned char const*>(message);
        if (type == SSL3_RT_HANDSHAKE && first == SSL3_MT_KEY_UPDATE) ++self.answers;
        if (type == SSL3_RT_ALERT && first == SSL3_AL_FATAL) self.was_alerted = true;
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

inline std::string long_text(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>(at * 2'654'435'761u >> 13);
    return text;
}

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

}  // namespace interlude::test
