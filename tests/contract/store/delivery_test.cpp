// offer_from, ack, ack_handshake: what a device is sent next, in which order, when, and how often.
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class Delivery : public World {
  protected:
    void ack(DeviceRef const& device, std::vector<std::uint64_t> seqs) {
        run(store->ack(device, pair.conversation, std::move(seqs)));
    }
    void heal(std::uint64_t epoch) {
        auto const outcome = run(store->accept_commit(pair.healing(epoch, now.load())));
        ASSERT_TRUE(std::holds_alternative<wire::Accepted>(outcome.answer));
    }
    ports::Offer page(DeviceRef const& device, std::size_t messages_max, std::size_t bytes_max,
                      core::ConversationSeen seen = {}, core::DocumentsSeenByAccount documents = {}) {
        ports::OfferRequest request;
        request.device = device;
        request.conversation = pair.conversation;
        request.seen = std::move(seen);
        request.documents = std::move(documents);
        request.messages_max = messages_max;
        request.bytes_max = bytes_max;
        return run(store->offer_from(request));
    }
};
INTERLUDE_BOTH_STORES(Delivery);

template <class Item>
std::size_t first_of(ports::Offer const& offer) {
    for (std::size_t i = 0; i < offer.items.size(); ++i)
        if (std::holds_alternative<Item>(offer.items[i])) return i;
    ADD_FAILURE() << "nothing of the kind";
    return 0;
}

// ---- Order ---------------------------------------------------------------------------------------------------------

TEST_P(Delivery, brings_state_documents_welcome_handshakes_and_envelopes_in_this_order) {
    meet_with_hours(9, 17);
    ASSERT_TRUE(
        std::holds_alternative<wire::Accepted>(run(store->accept_commit(commit(client.device(), 1, {}))).answer));
    run(store->accept(message(client, 1, noon, 300, 2)));
    auto const all = offer(therapist.device());
    EXPECT_TRUE(all.member);
    EXPECT_FALSE(all.more);
    EXPECT_EQ(first_of<wire::StateChanged>(all), 0u);
    EXPECT_LT(first_of<wire::StateChanged>(all), first_of<wire::Documents>(all));
    EXPECT_LT(first_of<wire::Documents>(all), first_of<wire::Welcome>(all));
    EXPECT_LT(first_of<wire::Welcome>(all), first_of<wire::Handshake>(all));
    EXPECT_LT(first_of<wire::Handshake>(all), first_of<wire::Envelope>(all));
}

TEST_P(Delivery, brings_nothing_twice_to_one_link) {
    meet_with_hours(9, 17);
    heal(1);
    run(store->accept(message(client, 1, noon, 300, 2)));
    for (auto const* one : {&therapist, &client}) {
        ports::OfferRequest request;
        request.device = one->device();
        request.conversation = pair.conversation;
        auto const first = run(store->offer_from(request));
        EXPECT_FALSE(first.items.empty());
        request.seen = first.seen;
        request.documents = first.documents;
        EXPECT_THAT(run(store->offer_from(request)).items, IsEmpty());
    }
}

TEST_P(Delivery, brings_a_new_list_or_schedule_to_a_link_that_knows_the_older_ones) {
    meet_with_hours(9, 17);
    ports::OfferRequest request;
    request.device = client.device();
    request.conversation = pair.conversation;
    auto const first = run(store->offer_from(request));
    request.seen = first.seen;
    request.documents = first.documents;
    auto const list = therapist.next_list({0, 1}, noon);
    ASSERT_TRUE(done(run(store->put_device_list(therapist.device(), list, seed()))));
    now = noon + 1min;
    put_hours(9, 18);
    auto const second = items<wire::Documents>(run(store->offer_from(request)));
    ASSERT_THAT(second, SizeIs(1));
    ASSERT_THAT(second[0].documents, SizeIs(2));
    EXPECT_EQ(second[0].documents[0].document, list);
    EXPECT_EQ(second[0].documents[0].in_force_from, noon);
    EXPECT_EQ(second[0].documents[1].document.kind, wire::DocumentKind::schedule);
    EXPECT_GE(second[0].documents[1].in_force_from, noon + 1min);
}

