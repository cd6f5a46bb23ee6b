// What somebody waits for comes before what nobody does, and neither keeps the other from its turn.
#include "server/store/sqlite/worker.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <thread>

#include "server/store/sqlite/database.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

struct Silent final : store_sqlite::WorkerEvents {
    void verb_begins() override {}
    void verb_undone() override {}
    void batch_undone() override {}
    void durable() override {}
    void disk_failed(std::string const& what) override { ADD_FAILURE() << what; }
};

struct Turn final : store_sqlite::Job {
    Turn(std::vector<int>& all, int own) : turns(all), number(own) {}
    void run() override { turns.push_back(number); }
    std::vector<int>& turns;
    int number;
};

class Turns : public testing::Test {
  protected:
    void SetUp() override {
        database.execute(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE written (x INTEGER)");
    }
    void queue(int number, bool waited_for) {
        auto job = std::make_shared<Turn>(turns, number);
        job->waited_for = waited_for;
        boost::asio::co_spawn(io, worker->perform(std::move(job)), boost::asio::detached);
    }
    /// Queues while the first batch, which is nothing else, is held up.
    template <class Fill>
    void play(Fill fill) {
        struct Gate final : store_sqlite::Job {
            void run() override { open.get_future().wait(); }
            std::promise<void> open;
        };
        auto const gate = std::make_shared<Gate>();
        worker.emplace(io.get_executor(), database, events);
        boost::asio::co_spawn(io, worker->perform(gate), boost::asio::detached);
        io.poll();
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        io.restart();
        fill();
        io.poll();  // all are in the store's queue
        gate->open.set_value();
        io.restart();
        io.run();
        worker.reset();
    }
    std::size_t place_of(int number) const {
        return static_cast<std::size_t>(std::find(turns.begin(), turns.end(), number) - turns.begin());
    }

    FaultVfs vfs{"turns"};
    store_sqlite::Database database{"turns.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name()};
    Silent events;
    boost::asio::io_context io;
    std::vector<int> turns;
    std::optional<store_sqlite::Worker> worker;
};

TEST_F(Turns, of_what_somebody_waits_for_come_first) {
    play([this] {
        for (int number = 1; number <= 500; ++number) queue(number, false);
        queue(1000, true);
    });
    ASSERT_EQ(turns.size(), 501u);
    EXPECT_EQ(place_of(1000), 0u);
    EXPECT_LT(place_of(1), place_of(500));  // the others keep their order
}

TEST_F(Turns, of_what_nobody_waits_for_come_in_each_batch) {
    play([this] {
        for (int number = 1; number <= 5000; ++number) queue(number, true);
        queue(10'000, false);
    });
    ASSERT_EQ(turns.size(), 5001u);
    EXPECT_LT(place_of(10'000), 4000u);
}

}  // namespace
}  // namespace interlude::test
