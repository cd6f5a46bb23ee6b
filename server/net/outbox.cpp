#include "server/net/outbox.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/wire/codec.hpp"

namespace interlude::net {

namespace {
constexpr std::uint16_t too_slow = 4408;
constexpr std::uint32_t too_slow_pause_seconds = 10;
}  // namespace

Outbox::Outbox(boost::asio::any_io_executor executor, std::size_t bytes_max) : bytes_max_(bytes_max), wake_(executor) {
    wake_.expires_at(std::chrono::steady_clock::time_point::max());
}

bool Outbox::push(wire::ServerFrame typed) {
    if (state_ != State::open) return false;
    auto frame = wire::encode(typed);
    if (bytes_ + frame.size() > bytes_max_) {  // the peer does not read: nothing more is kept for it in memory
        frames_.clear();
        bytes_ = 0;
        finish(too_slow, too_slow_pause_seconds);
        return false;
    }
    bytes_ += frame.size();
    frames_.push_back(std::move(frame));
    wake_.cancel();
    return true;
}

void Outbox::finish(std::uint16_t close_code, std::uint32_t retry_after_seconds) {
    if (state_ != State::open) return;
    state_ = State::finishing;
    close_code_ = close_code;
    auto goodbye = wire::encode(wire::ServerFrame{{}, wire::Goodbye{close_code, retry_after_seconds}});
    bytes_ += goodbye.size();
    frames_.push_back(std::move(goodbye));
    wake_.cancel();
    drained_.clear();
    if (finishing_) finishing_();
}

void Outbox::when_drained(std::function<void()> drained) {
    if (state_ != State::open) return;
    if (bytes_ < bytes_max_ / 2) {
        drained();
    } else {
        drained_.push_back(std::move(drained));
    }
}

void Outbox::notify_drained() {
    if (drained_.empty() || bytes_ >= bytes_max_ / 2) return;
    auto const waiting = std::move(drained_);
    drained_.clear();
    for (auto const& one : waiting) one();
}

boost::asio::awaitable<std::optional<bytes::Bytes>> Outbox::next() {
    while (frames_.empty() && state_ == State::open)
        co_await wake_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (frames_.empty() || state_ == State::gone) co_return std::nullopt;
    auto frame = std::move(frames_.front());
    frames_.pop_front();
    bytes_ -= frame.size();
    notify_drained();
    co_return frame;
}

void Outbox::abandon() {
    state_ = State::gone;
    frames_.clear();
    bytes_ = 0;
    drained_.clear();
    wake_.cancel();
}

}  // namespace interlude::net