TEST_P(Delivery, brings_whatever_else_changed_to_a_link_that_was_at_rest) {
    meet_with_hours(13, 14);
    send(client, 1);
    ports::OfferRequest request;
    request.device = client.device();
    request.conversation = pair.conversation;
    auto const rest = [&] {
        auto offer = run(store->offer_from(request));
        request.seen = offer.seen;
        request.documents = offer.documents;
        return offer;
    };
    rest();
    EXPECT_EQ(request.seen.epoch_ended, 1u);  // it joined then: no end of an earlier one is due
    heal(1);
    EXPECT_THAT(items<wire::Handshake>(rest()), SizeIs(1));
    ASSERT_TRUE(done(run(store->recall(client.device(), pair.conversation, 1, seed()))));
    EXPECT_THAT(items<wire::Fate>(rest()), SizeIs(1));
    EXPECT_THAT(rest().items, IsEmpty());
    ASSERT_TRUE(done(run(store->close_conversation(therapist.device(), pair.conversation))));
    EXPECT_THAT(items<wire::StateChanged>(rest()), SizeIs(1));
}

TEST_P(Delivery, counts_an_envelope_that_expired_as_offered_no_more) {
    meet_with_hours(9, 17);
    run(store->accept(message(client, 1, noon, 300)));
    ports::OfferRequest request;
    request.device = therapist.device();
    request.conversation = pair.conversation;
    request.seen = run(store->offer_from(request)).seen;
    ASSERT_EQ(request.seen.offered.size(), 1u);
    now = noon + 3 * policy.hold_life;
    while (run(store->expire(100, seed())).more) {
    }
    ASSERT_EQ(envelopes(), 0u);
    EXPECT_TRUE(run(store->offer_from(request)).seen.offered.empty());
}

TEST_P(Delivery, brings_the_whole_envelope_as_it_was_accepted) {
    meet_with_hours(9, 17);
    auto const submission = message(client, 1, noon);
    auto const outcome = run(store->accept(submission));
    auto const envelopes = items<wire::Envelope>(offer(therapist.device()));
    ASSERT_THAT(envelopes, SizeIs(1));
    EXPECT_EQ(envelopes[0], (wire::Envelope{pair.conversation, 1, 1, 1, client.account(), client.device().device, noon,
                                            accepted(outcome).envelope, submission.send.mls}));
}

TEST_P(Delivery, to_who_has_no_place_is_nothing) {
    meet();
    send(client, 1);
    auto const stranger = offer(client.device(1));
    EXPECT_FALSE(stranger.member);
    EXPECT_THAT(stranger.items, IsEmpty());
    ports::OfferRequest elsewhere;
    elsewhere.device = client.device();
    elsewhere.conversation = pair.entropy.id<ConversationId>();
    EXPECT_FALSE(run(store->offer_from(elsewhere)).member);
}

// ---- When ----------------------------------------------------------------------------------------------------------

TEST_P(Delivery, of_held_messages_begins_at_the_millisecond_of_the_opening) {
    meet_with_hours(13, 14);
    send(client, 1);
    send(client, 2);
    now = noon + 1h - 1ms;
    EXPECT_THAT(seqs_offered(therapist.device()), IsEmpty());
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1, 2));
}

TEST_P(Delivery, of_what_passed_goes_on_after_the_window_has_closed) {
    meet_with_hours(13, 14);
    send(client, 1);
    now = noon + 2h - 1ms;
    send(client, 2);
    now = noon + 2h;
    send(client, 3);
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1, 2));
    now = noon + 25h - 1ms;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1, 2));
    now = noon + 25h;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1, 2, 3));
}

TEST_P(Delivery, waits_for_hours_where_none_were_published) {
    meet();
    send(client, 1);
    now = noon + std::chrono::days{5};
    EXPECT_THAT(seqs_offered(therapist.device()), IsEmpty());
    put_hours(12, 13);
    now = now.load() + 1s;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1));
}

