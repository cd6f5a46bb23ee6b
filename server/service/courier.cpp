#include "server/service/courier.hpp"

#include "server/ports/use_tuple.hpp"

namespace interlude::service {

namespace asio = boost::asio;

namespace {
using ports::use_tuple;
}

Courier::Courier(asio::any_io_executor executor, ports::Store& store, core::DeviceRef device,
                 std::shared_ptr<ports::DeliverySink> sink, ports::Diag& diag, ports::Metrics& metrics)
    : store_(store), device_(device), sink_(std::move(sink)), diag_(diag), metrics_(metrics), wake_(executor) {
    wake_.expires_at(std::chrono::steady_clock::time_point::max());
}

void Courier::began_with(std::vector<wire::ConversationState> const& conversations) {
    for (auto const& state : conversations) {
        auto& seen = seen_[state.conversation];
        seen.known = true;
        seen.generation = state.generation;
        seen.epoch = state.epoch;
        seen.closed = state.closed;
        due_.insert(state.conversation);
    }
}

void Courier::changed(std::optional<base::ConversationId> conversation) {
    if (stopped_) return;
    if (conversation) {
        due_.insert(*conversation);
    } else {
        for (auto const& [id, seen] : seen_) due_.insert(id);
    }
    wake_.cancel();
}

void Courier::acked(base::ConversationId conversation, std::vector<std::uint64_t> const& seqs) {
    auto const found = seen_.find(conversation);
    if (found == seen_.end()) return;
    auto& seen = found->second;
    bool const was_full = seen.offered.size() >= core::offered_max;  // the offer stopped there and goes on now
    for (auto const seq : seqs) seen.offered.erase(seq);
    // An offer under way may have been read before these acks; an epoch may have ended by them.
    if (was_full || offering_ == conversation || seen.epoch_ended < seen.epoch) changed(conversation);
}

asio::awaitable<void> Courier::sleep() {
    co_await wake_.async_wait(use_tuple);
}

asio::awaitable<void> Courier::run() {
    while (!stopped_ && sink_->open()) {
        if (due_.empty()) {
            co_await sleep();
            continue;
        }
        // In turn: one that always has more must not starve those after it.
        auto next = due_.upper_bound(last_offered_);
        if (next == due_.end()) next = due_.begin();
        auto const conversation = *next;
        due_.erase(next);
        last_offered_ = conversation;
        offering_ = conversation;
        co_await offer(conversation);
        offering_.reset();
    }
}

asio::awaitable<void> Courier::offer(base::ConversationId conversation) {
    co_await drained();
    if (stopped_) co_return;
    ports::OfferRequest request;
    request.device = device_;
    request.conversation = conversation;
    request.seen = seen_[conversation];
    request.documents = documents_;
    auto offer = co_await store_.offer_from(std::move(request));
    if (!offer.member) {
        seen_.erase(conversation);
        co_return;
    }
    for (auto& item : offer.items) {
        if (std::holds_alternative<wire::Envelope>(item)) metrics_.add(ports::Counter::envelopes_offered);
        auto body = std::visit([](auto& typed) { return wire::ServerBody(std::move(typed)); }, item);
        wire::ServerFrame frame{{}, std::move(body)};
        if (!sink_->push(std::move(frame))) co_return;
    }
    seen_[conversation] = std::move(offer.seen);
    documents_ = std::move(offer.documents);
    if (offer.more) due_.insert(conversation);
}

asio::awaitable<void> Courier::drained() {
    // The sink may call back after we are gone, or never: it holds a weak reference, and stop() wakes us too.
    auto const ready = std::make_shared<bool>(false);
    std::function<void()> on_drained = [ready, weak = weak_from_this()] {
        *ready = true;
        if (auto const self = weak.lock()) self->wake_.cancel();
    };
    sink_->when_drained(std::move(on_drained));
    while (!*ready && !stopped_ && sink_->open()) co_await sleep();
}

void Courier::stop() {
    stopped_ = true;
    wake_.cancel();
}

}  // namespace interlude::service
