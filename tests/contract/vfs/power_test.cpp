// Power is cut, a write or an fsync fails, at each step of a scripted life in turn. Reopening shows every submission
// that was answered, none of them half, and a log that fits.
#include <iostream>

#include "common/audit/tiles.hpp"
#include "tests/contract/vfs/whole.hpp"

namespace interlude::test {
namespace {

using namespace std::chrono_literals;
using Fault = FaultVfs::Fault;
using Loss = FaultVfs::Loss;

/// What happens, verb by verb; each is answered before the next begins. Made once: every run repeats the same bytes.
class Life {
  public:
    Life() {
        for (std::uint64_t number = 1; number <= 9; ++number) {
            auto const& from = number % 3 == 0 ? pair.therapist : pair.client;
            messages.push_back(pair.message(from, number, number <= 5 ? noon : noon + 70min, number == 4 ? 6000 : 200));
        }
        first_hours = pair.hours(13, 14, noon);
        commit = pair.healing(1, noon + 71min);
        for (int i = 0; i < 3; ++i) seeds.push_back(pair.entropy.id<core::Seed>());
    }

    /// Begins with a store in which the two have met. Throws when the disk does.
    void live(StoreOnVfs& on) {
        auto& store = *on.store;
        auto const therapist = pair.therapist.device();
        on.now = noon;
        INTERLUDE_CHECK(std::holds_alternative<wire::Done>(on.run(store.put_schedule(first_hours))));
        for (std::size_t i = 0; i < 5; ++i) send(on, i);
        INTERLUDE_CHECK(std::holds_alternative<wire::Done>(
            on.run(store.recall(messages[1].sender, pair.conversation, 2, seeds[0]))));
        recalled = true;
        checkpoint(on);
        on.now = noon + 70min;  // her window is open
        on.run(store.note_windows(therapist.account, seeds[1]));
        for (std::size_t i = 5; i < messages.size(); ++i) send(on, i);
        wait(on.io, store.ack(therapist, pair.conversation, {1, 4, 5, 7}));
        acked = true;
        wait(on.io, store.ack(pair.client.device(), pair.conversation, {6, 9}));
        auto const outcome = on.run(store.accept_commit(commit));
        INTERLUDE_CHECK(std::holds_alternative<wire::Accepted>(outcome.answer));
        committed = true;
        checkpoint(on);
        wait(on.io, store.mark_time(noon + 80min));
        on.run(store.purge(100, seeds[2]));
        complete = true;
    }

    void send(StoreOnVfs& on, std::size_t i) {
        auto const outcome = on.run(on.store->accept(messages[i]));
        answers[i] = accepted(outcome);
    }

    void checkpoint(StoreOnVfs& on) {
        auto const head = on.run(on.store->log_head());
        auto const entries = on.run(on.store->entries_from(head.size, 1000));
        ports::CheckpointBatch batch{head.size, head.size + entries.size(), "checkpoint", {}};
        for (auto const& entry : entries) tiles.append(entry);
        batch.tiles = tiles.flush();
        INTERLUDE_CHECK(on.run(on.store->append_checkpoint(batch)));
        checkpointed = batch.size;
    }

    void forget_answers() {
        answers.clear();
        tiles = {};
        checkpointed = 0;
        recalled = acked = committed = complete = false;
    }

    Pair pair{3, noon};
    std::vector<core::Submission> messages;
    core::SchedulePutRequest first_hours;
    core::CommitSubmission commit;
    std::vector<core::Seed> seeds;
    audit::TileWriter tiles;

    // What was answered.
    std::map<std::size_t, core::Acceptance> answers;
    std::uint64_t checkpointed = 0;
    bool recalled = false, acked = false, committed = false, complete = false;
};

class Power : public testing::Test {
  protected:
    Power() {
        on.open();
        life.pair.meet(on.io, *on.store);
        on.close();
        begun = on.vfs.disk();
    }

    /// One life from the beginning with a fault at this step. False: it ended before.
    bool live_until(std::uint64_t step, Fault fault) {
        life.forget_answers();
        on.vfs.set_disk(begun);
        on.disk_failures = 0;
        on.vfs.begin(step, fault);
        try {
            on.open();
            life.live(on);
        } catch (std::exception const&) {  // the disk's; what was answered until then counts
        }
        on.close();
        return on.vfs.fault_happened();
    }

