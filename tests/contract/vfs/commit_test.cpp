// Group commit: what an answer costs, what stands before it, and what a disk that fails or is full does to it.
#include <boost/asio/detached.hpp>
#include <iostream>

#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

using Op = FaultVfs::Op;

class Commit : public testing::Test {
  protected:
    Commit() {
        on.open();
        pair.meet(on.io, *on.store);
        on.vfs.begin();
    }

    boost::asio::awaitable<void> one_of_many(std::uint64_t number, int& answered) {
        auto submission = pair.message(pair.client, number, noon);
        auto accepting = on.store->accept(std::move(submission));
        auto const outcome = co_await std::move(accepting);
        if (std::holds_alternative<core::Acceptance>(outcome.verdict)) ++answered;
    }
    boost::asio::awaitable<void> link(std::uint64_t first, int in_flight, int& answered) {
        for (int i = 0; i < in_flight; ++i) {
            auto one = one_of_many(first + static_cast<std::uint64_t>(i), answered);
            boost::asio::co_spawn(on.io, std::move(one), boost::asio::detached);
        }
        co_return;
    }

    StoreOnVfs on{"commit"};
    Pair pair{1, noon};
};

TEST_F(Commit, submissions_in_flight_share_their_fsyncs) {
    on.vfs.set_sync_time(std::chrono::milliseconds{2});
    int answered = 0;
    for (std::uint64_t number = 0; number < 64; ++number) {
        auto one = link(1 + 4 * number, 4, answered);
        boost::asio::co_spawn(on.io, std::move(one), boost::asio::detached);
    }
    on.io.restart();
    on.io.run();
    EXPECT_EQ(answered, 256);
    EXPECT_LE(on.vfs.count(Op::sync), 32u);
    EXPECT_GE(on.vfs.count(Op::sync), 1u);
    std::cout << on.vfs.count(Op::sync) << " fsyncs for 256 submissions in flight\n";
    EXPECT_EQ(on.announced, 256 + 3);  // and the steps of their meeting
}

TEST_F(Commit, an_answer_leaves_only_after_its_write_was_synced) {
    for (std::uint64_t number = 1; number <= 20; ++number) {
        accepted(on.run(on.store->accept(pair.message(pair.client, number, noon))));
        on.vfs.mark(number);
    }
    std::uint64_t marks = 0;
    int writes = 0;
    std::optional<Op> last;
    for (auto const& step : on.vfs.steps()) {
        if (step.op) {
            if (step.op == Op::write) ++writes;
            last = step.op;
            continue;
        }
        EXPECT_EQ(step.mark, ++marks);
        EXPECT_GT(writes, 0) << "answer " << marks << " without a write";
        EXPECT_EQ(last, Op::sync) << "answer " << marks << " before the sync of its write";
        writes = 0;
    }
    EXPECT_EQ(marks, 20u);
}

TEST_F(Commit, one_alone_costs_one_fsync) {
    accepted(on.run(on.store->accept(pair.message(pair.client, 1, noon))));
    auto const before = on.vfs.count(Op::sync);
    accepted(on.run(on.store->accept(pair.message(pair.client, 2, noon))));
    EXPECT_EQ(on.vfs.count(Op::sync), before + 1);
}

TEST_F(Commit, a_reading_costs_no_fsync) {
    on.run(on.store->snapshot(pair.client.device()));
    on.run(on.store->log_head());
    EXPECT_EQ(on.vfs.count(Op::sync), 0u);
    EXPECT_EQ(on.vfs.count(Op::write), 0u);
}

TEST_F(Commit, a_verb_that_is_refused_leaves_nothing_of_itself_in_the_batch) {
    auto stranger = pair.message(pair.client, 1, noon);
    stranger.sender.device.bytes[0] ^= 1;
    int answered = 0;
    auto good = one_of_many(2, answered);
    boost::asio::co_spawn(on.io, std::move(good), boost::asio::detached);
    auto const outcome = on.run(on.store->accept(stranger));
    EXPECT_TRUE(std::holds_alternative<wire::Refused>(outcome.verdict));
    EXPECT_EQ(answered, 1);
    EXPECT_EQ(on.run(on.store->counts()).envelopes, 1u);
}

// ---- A disk that is full -------------------------------------------------------------------------------------------

