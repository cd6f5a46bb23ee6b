#include "server/service/turns.hpp"

#include "server/ports/use_tuple.hpp"

namespace interlude::service {

namespace asio = boost::asio;

Turns::Turns(asio::any_io_executor executor, std::size_t at_once)
    : state_(std::make_shared<State>(State{std::move(executor), at_once, {}})) {}

asio::awaitable<Turns::Turn> Turns::take() {
    auto const state = state_;
    if (state->free > 0) {
        --state->free;
    } else {
        auto const turn = std::make_shared<asio::steady_timer>(state->executor);
        turn->expires_at(std::chrono::steady_clock::time_point::max());
        state->waiting.push_back(turn);
        co_await turn->async_wait(ports::use_tuple);
    }
    co_return Turn(state);
}

Turns::Turn::~Turn() {
    if (!state_) return;
    if (state_->waiting.empty()) {
        ++state_->free;
        return;
    }
    auto const next = state_->waiting.front();
    state_->waiting.pop_front();
    next->cancel();
}

}  // namespace interlude::service
