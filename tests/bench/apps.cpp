#include "tests/bench/apps.hpp"

#include <array>
#include <cstring>

#include "common/wire/codec.hpp"
#include "tests/bench/relay_frames.hpp"
#include "tests/bench/stage.hpp"
#include "tests/contract/vfs/pair.hpp"

namespace interlude::bench {

using boost::asio::awaitable;

namespace {

/// Answers that are confirmed together, or those that came within a while (client-cli/engine/link_driver.cpp).
constexpr std::size_t confirmed_together = 32;
constexpr auto confirmed_within = std::chrono::seconds{5};

/// Says which message of which run it is: in request ids, and at the end of ciphertexts.
using Mark = std::array<std::uint64_t, 2>;

/// No earlier run on the same store had it.
std::uint64_t run_number() {
    static std::uint64_t const number = [] {
        crypto::SystemEntropy entropy;
        return entropy.below(UINT64_MAX) + 1;
    }();
    return number;
}

void put_mark(std::span<std::uint8_t> into, std::uint64_t number) {
    Mark const mark{run_number(), number};
    std::memcpy(into.data(), mark.data(), sizeof mark);
}
/// nullopt: of another run.
std::optional<std::uint64_t> number_in(bytes::ByteView from) {
    Mark mark{};
    if (from.size() == sizeof mark) std::memcpy(mark.data(), from.data(), sizeof mark);
    return mark[0] == run_number() ? std::optional(mark[1]) : std::nullopt;
}

/// An MLS message as the server sees it, `size` bytes in all.
bytes::Bytes sealed_message(bytes::Bytes const& group_id, std::size_t size) {
    auto const envelope = test::application_message(group_id, 1, bytes::Bytes(1024)).size() - 1024;
    return test::application_message(group_id, 1, bytes::Bytes(size - envelope, 0x5a));
}

class InterludeApp final : public App {
  public:
    InterludeApp(Network& network, Conversation const& conversation, DeviceKeys const& keys, std::size_t size)
        : network_(network), keys_(keys) {
        send_.conversation = conversation.id;
        send_.epoch = 1;
        send_.mls = sealed_message(conversation.group_id, size);
    }
    ~InterludeApp() override { vanish(); }

    awaitable<bool> come() override {
        link_ = network_.link();
        Login const login{wire::DeviceLogin{keys_.account, keys_.device}, keys_.key};
        return bench::come(link_, login);
    }

    void write(std::uint64_t number) override {
        base::RequestId request;
        put_mark(request.bytes, number);
        put_mark(std::span(send_.mls).last<sizeof(Mark)>(), number);
        link_->send(wire::encode(wire::ClientFrame{request, send_}));
    }

    awaitable<std::optional<News>> next() override {
        for (;;) {
            auto const received = co_await link_->next();
            if (!received) co_return std::nullopt;
            auto const frame = wire::decode_server_frame(*received);
            if (!frame) throw Broken("the server sent a frame that does not decode");
            if (auto const news = take(*frame)) co_return news;
        }
    }

    awaitable<void> publish(wire::SignedDocument hours) override {
        wire::ClientBody body = wire::SchedulePut{std::move(hours)};
        auto answer = co_await ask(link_, std::move(body));
        expect<wire::Done>(std::move(answer));
    }

    void leave() override { link_->finish(); }
    void vanish() override {
        if (link_) link_->cut();
    }
    std::string why() const override { return goodbye_.empty() ? link_->why() : goodbye_; }