TEST_P(Delivery, of_messages_waits_until_the_time_is_believed_and_of_handshakes_does_not) {
    meet_with_hours(9, 17);
    send(client, 1);
    ASSERT_TRUE(
        std::holds_alternative<wire::Accepted>(run(store->accept_commit(commit(client.device(), 1, {}))).answer));
    believed = false;
    auto const all = offer(therapist.device());
    EXPECT_THAT(items<wire::Envelope>(all), IsEmpty());
    EXPECT_THAT(items<wire::Handshake>(all), SizeIs(1));
    EXPECT_THAT(items<wire::Welcome>(all), SizeIs(1));
}

TEST_P(Delivery, of_handshakes_is_never_held) {
    meet();  // no hours: she is closed
    ASSERT_TRUE(
        std::holds_alternative<wire::Accepted>(run(store->accept_commit(commit(client.device(), 1, {}))).answer));
    auto const handshakes = items<wire::Handshake>(offer(therapist.device()));
    ASSERT_THAT(handshakes, SizeIs(1));
    EXPECT_EQ(handshakes[0].epoch, 1u);
    EXPECT_THAT(items<wire::Handshake>(offer(client.device())), SizeIs(1));  // its own too: the answer can be lost
}

TEST_P(Delivery, of_one_message_may_overtake_another_that_is_held) {
    meet_with_hours(13, 14);
    add_second_device(client, 1);
    auto late = of_epoch(message(therapist, 1, noon), 2);
    auto quick = of_epoch(message(client, 2, noon), 2);
    EXPECT_EQ(accepted(run(store->accept(late))).seq, 1u);
    EXPECT_EQ(accepted(run(store->accept(quick))).seq, 2u);
    auto const other_device = client.device(1);
    EXPECT_THAT(seqs_offered(other_device), ElementsAre(2));
    ack(other_device, {2});
    EXPECT_THAT(seqs_offered(other_device), IsEmpty());
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(other_device), ElementsAre(1));
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2));
}

TEST_P(Delivery, to_ones_own_other_device_needs_no_opening_but_the_gate_of_its_account) {
    meet_with_hours(13, 14, true);
    send(therapist, 1);
    EXPECT_THAT(seqs_offered(therapist.device(1)), IsEmpty());
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(therapist.device(1)), ElementsAre(1));
    EXPECT_THAT(seqs_offered(therapist.device()), IsEmpty());  // it wrote it
}

TEST_P(Delivery, begins_for_a_device_with_the_epoch_in_which_it_joined) {
    meet_with_hours(9, 17);
    send(therapist, 1);
    add_second_device(client, 1);
    run(store->accept(of_epoch(message(therapist, 2, noon), 2)));
    EXPECT_THAT(seqs_offered(client.device()), ElementsAre(1, 2));
    EXPECT_THAT(seqs_offered(client.device(1)), ElementsAre(2));
    EXPECT_THAT(items<wire::Welcome>(offer(client.device(1))), SizeIs(1));
    EXPECT_THAT(items<wire::Handshake>(offer(client.device(1))), IsEmpty());
    EXPECT_THAT(items<wire::Handshake>(offer(therapist.device())), SizeIs(1));
}

// ---- Pages ---------------------------------------------------------------------------------------------------------

