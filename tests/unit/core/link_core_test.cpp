// One link, frame by frame: how it logs in, what is legal when, how fast, and how it ends.
#include "common/wire/codec.hpp"
#include "server/core/refusals.hpp"
#include "tests/unit/core/link.hpp"

namespace interlude::test {
namespace {

using wire::ErrorCode;

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
    core.on_device_facts(DeviceFacts{key.public_key(), Side::client, false});
    auto const step = give(wire::Authenticate{signature()}, 2);
    ASSERT_TRUE(std::holds_alternative<Welcomed>(step));
    auto const& welcomed = std::get<Welcomed>(step);
    EXPECT_EQ(welcomed.request, request(2));
    EXPECT_EQ(std::get<DeviceRef>(welcomed.who), login);
    EXPECT_EQ(welcomed.log_size_seen, size_seen);
    EXPECT_EQ(welcomed.confirmed, std::vector{request(99)});
    EXPECT_EQ(core.state(), LinkState::client);
}

TEST_F(Link, of_a_device_knows_its_side) {
    log_in(Side::therapist);
    EXPECT_EQ(core.state(), LinkState::therapist);
    core = LinkCore(settings, nonce);
    log_in(Side::client);
    EXPECT_EQ(core.state(), LinkState::client);
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
    DeviceFacts const facts{key.public_key(), Side::client, false};
    auto other = signature();
    other[7] ^= 1;
    EXPECT_EQ(ends(std::nullopt, signature(), hello_bytes), close_code::not_authenticated);
    EXPECT_EQ(ends(facts, other, hello_bytes), close_code::not_authenticated);
    EXPECT_EQ(ends(facts, {}, hello_bytes), close_code::not_authenticated);
    EXPECT_EQ(ends(facts, signature(), Bytes(80, 1)), close_code::not_authenticated);  // another hello
    auto const stranger = crypto::SigningKey::generate(entropy);
    EXPECT_EQ(ends(DeviceFacts{stranger.public_key(), Side::client, false}, signature(), hello_bytes),
              close_code::not_authenticated);
    nonce[0] ^= 1;  // a replay on another link
    auto const replayed = signature();
    nonce[0] ^= 1;
    EXPECT_EQ(ends(facts, replayed, hello_bytes), close_code::not_authenticated);
}

TEST_F(Link, of_a_suspended_account_ends_as_removed_once_it_proved_who_it_is) {
    give(device_hello(), 1, hello_bytes);
    core.on_device_facts(DeviceFacts{key.public_key(), Side::client, true});
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

std::set<std::string_view> frames_that_are(Legality what, LinkState state) {
    std::set<std::string_view> found;
    for (auto const& body : all_frames)
        if (legality(state, body.index()) == what) found.insert(wire::name(body));
    return found;
}

TEST_F(Link, treats_every_frame_in_every_state_as_the_table_says) {
    for (auto const state : all_states) {
        for (auto const& body : all_frames) {
            auto const legal = legality(state, body.index());
            SCOPED_TRACE(std::string(wire::name(body)) + " when " + std::string(name(state)) + " is " +
                         std::string(name(legal)));
            come_to(state);
            auto const step = is_answered(body) ? give(body, 5) : unanswered(body);
            bool const before_login = state == LinkState::fresh || state == LinkState::hello_received;
            // Only what is legal after the login reaches a service.
            if (legal != Legality::legal || before_login) {
                EXPECT_FALSE(submitted(step));
                EXPECT_EQ(core.in_flight(), 0u);
            }
            switch (legal) {
                case Legality::legal:
                    if (state == LinkState::fresh)
                        EXPECT_TRUE(std::holds_alternative<LoadFacts>(step));
                    else if (state == LinkState::hello_received)
                        EXPECT_EQ(closed_with(step), close_code::not_authenticated);  // signed by nobody
                    else
                        EXPECT_TRUE(submitted(step));
                    break;
                case Legality::not_yet:
                    EXPECT_EQ(error_in(step), (wire::Error{ErrorCode::not_yet, 0}));
                    EXPECT_EQ(core.state(), state);
                    break;
                case Legality::not_allowed:
                    if (is_answered(body))
                        EXPECT_EQ(error_in(step), (wire::Error{ErrorCode::not_allowed, 0}));
                    else
                        EXPECT_TRUE(std::holds_alternative<Ignore>(step));
                    EXPECT_EQ(core.state(), state);
                    break;
                case Legality::refused:
                    EXPECT_TRUE(is_answered(body));
                    EXPECT_EQ(refusal_in(step), refused(wire::Rule::invalid));
                    EXPECT_EQ(core.state(), state);
                    break;
                case Legality::ends_link:
                    EXPECT_EQ(closed_with(step), before_login ? close_code::not_authenticated : close_code::malformed);
                    EXPECT_EQ(core.state(), LinkState::closing);
                    break;
                case Legality::ignored:
                    EXPECT_TRUE(std::holds_alternative<Ignore>(step));
                    break;
            }
        }
    }
}

TEST_F(Link, of_a_therapists_device_may_do_everything_but_log_in_and_redeem) {
    EXPECT_EQ(frames_that_are(Legality::ends_link, LinkState::therapist),
              (std::set<std::string_view>{"hello", "authenticate"}));
    EXPECT_EQ(frames_that_are(Legality::not_yet, LinkState::therapist),
              (std::set<std::string_view>{"terms_put", "leave", "later"}));
    EXPECT_EQ(frames_that_are(Legality::not_allowed, LinkState::therapist), (std::set<std::string_view>{"redeem"}));
    EXPECT_EQ(frames_that_are(Legality::legal, LinkState::therapist).size(), all_frames.size() - 2 - 3 - 1);
}

TEST_F(Link, of_a_clients_device_may_do_the_same_but_invite_and_publish_hours) {
    std::set<std::string_view> const therapists{"invitation_put", "invitation_revoke", "invitation_list",
                                                "schedule_put", "override_put"};
    EXPECT_EQ(frames_that_are(Legality::refused, LinkState::client), therapists);
    for (auto const& body : all_frames) {
        if (therapists.contains(wire::name(body))) continue;
        EXPECT_EQ(legality(LinkState::client, body.index()), legality(LinkState::therapist, body.index()))
            << wire::name(body);
    }
}

TEST_F(Link, of_an_invitee_may_look_fetch_and_redeem_and_nothing_else) {
    EXPECT_EQ(frames_that_are(Legality::legal, LinkState::invited),
              (std::set<std::string_view>{"device_list_get", "key_packages_fetch", "redeem"}));
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

TEST_F(Link, has_no_more_acks_in_flight_than_it_may_whatever_rate_the_operator_allows) {
    allow_messages(settings.device_rates, 1'000'000, 1'000'000);
    core = LinkCore(settings, nonce);
    log_in();
    for (std::size_t i = 0; i < unanswered_max; ++i) ASSERT_TRUE(submitted(unanswered(wire::Ack{{}, {i}})));
    core.on_heeded();
    EXPECT_TRUE(submitted(unanswered(wire::LogAck{})));
    EXPECT_EQ(closed_with(unanswered(wire::Confirm{})), close_code::overload);
    EXPECT_EQ(core.state(), LinkState::closing);
}

TEST_F(Link, goes_on_at_whatever_rate_of_messages_the_operator_allows) {
    constexpr int per_second = 5000, burst = 200;
    allow_messages(settings.device_rates, burst, per_second);
    core = LinkCore(settings, nonce);
    log_in();
    int refused = 0;
    for (int i = 0; i < 3 * per_second; ++i) {  // both write, both ack and confirm
        if (i % 5 == 0) now += 1ms;
        ASSERT_FALSE(closed_with(unanswered(wire::Ack{{}, {1}})));
        ASSERT_FALSE(closed_with(unanswered(wire::Confirm{})));
        auto const step = give(wire::Send{}, 1);
        ASSERT_FALSE(closed_with(step));
        refused += !submitted(step);
        core.on_answered(request(1));
        core.on_heeded();
        core.on_heeded();
    }
    EXPECT_EQ(refused, 0);
}

TEST_F(Link, allows_no_less_of_anything_else_where_few_messages_are_allowed) {
    auto rates = settings.device_rates;
    allow_messages(rates, 1, 1);
    for (auto const kind : {RateKind::frames, RateKind::acks, RateKind::requests}) {
        auto const index = static_cast<std::size_t>(kind);
        EXPECT_EQ(rates[index].burst, settings.device_rates[index].burst);
        EXPECT_EQ(rates[index].interval, settings.device_rates[index].interval);
    }
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
        core.on_device_facts(DeviceFacts{key.public_key(), Side::client, false}, rates);
        EXPECT_EQ(closed_with(give(wire::Authenticate{Bytes(64)}, 2)), close_code::not_authenticated);
    }
    core = LinkCore(settings, nonce);
    log_in(Side::client, rates);
    EXPECT_TRUE(submitted(give(wire::CheckpointGet{}, 3)));
}

TEST_F(Link, shares_its_rate_with_the_other_links_of_its_device) {
    auto const rates = std::make_shared<RateBook>(settings.device_rates);
    log_in(Side::client, rates);
    for (std::uint8_t i = 1; i <= 60; ++i) {
        give(wire::Send{}, i);
        core.on_answered(request(i));
    }
    core = LinkCore(settings, nonce);
    log_in(Side::client, rates);
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
