#include "tests/sim/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace interlude::sim {

namespace asio = boost::asio;

namespace {
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
}

bool Clock::step(WallTime until) {
    if (queue_.empty() || queue_.begin()->first > until) {
        now_ = until;
        return false;
    }
    auto next = queue_.extract(queue_.begin());
    now_ = next.key();
    next.mapped()();
    return true;
}

asio::awaitable<bool> Timers::sleep_until(base::MonoTime deadline) {
    return sleep_until_wall(clock_.now() + (deadline - clock_.mono()));
}

asio::awaitable<bool> Timers::sleep_until_wall(WallTime deadline) {
    if (deadline <= clock_.now()) co_return true;
    // The timer never fires by itself: the clock cancels it, if the sleeper still lives then.
    auto const timer = std::make_shared<asio::steady_timer>(executor_);
    timer->expires_at(asio::steady_timer::time_point::max());
    clock_.at(deadline, [weak = std::weak_ptr(timer)] {
        if (auto const sleeping = weak.lock()) sleeping->cancel();
    });
    co_await timer->async_wait(use_tuple);
    co_return clock_.now() >= deadline;
}

}  // namespace interlude::sim
