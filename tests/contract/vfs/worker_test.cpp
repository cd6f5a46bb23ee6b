// One verb of a batch that fails takes nothing of the others with it, and leaves nothing of itself.
#include "server/store/sqlite/worker.hpp"

#include "server/store/sqlite/database.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

using store_sqlite::Database;
using store_sqlite::Job;

struct Events final : store_sqlite::WorkerEvents {
    void verb_begins() override {}
    void verb_undone() override { ++undone; }
    void batch_undone() override { ++batches_undone; }
    void durable() override {}
    void disk_failed(std::string const& what) override { ADD_FAILURE() << what; }
    int undone = 0;
    int batches_undone = 0;
};

/// Writes its number, and may fail after that.
struct Write final : Job {
    Write(Database& into, int what, bool then_fails) : database(into), number(what), fails(then_fails) {}
    void run() override {
        database.run("INSERT INTO written VALUES (?)", number);
        if (fails) throw std::runtime_error("after it wrote");
    }
    Database& database;
    int number;
    bool fails;
};

TEST(Worker, a_verb_that_fails_after_it_wrote_leaves_nothing_of_itself) {
    FaultVfs vfs("worker");
    Database database("worker.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name());
    database.execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE written (x INTEGER)");
    vfs.set_sync_time(std::chrono::milliseconds{20});  // so that what follows the first is one batch
    Events events;
    boost::asio::io_context io;
    int failed = 0;
    {
        store_sqlite::Worker worker(io.get_executor(), database, events);
        for (int number = 1; number <= 3; ++number) {
            auto done = [&](std::exception_ptr error) { failed += error ? 1 : 0; };
            boost::asio::co_spawn(io, worker.perform(std::make_shared<Write>(database, number, number == 2)), done);
        }
        io.run();
    }
    EXPECT_EQ(failed, 1);
    EXPECT_EQ(events.batches_undone, 1);
    EXPECT_EQ(events.undone, 1);
    EXPECT_EQ(database.value<int>("SELECT group_concat(x, '') FROM written"), 13);
}

TEST(Worker, tells_everybody_of_a_batch_even_where_one_handler_throws) {
    FaultVfs vfs("worker");
    Database database("worker.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name());
    database.execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE written (x INTEGER)");
    vfs.set_sync_time(std::chrono::milliseconds{20});  // so that what follows the first is one batch
    Events events;
    boost::asio::io_context io;
    int told = 0, thrown = 0;
    {
        store_sqlite::Worker worker(io.get_executor(), database, events);
        for (int number = 1; number <= 10; ++number) {
            auto done = [&told, number](std::exception_ptr) {
                ++told;
                if (number == 5) throw std::runtime_error("a handler of its own");
            };
            boost::asio::co_spawn(io, worker.perform(std::make_shared<Write>(database, number, false)), done);
        }
        while (!io.stopped()) {
            try {
                io.run();
            } catch (std::runtime_error const&) {
                ++thrown;
            }
        }
    }
    EXPECT_EQ(told, 10);
    EXPECT_EQ(thrown, 1);
}

}  // namespace
}  // namespace interlude::test