TEST_P(Delivery, comes_in_pages_of_so_many_messages) {
    meet_with_hours(9, 17);
    for (std::uint64_t number = 1; number <= 5; ++number) send(client, number);
    std::vector<std::uint64_t> seqs;
    core::ConversationSeen seen;
    for (int pages = 1;; ++pages) {
        auto const part = page(therapist.device(), 2, 1 << 20, seen);
        auto const envelopes = items<wire::Envelope>(part);
        EXPECT_LE(envelopes.size(), 2u);
        for (auto const& envelope : envelopes) seqs.push_back(envelope.seq);
        seen = part.seen;
        EXPECT_EQ(part.more, pages < 3);
        if (!part.more) break;
    }
    EXPECT_THAT(seqs, ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(Delivery, comes_in_pages_of_so_many_bytes_with_one_item_at_least_and_documents_first) {
    meet_with_hours(9, 17);
    run(store->accept(message(client, 1, noon, 5000)));
    run(store->accept(message(client, 2, noon, 100)));
    std::vector<std::uint64_t> seqs;
    std::size_t documents = 0, pages = 0;
    ports::Offer part;
    do {
        part = page(therapist.device(), 64, 1000, part.seen, part.documents);
        ASSERT_FALSE(part.items.empty()) << "a page that brings nothing would be asked for for ever";
        for (auto const& frame : items<wire::Documents>(part)) {
            EXPECT_THAT(seqs, IsEmpty()) << "a message before the documents by which it passes";
            documents += frame.documents.size();
        }
        auto const envelopes = items<wire::Envelope>(part);
        EXPECT_LE(envelopes.size(), 1u);
        for (auto const& envelope : envelopes) seqs.push_back(envelope.seq);
        ASSERT_LE(++pages, 20u);
    } while (part.more);
    EXPECT_THAT(seqs, ElementsAre(1, 2));
    EXPECT_EQ(documents, 3u);  // two lists and the hours
    EXPECT_GE(pages, 3u);
}

TEST_P(Delivery, has_no_more_on_its_way_to_one_link_than_the_limit) {
    meet_with_hours(9, 17);
    for (std::uint64_t number = 1; number <= core::offered_max + 5; ++number) send(client, number);
    auto const first = page(therapist.device(), 10'000, 1 << 24);
    EXPECT_THAT(items<wire::Envelope>(first), SizeIs(core::offered_max));
    EXPECT_THAT(items<wire::Envelope>(page(therapist.device(), 10'000, 1 << 24, first.seen)), IsEmpty());
    ack(therapist.device(), {1, 2, 3});
    auto const rest = items<wire::Envelope>(page(therapist.device(), 10'000, 1 << 24, first.seen));
    ASSERT_THAT(rest, SizeIs(3));
    EXPECT_EQ(rest[0].seq, core::offered_max + 1);
}

// ---- Acks ----------------------------------------------------------------------------------------------------------

TEST_P(Delivery, repeats_to_a_new_link_what_was_not_acked) {
    meet_with_hours(9, 17);
    for (std::uint64_t number = 1; number <= 4; ++number) send(client, number);
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1, 2, 3, 4));
    ack(therapist.device(), {3, 1});
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2, 4));
    open();
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2, 4));
}

TEST_P(Delivery, ends_with_the_ack_of_the_last_device) {
    meet_with_hours(9, 17, true);
    send(client, 1);
    ack(therapist.device(), {1});
    EXPECT_EQ(envelopes(), 1u);
    EXPECT_THAT(seqs_offered(therapist.device(1)), ElementsAre(1));
    ack(therapist.device(1), {1});
    EXPECT_EQ(envelopes(), 0u);
}

TEST_P(Delivery, acks_may_come_twice_and_for_what_never_was) {
    meet_with_hours(9, 17);
    send(client, 1);
    send(client, 2);
    ack(therapist.device(), {1, 1, 99});
    ack(therapist.device(), {1});
    ack(client.device(), {1, 2});  // its own
    ack(client.device(1), {2});    // no place
    ack(therapist.device(1), {2});
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2));
    send(client, 3);
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2, 3));
}

TEST_P(Delivery, what_is_held_cannot_be_acked) {
    meet_with_hours(13, 14);
    send(client, 1);
    ack(therapist.device(), {1});
    EXPECT_EQ(envelopes(), 1u);
    now = noon + 1h;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1));
    ack(therapist.device(), {1});
    EXPECT_EQ(envelopes(), 0u);
}

TEST_P(Delivery, a_device_that_its_list_drops_holds_nothing_back) {
    meet_with_hours(9, 17, true);
    send(client, 1);
    ack(therapist.device(), {1});
    EXPECT_EQ(envelopes(), 1u);
    ASSERT_TRUE(done(run(store->put_device_list(therapist.device(), therapist.next_list({0}, noon), seed()))));
    EXPECT_EQ(envelopes(), 0u);
    EXPECT_FALSE(offer(therapist.device(1)).member);
}

// ---- Handshakes ----------------------------------------------------------------------------------------------------

