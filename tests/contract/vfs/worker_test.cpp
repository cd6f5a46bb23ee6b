// One verb of a batch that fails takes nothing of the others with it, and leaves nothing of itself.
#include "tests/contract/vfs/worker_fixture.hpp"

namespace interlude::test {
namespace {

/// Writes its number, and may fail after that.
struct Write final : store_sqlite::Job {
    Write(store_sqlite::Database& into, int what, bool then_fails) : database(into), number(what), fails(then_fails) {}
    void run() override {
        database.run("INSERT INTO written VALUES (?)", number);
        if (fails) throw std::runtime_error("after it wrote");
    }
    store_sqlite::Database& database;
    int number;
    bool fails;
};

using Worker = HeldWorker;

TEST_F(Worker, a_verb_that_fails_after_it_wrote_leaves_nothing_of_itself) {
    int failed = 0;
    auto const threw = play([&] {
        for (int number = 1; number <= 3; ++number)
            queue(std::make_shared<Write>(database, number, number == 2),
                  [&failed](std::exception_ptr error) { failed += error ? 1 : 0; });
    });
    EXPECT_EQ(threw, 0);
    EXPECT_EQ(failed, 1);
    EXPECT_EQ(events.batches_undone, 1);
    EXPECT_EQ(events.verbs_undone, 1);
    EXPECT_EQ(database.value<int>("SELECT group_concat(x, '') FROM written"), 13);
}

TEST_F(Worker, tells_everybody_of_a_batch_even_where_one_handler_throws) {
    int told = 0;
    auto const threw = play([&] {
        for (int number = 1; number <= 10; ++number)
            queue(std::make_shared<Write>(database, number, false), [&told, number](std::exception_ptr) {
                ++told;
                if (number == 5) throw std::runtime_error("a handler of its own");
            });
    });
    EXPECT_EQ(told, 10);
    EXPECT_EQ(threw, 1);
}

}  // namespace
}  // namespace interlude::test
