// What somebody waits for comes before what nobody does, and neither keeps the other from its turn.
#include <algorithm>

#include "tests/contract/vfs/worker_fixture.hpp"

namespace interlude::test {
namespace {

struct Turn final : store_sqlite::Job {
    Turn(std::vector<int>& all, int own) : turns(all), number(own) {}
    void run() override { turns.push_back(number); }
    std::vector<int>& turns;
    int number;
};

class Turns : public HeldWorker {
  protected:
    using Urgency = store_sqlite::Urgency;
    void take_turn(int number, Urgency urgency) {
        auto job = std::make_shared<Turn>(turns, number);
        job->urgency = urgency;
        queue(std::move(job), [](std::exception_ptr) {});
    }
    std::size_t place_of(int number) const {
        return static_cast<std::size_t>(std::find(turns.begin(), turns.end(), number) - turns.begin());
    }
    std::vector<int> turns;
};

TEST_F(Turns, of_what_somebody_waits_for_come_first) {
    auto const threw = play([this] {
        for (int number = 1; number <= 500; ++number) take_turn(number, Urgency::soon);
        take_turn(1000, Urgency::answer);
    });
    EXPECT_EQ(threw, 0);
    ASSERT_EQ(turns.size(), 501u);
    EXPECT_EQ(place_of(1000), 0u);
    EXPECT_LT(place_of(1), place_of(500));  // the others keep their order
}

TEST_F(Turns, of_what_nobody_waits_for_come_in_each_batch) {
    auto const threw = play([this] {
        for (int number = 1; number <= 5000; ++number) take_turn(number, Urgency::answer);
        take_turn(10'000, Urgency::soon);
    });
    EXPECT_EQ(threw, 0);
    ASSERT_EQ(turns.size(), 5001u);
    EXPECT_LT(place_of(10'000), 4000u);
}

TEST_F(Turns, of_what_may_come_later_cost_no_commit_of_their_own) {
    auto const threw = play([this] {
        for (int number = 1; number <= 20; ++number) take_turn(number, Urgency::later);
        take_turn(100, Urgency::answer);
        take_turn(200, Urgency::soon);
    });
    EXPECT_EQ(threw, 0);
    EXPECT_EQ(events.batches, 2);            // the first one is the gate
    EXPECT_LT(place_of(20), place_of(100));  // asked for before it, and done before it
    EXPECT_LT(place_of(100), place_of(200));
}

TEST_F(Turns, of_what_may_come_later_hold_up_nothing_that_comes_soon) {
    auto const threw = play([this] {
        take_turn(1, Urgency::later);
        take_turn(200, Urgency::soon);
    });
    EXPECT_EQ(threw, 0);
    EXPECT_LT(place_of(200), place_of(1));
}

TEST_F(Turns, of_what_may_come_later_come_though_nothing_else_does) {
    auto const threw = play([this] { take_turn(1, Urgency::later); });  // ends when it was done
    EXPECT_EQ(threw, 0);
    EXPECT_EQ(turns, (std::vector{1}));
}

TEST_F(Turns, of_what_may_come_later_come_however_much_else_does) {
    auto const threw = play([this] {
        for (int number = 1; number <= 5000; ++number) {
            take_turn(number, Urgency::answer);
            take_turn(20'000 + number, Urgency::soon);
        }
        take_turn(10'000, Urgency::later);
    });
    EXPECT_EQ(threw, 0);
    EXPECT_LT(place_of(10'000), 500u);
    EXPECT_LT(place_of(20'001), 500u);
}

}  // namespace
}  // namespace interlude::test
