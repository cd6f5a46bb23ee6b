// accept_commit: the first commit of an epoch wins; what it declares becomes the roster; how often one may commit.
#include "common/crypto/hash.hpp"
#include "common/mls_framing/outer.hpp"
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class Commits : public World {
  protected:
    ports::CommitOutcome submit(core::CommitSubmission submission) {
        return run(store->accept_commit(std::move(submission)));
    }
    static std::optional<std::uint64_t> begun(ports::CommitOutcome const& outcome) {
        auto const* answer = std::get_if<wire::Accepted>(&outcome.answer);
        return answer ? std::optional(answer->epoch) : std::nullopt;
    }
    std::uint64_t epoch() { return run(store->snapshot(client.device())).conversations.at(0).epoch; }
};
INTERLUDE_BOTH_STORES(Commits);

TEST_P(Commits, begin_the_next_epoch_with_an_entry_and_an_announcement) {
    meet_with_hours(9, 17);
    auto const before = entries();
    auto const submission = pair.healing(1, noon);
    EXPECT_EQ(begun(submit(submission)), 2u);
    EXPECT_EQ(epoch(), 2u);
    EXPECT_EQ(entries(), before + 1);
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_EQ(changes[0].conversation, pair.conversation);
    EXPECT_THAT(changes[0].accounts, testing::UnorderedElementsAre(therapist.account(), client.account()));
    auto const entry = std::get<audit::EpochAccepted>(opened(client.device(), subject()).back().body);
    EXPECT_EQ(entry, (audit::EpochAccepted{1, 2, crypto::sha256(submission.commit.mls),
                                           mls_framing::declaration_hash(submission.commit.declaration)}));
}

TEST_P(Commits, that_lose_are_told_the_winner_and_change_nothing) {
    meet_with_hours(9, 17);
    auto const winner = pair.healing(1, noon);
    submit(winner);
    auto const before = entries();
    announced();
    auto const lost = submit(commit(client.device(), 1, {}));
    auto const* conflict = std::get_if<wire::Conflict>(&lost.answer);
    ASSERT_TRUE(conflict && conflict->winner);
    EXPECT_EQ(*conflict->winner, (wire::Handshake{pair.conversation, 1, 1, therapist.device().device, noon,
                                                  winner.commit.mls, winner.commit.declaration}));
    EXPECT_EQ(epoch(), 2u);
    EXPECT_EQ(entries(), before);
    EXPECT_THAT(announced(), IsEmpty());
}

TEST_P(Commits, that_come_again_were_accepted_before) {
    meet_with_hours(9, 17);
    auto const submission = pair.healing(1, noon);
    submit(submission);
    auto const before = entries();
    EXPECT_EQ(begun(submit(submission)), 2u);
    submit(pair.healing(2, noon));
    EXPECT_EQ(begun(submit(submission)), 2u);  // also later
    EXPECT_EQ(epoch(), 3u);
    EXPECT_EQ(entries(), before + 1);
}

TEST_P(Commits, of_an_epoch_that_is_not_yet_conflict_with_nothing) {
    meet_with_hours(9, 17);
    auto const early = submit(pair.healing(2, noon));
    auto const* conflict = std::get_if<wire::Conflict>(&early.answer);
    ASSERT_TRUE(conflict);
    EXPECT_FALSE(conflict->winner);
}

TEST_P(Commits, of_two_at_once_one_wins) {
    meet_with_hours(9, 17);
    int won = 0, lost = 0;
    auto const note = [&](std::exception_ptr error, ports::CommitOutcome outcome) {
        EXPECT_FALSE(error);
        won += std::holds_alternative<wire::Accepted>(outcome.answer);
        lost += std::holds_alternative<wire::Conflict>(outcome.answer);
    };
    boost::asio::co_spawn(io, store->accept_commit(pair.healing(1, noon)), note);
    boost::asio::co_spawn(io, store->accept_commit(commit(client.device(), 1, {})), note);
    io.restart();
    io.run();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 1);
    EXPECT_EQ(epoch(), 2u);
}

