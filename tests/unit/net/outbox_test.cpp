// What waits to leave on one link: in order, bounded, with the goodbye as its last frame.
#include "server/net/outbox.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "common/wire/codec.hpp"

namespace interlude::test {
namespace {

using bytes::Bytes;

class Leaving : public testing::Test {
  protected:
    static wire::ServerFrame envelope(std::uint64_t seq, std::size_t size = 100) {
        wire::Envelope envelope;
        envelope.seq = seq;
        envelope.mls = Bytes(size, 1);
        return {{}, envelope};
    }
    /// nullopt: nothing more comes. Nothing at all while it waits.
    std::optional<std::optional<wire::ServerBody>> next() {
        std::optional<std::optional<wire::ServerBody>> got;
        auto const note = [&got](std::exception_ptr, std::optional<Bytes> frame) {
            got.emplace();
            if (frame) *got = wire::decode_server_frame(*frame).value().body;
        };
        boost::asio::co_spawn(io, outbox.next(), note);
        io.restart();
        while (io.poll() > 0) {
        }
        return got;
    }
    bool nothing_more_comes() {
        auto const got = next();
        return got && !*got;
    }
    std::uint64_t next_seq() { return std::get<wire::Envelope>(next().value().value()).seq; }

    static constexpr std::size_t bytes_max = 4000;
    boost::asio::io_context io;
    net::Outbox outbox{io.get_executor(), bytes_max};
};

TEST_F(Leaving, is_in_order) {
    for (std::uint64_t seq = 1; seq <= 3; ++seq) EXPECT_TRUE(outbox.push(envelope(seq)));
    for (std::uint64_t seq = 1; seq <= 3; ++seq) EXPECT_EQ(next_seq(), seq);
    EXPECT_TRUE(outbox.open());
}

TEST_F(Leaving, ends_with_the_goodbye_after_all_that_was_pushed_before) {
    outbox.push(envelope(1));
    outbox.finish(4403, 7);
    EXPECT_FALSE(outbox.open());
    EXPECT_FALSE(outbox.push(envelope(2)));
    outbox.finish(1000, 0);  // the first reason counts
    EXPECT_EQ(next_seq(), 1u);
    EXPECT_EQ(std::get<wire::Goodbye>(next().value().value()), (wire::Goodbye{4403, 7}));
    EXPECT_TRUE(nothing_more_comes());
    EXPECT_EQ(outbox.close_code(), 4403);
}

TEST_F(Leaving, of_more_than_fits_ends_the_link_and_drops_what_was_not_read) {
    std::uint64_t pushed = 0;
    while (outbox.push(envelope(pushed + 1, 1000))) ++pushed;
    EXPECT_EQ(pushed, 3u);
    EXPECT_FALSE(outbox.open());
    auto const last = std::get<wire::Goodbye>(next().value().value());
    EXPECT_EQ(last.code, 4408);
    EXPECT_GT(last.retry_after_seconds, 0u);
    EXPECT_TRUE(nothing_more_comes());
}

TEST_F(Leaving, makes_room_by_what_left) {
    for (std::uint64_t seq = 1; seq <= 50; ++seq) {
        EXPECT_TRUE(outbox.push(envelope(seq, 1000)));
        EXPECT_EQ(next_seq(), seq);
    }
}

TEST_F(Leaving, waits_for_a_frame) {
    std::optional<Bytes> got;
    bool done = false;
    auto const note = [&](std::exception_ptr, std::optional<Bytes> frame) {
        got = std::move(frame);
        done = true;
    };
    boost::asio::co_spawn(io, outbox.next(), note);
    io.poll();
    EXPECT_FALSE(done);
    outbox.push(envelope(1));
    io.restart();
    io.poll();
    EXPECT_TRUE(done && got);
}

TEST_F(Leaving, is_over_when_the_socket_is_gone) {
    outbox.push(envelope(1));
    outbox.abandon();
    EXPECT_FALSE(outbox.open());
    EXPECT_FALSE(outbox.push(envelope(2)));
    EXPECT_TRUE(nothing_more_comes());
}

TEST_F(Leaving, tells_once_when_less_than_half_is_left) {
    int told = 0;
    outbox.when_drained([&] { ++told; });
    EXPECT_EQ(told, 1);  // at once
    outbox.push(envelope(1, 1500));
    outbox.push(envelope(2, 1500));
    outbox.when_drained([&] { ++told; });
    EXPECT_EQ(told, 1);
    next();
    EXPECT_EQ(told, 2);
    next();
    EXPECT_EQ(told, 2);
}

TEST_F(Leaving, tells_nobody_after_the_end) {
    int told = 0;
    outbox.push(envelope(1, 1500));
    outbox.push(envelope(2, 1500));
    outbox.when_drained([&] { ++told; });
    outbox.finish(1000, 0);
    outbox.when_drained([&] { ++told; });
    while (next().value()) {
    }
    outbox.when_drained([&] { ++told; });
    EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace interlude::test
