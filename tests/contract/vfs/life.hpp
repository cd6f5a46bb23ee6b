// A scripted life of two people on one store, for faults to fall into.
#pragma once

#include "common/audit/tiles.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {

using namespace std::chrono_literals;

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
        INTERLUDE_CHECK(std::holds_alternative<wire::Done>(on.run(store.put_calendar(first_hours))));
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
    core::CalendarPutRequest first_hours;
    core::CommitSubmission commit;
    std::vector<core::Seed> seeds;
    audit::TileWriter tiles;

    // What was answered.
    std::map<std::size_t, core::Acceptance> answers;
    std::uint64_t checkpointed = 0;
    bool recalled = false, acked = false, committed = false, complete = false;
};

}  // namespace interlude::test
