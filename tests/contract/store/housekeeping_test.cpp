// expire, purge: what ends by time, when to the millisecond, and that nothing does while the time is not believed.
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

constexpr auto hold_life = base::limits::hold_life_default;

class Housekeeping : public World {
  protected:
    std::uint64_t expire(std::size_t max = 1000) { return run(store->expire(max, seed())).rows; }
    void purge() {
        while (run(store->purge(1000, seed())).more) {
        }
    }
};
INTERLUDE_BOTH_STORES(Housekeeping);

// ---- Envelopes -----------------------------------------------------------------------------------------------------

TEST_P(Housekeeping, ends_an_envelope_one_hold_life_after_it_passed) {
    meet_with_hours(13, 14);
    send(client, 1);
    now = noon + 1h + hold_life - 1ms;
    EXPECT_EQ(expire(), 0u);
    now = noon + 1h + hold_life;
    EXPECT_EQ(expire(), 1u);
    EXPECT_EQ(envelopes(), 0u);
    EXPECT_EQ(expire(), 0u);
}

TEST_P(Housekeeping, ends_an_envelope_that_never_passes_two_hold_lives_after_its_stamp) {
    meet();
    send(client, 1);
    now = noon + 2 * hold_life - 1ms;
    EXPECT_EQ(expire(), 0u);
    now = noon + 2 * hold_life;
    EXPECT_EQ(expire(), 1u);
    EXPECT_THAT(seqs_offered(therapist.device()), IsEmpty());
}

TEST_P(Housekeeping, says_in_an_entry_and_to_the_author_whom_an_ended_envelope_never_reached) {
    meet_with_hours(13, 14);
    auto const outcome = run(store->accept(message(client, 1, noon)));
    now = noon + 1h + hold_life;
    announced();
    auto const before = entries();
    EXPECT_EQ(expire(), 1u);
    EXPECT_EQ(entries(), before + 1);
    EXPECT_THAT(announced(), SizeIs(1));
    auto const expired = std::get<audit::Expired>(opened(client.device(), subject()).back().body);
    EXPECT_EQ(expired.seq, 1u);
    EXPECT_EQ(expired.envelope, accepted(outcome).envelope);
    EXPECT_THAT(expired.unreached, ElementsAre(therapist.account()));
    wire::Fate const fate{pair.conversation, 1, wire::FateKind::expired, therapist.account()};
    EXPECT_THAT(items<wire::Fate>(offer(client.device())), ElementsAre(fate));
    EXPECT_THAT(items<wire::Fate>(offer(therapist.device())), IsEmpty());
}

TEST_P(Housekeeping, ends_an_envelope_that_only_a_second_device_lacks_without_naming_the_account) {
    meet_with_hours(9, 17, true);
    send(client, 1);
    run(store->ack(therapist.device(), pair.conversation, {1}));
    now = noon + hold_life - 1ms;
    EXPECT_EQ(expire(), 0u);
    now = noon + hold_life;
    EXPECT_EQ(expire(), 1u);
    EXPECT_THAT(std::get<audit::Expired>(opened(client.device(), subject()).back().body).unreached, IsEmpty());
    EXPECT_THAT(items<wire::Fate>(offer(client.device())), IsEmpty());
}

TEST_P(Housekeeping, gives_room_back_and_moves_cursors_over_what_ended) {
    policy.undelivered_messages_max = 1;
    open();
    meet_with_hours(13, 14);
    send(client, 1);
    now = noon + 1h + hold_life;
    EXPECT_EQ(rule_of(run(store->accept(message(client, 2, now.load()))).verdict), Rule::quota);
    expire();
    EXPECT_EQ(send(client, 2), 2u);
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(2));
}

TEST_P(Housekeeping, ends_no_more_at_a_time_than_asked) {
    meet();
    for (std::uint64_t number = 1; number <= 5; ++number) send(client, number);
    now = noon + 2 * hold_life;
    auto const first = run(store->expire(2, seed()));
    EXPECT_EQ(first.rows, 2u);
    EXPECT_TRUE(first.more);
    EXPECT_EQ(envelopes(), 3u);
    std::uint64_t rest = 0;
    for (bool more = true; more;) {
        auto const swept = run(store->expire(2, seed()));
        EXPECT_LE(swept.rows, 2u);
        rest += swept.rows;
        more = swept.more;
    }
    EXPECT_EQ(rest, 3u);
}

