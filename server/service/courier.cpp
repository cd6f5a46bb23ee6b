#include "server/service/courier.hpp"

#include "server/ports/use_tuple.hpp"

namespace interlude::service {

namespace asio = boost::asio;

namespace {
using ports::use_tuple;
constexpr std::size_t messages_per_offer_max = 16;
constexpr int told_after = 3;  // attempts: what a busy store did not do is done by then
}  // namespace

Courier::Courier(asio::any_io_executor executor, ports::Store& store, core::DeviceRef device,
                 std::shared_ptr<ports::DeliverySink> sink, Turns offers, ports::Diag& diag, ports::Metrics& metrics,
                 std::chrono::milliseconds pause)
    : store_(store),
      device_(device),
      sink_(std::move(sink)),
      offers_(std::move(offers)),
      metrics_(metrics),
      pause_(pause),
      outage_(diag, metrics, "store_failed_while_delivering", "store_delivers_again"),
      wake_(executor) {}

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
    auto const is_due = [this](base::ConversationId const& id) {
        // What changes while it is read again may have come after the reading.
        if (!troubled_.contains(id) || reading_ == id) due_.insert(id);
    };
    if (conversation) {
        is_due(*conversation);
    } else {
        for (auto const& [id, seen] : seen_) is_due(id);
    }
    wake_.cancel();
}

void Courier::acked(base::ConversationId conversation, std::vector<std::uint64_t> const& seqs) {
    if (reading_ == conversation) acked_meanwhile_.insert(acked_meanwhile_.end(), seqs.begin(), seqs.end());
    forget(conversation, seqs);
}

void Courier::forget(base::ConversationId const& conversation, std::vector<std::uint64_t> const& seqs) {
    auto const found = seen_.find(conversation);
    if (found == seen_.end() || seqs.empty()) return;
    auto& seen = found->second;
    bool const was_full = seen.offered.size() >= core::offered_max;  // the offer stopped there and goes on now
    for (auto const seq : seqs) seen.offered.erase(seq);
    if (was_full || seen.epoch_ended < seen.epoch) changed(conversation);  // an epoch may have ended by them
}

asio::awaitable<void> Courier::sleep() {
    wake_.expires_at(troubled_.empty() ? std::chrono::steady_clock::time_point::max() : try_again_at_);
    co_await wake_.async_wait(use_tuple);
}

void Courier::try_again() {
    auto const now = std::chrono::steady_clock::now();
    if (troubled_.empty() || now < try_again_at_) return;
    for (auto const& [id, attempts] : troubled_) due_.insert(id);
    try_again_at_ = now + pause_;
}

void Courier::failed(base::ConversationId const& conversation, std::exception const& error) {
    outage_.failed(error);
    if (troubled_.empty()) try_again_at_ = std::chrono::steady_clock::now() + pause_;
    if (++troubled_[conversation] != told_after) return;
    auto const seconds = std::chrono::ceil<std::chrono::seconds>(pause_).count();
    sink_->push({{}, wire::Error{wire::ErrorCode::store, static_cast<std::uint32_t>(seconds)}});
}

void Courier::worked(base::ConversationId const& conversation) {
    if (troubled_.erase(conversation) > 0 && troubled_.empty()) outage_.worked();
}

asio::awaitable<void> Courier::run() {
    while (!stopped_ && sink_->open()) {
        try_again();
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
        try {
            co_await offer(conversation);
            worked(conversation);
        } catch (std::exception const& error) {
            failed(conversation, error);
        }
        reading_.reset();
    }
}

asio::awaitable<void> Courier::offer(base::ConversationId conversation) {
    co_await drained();
    auto const turn = co_await offers_.take();
    if (stopped_) co_return;
    ports::OfferRequest request;
    request.device = device_;
    request.conversation = conversation;
    request.seen = seen_[conversation];
    request.documents = documents_;
    request.messages_max = messages_per_offer_max;
    acked_meanwhile_.clear();
    reading_ = conversation;
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
    forget(conversation, acked_meanwhile_);
}

asio::awaitable<void> Courier::drained() {
    // The sink may call back after we are gone, or never: it holds a weak reference, and stop() wakes us too.
    auto const ready = std::make_shared<bool>(false);
    std::function<void()> on_drained = [ready, weak = weak_from_this()] {
        *ready = true;
        if (auto const self = weak.lock()) self->wake_.cancel();
    };
    sink_->when_drained(std::move(on_drained));
    while (!*ready && !stopped_ && sink_->open()) {
        wake_.expires_at(std::chrono::steady_clock::time_point::max());
        co_await wake_.async_wait(use_tuple);
    }
}

void Courier::stop() {
    stopped_ = true;
    wake_.cancel();
}

}  // namespace interlude::service
