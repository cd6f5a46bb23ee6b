// What asio::ssl::stream promises, asked of the server's own TLS stream and of asio's alike.
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <csignal>

#include "tests/unit/net/tls_streams.hpp"

namespace interlude::test {
namespace {

using Kinds = testing::Types<OurStream, AsioStream>;
TYPED_TEST_SUITE(TlsStreams, Kinds);

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

// ---- being one of many ----

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

}  // namespace
}  // namespace interlude::test