TEST_F(Commit, a_full_disk_refuses_what_it_cannot_keep_and_later_works_again) {
    accepted(on.run(on.store->accept(pair.message(pair.client, 1, noon))));
    on.vfs.begin(0, FaultVfs::Fault::disk_full);
    auto const second = pair.message(pair.client, 2, noon);
    EXPECT_THROW(on.run(on.store->accept(second)), std::exception);
    EXPECT_EQ(on.run(on.store->snapshot(pair.client.device())).conversations.at(0).last_own_seq, 1u);
    EXPECT_EQ(on.run(on.store->counts()).envelopes, 1u);
    EXPECT_EQ(on.disk_failures, 0);

    on.vfs.room_again();
    auto const outcome = on.run(on.store->accept(second));
    EXPECT_EQ(accepted(outcome).seq, 2u);
}

TEST_F(Commit, on_a_full_disk_readings_of_the_same_batch_are_answered) {
    on.vfs.begin(0, FaultVfs::Fault::disk_full);
    on.vfs.set_sync_time(std::chrono::milliseconds{1});
    int failed = 0, read = 0;
    auto write = [&](std::exception_ptr error, ports::AcceptOutcome) { failed += error != nullptr; };
    auto look = [&](std::exception_ptr error, ports::LogHead) { read += error == nullptr; };
    for (std::uint64_t number = 1; number <= 20; ++number) {
        boost::asio::co_spawn(on.io, on.store->accept(pair.message(pair.client, number, noon)), write);
        boost::asio::co_spawn(on.io, on.store->log_head(), look);
    }
    on.io.restart();
    on.io.run();
    EXPECT_EQ(failed, 20);
    EXPECT_EQ(read, 20);
}

TEST_F(Commit, a_write_that_fails_is_refused_and_the_same_is_taken_when_it_is_sent_again) {
    std::uint64_t number = 0, failed = 0;
    for (bool happened = true; happened; ++failed) {
        auto const message = pair.message(pair.client, ++number, noon, 20'000);
        on.vfs.begin(failed, FaultVfs::Fault::write_fails);
        bool refused = false;
        try {
            accepted(on.run(on.store->accept(message)));
        } catch (std::exception const&) {
            refused = true;
        }
        happened = on.vfs.fault_happened();
        EXPECT_EQ(refused, happened);
        EXPECT_EQ(on.run(on.store->counts()).envelopes, refused ? number - 1 : number);
        auto const again = on.run(on.store->accept(message));
        EXPECT_EQ(std::holds_alternative<core::Acceptance>(again.verdict), refused);
    }
    EXPECT_GT(failed, 5u);
    EXPECT_EQ(on.disk_failures, 0);
    EXPECT_EQ(on.run(on.store->counts()).envelopes, number);
    on.close();
    on.open();
    EXPECT_EQ(on.run(on.store->counts()).envelopes, number);
}

// ---- A disk that fails ---------------------------------------------------------------------------------------------

TEST_F(Commit, after_a_failed_fsync_nothing_is_written_or_answered_any_more) {
    on.vfs.begin(0, FaultVfs::Fault::sync_fails);
    EXPECT_THROW(on.run(on.store->accept(pair.message(pair.client, 1, noon))), std::exception);
    EXPECT_EQ(on.disk_failures, 1);
    auto const steps = on.vfs.steps().size();
    EXPECT_THROW(on.run(on.store->accept(pair.message(pair.client, 2, noon))), std::exception);
    EXPECT_THROW(on.run(on.store->snapshot(pair.client.device())), std::exception);
    EXPECT_EQ(on.vfs.steps().size(), steps);
    EXPECT_EQ(on.disk_failures, 1);
    EXPECT_EQ(on.announced, 3);  // of their meeting
}

TEST(CommitDeath, a_failed_fsync_ends_the_process_with_74) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    auto const die = [] {
        StoreOnVfs on{"death"};
        on.open(true);
        Pair pair{1, noon};
        pair.meet(on.io, *on.store);
        on.vfs.begin(0, FaultVfs::Fault::sync_fails);
        on.run(on.store->accept(pair.message(pair.client, 1, noon)));
    };
    EXPECT_EXIT(die(), testing::ExitedWithCode(74), "the disk failed under the store");
}

}  // namespace
}  // namespace interlude::test
