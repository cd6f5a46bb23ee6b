// A link that logs in as anybody, frame by frame, with a clock moved by hand.
#pragma once

#include <gtest/gtest.h>

#include "common/crypto/entropy.hpp"
#include "common/identity/login.hpp"
#include "server/core/link_core.hpp"
#include "tests/unit/core/parts.hpp"

namespace interlude::test {

using namespace core;

inline constexpr std::uint64_t size_seen = 17;

inline RequestId request(std::uint8_t number) {
    RequestId id;
    id.bytes[0] = number;
    return id;
}

inline constexpr LinkState all_states[] = {LinkState::fresh,  LinkState::hello_received, LinkState::therapist,
                                           LinkState::client, LinkState::invited,        LinkState::closing};

class Link : public testing::Test {
  protected:
    Step give(wire::ClientBody body, std::uint8_t number = 1, Bytes const& raw = {}) {
        return core.on_frame({request(number), std::move(body)}, raw, now, monday_noon);
    }
    Step unanswered(wire::ClientBody body) {
        return core.on_frame({RequestId{}, std::move(body)}, {}, now, monday_noon);
    }
    wire::Hello hello(std::variant<wire::DeviceLogin, InvitationId> who) {
        wire::Hello hello;
        hello.who = who;
        hello.log_size_seen = size_seen;
        hello.confirmed = {request(99)};
        return hello;
    }
    wire::Hello device_hello() { return hello(wire::DeviceLogin{login.account, login.device}); }
    Bytes signature() const {
        identity::LinkFacts const facts{settings.server_name, nonce, hello_bytes};
        return bytes::copy(identity::sign_login(key, facts, login.account, login.device).span());
    }
    void be_known(Side side = Side::therapist, std::shared_ptr<RateBook> rates = nullptr) {
        give(device_hello(), 1, hello_bytes);
        core.on_device_facts(DeviceFacts{key.public_key(), side, false}, std::move(rates));
    }
    void log_in(Side side = Side::therapist, std::shared_ptr<RateBook> rates = nullptr) {
        be_known(side, std::move(rates));
        ASSERT_TRUE(std::holds_alternative<Welcomed>(give(wire::Authenticate{signature()}, 2)));
    }
    void come_invited(std::shared_ptr<RateBook> rates = nullptr) {
        give(hello(invitation), 1, hello_bytes);
        core.on_invitation_facts(InvitationKeyFacts{key.public_key()}, std::move(rates));
        identity::LinkFacts const facts{settings.server_name, nonce, hello_bytes};
        auto const signature = bytes::copy(identity::sign_invited_login(key, facts).span());
        ASSERT_TRUE(std::holds_alternative<Welcomed>(give(wire::Authenticate{signature}, 2)));
    }
    /// A new link, in this state.
    void come_to(LinkState state) {
        core = LinkCore(settings, nonce);
        switch (state) {
            case LinkState::fresh:
                break;
            case LinkState::hello_received:
                be_known();
                break;
            case LinkState::therapist:
                log_in(Side::therapist);
                break;
            case LinkState::client:
                log_in(Side::client);
                break;
            case LinkState::invited:
                come_invited();
                break;
            case LinkState::closing:
                core.on_closing();
                break;
        }
        ASSERT_EQ(core.state(), state);
    }
    static std::optional<std::uint16_t> closed_with(Step const& step) {
        auto const* close = std::get_if<CloseLink>(&step);
        return close ? std::optional(close->code) : std::nullopt;
    }
    static std::optional<wire::Error> error_in(Step const& step) {
        auto const* reply = std::get_if<Reply>(&step);
        auto const* error = reply ? std::get_if<wire::Error>(&reply->frame.body) : nullptr;
        return error ? std::optional(*error) : std::nullopt;
    }
    static std::optional<wire::Refused> refusal_in(Step const& step) {
        auto const* reply = std::get_if<Reply>(&step);
        auto const* refused = reply ? std::get_if<wire::Refused>(&reply->frame.body) : nullptr;
        return refused ? std::optional(*refused) : std::nullopt;
    }
    static bool submitted(Step const& step) { return std::holds_alternative<Submit>(step); }

    crypto::SeededEntropy entropy{3};
    crypto::SigningKey key = crypto::SigningKey::generate(entropy);
    DeviceRef login{entropy.id<AccountId>(), entropy.id<DeviceId>()};
    InvitationId invitation = entropy.id<InvitationId>();
    Bytes nonce = entropy.bytes(32);
    Bytes hello_bytes = entropy.bytes(80);
    LinkSettings settings = [] {
        LinkSettings usual;
        usual.server_name = "interlude.example";
        return usual;
    }();
    LinkCore core{settings, nonce};
    base::MonoTime now = base::mono_ms(1'000'000);
};

}  // namespace interlude::test
