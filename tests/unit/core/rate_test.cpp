// Token buckets, to the millisecond and from several threads at once.
#include "server/core/rate.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace interlude::test {
namespace {

using namespace std::chrono_literals;
using core::RateBook;
using core::RateKind;

RateBook::Rates three_and_one_a_second() {
    RateBook::Rates rates{};
    rates.fill({3, 1000ms});
    return rates;
}
auto const start = base::mono_ms(50'000);

TEST(RateBook, gives_a_burst_and_then_one_per_interval) {
    RateBook book(three_and_one_a_second());
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(book.take(RateKind::messages, start));
    EXPECT_EQ(book.take(RateKind::messages, start), 1000ms);
    EXPECT_EQ(book.take(RateKind::messages, start + 999ms), 1ms);
    EXPECT_FALSE(book.take(RateKind::messages, start + 1000ms));
    EXPECT_EQ(book.take(RateKind::messages, start + 1000ms), 1000ms);
}

TEST(RateBook, fills_up_to_the_burst_and_no_further) {
    RateBook book(three_and_one_a_second());
    for (int i = 0; i < 3; ++i) book.take(RateKind::messages, start);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(book.take(RateKind::messages, start + 1h));
    EXPECT_TRUE(book.take(RateKind::messages, start + 1h));
}

TEST(RateBook, takes_nothing_when_it_says_wait) {
    RateBook book(three_and_one_a_second());
    for (int i = 0; i < 20; ++i) book.take(RateKind::messages, start);
    EXPECT_FALSE(book.take(RateKind::messages, start + 1000ms));
}

TEST(RateBook, keeps_the_kinds_apart) {
    RateBook book(three_and_one_a_second());
    for (int i = 0; i < 4; ++i) book.take(RateKind::messages, start);
    EXPECT_TRUE(book.take(RateKind::messages, start));
    EXPECT_FALSE(book.take(RateKind::requests, start));
}

TEST(RateBook, gives_several_threads_no_more_than_one) {
    RateBook::Rates rates{};
    rates.fill({1000, 1h});
    RateBook book(rates);
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i) taken += !book.take(RateKind::frames, start);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace interlude::test
