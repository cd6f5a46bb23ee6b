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
    void take_turn(int number, bool waited_for) {
        auto job = std::make_shared<Turn>(turns, number);
        job->waited_for = waited_for;
        queue(std::move(job), [](std::exception_ptr) {});
    }
    std::size_t place_of(int number) const {
        return static_cast<std::size_t>(std::find(turns.begin(), turns.end(), number) - turns.begin());
    }
    std::vector<int> turns;
};

TEST_F(Turns, of_what_somebody_waits_for_come_first) {
    auto const threw = play([this] {
        for (int number = 1; number <= 500; ++number) take_turn(number, false);
        take_turn(1000, true);
    });
    EXPECT_EQ(threw, 0);
    ASSERT_EQ(turns.size(), 501u);
    EXPECT_EQ(place_of(1000), 0u);
    EXPECT_LT(place_of(1), place_of(500));  // the others keep their order
}

TEST_F(Turns, of_what_nobody_waits_for_come_in_each_batch) {
    auto const threw = play([this] {
        for (int number = 1; number <= 5000; ++number) take_turn(number, true);
        take_turn(10'000, false);
    });
    EXPECT_EQ(threw, 0);
    ASSERT_EQ(turns.size(), 5001u);
    EXPECT_LT(place_of(10'000), 4000u);
}

}  // namespace
}  // namespace interlude::test