TEST_P(Commits, that_are_not_what_they_declare_are_refused) {
    meet_with_hours(9, 17);
    auto submission = pair.healing(1, noon);
    submission.commit.mls = pair.healing(1, noon).commit.mls;  // the same declaration: fine
    submission.commit.declaration = pair.healing(2, noon).commit.declaration;
    EXPECT_EQ(rule_of(submit(submission).answer), Rule::invalid);
    submission = pair.healing(1, noon);
    submission.commit.mls = application_message(pair.group_id, 1, Bytes(300));
    EXPECT_EQ(rule_of(submit(submission).answer), Rule::invalid);
    submission = pair.healing(1, noon);
    submission.commit.generation = 2;
    EXPECT_EQ(rule_of(submit(submission).answer), Rule::not_yet);
    submission = pair.healing(1, noon);
    submission.sender = client.device(1);
    EXPECT_EQ(rule_of(submit(submission).answer), Rule::not_a_member);
    EXPECT_EQ(epoch(), 1u);
}

// ---- Who is in -----------------------------------------------------------------------------------------------------

TEST_P(Commits, add_a_device_by_the_newest_list_with_its_welcome) {
    meet_with_hours(9, 17);
    add_second_device(client, 1);
    auto const snapshot = run(store->snapshot(client.device(1)));
    ASSERT_THAT(snapshot.conversations, SizeIs(1));
    EXPECT_EQ(snapshot.conversations[0].epoch, 2u);
    for (auto const& member : snapshot.conversations[0].members)
        EXPECT_THAT(member.devices, SizeIs(member.account == client.account() ? 2 : 1));
    auto const welcomes = items<wire::Welcome>(offer(client.device(1)));
    ASSERT_THAT(welcomes, SizeIs(1));
    EXPECT_EQ(welcomes[0].epoch, 2u);
    EXPECT_FALSE(welcomes[0].invitation);
}

TEST_P(Commits, add_no_device_without_a_listing_a_package_or_its_welcome) {
    meet_with_hours(9, 17);
    auto const added = [&](mls_framing::KeyPackageRef const& ref) {
        mls_framing::Declaration declaration;
        declaration.added = {{client.account(), Side::client, client.device(1).device, ref}};
        return declaration;
    };
    mls_framing::KeyPackageRef const unknown{};
    EXPECT_EQ(rule_of(submit(commit(client.device(), 1, added(unknown), {welcome_message(unknown)})).answer),
              Rule::invalid);
    ASSERT_TRUE(done(run(store->put_device_list(client.device(), client.next_list({0, 1}, noon), seed()))));
    EXPECT_EQ(rule_of(submit(commit(client.device(), 1, added(unknown), {welcome_message(unknown)})).answer),
              Rule::invalid);
    auto const ref = mls_framing::read_key_package_outer(stock(client, 1, 1).front()).value().ref;
    EXPECT_EQ(rule_of(submit(commit(client.device(), 1, added(ref))).answer), Rule::invalid);  // no Welcome
    EXPECT_EQ(rule_of(submit(commit(therapist.device(), 1, added(ref), {welcome_message(ref)})).answer),
              Rule::invalid);  // somebody else's device
    EXPECT_EQ(epoch(), 1u);
    EXPECT_EQ(begun(submit(commit(client.device(), 1, added(ref), {welcome_message(ref)}))), 2u);
}

