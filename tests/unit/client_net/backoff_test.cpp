// The pauses between links.
#include "client-cli/net/backoff.hpp"

#include <gtest/gtest.h>

namespace interlude::test {
namespace {

using client_net::Backoff;
using namespace std::chrono_literals;

TEST(Pauses, GrowWithEveryFailureUpToABound) {
    Backoff backoff;
    auto last = backoff.next(0);
    EXPECT_GE(last, Backoff::first / 2);
    for (int i = 0; i < 20; ++i) {
        auto const pause = backoff.next(0);
        EXPECT_GE(pause, last);
        last = pause;
    }
    EXPECT_GE(last, Backoff::most / 2);
    for (std::uint32_t random = 0; random < 5000; random += 7) EXPECT_LE(backoff.next(random), Backoff::most);
}

TEST(Pauses, AreShortAgainAfterALinkThatWorked) {
    Backoff backoff;
    for (int i = 0; i < 20; ++i) backoff.next(0);
    backoff.worked();
    EXPECT_LE(backoff.next(1023), Backoff::first);
}

TEST(Pauses, DifferFromAppToApp) {
    Backoff one;
    Backoff other;
    EXPECT_NE(one.next(1), other.next(900));
}

TEST(Pauses, RespectWhatTheServerAskedForOnce) {
    Backoff backoff;
    backoff.asked(10s);
    EXPECT_EQ(backoff.next(0), 10s);
    EXPECT_LT(backoff.next(0), 1s);
    backoff.asked(24h);
    EXPECT_EQ(backoff.next(0), Backoff::most);
}

}  // namespace
}  // namespace interlude::test
