// Logging in, as the services see it: a device that is removed meanwhile does not come in, and nothing is lost between
// what Ready says and what wakes the courier.
#include "server/service/link_service.hpp"

#include "common/identity/login.hpp"
#include "common/wire/codec.hpp"
#include "tests/unit/service/shop.hpp"

namespace interlude::test {
namespace {

class Logins : public Shop {
  protected:
    Logins() {
        service::LinkServiceOptions options;
        options.link.server_name = server_name;
        shared.emplace(service::Shared{io.get_executor(),
                                       *store,
                                       timers,
                                       pair.entropy,
                                       sequencer,
                                       registry,
                                       diag,
                                       metrics,
                                       options,
                                       [] {},
                                       false,
                                       {}});
        service.emplace(*shared);
    }
    ~Logins() override {
        if (host) host->closed();
        sequencer.stop();
        timers.stopped = true;
        timers.moved();
        settle();
    }
    void say_hello(core::DeviceRef const& device) {
        run(sequencer.resume());
        begin(sequencer.run());
        host = service->host(sink);
        host->opened();
        wire::Hello hello;
        hello.who = wire::DeviceLogin{device.account, device.device};
        hello.confirmed = confirmed;
        hello_frame = wire::encode(wire::ClientFrame{pair.entropy.id<base::RequestId>(), hello});
        host->on_message(hello_frame);
        settle();
    }
    /// A request of the app.
    base::RequestId ask(wire::ClientBody body) {
        auto const request = pair.entropy.id<base::RequestId>();
        host->on_message(wire::encode(wire::ClientFrame{request, std::move(body)}));
        settle();
        return request;
    }
    void tell(wire::ClientBody body) {
        host->on_message(wire::encode(wire::ClientFrame{{}, std::move(body)}));
        settle();
    }
    void prove(core::DeviceRef const& device, crypto::SigningKey const& key) {
        auto const nonce = sink->bodies<wire::Nonce>().at(0).nonce;
        auto const signature =
            identity::sign_login(key, {server_name, nonce, hello_frame}, device.account, device.device);
        wire::Authenticate const authenticate{bytes::copy(signature.span())};
        host->on_message(wire::encode(wire::ClientFrame{pair.entropy.id<base::RequestId>(), authenticate}));
    }

    int options_tries() const {
        return shared->options.link.invited_rates[static_cast<std::size_t>(core::RateKind::redemptions)].burst;
    }