  private:
    std::optional<News> take(wire::ServerFrame const& frame) {
        if (auto const* stored = std::get_if<wire::Stored>(&frame.body)) {
            if (stored->holds.empty()) confirm(frame.request);
            return as_news(News::Kind::stored, frame.request.bytes);
        }
        if (std::holds_alternative<wire::Held>(frame.body)) {
            confirm(frame.request);
        } else if (auto const* envelope = std::get_if<wire::Envelope>(&frame.body)) {
            tell(wire::Ack{envelope->conversation, {envelope->seq}});
            if (envelope->mls.size() >= sizeof(Mark))
                return as_news(News::Kind::delivered, bytes::ByteView(envelope->mls).last(sizeof(Mark)));
        } else if (auto const* goodbye = std::get_if<wire::Goodbye>(&frame.body)) {
            goodbye_ = "goodbye " + std::to_string(goodbye->code);
        } else if (std::holds_alternative<wire::Refused>(frame.body) ||
                   std::holds_alternative<wire::Error>(frame.body) ||
                   std::holds_alternative<wire::EpochStale>(frame.body)) {
            return as_news(News::Kind::refused, frame.request.bytes);
        }
        return std::nullopt;
    }
    static std::optional<News> as_news(News::Kind kind, bytes::ByteView mark) {
        auto const number = number_in(mark);
        return number ? std::optional(News{kind, *number}) : std::nullopt;
    }
    void confirm(base::RequestId const& request) {
        if (to_confirm_.empty()) confirms_since_ = Clock::now();
        to_confirm_.push_back(request);
        if (to_confirm_.size() >= confirmed_together || Clock::now() >= confirms_since_ + confirmed_within)
            tell(wire::Confirm{std::exchange(to_confirm_, {})});
    }
    void tell(wire::ClientBody body) { link_->send(wire::encode(wire::ClientFrame{{}, std::move(body)})); }

    Network& network_;
    DeviceKeys const& keys_;
    std::shared_ptr<Link> link_;
    wire::Send send_;
    std::vector<base::RequestId> to_confirm_;
    Instant confirms_since_;
    std::string goodbye_;
};

class RelayApp final : public App {
  public:
    RelayApp(Network& network, std::uint64_t channel, bool reads, std::size_t size)
        : network_(network), channel_(channel), reads_(reads), size_(size) {}
    ~RelayApp() override { vanish(); }

    awaitable<bool> come() override {
        link_ = network_.link();
        bool const up = co_await link_->connect();
        auto hello = relay_frame(RelayKind::hello, channel_, relay_header_bytes + 1);
        hello.back() = reads_ ? 1 : 0;
        if (up) link_->send(std::move(hello));
        co_return up;
    }
    void write(std::uint64_t number) override {
        link_->send(relay_frame(RelayKind::message, number, size_ + send_frame_extra));
    }
    awaitable<std::optional<News>> next() override {
        for (;;) {
            auto const received = co_await link_->next();
            if (!received) co_return std::nullopt;
            if (received->size() < relay_header_bytes) throw Broken("the relay sent half a frame");
            auto const header = read_relay_header(*received);
            if (header.kind == RelayKind::stored) co_return News{News::Kind::stored, header.number};
            if (header.kind == RelayKind::envelope) {
                link_->send(relay_frame(RelayKind::ack, header.number, ack_frame_bytes));
                bytes::ByteView const message = bytes::ByteView(*received).subspan(relay_header_bytes);
                co_return News{News::Kind::delivered, read_relay_header(message).number};
            }
        }
    }
    awaitable<void> publish(wire::SignedDocument) override { throw Broken("a relay knows no hours"); }
    void leave() override { link_->finish(); }
    void vanish() override {
        if (link_) link_->cut();
    }
    std::string why() const override { return link_->why(); }

  private:
    Network& network_;
    std::uint64_t channel_;
    bool reads_;
    std::size_t size_;
    std::shared_ptr<Link> link_;
};

}  // namespace

Pair make_pair_of_apps(Network& network, LoadOptions const& options, World const& world, std::size_t index) {
    if (options.plain_relay)
        return {std::make_unique<RelayApp>(network, index, false, options.size),
                std::make_unique<RelayApp>(network, index, true, options.size)};
    auto const& conversation = world.at(index);
    return {std::make_unique<InterludeApp>(network, conversation, conversation.client, options.size),
            std::make_unique<InterludeApp>(network, conversation, conversation.therapist, options.size)};
}

}  // namespace interlude::bench