TEST_P(Commits, remove_a_device_that_its_list_dropped) {
    meet_with_hours(9, 17, true);
    mls_framing::Declaration declaration;
    declaration.removed = {{therapist.account(), therapist.device(1).device}};
    EXPECT_EQ(rule_of(submit(commit(client.device(), 1, declaration)).answer), Rule::invalid);  // still listed
    ASSERT_TRUE(done(run(store->put_device_list(therapist.device(), therapist.next_list({0}, noon), seed()))));
    auto const members = [&] { return run(store->snapshot(client.device())).conversations.at(0).members; };
    for (auto const& member : members())  // in the roster until the commit
        EXPECT_THAT(member.devices, SizeIs(member.account == therapist.account() ? 2 : 1));
    EXPECT_EQ(begun(submit(commit(client.device(), 1, declaration))), 2u);
    for (auto const& member : members()) EXPECT_THAT(member.devices, SizeIs(1));
    EXPECT_THAT(run(store->snapshot(therapist.device(1))).conversations, IsEmpty());
}

// ---- How often -----------------------------------------------------------------------------------------------------

TEST_P(Commits, are_six_an_hour_while_every_gate_is_open) {
    meet_with_hours(9, 17);
    for (std::uint64_t i = 1; i <= 6; ++i) EXPECT_EQ(begun(submit(pair.healing(i, noon))), i + 1);
    now = noon + 1h - 1ms;
    auto const refused = submit(pair.healing(7, now.load()));
    EXPECT_EQ(rule_of(refused.answer), Rule::too_fast);
    EXPECT_EQ(std::get<wire::Refused>(refused.answer).retry_after_seconds, 3600u);
    EXPECT_EQ(begun(submit(commit(client.device(), 7, {}))), 8u);  // counted by device
    now = noon + 1h;
    EXPECT_EQ(begun(submit(pair.healing(8, now.load()))), 9u);
}

TEST_P(Commits, are_six_an_hour_also_of_two_devices_that_add_each_other_anew) {
    meet_with_hours(9, 17);
    add_second_device(client, 1);
    int accepted = 0;
    for (std::uint64_t epoch = 2; epoch < 30; ++epoch) {
        std::size_t const by = epoch % 2, other = 1 - by;
        auto const package = stock(client, 1, other).front();
        auto const ref = mls_framing::read_key_package_outer(package).value().ref;
        mls_framing::Declaration declaration;
        declaration.added = {{client.account(), client.side, client.device(other).device, ref}};
        declaration.removed = {{client.account(), client.device(other).device}};
        auto const outcome =
            run(store->accept_commit(commit(client.device(by), epoch, declaration, {welcome_message(ref)})));
        if (!std::holds_alternative<wire::Accepted>(outcome.answer)) {
            EXPECT_EQ(rule_of(outcome.answer), Rule::too_fast);
            break;
        }
        ++accepted;
    }
    EXPECT_EQ(accepted, 10);  // with the one that added the second device: six of one, five of the other
}

TEST_P(Commits, that_only_heal_are_one_a_day_while_a_gate_is_closed) {
    meet_with_hours(13, 14);
    EXPECT_EQ(begun(submit(pair.healing(1, noon))), 2u);
    EXPECT_EQ(rule_of(submit(pair.healing(2, noon)).answer), Rule::too_fast);
    now = noon + 24h - 1ms;
    EXPECT_EQ(rule_of(submit(pair.healing(2, now.load())).answer), Rule::too_fast);
    now = noon + 24h;
    EXPECT_EQ(begun(submit(pair.healing(2, now.load()))), 3u);
}

TEST_P(Commits, that_are_due_after_many_messages_are_never_refused) {
    meet_with_hours(13, 14);
    EXPECT_EQ(begun(submit(pair.healing(1, noon))), 2u);
    for (std::uint64_t number = 1; number < base::limits::healing_generations_forced; ++number)
        accepted(run(store->accept(message(therapist, number, noon, 40, 2))));
    EXPECT_EQ(rule_of(submit(pair.healing(2, noon)).answer), Rule::too_fast);
    accepted(run(store->accept(message(therapist, base::limits::healing_generations_forced, noon, 40, 2))));
    EXPECT_EQ(begun(submit(pair.healing(2, noon))), 3u);
    EXPECT_EQ(rule_of(submit(pair.healing(3, noon)).answer), Rule::too_fast);  // counted anew
}

}  // namespace
}  // namespace interlude::test
