// What a device is offered, when an envelope may be forgotten, recalled, or expires.
#include "server/core/delivery.hpp"

#include <gtest/gtest.h>

#include "server/core/recall.hpp"
#include "tests/unit/core/parts.hpp"

namespace interlude::core {
namespace {

using namespace test;

DeviceRef device(std::uint8_t of, std::uint8_t number = 0) {
    DeviceRef ref{account(of), {}};
    ref.device.bytes.fill(static_cast<std::uint8_t>(16 * of + number));
    return ref;
}
constexpr std::uint8_t therapist_number = 1, client_number = 2, partner_number = 3;

EnvelopeRow envelope(std::uint64_t seq, std::uint8_t from, WallTime stamp, std::uint64_t epoch = 1) {
    EnvelopeRow row;
    row.seq = seq;
    row.epoch = epoch;
    row.sender = device(from);
    row.stamp = stamp;
    row.size = 100;
    return row;
}
EnvelopeRow late(std::uint64_t seq, WallTime stamp) {
    auto row = envelope(seq, therapist_number, stamp);
    row.late_sender = account(therapist_number);
    return row;
}

struct Offering : testing::Test {
    OfferPlan plan(WallTime now, std::size_t messages = 64, std::size_t bytes = 1'000'000) const {
        return plan_offer(facts, seen, {now, true}, policy, messages, bytes);
    }
    void for_device(DeviceRef const& ref) { facts.device = {ref, 1, 1, {}}; }
    Offering() {
        for_device(device(therapist_number));
        facts.epoch = 1;
        facts.epoch_began = monday_noon - 1h;
        facts.calendars[account(therapist_number)] = open_in({span(monday_noon, 1h)});
    }
    OfferFacts facts;
    ConversationSeen seen;
    Policy policy;
};

TEST_F(Offering, a_held_envelope_is_offered_exactly_from_the_opening) {
    facts.waiting = {envelope(1, client_number, monday_noon - 3h), envelope(2, client_number, monday_noon - 1ms)};
    EXPECT_TRUE(plan(monday_noon - 1ms).envelopes.empty());
    EXPECT_EQ(plan(monday_noon).envelopes, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(plan(monday_noon + 5h).envelopes, (std::vector<std::uint64_t>{1, 2}));  // never closes again
}

TEST_F(Offering, what_came_after_the_window_waits_for_the_next) {
    facts.waiting = {envelope(1, client_number, monday_noon + 1h - 1ms), envelope(2, client_number, monday_noon + 1h)};
    EXPECT_EQ(plan(monday_noon + 2h).envelopes, (std::vector<std::uint64_t>{1}));
}

TEST_F(Offering, a_late_reply_does_not_keep_back_what_comes_after_it) {
    for_device(device(client_number));
    facts.waiting = {late(1, monday_noon - 10h), envelope(2, partner_number, monday_noon - 9h)};
    EXPECT_EQ(plan(monday_noon - 1h).envelopes, (std::vector<std::uint64_t>{2}));
    EXPECT_EQ(plan(monday_noon).envelopes, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(Offering, while_the_time_is_not_believed_nothing_is_released) {
    facts.waiting = {envelope(1, client_number, monday_noon)};
    facts.epoch = 5;
    auto const nothing = plan_offer(facts, seen, {monday_noon, false}, policy, 64, 1'000'000);
    EXPECT_TRUE(nothing.envelopes.empty());
    EXPECT_FALSE(nothing.epoch_end);
}

TEST_F(Offering, pages_are_bounded_and_nothing_is_sent_twice) {
    for_device(device(client_number));
    for (std::uint64_t seq = 1; seq <= 5; ++seq) facts.waiting.push_back(envelope(seq, therapist_number, monday_noon));
    auto const first = plan(monday_noon, 2);
    EXPECT_EQ(first.envelopes, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_TRUE(first.more);
    seen.offered = {1, 2};
    facts.device.acked.add(3);
    EXPECT_EQ(plan(monday_noon).envelopes, (std::vector<std::uint64_t>{4, 5}));
    EXPECT_FALSE(plan(monday_noon).more);
    EXPECT_EQ(plan(monday_noon, 64, 199).envelopes, (std::vector<std::uint64_t>{4}));
    EXPECT_EQ(plan(monday_noon, 64, 1).envelopes, (std::vector<std::uint64_t>{4}));  // one always fits
    for (std::uint64_t seq = 10; seen.offered.size() < offered_max; ++seq) seen.offered.insert(seq);
    EXPECT_TRUE(plan(monday_noon).envelopes.empty());
    EXPECT_FALSE(plan(monday_noon).more);  // goes on with its acks
}

TEST_F(Offering, an_epoch_ends_after_its_grace_and_when_nothing_of_it_waits) {
    for_device(device(client_number));
    facts.epoch = 4;
    facts.epoch_began = monday_noon;
    EXPECT_EQ(plan(monday_noon + 36s - 1ms).epoch_end, 2u);
    EXPECT_EQ(plan(monday_noon + 36s).epoch_end, 3u);
    facts.oldest_waiting_epoch = 3;
    EXPECT_EQ(plan(monday_noon + 36s).epoch_end, 2u);
    seen.epoch_ended = 3;  // told already
    EXPECT_FALSE(plan(monday_noon + 36s).epoch_end);
    facts.oldest_waiting_epoch = 1;
    seen.epoch_ended = 0;
    EXPECT_FALSE(plan(monday_noon + 36s).epoch_end);
}

TEST_F(Offering, a_gated_account_learns_of_ended_epochs_only_while_open) {
    facts.epoch = 4;
    EXPECT_FALSE(plan(monday_noon - 1ms).epoch_end);
    EXPECT_TRUE(plan(monday_noon).epoch_end);
    EXPECT_FALSE(plan(monday_noon + 1h).epoch_end);
}

TEST(Delivery, envelopes_wait_for_devices_of_their_epoch_but_not_for_their_author) {
    DeliveryRow row{device(client_number), 2, 2, {}};
    EXPECT_TRUE(waits_for(envelope(1, therapist_number, monday_noon, 2), row));
    EXPECT_FALSE(waits_for(envelope(1, therapist_number, monday_noon, 1), row));
    EXPECT_FALSE(waits_for(envelope(1, client_number, monday_noon, 2), row));
    row.acked.add(1);
    EXPECT_FALSE(waits_for(envelope(1, therapist_number, monday_noon, 2), row));
}

TEST(Delivery, an_envelope_is_done_when_every_device_and_every_account_has_it) {
    auto const one = envelope(1, therapist_number, monday_noon);
    std::vector<AccountId> const accounts{account(therapist_number), account(client_number)};
    std::vector<DeliveryRow> devices{{device(therapist_number), 1, 1, {}},
                                     {device(client_number, 0), 1, 1, {}},
                                     {device(client_number, 1), 1, 1, {}}};
    EXPECT_FALSE(is_done(one, accounts, devices));
    devices[1].acked.add(1);
    EXPECT_FALSE(is_done(one, accounts, devices));
    EXPECT_TRUE(unreached_accounts(one, accounts, devices).empty());
    devices[2].acked.add(1);
    EXPECT_TRUE(is_done(one, accounts, devices));
    devices.resize(1);  // all its devices are gone: nobody has it
    EXPECT_FALSE(is_done(one, accounts, devices));
    EXPECT_EQ(unreached_accounts(one, accounts, devices), std::vector{account(client_number)});
}

TEST(Delivery, life_ends_one_hold_life_after_passing_and_two_after_the_stamp) {
    Policy const policy;
    Calendars calendars{{account(therapist_number), open_in({span(monday_noon, 1h)})}};
    auto const stamp = monday_noon - 10h;
    std::vector<AccountId> const to{account(therapist_number)};
    EXPECT_EQ(expires_at(envelope(1, client_number, stamp), to, calendars, policy), monday_noon + policy.hold_life);
    calendars[account(therapist_number)] = nullptr;
    EXPECT_EQ(expires_at(envelope(1, client_number, stamp), to, calendars, policy), stamp + 2 * policy.hold_life);
    EXPECT_EQ(expires_at(envelope(1, client_number, stamp), {account(partner_number)}, calendars, policy),
              stamp + policy.hold_life);
}

TEST(Delivery, cuts_filter_exactly_what_passes) {
    Calendars const calendars{
        {account(therapist_number), open_in({span(monday_noon, 1h), span(monday_noon + 20h, 1h)})},
        {account(4), open_in({span(monday_noon + 30min, 4h)})}};
    std::vector<EnvelopeRow> rows;
    for (auto const stamp : {-12h, -1h, 0h, 1h, 2h, 21h}) {
        rows.push_back(envelope(1, client_number, monday_noon + stamp));
        rows.push_back(late(2, monday_noon + stamp));
    }
    for (auto const reader : {therapist_number, client_number, std::uint8_t{4}})
        for (auto const at : {-1h, 0h, 1h, 4h, 5h, 20h, 22h}) {
            auto const now = monday_noon + at;
            auto const cuts = cuts_for(account(reader), calendars, now);
            for (auto const& row : rows)
                EXPECT_EQ(cuts.passes(row.origin()), passes(row.origin(), account(reader), calendars, now))
                    << int(reader) << " at " << at.count() << " stamp " << (row.stamp - monday_noon).count();
        }
}

// ---- Recall --------------------------------------------------------------------------------------------------------

struct Recall : testing::Test {
    Recall() {
        facts.member = true;
        facts.envelope = envelope(9, client_number, monday_noon - 1h);
        facts.recipients = {account(therapist_number), account(client_number)};
        facts.calendars[account(therapist_number)] = open_in({span(monday_noon, 1h)});
    }
    RecallVerdict recall(WallTime now, DeviceRef const& by = device(client_number)) const {
        return decide_recall(facts, by, ConversationId{}, {now, true});
    }
    RecallFacts facts;
};

TEST_F(Recall, works_until_the_opening_and_is_logged) {
    auto const verdict = recall(monday_noon - 1ms);
    ASSERT_TRUE(std::holds_alternative<Recalling>(verdict));
    auto const& recalled = std::get<audit::Recalled>(std::get<Recalling>(verdict).entry.body);
    EXPECT_EQ(recalled.seq, 9u);
    EXPECT_EQ(recalled.device, device(client_number).device);
    EXPECT_TRUE(std::holds_alternative<wire::TooLate>(recall(monday_noon)));
    EXPECT_TRUE(std::holds_alternative<wire::TooLate>(recall(monday_noon + 2h)));
}

TEST_F(Recall, is_too_late_once_a_partner_has_it) {
    facts.recipients.push_back(account(partner_number));
    EXPECT_TRUE(std::holds_alternative<wire::TooLate>(recall(monday_noon - 1ms)));
}

TEST_F(Recall, somebody_elses_envelope_and_none_look_the_same) {
    EXPECT_TRUE(std::holds_alternative<wire::TooLate>(recall(monday_noon - 1ms, device(therapist_number))));
    EXPECT_TRUE(std::holds_alternative<wire::TooLate>(recall(monday_noon - 1ms, device(client_number, 1))));
    facts.envelope.reset();
    EXPECT_TRUE(std::holds_alternative<wire::TooLate>(recall(monday_noon - 1ms)));
    facts.recalled_before = true;
    EXPECT_TRUE(std::holds_alternative<wire::Done>(recall(monday_noon + 1h)));
    facts.member = false;
    EXPECT_TRUE(std::holds_alternative<wire::Refused>(recall(monday_noon)));
}

}  // namespace
}  // namespace interlude::core