    service::LinkRegistry registry;
    service::AuditSequencer sequencer{
        io.get_executor(),       *store, timers, crypto::SigningKey::generate(pair.entropy),
        "interlude.example/log", diag,   metrics};
    std::optional<service::Shared> shared;
    std::optional<service::LinkService> service;
    std::shared_ptr<KeptFrames> sink = std::make_shared<KeptFrames>();
    std::unique_ptr<service::LinkHost> host;
    Bytes hello_frame;
    std::vector<base::RequestId> confirmed;
};

TEST_F(Logins, of_a_device_that_is_removed_between_hello_and_proof_end) {
    pair.meet(io, *store, true);
    auto const removed = pair.therapist.device(1);
    say_hello(removed);
    run(store->put_device_list(pair.therapist.device(), pair.therapist.next_list({0}, noon), seed()));
    prove(removed, pair.therapist.devices[1].key);
    settle();
    EXPECT_EQ(sink->closed_with, 4403);
    EXPECT_TRUE(sink->bodies<wire::Ready>().empty());
}

TEST_F(Logins, hear_of_everything_that_changes_from_their_snapshot_on) {
    meet_with_hours(9, 17);
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    ASSERT_EQ(sink->bodies<wire::Ready>().size(), 1u);
    changes.clear();
    send(pair.therapist, 1);
    for (auto const& changed : changes) registry.changed(changed);
    settle();
    EXPECT_EQ(sink->bodies<wire::Envelope>().size(), 1u);
    EXPECT_EQ(registry.size(), 1u);
}

TEST_F(Logins, are_told_of_closed_conversations_after_ready_and_not_in_it) {
    pair.meet(io, *store);
    run(store->close_conversation(pair.therapist.device(), pair.conversation));
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    ASSERT_EQ(sink->bodies<wire::Ready>().size(), 1u);
    auto const ready = sink->bodies<wire::Ready>()[0];
    EXPECT_TRUE(ready.conversations.empty());
    ASSERT_EQ(ready.subjects.size(), 1u);
    EXPECT_EQ(ready.subjects[0].subject, audit::subject_of(pair.client.account()));
    auto const changed = sink->bodies<wire::StateChanged>();
    ASSERT_EQ(changed.size(), 1u);
    EXPECT_TRUE(changed[0].conversations.at(0).closed);
    EXPECT_EQ(changed[0].subjects.size(), 3u);
}

// ---- Invitees ------------------------------------------------------------------------------------------------------

TEST_F(Logins, by_one_invitation_share_its_tries_over_all_links_and_after_them) {
    auto const invitation = pair.entropy.id<base::InvitationId>();
    auto const rates = shared->rates_of(invitation);
    auto const burst = options_tries();
    for (int i = 0; i < burst; ++i)
        EXPECT_FALSE(shared->rates_of(invitation)->take(core::RateKind::redemptions, timers.mono_now()));
    EXPECT_TRUE(shared->rates_of(invitation)->take(core::RateKind::redemptions, timers.mono_now()));
    auto const another = pair.entropy.id<base::InvitationId>();
    EXPECT_FALSE(shared->rates_of(another)->take(core::RateKind::redemptions, timers.mono_now()));
}

// ---- What is another side's -----------------------------------------------------------------------------------------

TEST_F(Logins, of_a_client_bring_no_hours_to_the_store_which_would_take_them) {
    pair.meet(io, *store);
    test::HoursChain his;
    auto const hours = his.next(pair.client, 9, 17, timers.now, seed());
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    auto const request = ask(wire::SchedulePut{hours.document});
    ASSERT_EQ(sink->bodies<wire::Refused>().size(), 1u);
    EXPECT_EQ(sink->bodies<wire::Refused>()[0].rule, wire::Rule::invalid);
    EXPECT_EQ(sink->frames.back().request, request);
    EXPECT_FALSE(sink->closed_with);
    EXPECT_TRUE(run(store->calendars()).empty());
    EXPECT_TRUE(std::holds_alternative<wire::Done>(run(store->put_calendar(hours))));  // it stands at the link alone
}

TEST_F(Logins, of_a_therapist_bring_hers) {
    pair.meet(io, *store);
    say_hello(pair.therapist.device());
    prove(pair.therapist.device(), pair.therapist.devices[0].key);
    settle();
    ask(wire::SchedulePut{pair.hours(9, 17, timers.now).document});
    EXPECT_EQ(sink->bodies<wire::Done>().size(), 1u);
    EXPECT_EQ(run(store->calendars()).size(), 1u);
}

// ---- What is not yet -----------------------------------------------------------------------------------------------

TEST_F(Logins, are_needed_before_a_message_with_blobs_too_which_is_refused_under_its_own_id) {
    pair.meet(io, *store);
    auto message = pair.message(pair.client, 1, timers.now).send;
    message.blobs = {Bytes(16, 1)};
    auto const stranger = std::make_shared<KeptFrames>();
    auto const before = service->host(stranger);
    before->opened();
    before->on_message(wire::encode(wire::ClientFrame{pair.entropy.id<base::RequestId>(), message}));
    settle();
    EXPECT_EQ(stranger->closed_with, 4401);
    EXPECT_TRUE(stranger->bodies<wire::Error>().empty());
    before->closed();

    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    auto const request = ask(message);
    ASSERT_EQ(sink->bodies<wire::Refused>().size(), 1u);
    EXPECT_EQ(sink->bodies<wire::Refused>()[0].rule, wire::Rule::not_yet);
    EXPECT_EQ(sink->frames.back().request, request);
}

// ---- A full disk ---------------------------------------------------------------------------------------------------

TEST_F(Logins, go_on_while_the_disk_is_full_and_a_message_is_put_off_then_taken) {
    pair.meet(io, *store);
    store->full = true;
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    ASSERT_EQ(sink->bodies<wire::Ready>().size(), 1u);
    auto const message = pair.message(pair.client, 1, timers.now).send;
    auto const request = ask(message);
    ASSERT_FALSE(sink->frames.empty());
    EXPECT_EQ(sink->frames.back().request, request);
    EXPECT_EQ(sink->bodies<wire::Error>(), (std::vector<wire::Error>{{wire::ErrorCode::store, 5}}));
    ask(message);
    ask(message);
    EXPECT_EQ(sink->bodies<wire::Error>().size(), 3u);
    EXPECT_EQ(diag.said.back(), "the_store_does_not_write_requests_are_put_off");
    EXPECT_EQ(std::count(diag.said.begin(), diag.said.end(), diag.said.back()), 1);
    store->full = false;
    ask(message);
    EXPECT_EQ(sink->bodies<wire::Stored>().size(), 1u);
    EXPECT_FALSE(sink->closed_with);
}

TEST_F(Logins, that_confirm_what_a_full_disk_cannot_note_succeed) {
    pair.meet(io, *store);
    store->full = true;
    confirmed = {pair.entropy.id<base::RequestId>()};
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    EXPECT_EQ(sink->bodies<wire::Ready>().size(), 1u);
    EXPECT_FALSE(sink->closed_with);
}

TEST_F(Logins, keep_acks_that_a_full_disk_does_not_take) {
    meet_with_hours(9, 17);
    send(pair.therapist, 1);
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    ASSERT_EQ(sink->bodies<wire::Envelope>().size(), 1u);
    store->full = true;
    tell(wire::Ack{pair.conversation, {1}});
    let_seconds_pass(3);
    EXPECT_EQ(run(store->counts()).envelopes, 1u);
    EXPECT_FALSE(sink->closed_with);
    store->full = false;
    let_seconds_pass(2);
    EXPECT_EQ(run(store->counts()).envelopes, 0u);
}

TEST_F(Logins, take_acks_that_come_during_a_visit_to_the_store_with_the_next) {
    meet_with_hours(9, 17);
    for (std::uint64_t number = 1; number <= 4; ++number) send(pair.therapist, number);
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    ASSERT_EQ(sink->bodies<wire::Envelope>().size(), 4u);
    store->slow = true;
    for (std::uint64_t seq = 1; seq <= 4; ++seq) tell(wire::Ack{pair.conversation, {seq}});
    EXPECT_EQ(store->acks, (std::vector<std::vector<std::uint64_t>>{{1}}));
    store->answer();
    settle();
    EXPECT_EQ(store->acks, (std::vector<std::vector<std::uint64_t>>{{1}, {2, 3, 4}}));
    EXPECT_EQ(run(store->counts()).envelopes, 0u);
    tell(wire::Ack{pair.conversation, {4}});  // nothing is under way any more
    EXPECT_EQ(store->acks.size(), 3u);
}

TEST_F(Logins, end_when_more_acks_wait_than_are_kept) {
    meet_with_hours(9, 17);
    say_hello(pair.client.device());
    prove(pair.client.device(), pair.client.devices[0].key);
    settle();
    store->full = true;
    for (std::uint64_t seq = 1; seq <= core::unanswered_max; ++seq) {
        if (seq % 500 == 0) timers.now += 20s;  // slowly enough
        tell(wire::Ack{pair.conversation, {seq}});
    }
    EXPECT_FALSE(sink->closed_with);
    tell(wire::Ack{pair.conversation, {core::unanswered_max + 1}});
    EXPECT_EQ(sink->closed_with, 1013);
}

}  // namespace
}  // namespace interlude::test
