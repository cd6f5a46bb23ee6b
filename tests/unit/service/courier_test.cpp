// Couriers and the registry of links: what passes reaches every link of its account once, and links end as they must.
#include "server/service/courier.hpp"

#include <thread>

#include "server/service/link_registry.hpp"
#include "tests/unit/service/shop.hpp"

namespace interlude::test {
namespace {

using service::Courier;
using service::LinkRegistry;

struct OneLink {
    std::shared_ptr<KeptFrames> sink = std::make_shared<KeptFrames>();
    std::shared_ptr<Courier> courier;
    std::vector<std::uint64_t> seqs() const {
        std::vector<std::uint64_t> seqs;
        for (auto const& envelope : sink->bodies<wire::Envelope>()) seqs.push_back(envelope.seq);
        return seqs;
    }
};

class Couriers : public Shop {
  protected:
    OneLink link(core::DeviceRef const& device, std::chrono::milliseconds pause = std::chrono::seconds{5}) {
        OneLink link;
        link.courier =
            std::make_shared<Courier>(io.get_executor(), *store, device, link.sink, offers, diag, metrics, pause);
        return link;
    }
    /// As after a login.
    OneLink live(core::DeviceRef const& device) {
        auto one = link(device);
        one.courier->began_with(run(store->snapshot(device)).conversations);
        begin(one.courier->run());
        return one;
    }
    std::vector<std::uint64_t> none() const { return {}; }
    service::Turns offers{io.get_executor(), 16};
    void send_in(std::uint64_t epoch, std::uint64_t number) {
        auto message = pair.message(pair.client, number, timers.now);
        message.send.epoch = epoch;
        message.send.mls = application_message(pair.group_id, epoch, Bytes(300));
        ASSERT_TRUE(std::holds_alternative<core::Acceptance>(run(store->accept(std::move(message))).verdict));
    }
};

TEST_F(Couriers, bring_what_waits_and_then_what_changes) {
    meet_with_hours(9, 17);
    send(pair.client, 1);
    auto const hers = live(pair.therapist.device());
    EXPECT_EQ(hers.seqs(), std::vector<std::uint64_t>{1});
    send(pair.client, 2);
    EXPECT_EQ(hers.seqs(), std::vector<std::uint64_t>{1});
    hers.courier->changed(pair.conversation);
    settle();
    EXPECT_EQ(hers.seqs(), (std::vector<std::uint64_t>{1, 2}));
    hers.courier->changed(std::nullopt);
    settle();
    EXPECT_EQ(hers.seqs(), (std::vector<std::uint64_t>{1, 2}));  // nothing twice
    hers.courier->stop();
}

TEST_F(Couriers, tell_the_end_of_an_epoch_with_the_ack_that_ends_it) {
    meet_with_hours(9, 17);
    send(pair.client, 1);
    run(store->accept_commit(pair.healing(1, timers.now)));
    timers.now += std::chrono::days{2};  // nobody may write in the first epoch any more
    auto const hers = live(pair.therapist.device());
    EXPECT_EQ(hers.seqs(), std::vector<std::uint64_t>{1});
    EXPECT_TRUE(hers.sink->bodies<wire::EpochEnd>().empty());  // its message waits
    run(store->ack(pair.therapist.device(), pair.conversation, {1}));
    run(store->accept_commit(pair.healing(2, timers.now)));
    timers.now += std::chrono::days{2};
    hers.courier->acked(pair.conversation, {1});
    settle();
    ASSERT_EQ(hers.sink->bodies<wire::EpochEnd>().size(), 1u);
    hers.courier->stop();
}

TEST_F(Couriers, bring_no_message_before_it_passes) {
    meet_with_hours(13, 14);
    send(pair.client, 1);
    auto const hers = live(pair.therapist.device());
    timers.now = noon + 1h - 1ms;
    hers.courier->changed(pair.conversation);
    settle();
    EXPECT_EQ(hers.seqs(), none());
    timers.now = noon + 1h;
    hers.courier->changed(pair.conversation);
    settle();
    EXPECT_EQ(hers.seqs(), std::vector<std::uint64_t>{1});
    hers.courier->stop();
}

TEST_F(Couriers, go_on_after_their_limit_with_the_acks_in_a_later_epoch_too) {
    meet_with_hours(9, 17);
    run(store->accept_commit(pair.healing(1, timers.now)));
    timers.now += 1min;
    for (std::uint64_t number = 1; number <= core::offered_max + 44; ++number) send_in(2, number);
    auto const hers = live(pair.therapist.device());
    EXPECT_EQ(hers.seqs().size(), core::offered_max);
    auto const first = hers.seqs();
    run(store->ack(pair.therapist.device(), pair.conversation, first));
    hers.courier->acked(pair.conversation, first);
    settle();
    EXPECT_EQ(hers.seqs().size(), core::offered_max + 44);
    hers.courier->stop();
}

TEST_F(Couriers, take_turns) {
    meet_with_hours(9, 17);
    send(pair.client, 1);
    std::vector<OneLink> links;
    for (int i = 0; i < 40; ++i) links.push_back(live(pair.therapist.device()));
    send(pair.client, 2);
    store->slow = true;
    store->offers = 0;
    for (auto const& one : links) one.courier->changed(pair.conversation);
    settle();
    EXPECT_EQ(store->offers, 16);
    links[20].courier->stop();  // while it waits: it keeps no turn
    store->answer(true);
    settle();
    EXPECT_EQ(store->offers, 32);
    store->answer();
    settle();
    EXPECT_EQ(store->offers, 39);
    for (auto const& one : links) {
        EXPECT_EQ(one.seqs().size(), &one == &links[20] ? 1u : 2u);
        one.courier->stop();
    }
}

TEST_F(Couriers, ask_the_store_no_more_for_acks_that_came_during_an_offer) {
    meet_with_hours(9, 17);
    send(pair.client, 1);
    auto const hers = live(pair.therapist.device());
    send(pair.client, 2);
    store->slow = true;
    hers.courier->changed(pair.conversation);  // read before the ack
    settle();
    store->offers = 0;
    hers.courier->acked(pair.conversation, {1});
    store->answer();
    settle();
    EXPECT_EQ(store->offers, 0);
    EXPECT_EQ(hers.seqs(), (std::vector<std::uint64_t>{1, 2}));
    hers.courier->stop();
}

TEST_F(Couriers, go_on_after_their_limit_with_acks_that_came_during_an_offer) {
    meet_with_hours(9, 17);
    for (std::uint64_t number = 1; number <= core::offered_max + 44; ++number) send(pair.client, number);
    auto const hers = live(pair.therapist.device());
    auto const first = hers.seqs();
    ASSERT_EQ(first.size(), core::offered_max);
    store->slow = true;
    hers.courier->changed(pair.conversation);  // read before the acks: there is no room
    settle();
    run(store->ack(pair.therapist.device(), pair.conversation, first));
    hers.courier->acked(pair.conversation, first);
    store->answer();
    settle();
    EXPECT_EQ(hers.seqs().size(), core::offered_max + 44);
    hers.courier->stop();
}

TEST_F(Couriers, tell_the_end_of_an_epoch_with_an_ack_that_came_during_an_offer) {
    meet_with_hours(9, 17);
    send(pair.client, 1);
    run(store->accept_commit(pair.healing(1, timers.now)));
    timers.now += std::chrono::days{2};
    auto const hers = live(pair.therapist.device());
    store->slow = true;
    hers.courier->changed(pair.conversation);  // read before the ack
    settle();
    auto acking = store->ack(pair.therapist.device(), pair.conversation, {1});
    begin(std::move(acking));
    hers.courier->acked(pair.conversation, {1});
    store->answer();
    settle();
    EXPECT_EQ(hers.sink->bodies<wire::EpochEnd>().size(), 1u);
    hers.courier->stop();
}

TEST_F(Couriers, bring_what_was_accepted_while_the_time_was_not_believed_once_it_is) {
    meet_with_hours(9, 17);
    auto const his = live(pair.client.device());
    LinkRegistry registry;
    registry.enter({pair.client.device(), his.sink, his.courier});
    timers.believed = false;
    changes.clear();
    send(pair.therapist, 1);
    for (auto const& changed : changes) registry.changed(changed);
    settle();
    EXPECT_EQ(his.seqs(), none());
    timers.believed = true;
    registry.wake_all();
    settle();
    EXPECT_EQ(his.seqs(), std::vector<std::uint64_t>{1});
    his.courier->stop();
}

TEST_F(Couriers, wait_for_room_on_their_link) {
    meet_with_hours(9, 17);
    auto const hers = live(pair.therapist.device());
    hers.sink->room = false;
    send(pair.client, 1);
    hers.courier->changed(pair.conversation);
    settle();
    EXPECT_EQ(hers.seqs(), none());
    hers.sink->room = true;
    hers.sink->waiting();
    settle();
    EXPECT_EQ(hers.seqs(), std::vector<std::uint64_t>{1});
    hers.courier->stop();
}

class TroubledCouriers : public Couriers {
  protected:
    static constexpr std::chrono::milliseconds pause{30};

