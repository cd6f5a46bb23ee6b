// Power is cut, a write or an fsync fails, at each step of a scripted life in turn. Reopening shows every submission
// that was answered, none of them half, and a log that fits.
#include "tests/contract/vfs/life.hpp"
#include "tests/contract/vfs/sweep.hpp"
#include "tests/contract/vfs/whole.hpp"

namespace interlude::test {
namespace {

using namespace std::chrono_literals;
using Fault = FaultVfs::Fault;
using Loss = FaultVfs::Loss;

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
        bool const happened = on.vfs.fault_happened();
        EXPECT_TRUE(happened || life.complete);
        return happened;
    }

    void expect_whole(std::string const& where) {
        SCOPED_TRACE(where);
        EXPECT_LE(on.disk_failures, 1);
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

    std::uint64_t sweep(Fault fault, Loss loss) {
        auto const live = [this](std::uint64_t step, Fault with) { return live_until(step, with); };
        return test::sweep(on.vfs, fault, loss, live, [this](std::string const& where) { expect_whole(where); });
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