    void expect_whole(std::string const& where) {
        SCOPED_TRACE(where);
        expect_no_contradiction(on);
        on.open();
        auto const head = on.run(on.store->log_head());
        EXPECT_GE(head.size, life.checkpointed);
        EXPECT_FALSE(life.complete && head.size == 0);
        for (std::size_t i = 0; i < life.messages.size(); ++i) {
            auto const answered = life.answers.find(i);
            if (answered == life.answers.end()) continue;
            // The same message again gets the same answer.
            auto const again = on.run(on.store->accept(life.messages[i]));
            auto const* const bound = std::get_if<core::BoundAnswer>(&again.verdict);
            ASSERT_TRUE(bound) << "message " << i + 1 << " was answered, and is lost";
            EXPECT_EQ(bound->seq, answered->second.seq);
            EXPECT_EQ(bound->envelope, answered->second.envelope);
            EXPECT_EQ(bound->holds, answered->second.holds);
            EXPECT_EQ(again.entry.has_value(), answered->second.entry.has_value());
        }
        auto const offered = seqs_offered(life.pair.therapist);
        for (auto const& [i, answer] : life.answers) {
            bool const hers = life.messages[i].sender == life.pair.therapist.device();
            bool const passes = answer.stamp > noon;
            if (hers || !passes || life.committed) continue;
            EXPECT_TRUE(offered.contains(answer.seq) || answer.seq == 7) << "seq " << answer.seq;
        }
        auto const epoch = on.run(on.store->snapshot(life.pair.client.device())).conversations.at(0).epoch;
        EXPECT_TRUE(epoch == 2 || !life.committed);
        // And life goes on.
        auto const next = on.run(on.store->accept(life.pair.message(life.pair.client, 1000, on.now.load())));
        EXPECT_TRUE(std::holds_alternative<core::Acceptance>(next.verdict));
        on.close();
    }

    std::set<std::uint64_t> seqs_offered(Person const& person) {
        ports::OfferRequest request;
        request.device = person.device();
        request.conversation = life.pair.conversation;
        std::set<std::uint64_t> seqs;
        for (auto const& item : on.run(on.store->offer_from(request)).items)
            if (auto const* envelope = std::get_if<wire::Envelope>(&item)) seqs.insert(envelope->seq);
        return seqs;
    }

    /// Every step in turn. How many there were.
    std::uint64_t sweep(Fault fault, Loss loss) {
        std::uint64_t step = 0;
        for (; live_until(step, fault) && !HasFailure(); ++step) {
            EXPECT_LE(on.disk_failures, 1);
            on.vfs.restart(loss, step);
            expect_whole("step " + std::to_string(step));
        }
        EXPECT_TRUE(life.complete || HasFailure());
        std::cout << step << " steps\n";
        return step;
    }

    StoreOnVfs on{"power"};
    Life life;
    FaultVfs::Disk begun;
};

TEST_F(Power, without_a_fault_the_life_is_whole) {
    EXPECT_FALSE(live_until(UINT64_MAX, Fault::power_off));
    EXPECT_TRUE(life.complete);
    EXPECT_EQ(life.answers.size(), 9u);
    EXPECT_TRUE(life.answers.at(0).entry);  // held
    EXPECT_FALSE(life.answers.at(6).entry);
    expect_whole("no fault");
}

TEST_F(Power, cut_at_any_step_with_all_unsynced_writes_lost) {
    EXPECT_GT(sweep(Fault::power_off, Loss::all), 100u);
}

TEST_F(Power, cut_at_any_step_with_all_unsynced_writes_kept) {
    EXPECT_GT(sweep(Fault::power_off, Loss::none), 100u);
}

TEST_F(Power, cut_at_any_step_with_unsynced_writes_torn) {
    EXPECT_GT(sweep(Fault::power_off, Loss::some), 100u);
}

TEST_F(Power, an_fsync_that_fails_at_any_step) {
    EXPECT_GT(sweep(Fault::sync_fails, Loss::some), 20u);
}

TEST_F(Power, a_write_that_fails_at_any_step) {
    EXPECT_GT(sweep(Fault::write_fails, Loss::some), 100u);
}

TEST_F(Power, a_disk_that_is_full_from_any_step_on) {
    EXPECT_GT(sweep(Fault::disk_full, Loss::none), 100u);
}

}  // namespace
}  // namespace interlude::test