    TroubledCouriers() {
        meet_with_hours(9, 17);
        send(pair.client, 1);
        state = run(store->snapshot(pair.therapist.device())).conversations.at(0);
        other = state;
        other.conversation = base::ConversationId{};  // the first one in turn
        one = link(pair.therapist.device(), pause);
        one.courier->began_with({other, state});
    }
    ~TroubledCouriers() override {
        one.courier->stop();
        settle();
    }
    void wait_for_attempts(int attempts) {
        auto const enough = store->not_read + attempts;
        for (int passes = 0; store->not_read < enough && passes < 100; ++passes) pass();
    }
    void pass() {
        std::this_thread::sleep_for(pause);
        settle();
    }
    std::size_t told() const { return one.sink->bodies<wire::Error>().size(); }

    wire::ConversationState state, other;
    OneLink one;
};

TEST_F(TroubledCouriers, bring_everything_else_and_tell_app_and_operator_what_cannot_be_read) {
    store->rotten = other.conversation;
    begin(one.courier->run());
    EXPECT_EQ(one.seqs(), std::vector<std::uint64_t>{1});
    EXPECT_TRUE(one.sink->open());
    EXPECT_EQ(told(), 0u);  // it may be busy only
    send(pair.client, 2);
    one.courier->changed(std::nullopt);
    settle();
    EXPECT_EQ(one.seqs(), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(store->not_read, 1);  // not before its time
    wait_for_attempts(2);
    ASSERT_EQ(told(), 1u);
    EXPECT_EQ(one.sink->bodies<wire::Error>()[0].code, wire::ErrorCode::store);
    wait_for_attempts(2);
    EXPECT_EQ(told(), 1u);
    EXPECT_EQ(diag.said, std::vector<std::string_view>{"store_failed_while_delivering"});
    EXPECT_EQ(ended, 0);
}

TEST_F(TroubledCouriers, try_again_and_bring_what_came_meanwhile) {
    store->rotten = pair.conversation;
    begin(one.courier->run());
    send(pair.client, 2);
    one.courier->changed(pair.conversation);
    wait_for_attempts(1);
    store->rotten.reset();
    pass();
    pass();
    EXPECT_EQ(one.seqs(), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(diag.said, (std::vector<std::string_view>{"store_failed_while_delivering", "store_delivers_again"}));
}

TEST_F(TroubledCouriers, bring_what_changes_while_it_is_read_again) {
    store->rotten = pair.conversation;
    begin(one.courier->run());
    EXPECT_TRUE(one.seqs().empty());
    store->rotten.reset();
    store->after_reading = [&] {  // of the attempt that succeeds
        store->after_reading = nullptr;
        boost::asio::co_spawn(io, store->accept(pair.message(pair.client, 2, timers.now)), boost::asio::detached);
        one.courier->changed(pair.conversation);
    };
    pass();
    pass();
    EXPECT_EQ(one.seqs(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(TroubledCouriers, try_again_though_another_conversation_always_has_something) {
    store->rotten = other.conversation;
    int attempts_meanwhile = 0;
    auto const until = std::chrono::steady_clock::now() + 4 * pause;
    store->after_reading = [&] {
        attempts_meanwhile = store->not_read;
        if (std::chrono::steady_clock::now() < until) one.courier->changed(pair.conversation);
    };
    begin(one.courier->run());
    store->after_reading = nullptr;
    EXPECT_GE(attempts_meanwhile, 2);
}

TEST_F(Couriers, end_when_they_are_stopped_or_their_link_is) {
    meet_with_hours(9, 17);
    auto const one = live(pair.therapist.device()), another = live(pair.therapist.device());
    one.courier->stop();
    settle();
    EXPECT_EQ(ended, 1);
    another.sink->finish(1000, 0);
    another.courier->changed(pair.conversation);
    settle();
    EXPECT_EQ(ended, 2);
    EXPECT_FALSE(failed);
}

TEST_F(Couriers, of_two_links_of_one_device_both_bring_what_passes) {
    meet_with_hours(9, 17);
    auto const one = live(pair.therapist.device()), another = live(pair.therapist.device());
    LinkRegistry registry;
    registry.enter({pair.therapist.device(), one.sink, one.courier});
    registry.enter({pair.therapist.device(), another.sink, another.courier});
    changes.clear();
    send(pair.client, 1);
    for (auto const& changed : changes) registry.changed(changed);
    settle();
    EXPECT_EQ(one.seqs(), std::vector<std::uint64_t>{1});
    EXPECT_EQ(another.seqs(), std::vector<std::uint64_t>{1});
    one.courier->stop();
    another.courier->stop();
}

// ---- The registry --------------------------------------------------------------------------------------------------

class Registry : public Couriers {
  protected:
    OneLink enter(core::DeviceRef const& device) {
        auto one = link(device);
        registry.enter({device, one.sink, one.courier});
        return one;
    }
    LinkRegistry registry;
};

TEST_F(Registry, ends_the_oldest_of_five_links_of_a_device) {
    std::vector<OneLink> links;
    for (int i = 0; i < base::limits::links_per_device_max; ++i) links.push_back(enter(pair.therapist.device()));
    auto const other_device = enter(pair.therapist.device(1));
    for (auto const& one : links) EXPECT_TRUE(one.sink->open());
    links.push_back(enter(pair.therapist.device()));
    EXPECT_EQ(links[0].sink->closed_with, 4409);
    for (std::size_t i = 1; i < links.size(); ++i) EXPECT_TRUE(links[i].sink->open());
    EXPECT_TRUE(other_device.sink->open());
    links.push_back(enter(pair.therapist.device()));  // the first is closing, but has not left
    EXPECT_EQ(links[1].sink->closed_with, 4409);
}

TEST_F(Registry, ends_the_links_of_a_device_that_was_dropped) {
    auto const dropped = enter(pair.therapist.device(1)), kept = enter(pair.therapist.device());
    core::Changed changed;
    changed.accounts = {pair.therapist.account()};
    changed.dropped = {pair.therapist.device(1)};
    registry.changed(changed);
    EXPECT_EQ(dropped.sink->closed_with, 4403);
    EXPECT_TRUE(kept.sink->open());
}

TEST_F(Registry, does_not_wake_the_device_that_wrote_the_envelope) {
    meet_with_hours(9, 17);
    auto const author = enter(pair.client.device()), another = enter(pair.therapist.device());
    begin(author.courier->run());
    begin(another.courier->run());
    registry.changed(
        {pair.conversation, 1, {pair.client.account(), pair.therapist.account()}, {}, pair.client.device()});
    settle();
    EXPECT_TRUE(author.sink->frames.empty());
    EXPECT_FALSE(another.sink->frames.empty());  // the state of the conversation, which this link was not told yet
    registry.changed({pair.conversation, 0, {pair.client.account()}, {}, std::nullopt});
    settle();
    EXPECT_FALSE(author.sink->frames.empty());
    author.courier->stop();
    another.courier->stop();
}

TEST_F(Registry, tells_every_link_of_an_account) {
    auto const one = enter(pair.therapist.device()), another = enter(pair.therapist.device(1)),
               his = enter(pair.client.device());
    registry.tell(pair.therapist.account(), wire::Done{});
    registry.tell(base::AccountId{}, wire::Done{});
    EXPECT_EQ(one.sink->frames.size(), 1u);
    EXPECT_EQ(another.sink->frames.size(), 1u);
    EXPECT_TRUE(one.sink->frames[0].request.is_zero());
    EXPECT_TRUE(his.sink->frames.empty());
}

TEST_F(Registry, tells_a_link_nothing_before_it_is_ready) {
    auto one = link(pair.client.device());
    auto const handle = registry.enter({pair.client.device(), one.sink, one.courier, false, {}});
    registry.tell(pair.client.account(), wire::Done{});
    EXPECT_TRUE(one.sink->frames.empty());
    registry.now_ready(handle);
    EXPECT_EQ(one.sink->frames.size(), 1u);
}

TEST_F(Registry, forgets_who_left) {
    auto one = link(pair.client.device());
    auto const handle = registry.enter({pair.client.device(), one.sink, one.courier});
    EXPECT_EQ(registry.size(), 1u);
    registry.leave(handle);
    EXPECT_EQ(registry.size(), 0u);
    registry.tell(pair.client.account(), wire::Done{});
    EXPECT_TRUE(one.sink->frames.empty());
}

}  // namespace
}  // namespace interlude::test
