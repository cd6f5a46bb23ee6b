// The audit sequencer: every entry under a signed checkpoint with a proof that holds, in one story.
#include "server/service/audit_sequencer.hpp"

#include "common/audit/proof.hpp"
#include "tests/unit/service/shop.hpp"

namespace interlude::test {
namespace {

using service::AuditSequencer;

class Sequencer : public Shop {
  protected:
    AuditSequencer sequencer(crypto::SigningKey key) {
        return {io.get_executor(), *store, timers, std::move(key), "interlude.example/log", diag, metrics};
    }
    AuditSequencer sequencer() { return sequencer(log_key()); }
    /// The same every time.
    static crypto::SigningKey log_key() {
        crypto::SeededEntropy entropy(99);
        return crypto::SigningKey::generate(entropy);
    }
    audit::LogKey const known{"interlude.example/log", log_key().public_key()};
    audit::Checkpoint opened(std::string const& note) { return audit::open_checkpoint(note, known).value().checkpoint; }
};

TEST_F(Sequencer, signs_a_checkpoint_over_what_there_is) {
    meet_with_hours(13, 14);
    auto one = sequencer();
    run(one.resume());
    EXPECT_EQ(one.size(), 0u);
    EXPECT_EQ(one.note(), "");
    begin(one.run());
    EXPECT_EQ(one.size(), entries());
    EXPECT_EQ(opened(one.note()).size, entries());
    EXPECT_EQ(run(store->log_head()).note, one.note());
    one.stop();
    settle();
    EXPECT_EQ(ended, 1);
}

TEST_F(Sequencer, proves_a_held_message_as_soon_as_it_is_woken) {
    meet_with_hours(13, 14);
    auto one = sequencer();
    run(one.resume());
    begin(one.run());
    auto row = send(pair.client, 1).entry.value();
    auto const item = run(one.prove(row)).value();
    EXPECT_EQ(item.index, row.index);
    EXPECT_EQ(item.payload, row.payload);
    auto const proof = audit::parse_proof(item.proof).value();
    auto const checkpoint = audit::verify_proof(proof, row.entry, known);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->checkpoint.size, entries());
    auto other = row.entry;
    other[50] ^= 1;
    EXPECT_FALSE(audit::verify_proof(proof, other, known));
    one.stop();
}

TEST_F(Sequencer, goes_on_after_a_restart_and_proves_that_it_does) {
    meet_with_hours(13, 14);
    std::string before;
    {
        auto one = sequencer();
        run(one.resume());
        begin(one.run());
        before = one.note();
        one.stop();
        settle();
    }
    send(pair.client, 1);
    auto next = sequencer();
    run(next.resume());
    EXPECT_EQ(next.note(), before);
    begin(next.run());
    auto const old = opened(before);
    auto const now = run(next.checkpoint_after(old.size));
    auto const newest = opened(now.note);
    EXPECT_EQ(newest.size, old.size + 1);
    EXPECT_TRUE(audit::verify_consistency(old.size, newest.size, old.root, newest.root, now.consistency));
    EXPECT_TRUE(run(next.checkpoint_after(0)).consistency.empty());
    EXPECT_TRUE(run(next.checkpoint_after(newest.size)).consistency.empty());
    next.stop();
    settle();
}

// What a reader meets whose question and a new batch come at the same moment, as at every opening.
TEST_F(Sequencer, proves_under_its_checkpoint_while_the_store_has_wider_tiles_already) {
    meet_with_hours(13, 14);
    auto const row = send(pair.client, 1).entry.value();
    {
        auto before = sequencer();
        run(before.resume());
        begin(before.run());
        before.stop();
        settle();
    }
    auto one = sequencer();
    run(one.resume());
    auto const size = one.size();
    send(pair.client, 2);
    auto wider = sequencer();
    run(wider.resume());
    begin(wider.run());
    ASSERT_GT(wider.size(), size);
    auto const proof = audit::parse_proof(run(one.prove(row)).value().proof).value();
    EXPECT_EQ(audit::verify_proof(proof, row.entry, known).value().checkpoint.size, size);
    auto const newest = opened(wider.note());
    auto const between = run(wider.checkpoint_after(size));
    EXPECT_TRUE(
        audit::verify_consistency(size, newest.size, opened(one.note()).root, newest.root, between.consistency));
    EXPECT_FALSE(run(one.checkpoint_after(size - 1)).consistency.empty());
    wider.stop();
    settle();
}

TEST_F(Sequencer, says_no_proof_once_it_is_stopped) {
    meet_with_hours(13, 14);
    auto one = sequencer();
    run(one.resume());
    auto const row = send(pair.client, 1).entry.value();
    std::optional<bool> proved;
    auto const note = [&proved](std::exception_ptr, std::optional<wire::LogItem> item) { proved = item.has_value(); };
    boost::asio::co_spawn(io, one.prove(row), note);
    settle();
    EXPECT_FALSE(proved);  // it waits
    one.stop();
    settle();
    EXPECT_EQ(proved, false);
}

TEST_F(Sequencer, will_not_continue_a_log_with_another_key) {
    meet_with_hours(13, 14);
    auto one = sequencer();
    run(one.resume());
    begin(one.run());
    one.stop();
    settle();
    auto another = sequencer(crypto::SigningKey::generate(pair.entropy));
    EXPECT_THROW(run(another.resume()), std::runtime_error);
}

TEST_F(Sequencer, waits_for_a_full_disk_and_proves_then_what_was_accepted_meanwhile) {
    meet_with_hours(13, 14);
    auto one = sequencer();
    run(one.resume());
    begin(one.run());
    auto const before = one.size();
    auto const row = send(pair.client, 1).entry.value();
    store->full = true;
    std::optional<wire::LogItem> proved;
    auto const note = [&](std::exception_ptr error, std::optional<wire::LogItem> item) {
        EXPECT_FALSE(error);
        proved = std::move(item);
    };
    boost::asio::co_spawn(io, one.prove(row), note);
    settle();
    let_seconds_pass(5);
    EXPECT_GE(store->refused, 5);
    EXPECT_EQ(one.size(), before);
    EXPECT_FALSE(one.writing());
    EXPECT_FALSE(proved);
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(diag.said, std::vector<std::string_view>{"the_log_cannot_be_written_trying_again"});

    store->full = false;
    let_seconds_pass(2);
    EXPECT_TRUE(one.writing());
    EXPECT_EQ(one.size(), entries());
    ASSERT_TRUE(proved);
    EXPECT_TRUE(audit::verify_proof(audit::parse_proof(proved->proof).value(), row.entry, known));
    EXPECT_EQ(diag.said.size(), 2u);
    one.stop();
    settle();
    EXPECT_FALSE(failed);
}

TEST_F(Sequencer, ends_rather_than_tell_a_second_story) {
    meet_with_hours(13, 14);
    auto one = sequencer(), second = sequencer();
    run(one.resume());
    run(second.resume());
    begin(one.run());
    EXPECT_FALSE(failed);
    begin(second.run());
    EXPECT_TRUE(failed);
    EXPECT_FALSE(second.writing());
    EXPECT_TRUE(one.writing());
    EXPECT_EQ(run(store->log_head()).note, one.note());
    one.stop();
    settle();
}

}  // namespace
}  // namespace interlude::test
