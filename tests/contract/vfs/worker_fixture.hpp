// A worker whose first batch is held up, so that what is queued meanwhile is the next one.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <optional>
#include <thread>

#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/worker.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {

struct CountedEvents final : store_sqlite::WorkerEvents {
    void verb_begins() override {}
    void verb_undone() override { ++verbs_undone; }
    void batch_undone() override { ++batches_undone; }
    void durable() override { ++batches; }
    void disk_failed(std::string const& what) override { ADD_FAILURE() << what; }
    int verbs_undone = 0, batches_undone = 0, batches = 0;
};

class HeldWorker : public testing::Test {
  protected:
    void SetUp() override {
        database.execute(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE written (x INTEGER)");
    }
    template <class Done>
    void queue(store_sqlite::JobPtr job, Done done) {
        boost::asio::co_spawn(io, worker->perform(std::move(job)), std::move(done));
    }
    /// Queues while the first batch, which is nothing else, is held up. How many handlers threw.
    template <class Fill>
    int play(Fill fill) {
        struct Gate final : store_sqlite::Job {
            void run() override { open.get_future().wait(); }
            std::promise<void> open;
        };
        auto const gate = std::make_shared<Gate>();
        worker.emplace(io.get_executor(), database, events);
        queue(gate, [](std::exception_ptr) {});
        io.poll();
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        io.restart();
        fill();
        io.poll();  // all are in the store's queue
        gate->open.set_value();
        io.restart();
        int threw = 0;
        while (!io.stopped()) {
            try {
                io.run();
            } catch (std::runtime_error const&) {
                ++threw;
            }
        }
        worker.reset();
        return threw;
    }

    FaultVfs vfs{"worker"};
    store_sqlite::Database database{"worker.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name()};
    CountedEvents events;
    boost::asio::io_context io;
    std::optional<store_sqlite::Worker> worker;
};

}  // namespace interlude::test
