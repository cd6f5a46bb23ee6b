// What the server's TLS stream does beyond asio's: it stays whole, answers new keys while it writes, and keeps nothing.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "tests/unit/net/tls_streams.hpp"

namespace {
std::size_t refused_from = SIZE_MAX;  // bytes that cannot be had at once
}

void* operator new(std::size_t size) {
    if (auto* const got = size < refused_from ? std::malloc(size) : nullptr) return got;
    throw std::bad_alloc();
}
void operator delete(void* at) noexcept {
    std::free(at);
}
void operator delete(void* at, std::size_t) noexcept {
    std::free(at);
}

namespace interlude::test {
namespace {

class OurTlsStream : public TlsStreams<OurStream> {
  protected:
    /// All of it came together.
    void read_one_of_two_with_new_keys_between(int updates) {
        peer->bite = 0;
        peer->say("one");
        while (updates-- > 0) peer->update_key(SSL_KEY_UPDATE_NOT_REQUESTED);
        peer->say("two");
        peer->bite = 1 << 20;
        arrived();
        EXPECT_EQ(read(), "one");
    }
    /// Nobody writes any more, and what was written waits for a peer that does not read.
    void fill_the_socket() {
        peer->deaf = true;
        auto const much = long_text(6'000'000);
        std::string const little(1000, 'x');  // what is left may be too small to be told of
        Outcome sent;
        asio::async_write(*stream, asio::buffer(much), cancellable(sent));
        settle_full();
        cancel.emit(asio::cancellation_type::terminal);
        settle();
        do {
            sent = {};
            asio::async_write(*stream, asio::buffer(little), cancellable(sent));
            settle();
        } while (sent.over);
        cancel.emit(asio::cancellation_type::terminal);
        settle();
        ASSERT_EQ(sent.error, asio::error::operation_aborted);
    }
};

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

TEST_F(OurTlsStream, asks_the_socket_once_for_records_that_came_together) {
    open();
    for (auto const* said : {"one", "two", "three"}) peer->say(said);
    arrived();
    EXPECT_EQ(read(), "one");
    EXPECT_EQ(stream->next_layer().available(), 0u);
    EXPECT_EQ(read(2), "tw");
    EXPECT_EQ(read(), "o");
    EXPECT_EQ(read(), "three");
    peer->say("four");
    EXPECT_EQ(read(), "four");
}

TEST_F(OurTlsStream, reads_on_past_new_keys_that_came_together_with_the_text_behind_them) {
    open();
    read_one_of_two_with_new_keys_between(2);
    EXPECT_EQ(stream->next_layer().available(), 0u);
    EXPECT_EQ(read(), "two");
}

TEST_F(OurTlsStream, tells_the_end_after_what_came_together_with_it) {
    open();
    peer->bite = 0;
    for (auto const* said : {"one", "two"}) peer->say(said);
    peer->close_notify();
    peer->bite = 1 << 20;
    arrived();
    EXPECT_EQ(read(), "one");
    EXPECT_EQ(read(), "two");
    EXPECT_EQ(failure_of_read(), asio::error::eof);
}

TEST_F(OurTlsStream, tells_a_cut_connection_after_what_came_before) {
    open();
    for (auto const* said : {"one", "two"}) peer->say(said);
    arrived();
    peer->socket.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(read(), "one");
    EXPECT_EQ(read(), "two");
    EXPECT_EQ(failure_of_read(), ssl::error::stream_truncated);
}

TEST_F(OurTlsStream, may_be_cancelled_with_records_ahead) {
    open();
    read_one_of_two_with_new_keys_between(20);
    std::string text(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(text), cancellable(got));
    cancel.emit(asio::cancellation_type::terminal);
    settle();
    EXPECT_EQ(got.error, asio::error::operation_aborted);
    EXPECT_EQ(read(), "two");
}

TEST_F(OurTlsStream, may_be_destroyed_with_records_ahead) {
    open();
    read_one_of_two_with_new_keys_between(20);
    std::string text(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(text), Note{got});
    stream.reset();
    settle();
    EXPECT_EQ(got.error, asio::error::operation_aborted);
    EXPECT_EQ(text, std::string(64, '\0'));
}

TEST_F(OurTlsStream, holds_what_is_written_until_the_first_write_without_a_cork) {
    open();
    peer->heard_bytes = 0;
    stream->cork(true);
    write("one ");
    write("two ");
    for (int again = 0; again < 20; ++again) settle(), peer->step();
    EXPECT_EQ(peer->heard_bytes, 0u);
    stream->cork(false);
    write("three");
    EXPECT_TRUE(until([&] { return peer->heard == "one two three"; }));
}

TEST_F(OurTlsStream, lets_a_reader_wait_while_something_is_held) {
    open();
    stream->cork(true);
    write("held");
    std::string text(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(text), Note{got});
    settle();
    peer->heard_bytes = 0;
    peer->step();
    EXPECT_EQ(peer->heard_bytes, 0u);
    peer->say("heard");
    EXPECT_TRUE(until([&] { return got.over; }));
    EXPECT_EQ(text.substr(0, got.bytes), "heard");
    Outcome ended;
    stream->async_shutdown(Note{ended});  // nothing is held back by an end
    EXPECT_TRUE(until([&] { return peer->heard == "held" && peer->was_told_the_end(); }));
}

TEST_F(OurTlsStream, holds_no_more_than_a_record_s_worth) {
    open();
    stream->cork(true);
    for (int again = 0; again < 100; ++again) write(std::string(1000, 'x'));
    EXPECT_TRUE(until([&] { return peer->heard.size() >= 84'000; }));
    stream->cork(false);
    write("end");
    EXPECT_TRUE(until([&] { return peer->heard.size() == 100'003; }));
}

TEST_F(OurTlsStream, waits_for_room_with_a_cork_too) {
    open();
    stream->cork(true);
    auto const text = long_text(6'000'000);
    Outcome sent;
    write_until_full(text, sent);
    peer->deaf = false;
    EXPECT_TRUE(until([&] { return sent.over; }));
    stream->cork(false);
    write("end");
    EXPECT_TRUE(until([&] { return peer->heard.size() == text.size() + 3; }));
    EXPECT_TRUE(peer->heard == text + "end");
}

TEST_F(OurTlsStream, lets_a_fatal_alert_leave_through_a_cork) {
    open();
    stream->cork(true);
    write("held");
    peer->say_raw("no record of these keys: " + std::string(100, 'x'));
    EXPECT_EQ(failure_of_read().category(), asio::error::get_ssl_category());
    EXPECT_TRUE(until([&] { return peer->was_alerted; }));
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

TEST_F(OurTlsStream, lets_an_answer_leave_when_there_is_room_though_nobody_writes) {
    open();
    fill_the_socket();
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), Note{got});
    for (int again = 0; again < 2; ++again) peer->update_key(SSL_KEY_UPDATE_REQUESTED);
    arrived();  // with the second OpenSSL answers the first
    EXPECT_EQ(peer->answers, 0u);
    peer->deaf = false;
    EXPECT_TRUE(until([&] { return peer->answers == 1; }));
    EXPECT_FALSE(got.over);
    peer->say("on");
    EXPECT_TRUE(until([&] { return got.over; }));
    EXPECT_EQ(got.bytes, 2u);
}

TEST_F(OurTlsStream, lets_a_fatal_alert_leave_before_it_tells_what_went_wrong) {
    open();
    fill_the_socket();
    peer->say_raw("no record of these keys: " + std::string(100, 'x'));
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), Note{got});
    arrived();
    EXPECT_FALSE(got.over);
    peer->deaf = false;
    EXPECT_TRUE(until([&] { return got.over; }));
    EXPECT_EQ(got.error.category(), asio::error::get_ssl_category());
    EXPECT_TRUE(until([&] { return peer->was_alerted; }));
}

TEST_F(OurTlsStream, may_be_cancelled_while_an_alert_waits) {
    open();
    fill_the_socket();
    peer->say_raw("no record of these keys: " + std::string(100, 'x'));
    std::string received(64, '\0');
    Outcome got;
    stream->async_read_some(asio::buffer(received), cancellable(got));
    arrived();
    cancel.emit(asio::cancellation_type::terminal);
    settle();
    EXPECT_EQ(got.error, asio::error::operation_aborted);
}

TEST_F(OurTlsStream, lets_close_notify_leave_where_the_peer_still_sends) {
    open();
    fill_the_socket();
    peer->say("not read any more");
    arrived();
    Outcome ended;
    stream->async_shutdown(Note{ended});
    settle();
    EXPECT_FALSE(ended.over);
    peer->deaf = false;
    EXPECT_TRUE(until([&] { return ended.over; }));
    EXPECT_TRUE(until([&] { return peer->was_told_the_end(); }));
}

TEST_F(OurTlsStream, calls_it_a_failed_write_when_memory_is_out) {
    open();
    auto const text = long_text(16 * 1024);
    Outcome sent;
    refused_from = text.size();
    EXPECT_NO_THROW(stream->async_write_some(asio::buffer(text), Note{sent}));
    refused_from = SIZE_MAX;
    EXPECT_TRUE(until([&] { return sent.over; }));
    EXPECT_EQ(sent.error, boost::system::errc::not_enough_memory);
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

TEST_F(OurTlsStream, may_be_moved_onto_itself) {
    open();
    auto& same = *stream;
    *stream = std::move(same);
    peer->say("text");
    EXPECT_EQ(read(), "text");
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
