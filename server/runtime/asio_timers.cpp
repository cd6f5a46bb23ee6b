#include "server/runtime/asio_timers.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "server/ports/use_tuple.hpp"
#include "server/runtime/system_clock.hpp"

namespace interlude::runtime {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
using ports::use_tuple;
constexpr base::Millis wall_look_every = 1s;
}  // namespace

AsioTimers::AsioTimers(asio::any_io_executor executor, base::WallTime mark)
    : executor_(std::move(executor)),
      time_({runtime::wall_now(), runtime::mono_now(), mark, runtime::clock_synchronised()}) {}

base::MonoTime AsioTimers::mono_now() const {
    return runtime::mono_now();
}

core::TimeReading AsioTimers::time() const {
    std::lock_guard const lock(mutex_);
    return time_.at(runtime::mono_now());
}

asio::awaitable<bool> AsioTimers::sleep_until(base::MonoTime deadline) {
    asio::steady_timer timer(executor_);
    timer.expires_after(deadline - runtime::mono_now());
    auto const [cancelled] = co_await timer.async_wait(use_tuple);
    co_return !cancelled;
}

asio::awaitable<bool> AsioTimers::sleep_until_wall(base::WallTime deadline) {
    asio::steady_timer timer(executor_);
    for (auto now = time().now; now < deadline; now = time().now) {
        timer.expires_after(std::min<base::Millis>(deadline - now, wall_look_every));
        auto const [cancelled] = co_await timer.async_wait(use_tuple);
        if (cancelled) co_return false;
    }
    co_return true;
}

core::ServerTime::Event AsioTimers::observe() {
    std::lock_guard const lock(mutex_);
    return time_.observe(runtime::wall_now(), runtime::mono_now());
}

void AsioTimers::confirm() {
    std::lock_guard const lock(mutex_);
    time_.confirm(runtime::wall_now(), runtime::mono_now());
}

base::Millis AsioTimers::skew() const {
    std::lock_guard const lock(mutex_);
    return time_.skew();
}

}  // namespace interlude::runtime
