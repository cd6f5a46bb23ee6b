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
        hello_frame = wire::encode(wire::ClientFrame{pair.entropy.id<base::RequestId>(), hello});
        host->on_message(hello_frame);
        settle();
    }
    void prove(core::DeviceRef const& device, crypto::SigningKey const& key) {
        auto const nonce = sink->bodies<wire::Nonce>().at(0).nonce;
        auto const signature =
            identity::sign_login(key, {server_name, nonce, hello_frame}, device.account, device.device);
        wire::Authenticate const authenticate{bytes::copy(signature.span())};
        host->on_message(wire::encode(wire::ClientFrame{pair.entropy.id<base::RequestId>(), authenticate}));
    }

    service::LinkRegistry registry;
    service::AuditSequencer sequencer{io.get_executor(),       *store, crypto::SigningKey::generate(pair.entropy),
                                      "interlude.example/log", diag,   metrics};
    std::optional<service::Shared> shared;
    std::optional<service::LinkService> service;
    std::shared_ptr<KeptFrames> sink = std::make_shared<KeptFrames>();
    std::unique_ptr<service::LinkHost> host;
    Bytes hello_frame;
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

}  // namespace
}  // namespace interlude::test
