#include "server/service/janitor.hpp"

namespace interlude::service {

using namespace std::chrono_literals;

namespace {
constexpr auto rest_between_rounds = 60s;
constexpr std::size_t batch_rows = 100;  // what a batch deletes is in memory until it is committed
}  // namespace

boost::asio::awaitable<void> Janitor::run() {
    while (!stopped_) {
        try {
            co_await clear();
            outage_.worked();
        } catch (std::exception const& error) {
            outage_.failed(error);
        }
        for (auto rest = rest_between_rounds; rest > 0s && !stopped_; rest -= 1s)
            co_await timers_.sleep_until(timers_.mono_now() + 1s);
    }
}

boost::asio::awaitable<void> Janitor::clear() {
    bool more = true;
    while (more && !stopped_) {
        auto const expired = co_await store_.expire(batch_rows, entropy_.id<core::Seed>());
        metrics_.add(ports::Counter::envelopes_expired, expired.rows);
        auto const purged = co_await store_.purge(batch_rows, entropy_.id<core::Seed>());
        more = expired.more || purged.more;
    }
}

}  // namespace interlude::service