TEST_P(Delivery, of_handshakes_is_in_their_order_until_they_are_acked) {
    meet_with_hours(9, 17);
    heal(1);
    heal(2);
    heal(3);
    auto const epochs = [&] {
        std::vector<std::uint64_t> ended;
        for (auto const& handshake : items<wire::Handshake>(offer(client.device()))) ended.push_back(handshake.epoch);
        return ended;
    };
    EXPECT_THAT(epochs(), ElementsAre(1, 2, 3));
    run(store->ack_handshake(client.device(), pair.conversation, 1, 3));  // what began epoch 3 is in the vault
    EXPECT_THAT(epochs(), ElementsAre(3));
    run(store->ack_handshake(client.device(), pair.conversation, 1, 2));  // never back
    run(store->ack_handshake(client.device(), pair.conversation, 1, 9));  // not yet
    run(store->ack_handshake(client.device(), pair.conversation, 2, 4));  // another generation
    run(store->ack_handshake(client.device(1), pair.conversation, 1, 4));
    EXPECT_THAT(epochs(), ElementsAre(3));
    run(store->ack_handshake(client.device(), pair.conversation, 1, 4));
    EXPECT_THAT(epochs(), IsEmpty());
}

TEST_P(Delivery, of_a_welcome_ends_when_its_epoch_is_acked) {
    meet();
    EXPECT_THAT(items<wire::Welcome>(offer(therapist.device())), SizeIs(1));
    run(store->ack_handshake(therapist.device(), pair.conversation, 1, 0));
    EXPECT_THAT(items<wire::Welcome>(offer(therapist.device())), SizeIs(1));
    run(store->ack_handshake(therapist.device(), pair.conversation, 1, 1));
    EXPECT_THAT(items<wire::Welcome>(offer(therapist.device())), IsEmpty());
}

// ---- The end of an epoch -------------------------------------------------------------------------------------------

TEST_P(Delivery, says_that_an_epoch_ended_once_nobody_may_send_into_it) {
    meet_with_hours(9, 17);
    heal(1);
    auto const ends = [&](DeviceRef const& device) { return items<wire::EpochEnd>(offer(device)); };
    now = noon + 36s - 1ms;
    EXPECT_THAT(ends(client.device()), IsEmpty());
    now = noon + 36s;
    EXPECT_THAT(ends(client.device()), ElementsAre(wire::EpochEnd{pair.conversation, 1, 1}));
    EXPECT_THAT(ends(therapist.device()), SizeIs(1));
}

TEST_P(Delivery, accepts_nothing_in_an_epoch_after_its_end_was_said) {
    meet_with_hours(9, 17);
    heal(1);
    auto const arrived = noon + 30s - 1ms;  // but the store comes to it only now
    for (now = arrived; now.load() < noon + 40s; now = now.load() + 500ms) {
        bool const ended = !items<wire::EpochEnd>(offer(therapist.device())).empty();
        auto const number = static_cast<std::uint64_t>((now.load() - noon) / 1ms);
        auto const verdict = run(store->accept(message(client, number, arrived))).verdict;
        EXPECT_FALSE(ended && std::holds_alternative<core::Acceptance>(verdict)) << number;
        if (!ended && std::holds_alternative<core::Acceptance>(verdict))
            ack(therapist.device(), {std::get<core::Acceptance>(verdict).seq});
    }
}

TEST_P(Delivery, says_no_end_of_an_epoch_while_something_of_it_waits) {
    meet_with_hours(9, 17);
    send(client, 1);
    heal(1);
    now = noon + 1min;
    EXPECT_THAT(items<wire::EpochEnd>(offer(therapist.device())), IsEmpty());
    EXPECT_THAT(items<wire::EpochEnd>(offer(client.device())), SizeIs(1));
    ack(therapist.device(), {1});
    EXPECT_THAT(items<wire::EpochEnd>(offer(therapist.device())), SizeIs(1));
}

TEST_P(Delivery, says_the_end_of_an_epoch_to_a_gated_account_only_while_it_is_open) {
    meet_with_hours(13, 14);
    heal(1);
    now = noon + 1min;
    EXPECT_THAT(items<wire::EpochEnd>(offer(client.device())), SizeIs(1));
    EXPECT_THAT(items<wire::EpochEnd>(offer(therapist.device())), IsEmpty());
    now = noon + 1h;
    EXPECT_THAT(items<wire::EpochEnd>(offer(therapist.device())), SizeIs(1));
}

}  // namespace
}  // namespace interlude::test
