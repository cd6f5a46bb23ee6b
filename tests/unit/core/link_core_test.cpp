// One link, frame by frame: how it logs in, what is legal when, how fast, and how it ends.
#include "server/core/link_core.hpp"

#include <gtest/gtest.h>

#include "common/crypto/entropy.hpp"
#include "common/identity/login.hpp"
#include "tests/unit/core/parts.hpp"

namespace interlude::test {
namespace {

using namespace core;
using wire::ErrorCode;

constexpr std::uint64_t size_seen = 17;

RequestId request(std::uint8_t number) {
    RequestId id;
    id.bytes[0] = number;
    return id;
}

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
    void log_in(std::shared_ptr<RateBook> rates = nullptr) {
        give(device_hello(), 1, hello_bytes);
        core.on_device_facts(DeviceFacts{key.public_key(), false}, std::move(rates));
        ASSERT_TRUE(std::holds_alternative<Welcomed>(give(wire::Authenticate{signature()}, 2)));
    }
    void come_invited(std::shared_ptr<RateBook> rates = nullptr) {
        give(hello(invitation), 1, hello_bytes);
        core.on_invitation_facts(InvitationKeyFacts{key.public_key()}, std::move(rates));
        identity::LinkFacts const facts{settings.server_name, nonce, hello_bytes};
        auto const signature = bytes::copy(identity::sign_invited_login(key, facts).span());
        ASSERT_TRUE(std::holds_alternative<Welcomed>(give(wire::Authenticate{signature}, 2)));
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

// ---- Logging in ----------------------------------------------------------------------------------------------------

TEST_F(Link, begins_with_the_servers_nonce_name_and_time) {
    auto const frame = core.nonce_frame(monday_noon);
    EXPECT_TRUE(frame.request.is_zero());
    EXPECT_EQ(std::get<wire::Nonce>(frame.body), (wire::Nonce{nonce, "interlude.example", monday_noon}));
    EXPECT_EQ(core.state(), LinkState::fresh);
}

TEST_F(Link, of_a_device_loads_facts_and_welcomes_whoever_signed_the_hello_as_it_was_sent) {
    auto const loading = give(device_hello(), 1, hello_bytes);
    ASSERT_TRUE(std::holds_alternative<LoadFacts>(loading));
    EXPECT_EQ(std::get<DeviceRef>(std::get<LoadFacts>(loading).who), login);
    EXPECT_EQ(core.state(), LinkState::hello_received);
    core.on_device_facts(DeviceFacts{key.public_key(), false});
    auto const step = give(wire::Authenticate{signature()}, 2);
    ASSERT_TRUE(std::holds_alternative<Welcomed>(step));
    auto const& welcomed = std::get<Welcomed>(step);
    EXPECT_EQ(welcomed.request, request(2));
    EXPECT_EQ(std::get<DeviceRef>(welcomed.who), login);
    EXPECT_EQ(welcomed.log_size_seen, size_seen);
    EXPECT_EQ(welcomed.confirmed, std::vector{request(99)});
    EXPECT_EQ(core.state(), LinkState::authenticated);
}

TEST_F(Link, of_an_invitee_is_welcomed_as_one) {
    come_invited();
    EXPECT_EQ(core.state(), LinkState::invited);
    auto const step = give(wire::Redeem{}, 3);
    ASSERT_TRUE(submitted(step));
    EXPECT_EQ(std::get<InvitationId>(std::get<Submit>(step).who), invitation);
}

TEST_F(Link, ends_alike_for_unknown_wrongly_signed_and_stolen_logins) {
    auto const ends = [this](std::optional<DeviceFacts> facts, Bytes const& proof, Bytes const& raw) {
        core = LinkCore(settings, nonce);
        give(device_hello(), 1, raw);
        core.on_device_facts(std::move(facts));
        auto const step = give(wire::Authenticate{proof}, 2);
        EXPECT_EQ(core.state(), LinkState::closing);
        return closed_with(step);
    };
    DeviceFacts const facts{key.public_key(), false};
    auto other = signature();
    other[7] ^= 1;
    EXPECT_EQ(ends(std::nullopt, signature(), hello_bytes), close_code::not_authenticated);
    EXPECT_EQ(ends(facts, other, hello_bytes), close_code::not_authenticated);
    EXPECT_EQ(ends(facts, {}, hello_bytes), close_code::not_authenticated);
    EXPECT_EQ(ends(facts, signature(), Bytes(80, 1)), close_code::not_authenticated);  // another hello
    auto const stranger = crypto::SigningKey::generate(entropy);
    EXPECT_EQ(ends(DeviceFacts{stranger.public_key(), false}, signature(), hello_bytes), close_code::not_authenticated);
    nonce[0] ^= 1;  // a replay on another link
    auto const replayed = signature();
    nonce[0] ^= 1;
    EXPECT_EQ(ends(facts, replayed, hello_bytes), close_code::not_authenticated);
}

TEST_F(Link, of_a_suspended_account_ends_as_removed_once_it_proved_who_it_is) {
    give(device_hello(), 1, hello_bytes);
    core.on_device_facts(DeviceFacts{key.public_key(), true});
    EXPECT_EQ(closed_with(give(wire::Authenticate{signature()}, 2)), close_code::removed);
}

TEST_F(Link, of_another_version_ends_as_such) {
    auto other = device_hello();
    other.version = wire::protocol_version + 1;
    EXPECT_EQ(closed_with(give(other)), close_code::version);
}

// ---- What is legal when --------------------------------------------------------------------------------------------

template <std::size_t... Body>
std::vector<wire::ClientBody> one_of_each(std::index_sequence<Body...>) {
    return {wire::ClientBody(std::in_place_index<Body>)...};
}
std::vector<wire::ClientBody> const all_frames =
    one_of_each(std::make_index_sequence<std::variant_size_v<wire::ClientBody>>());

TEST_F(Link, treats_every_frame_in_every_state_as_the_table_says) {
    enum class Role { nobody, greeted, device, invitee, ended };
    for (auto const role : {Role::nobody, Role::greeted, Role::device, Role::invitee, Role::ended}) {
        for (auto const& body : all_frames) {
            SCOPED_TRACE(std::to_string(static_cast<int>(role)) + ", frame " + std::to_string(body.index()));
            core = LinkCore(settings, nonce);
            if (role == Role::greeted) give(device_hello(), 1, hello_bytes);
            if (role == Role::device || role == Role::ended) log_in();
            if (role == Role::invitee) come_invited();
            if (role == Role::ended) core.on_closing();
            auto const before = core.state();
            // A key that never verifies: a greeted link's authenticate is legal, and ends all the same.
            auto const step = is_answered(body) ? give(body, 5) : unanswered(body);
            switch (legality(before, body.index())) {
                case Legality::legal:
                    if (before == LinkState::fresh)
                        EXPECT_TRUE(std::holds_alternative<LoadFacts>(step));
                    else if (before == LinkState::hello_received)
                        EXPECT_EQ(closed_with(step), close_code::not_authenticated);
                    else
                        EXPECT_TRUE(submitted(step) || error_in(step)->code == ErrorCode::too_fast);
                    break;
                case Legality::not_yet:
                    EXPECT_EQ(error_in(step)->code, ErrorCode::not_yet);
                    EXPECT_EQ(core.state(), before);
                    break;
                case Legality::not_allowed:
                    if (is_answered(body))
                        EXPECT_EQ(error_in(step)->code, ErrorCode::not_allowed);
                    else
                        EXPECT_TRUE(std::holds_alternative<Ignore>(step));
                    EXPECT_EQ(core.state(), before);
                    break;
                case Legality::ends_link:
                    EXPECT_EQ(closed_with(step), before == LinkState::fresh || before == LinkState::hello_received
                                                     ? close_code::not_authenticated
                                                     : close_code::malformed);
                    break;
                case Legality::ignored:
                    EXPECT_TRUE(std::holds_alternative<Ignore>(step));
                    break;
            }
        }
    }
}

TEST_F(Link, of_a_device_may_do_everything_but_log_in_and_redeem) {
    int legal = 0;
    for (auto const& body : all_frames) legal += legality(LinkState::authenticated, body.index()) == Legality::legal;
    EXPECT_EQ(legal, static_cast<int>(all_frames.size()) - 2 - 4 - 1);  // login; later versions'; redeem
}

TEST_F(Link, of_an_invitee_may_look_fetch_and_redeem_and_nothing_else) {
    std::set<std::size_t> legal;
    for (auto const& body : all_frames)
        if (legality(LinkState::invited, body.index()) == Legality::legal) legal.insert(body.index());
    EXPECT_EQ(legal,
              (std::set{wire::ClientBody(wire::DeviceListGet{}).index(),
                        wire::ClientBody(wire::KeyPackagesFetch{}).index(), wire::ClientBody(wire::Redeem{}).index()}));
}

TEST_F(Link, ends_at_a_request_without_an_id_and_at_bytes_that_are_no_frame) {
    log_in();
    EXPECT_EQ(closed_with(unanswered(wire::InvitationList{})), close_code::malformed);
    core = LinkCore(settings, nonce);
    EXPECT_EQ(closed_with(core.on_bad_frame()), close_code::malformed);
    EXPECT_TRUE(std::holds_alternative<Ignore>(core.on_bad_frame()));
}

TEST_F(Link, carries_the_stamp_of_a_frame_to_its_decision) {
    log_in();
    auto const step = core.on_frame({request(5), wire::Send{}}, {}, now, monday_noon + 7ms);
    ASSERT_TRUE(submitted(step));
    EXPECT_EQ(std::get<Submit>(step).stamp, monday_noon + 7ms);
    EXPECT_EQ(std::get<DeviceRef>(std::get<Submit>(step).who), login);
}

// ---- How much at once, how fast ------------------------------------------------------------------------------------

TEST_F(Link, takes_a_request_once_while_it_is_being_answered) {
    log_in();
    EXPECT_TRUE(submitted(give(wire::Send{}, 5)));
    EXPECT_TRUE(std::holds_alternative<Ignore>(give(wire::Send{}, 5)));
    EXPECT_EQ(core.in_flight(), 1u);
    core.on_answered(request(5));
    EXPECT_EQ(core.in_flight(), 0u);
    EXPECT_TRUE(submitted(give(wire::Send{}, 5)));
}

TEST_F(Link, has_no_more_in_flight_than_the_limit) {
    log_in();
    for (std::uint8_t i = 0; i < settings.in_flight_max; ++i)
        EXPECT_TRUE(submitted(give(wire::Send{}, static_cast<std::uint8_t>(10 + i))));
    auto const error = error_in(give(wire::Send{}, 200));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::overloaded);
    EXPECT_GT(error->retry_after_seconds, 0u);
    EXPECT_TRUE(submitted(unanswered(wire::Ack{})));  // needs no answer
    core.on_answered(request(10));
    EXPECT_TRUE(submitted(give(wire::Send{}, 200)));
}

TEST_F(Link, may_send_sixty_messages_at_once_and_one_a_second) {
    log_in();
    auto const send = [this](std::uint8_t number) {
        auto step = give(wire::Send{}, number);
        core.on_answered(request(number));
        return step;
    };
    for (std::uint8_t i = 1; i <= 60; ++i) EXPECT_TRUE(submitted(send(i)));
    auto const error = error_in(send(61));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::too_fast);
    EXPECT_EQ(error->retry_after_seconds, 1u);
    now += 999ms;
    EXPECT_FALSE(submitted(send(61)));
    now += 1ms;
    EXPECT_TRUE(submitted(send(61)));
    EXPECT_FALSE(submitted(send(62)));
    EXPECT_TRUE(submitted(give(wire::InvitationList{}, 70)));  // counted apart
}

TEST_F(Link, ends_when_too_fast_is_answered_too_often) {
    log_in();
    for (std::uint8_t i = 1; i <= 60; ++i) {
        give(wire::Send{}, i);
        core.on_answered(request(i));
    }
    for (int i = 0; i < settings.too_fast_max; ++i) EXPECT_TRUE(error_in(give(wire::Send{}, 100)));
    EXPECT_EQ(closed_with(give(wire::Send{}, 100)), close_code::too_fast);
    EXPECT_EQ(core.state(), LinkState::closing);
}

TEST_F(Link, ends_at_a_flood_of_frames) {
    settings.device_rates[static_cast<std::size_t>(RateKind::frames)] = {5, 3600s};
    core = LinkCore(settings, nonce);
    log_in();
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(closed_with(give(wire::CheckpointGet{}, 3)));
    EXPECT_EQ(closed_with(give(wire::CheckpointGet{}, 3)), close_code::too_fast);
    EXPECT_TRUE(std::holds_alternative<Ignore>(unanswered(wire::Ack{})));
}

TEST_F(Link, ends_at_a_flood_of_acks) {
    settings.device_rates[static_cast<std::size_t>(RateKind::acks)] = {3, 1000ms};
    core = LinkCore(settings, nonce);
    log_in();
    EXPECT_TRUE(submitted(unanswered(wire::Ack{})));
    EXPECT_TRUE(submitted(unanswered(wire::LogAck{})));
    EXPECT_TRUE(submitted(unanswered(wire::Confirm{})));
    now += 1s;
    EXPECT_TRUE(submitted(unanswered(wire::HandshakeAck{})));
    EXPECT_EQ(closed_with(unanswered(wire::Ack{})), close_code::too_fast);
}

TEST_F(Link, asks_for_each_ack_of_a_frame_once) {
    log_in();
    auto const step = unanswered(wire::Ack{{}, {3, 1, 3, 3, 1}});
    ASSERT_TRUE(submitted(step));
    EXPECT_EQ(std::get<wire::Ack>(std::get<Submit>(step).frame.body).seqs, (std::vector<std::uint64_t>{1, 3}));
}

TEST_F(Link, spends_nothing_of_a_device_before_it_proved_to_be_it) {
    settings.device_rates[static_cast<std::size_t>(RateKind::frames)] = {2, 3600s};
    auto const rates = std::make_shared<RateBook>(settings.device_rates);
    for (int stranger = 0; stranger < 10; ++stranger) {
        core = LinkCore(settings, nonce);
        give(device_hello(), 1, hello_bytes);
        core.on_device_facts(DeviceFacts{key.public_key(), false}, rates);
        EXPECT_EQ(closed_with(give(wire::Authenticate{Bytes(64)}, 2)), close_code::not_authenticated);
    }
    core = LinkCore(settings, nonce);
    log_in(rates);
    EXPECT_TRUE(submitted(give(wire::CheckpointGet{}, 3)));
}

TEST_F(Link, shares_its_rate_with_the_other_links_of_its_device) {
    auto const rates = std::make_shared<RateBook>(settings.device_rates);
    log_in(rates);
    for (std::uint8_t i = 1; i <= 60; ++i) {
        give(wire::Send{}, i);
        core.on_answered(request(i));
    }
    core = LinkCore(settings, nonce);
    log_in(rates);
    EXPECT_EQ(error_in(give(wire::Send{}, 5))->code, ErrorCode::too_fast);
}

TEST_F(Link, of_an_invitee_shares_its_tries_with_every_other_link_of_the_invitation) {
    auto const rates = std::make_shared<RateBook>(settings.invited_rates);
    come_invited(rates);
    for (std::uint8_t i = 1; i <= 10; ++i) {
        EXPECT_TRUE(submitted(give(wire::Redeem{}, i)));
        core.on_answered(request(i));
    }
    core = LinkCore(settings, nonce);
    come_invited(rates);
    EXPECT_EQ(error_in(give(wire::Redeem{}, 5))->code, ErrorCode::too_fast);
}

}  // namespace
}  // namespace interlude::test
