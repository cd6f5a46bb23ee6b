// From a draft to a row of the log: chained, tagged, committed to, and behind a veil until its message passes.
#include "server/core/audit_events.hpp"

#include <gtest/gtest.h>

#include "server/core/draws.hpp"
#include "tests/unit/core/parts.hpp"

namespace interlude::test {
namespace {

using namespace core;

class Sealing : public testing::Test {
  protected:
    EntryDraft draft(std::uint64_t number) const {
        return {audit::subject_of(account), monday_noon + 12s,
                audit::WindowOpened{account, monday_noon + std::chrono::seconds(number), number}, std::nullopt};
    }
    crypto::SeededEntropy entropy{8};
    AccountId account = entropy.id<AccountId>();
    audit::SubjectKey key = audit::SubjectKey::generate(entropy);
    base::Hash32 salt = entropy.id<base::Hash32>();
};

TEST_F(Sealing, begins_a_chain_at_one_with_zeros_before_it) {
    auto const sealed = seal_entry(draft(1), key, {}, salt);
    EXPECT_EQ(sealed.counter, 1u);
    EXPECT_EQ(sealed.entry.size(), base::limits::entry_bytes);
    EXPECT_EQ(sealed.payload.size(), base::limits::payload_bytes);
    auto const payload = audit::decode_payload(sealed.payload).value();
    EXPECT_TRUE(payload.previous.is_zero());
    EXPECT_EQ(payload.decided_at, monday_noon + 12s);
    EXPECT_EQ(std::get<audit::WindowOpened>(payload.body).calendar, 1u);
}

TEST_F(Sealing, continues_a_chain_with_the_hash_of_the_entry_before) {
    auto const first = seal_entry(draft(1), key, {}, salt);
    auto const second = seal_entry(draft(2), key, {first.counter, first.hash}, salt);
    EXPECT_EQ(second.counter, 2u);
    EXPECT_EQ(audit::decode_payload(second.payload).value().previous, audit::entry_hash(first.entry));
    EXPECT_EQ(second.hash, audit::entry_hash(second.entry));
}

TEST_F(Sealing, shows_outsiders_the_minute_a_tag_and_a_commitment_alone) {
    auto const sealed = seal_entry(draft(1), key, {6, base::Hash32{}}, salt);
    auto const entry = audit::decode_entry(sealed.entry).value();
    EXPECT_EQ(entry.minute, monday_noon);
    EXPECT_EQ(entry.tag, audit::tag_of(key, 7));
    EXPECT_EQ(entry.commitment, audit::commitment_of(salt.span(), sealed.payload));
    auto const other = seal_entry(draft(1), key, {6, base::Hash32{}}, entropy.id<base::Hash32>());
    EXPECT_NE(audit::decode_entry(other.entry).value().commitment, entry.commitment);
}

TEST(Veil, opens_to_the_sender_at_once_and_to_a_gated_reader_at_the_opening) {
    crypto::SeededEntropy entropy{9};
    auto const sender = entropy.id<AccountId>(), therapist = entropy.id<AccountId>();
    Calendars const calendars{{therapist, open_in({span(monday_noon + 1h, 1h)})}};
    core::Veil const veil{entropy.id<ConversationId>(), {sender, std::nullopt, monday_noon}};
    EXPECT_TRUE(sees(sender, veil, calendars, monday_noon));
    EXPECT_FALSE(sees(therapist, veil, calendars, monday_noon + 1h - 1ms));
    EXPECT_TRUE(sees(therapist, veil, calendars, monday_noon + 1h));
    EXPECT_TRUE(sees(therapist, veil, calendars, monday_noon + 5h));
    EXPECT_TRUE(sees(therapist, std::nullopt, calendars, monday_noon));
}

TEST(Draws, are_never_the_same_twice_and_always_the_same_from_one_seed) {
    crypto::SeededEntropy entropy{10};
    auto const seed = entropy.id<Seed>();
    Draws draws(seed), again(seed), other(entropy.id<Seed>());
    std::set<base::Hash32> drawn;
    for (int i = 0; i < 100; ++i) {
        auto const one = draws.next();
        EXPECT_EQ(again.next(), one);
        EXPECT_TRUE(drawn.insert(one).second);
        EXPECT_TRUE(drawn.insert(other.next()).second);
    }
}

}  // namespace
}  // namespace interlude::test
