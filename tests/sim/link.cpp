#include "tests/sim/link.hpp"

#include "common/base/limits.hpp"
#include "common/wire/codec.hpp"

namespace interlude::sim {

using namespace std::chrono_literals;

Millis Weather::delay(Story& story) {
    if (calm) return Millis{dice.between(1, 20)};
    if (dice.one_in(150)) {
        story.count(Happening::frame_delayed);
        return Millis{dice.between(1'000, 40'000)};
    }
    return Millis{dice.between(2, 120)};
}

Link::Link(Clock& clock, Story& story, Weather& weather, Witness& witness, Receiver& receiver, std::string who)
    : clock_(clock), story_(story), weather_(weather), witness_(witness), receiver_(&receiver) {
    seen_.who = std::move(who);
}

void Link::accept(std::unique_ptr<service::LinkHost> host) {
    host_ = std::move(host);
    host_->opened();
}

bool Link::push(wire::ServerFrame frame) {
    witness_.server_said(seen_, frame);
    if (!open()) return false;
    auto message = wire::encode(frame);
    if (!wire::decode_server_frame(message))
        story_.fail("the server made a frame of kind " + std::to_string(frame.body.index()) + " that nobody can read");
    under_way_ += message.size();
    if (under_way_ > base::limits::outbox_bytes_max) {
        finish(4408, 1);
        return false;
    }
    last_down_ = std::max(last_down_, clock_.now() + weather_.delay(story_));
    clock_.at(last_down_, [self = shared_from_this(), message = std::move(message)] { self->arrive_at_app(message); });
    return true;
}

void Link::finish(std::uint16_t close_code, std::uint32_t retry_after_seconds) {
    if (!open()) return;
    push({{}, wire::Goodbye{close_code, retry_after_seconds}});
    finished_ = true;
    last_down_ = std::max(last_down_, clock_.now() + 1ms);
    clock_.at(last_down_, [self = shared_from_this()] { self->end_at_app(); });
    clock_.after(1ms, [self = shared_from_this()] { self->end_at_server(); });
}

void Link::when_drained(std::function<void()> drained) {
    if (!open()) return;
    if (under_way_ < base::limits::outbox_bytes_max / 2)
        drained();
    else
        drained_.push_back(std::move(drained));
}

void Link::server_died() {
    host_.reset();
    drained_.clear();
    if (std::exchange(cut_, true)) return;
    down_dead_ = true;
    clock_.after(Millis{weather_.dice.between(1, 30'000)}, [self = shared_from_this()] { self->end_at_app(); });
}

void Link::send(Bytes message) {
    if (cut_) {
        story_.count(Happening::frames_lost);
        return;
    }
    last_up_ = std::max(last_up_, clock_.now() + weather_.delay(story_));
    clock_.at(last_up_, [self = shared_from_this(), message = std::move(message)] { self->arrive_at_server(message); });
}

void Link::hang_up() {
    receiver_ = nullptr;
    if (std::exchange(cut_, true)) return;
    last_up_ = std::max(last_up_, clock_.now() + 1ms);
    clock_.at(last_up_, [self = shared_from_this()] { self->end_at_server(); });
}

void Link::cut() {
    if (std::exchange(cut_, true)) return;
    story_.count(Happening::cut);
    story_.tell(clock_time(clock_.now()) + " " + seen_.who + ": link cut");
    up_dead_ = weather_.dice.one_in(2);
    down_dead_ = true;
    auto const notices = [&] { return Millis{weather_.dice.one_in(2) ? 1 : weather_.dice.between(1, 60'000)}; };
    clock_.after(notices(), [self = shared_from_this()] { self->end_at_app(); });
    auto const server_notices = std::max(clock_.now() + notices(), last_up_ + 1ms);
    clock_.at(server_notices, [self = shared_from_this()] { self->end_at_server(); });
}

void Link::arrive_at_server(Bytes const& message) {
    if (!host_ || up_dead_) return story_.count(Happening::frames_lost);
    witness_.app_said(seen_, message);
    host_->on_message(message);
}

void Link::arrive_at_app(Bytes const& message) {
    under_way_ -= message.size();
    if (!drained_.empty() && open() && under_way_ < base::limits::outbox_bytes_max / 2)
        for (auto const& drained : std::exchange(drained_, {})) drained();
    if (down_dead_ || !receiver_) return story_.count(Happening::frames_lost);
    receiver_->on_message(*this, message);
}

void Link::end_at_server() {
    if (!host_) return;
    auto const host = std::move(host_);
    host->closed();
    drained_.clear();
}

void Link::end_at_app() {
    cut_ = true;
    if (receiver_) std::exchange(receiver_, nullptr)->on_end(*this);
}

}  // namespace interlude::sim
