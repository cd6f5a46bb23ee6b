// When a kept message is looked at again: SQLite does not ask about each one each time.
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

using namespace std::chrono_literals;

constexpr auto hold_life = base::limits::hold_life_default;

class Expiry : public testing::Test {
  protected:
    Expiry() {
        on.open();
        pair.meet(on.io, *on.store, true);
        EXPECT_TRUE(std::holds_alternative<wire::Done>(on.run(on.store->put_calendar(pair.hours(13, 14, noon)))));
        accepted(on.run(on.store->accept(pair.message(pair.client, 1, noon))));  // held for an hour
    }
    std::uint64_t expired_at(WallTime time) {
        on.now = time;
        return on.run(on.store->expire(100, pair.entropy.id<core::Seed>())).rows;
    }

    StoreOnVfs on{"expiry"};
    Pair pair{5, noon};
};

TEST_F(Expiry, is_a_hold_life_after_the_opening_by_which_it_passed) {
    EXPECT_EQ(expired_at(noon + hold_life), 0u);
    EXPECT_EQ(expired_at(noon + hold_life + 1h - 1ms), 0u);
    EXPECT_EQ(expired_at(noon + hold_life + 1h), 1u);
    EXPECT_EQ(on.run(on.store->counts()).envelopes, 0u);
}

TEST_F(Expiry, comes_sooner_once_everybody_was_reached) {
    EXPECT_EQ(expired_at(noon + hold_life + 1min), 0u);
    wait(on.io, on.store->ack(pair.therapist.device(), pair.conversation, {1}));  // her other device has not
    EXPECT_EQ(on.run(on.store->counts()).envelopes, 1u);
    EXPECT_EQ(expired_at(noon + hold_life + 2min), 1u);
}

TEST_F(Expiry, waits_while_the_time_is_not_believed) {
    on.believed = false;
    EXPECT_EQ(expired_at(noon + 3 * hold_life), 0u);
    on.believed = true;
    EXPECT_EQ(expired_at(noon + 3 * hold_life), 1u);
}

TEST_F(Expiry, goes_on_where_a_full_batch_ended) {
    for (std::uint64_t number = 2; number <= 10; ++number)
        accepted(on.run(on.store->accept(pair.message(pair.client, number, noon))));
    on.now = noon + 3 * hold_life;
    std::uint64_t rows = 0;
    for (bool more = true; more;) {
        auto const swept = on.run(on.store->expire(4, pair.entropy.id<core::Seed>()));
        EXPECT_LE(swept.rows, 4u);
        rows += swept.rows;
        more = swept.more;
    }
    EXPECT_EQ(rows, 10u);
}

}  // namespace
}  // namespace interlude::test