// ---- Everything else -----------------------------------------------------------------------------------------------

TEST_P(Housekeeping, keeps_request_ids_for_two_hold_lives) {
    meet();
    auto const first = message(client, 1, noon);
    run(store->accept(first));
    now = noon + 2 * hold_life - 1ms;
    purge();
    EXPECT_TRUE(std::holds_alternative<core::BoundAnswer>(run(store->accept(first)).verdict));
    now = noon + 2 * hold_life;
    purge();
    EXPECT_EQ(accepted(run(store->accept(first))).seq, 2u);
}

TEST_P(Housekeeping, keeps_handshakes_and_welcomes_for_two_hold_lives) {
    meet();
    ASSERT_TRUE(
        std::holds_alternative<wire::Accepted>(run(store->accept_commit(commit(client.device(), 1, {}))).answer));
    auto const kept = [&] {
        auto const all = offer(therapist.device());
        return std::pair(items<wire::Handshake>(all).size(), items<wire::Welcome>(all).size());
    };
    now = noon + 2 * hold_life - 1ms;
    purge();
    EXPECT_EQ(kept(), std::pair(std::size_t{1}, std::size_t{1}));
    now = noon + 2 * hold_life;
    purge();
    EXPECT_EQ(kept(), std::pair(std::size_t{0}, std::size_t{0}));
}

TEST_P(Housekeeping, keeps_notices_for_two_hold_lives) {
    meet_with_hours(13, 14);
    send(client, 1);
    run(store->recall(client.device(), pair.conversation, 1, seed()));
    now = noon + 2 * hold_life - 1ms;
    purge();
    EXPECT_THAT(items<wire::Fate>(offer(client.device())), SizeIs(1));
    now = noon + 2 * hold_life;
    purge();
    EXPECT_THAT(items<wire::Fate>(offer(client.device())), IsEmpty());
}

TEST_P(Housekeeping, forgets_key_packages_that_ended) {
    join(therapist);
    stock(therapist, 3);
    now = noon + std::chrono::days{20} - 1h;
    EXPECT_EQ(run(store->purge(1000, seed())).rows, 3u);
    EXPECT_EQ(run(store->purge(1000, seed())).rows, 0u);
}

TEST_P(Housekeeping, forgets_payloads_after_a_hold_life_and_ninety_days_and_says_so) {
    meet();
    auto const end = noon + hold_life + std::chrono::days{90};
    now = end - 1ms;
    purge();
    auto const before = entries();
    EXPECT_THAT(opened(client.device(), subject()), SizeIs(1));
    now = end;
    purge();
    EXPECT_EQ(entries(), before + 4);  // one for each chain: two accounts, the conversation, the operator
    auto const payloads = opened(client.device(), subject());
    ASSERT_THAT(payloads, SizeIs(1));
    EXPECT_EQ(std::get<audit::RetentionPurge>(payloads[0].body), (audit::RetentionPurge{1, 1}));
    EXPECT_THAT(run(store->log_entries(client.device(), subject(), 1, 10))->rows, SizeIs(2));
}

TEST_P(Housekeeping, says_nothing_about_forgetting_what_only_said_so) {
    meet();
    auto const life = hold_life + std::chrono::days{90};
    now = noon + life;
    purge();
    auto const before = entries();
    now = noon + 2 * life;
    purge();
    EXPECT_EQ(entries(), before);
    EXPECT_THAT(opened(client.device(), subject()), IsEmpty());
}

TEST_P(Housekeeping, does_nothing_while_the_time_is_not_believed) {
    meet_with_hours(13, 14);
    auto const first = message(client, 1, noon);
    run(store->accept(first));
    auto const before = entries();
    believed = false;
    now = noon + std::chrono::days{1000};
    EXPECT_EQ(expire(), 0u);
    EXPECT_EQ(run(store->purge(1000, seed())).rows, 0u);
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(envelopes(), 1u);
    EXPECT_TRUE(std::holds_alternative<core::BoundAnswer>(run(store->accept(first)).verdict));
    believed = true;
    EXPECT_EQ(expire(), 1u);
}

}  // namespace
}  // namespace interlude::test
