// The log: chains and their order, checkpoints and tiles, and who may open which entry when.
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class Log : public World {
  protected:
    std::optional<ports::LogPage> read(DeviceRef const& reader, SubjectId const& about, std::uint64_t from = 1,
                                       std::size_t max = 1000) {
        return run(store->log_entries(reader, about, from, max));
    }
    /// How many the reader may open.
    std::size_t open_to(DeviceRef const& reader) { return opened(reader, subject()).size(); }
    ports::CheckpointBatch batch(audit::TileWriter& writer) {
        auto const from = writer.size();
        for (auto const& entry : run(store->entries_from(from, 100'000))) writer.append(entry);
        return {from, writer.size(), "note " + std::to_string(writer.size()), writer.flush()};
    }
};
INTERLUDE_BOTH_STORES(Log);

// ---- Entries -------------------------------------------------------------------------------------------------------

TEST_P(Log, is_one_row_of_entries_in_the_order_of_their_transactions) {
    meet_with_hours(13, 14);
    send(client, 1);
    send(therapist, 2);
    auto const all = run(store->entries_from(0, 1000));
    EXPECT_EQ(all.size(), entries());
    for (auto const& entry : all) EXPECT_THAT(entry, SizeIs(base::limits::entry_bytes));
    std::map<std::uint64_t, Bytes> by_index;
    for (auto const& about : {subject(), audit::subject_of(therapist.account()), audit::subject_of(client.account())})
        if (auto const page = read(client.device(), about))
            for (auto const& row : page->rows) by_index[row.index] = row.entry;
    EXPECT_EQ(by_index.size(), all.size() - 1);  // all but the operator's
    for (auto const& [index, entry] : by_index) EXPECT_EQ(all.at(index), entry);
    EXPECT_THAT(run(store->entries_from(2, 3)), ElementsAre(all[2], all[3], all[4]));
    EXPECT_THAT(run(store->entries_from(all.size(), 10)), IsEmpty());
    open();
    EXPECT_EQ(run(store->entries_from(0, 1000)), all);
}

TEST_P(Log, chains_the_entries_of_a_subject_and_opens_them) {
    meet_with_hours(13, 14);
    for (std::uint64_t number = 1; number <= 4; ++number) send(client, number);
    auto const page = read(client.device(), subject());
    ASSERT_TRUE(page);
    ASSERT_THAT(page->rows, SizeIs(5));
    auto const states = run(store->snapshot(client.device())).subjects;
    auto const state =
        std::find_if(states.begin(), states.end(), [&](auto const& s) { return s.subject == subject(); });
    ASSERT_NE(state, states.end());
    audit::SubjectKey const key{bytes::SecretBytes(bytes::ByteView(state->key))};
    base::Hash32 previous;
    for (std::size_t i = 0; i < page->rows.size(); ++i) {
        auto const& row = page->rows[i];
        EXPECT_EQ(row.counter, i + 1);
        auto const payload = audit::decode_payload(row.payload).value();
        EXPECT_EQ(payload.previous, previous);
        auto const entry = audit::decode_entry(row.entry).value();
        EXPECT_EQ(entry.tag, audit::tag_of(key, row.counter));
        EXPECT_EQ(entry.commitment, audit::commitment_of(row.salt, row.payload));
        previous = audit::entry_hash(row.entry);
    }
    EXPECT_EQ(page->head, previous);
    EXPECT_EQ(page->head_counter, 5u);
    EXPECT_EQ(state->counter, 5u);
    EXPECT_EQ(state->head, previous);
}

TEST_P(Log, salts_no_two_entries_alike) {
    meet_with_hours(13, 14);
    for (std::uint64_t number = 1; number <= 4; ++number) send(client, number);
    std::set<Bytes> salts;
    auto const page = read(client.device(), subject());
    for (auto const& row : page->rows) salts.insert(row.salt);
    EXPECT_EQ(salts.size(), page->rows.size());
}

TEST_P(Log, is_read_in_pages) {
    meet_with_hours(13, 14);
    for (std::uint64_t number = 1; number <= 5; ++number) send(client, number);
    auto const page = read(client.device(), subject(), 3, 2);
    ASSERT_THAT(page->rows, SizeIs(2));
    EXPECT_EQ(page->rows[0].counter, 3u);
    EXPECT_EQ(page->rows[1].counter, 4u);
    EXPECT_EQ(page->head_counter, 6u);
    EXPECT_EQ(read(client.device(), subject(), 0, 1)->rows.at(0).counter, 1u);
    EXPECT_THAT(read(client.device(), subject(), 7)->rows, IsEmpty());
}

TEST_P(Log, is_for_the_parties_of_a_subject) {
    meet();
    Person stranger(Side::therapist, pair.entropy, noon);
    join(stranger);
    for (auto const& device : {therapist.device(), client.device()}) {
        EXPECT_TRUE(read(device, subject()));
        EXPECT_TRUE(read(device, audit::subject_of(therapist.account())));
        EXPECT_TRUE(read(device, audit::subject_of(client.account())));
        EXPECT_FALSE(read(device, audit::subject_of(stranger.account())));
        EXPECT_FALSE(read(device, audit::operator_subject(run(store->open_info()).instance)));
        EXPECT_FALSE(read(device, SubjectId{}));
    }
    EXPECT_FALSE(read(stranger.device(), subject()));
    EXPECT_FALSE(read(stranger.device(), audit::subject_of(client.account())));
    EXPECT_TRUE(read(stranger.device(), audit::subject_of(stranger.account())));
    EXPECT_FALSE(read(client.device(1), subject()));  // in no list
}

TEST_P(Log, opens_what_is_held_to_its_sender_at_once_and_to_the_gated_side_when_it_passes) {
    meet_with_hours(13, 14);
    send(client, 1);
    EXPECT_EQ(open_to(client.device()), 2u);
    EXPECT_EQ(open_to(therapist.device()), 1u);
    auto const hidden = read(therapist.device(), subject());
    ASSERT_THAT(hidden->rows, SizeIs(2));
    EXPECT_THAT(hidden->rows[1].salt, IsEmpty());
    EXPECT_THAT(hidden->rows[1].entry, SizeIs(base::limits::entry_bytes));
    EXPECT_EQ(hidden->head_counter, 2u);  // the head is for everybody
    now = noon + 1h - 1ms;
    EXPECT_EQ(open_to(therapist.device()), 1u);
    now = noon + 1h;
    EXPECT_EQ(open_to(therapist.device()), 2u);
}

TEST_P(Log, opens_a_late_reply_to_the_client_when_it_passes) {
    meet_with_hours(13, 14);
    send(therapist, 1);
    EXPECT_EQ(open_to(therapist.device()), 2u);
    now = noon + 1h - 1ms;
    EXPECT_EQ(open_to(client.device()), 1u);
    now = noon + 1h;
    EXPECT_EQ(open_to(client.device()), 2u);
}

TEST_P(Log, records_what_the_operator_did) {
    auto const before = entries();
    run(store->record({audit::OperatorActionKind::clock_confirmed, std::nullopt, {}}, seed()));
    EXPECT_EQ(entries(), before + 1);
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));  // the sequencer's
    EXPECT_THAT(changes[0].accounts, IsEmpty());
}

// ---- Checkpoints ---------------------------------------------------------------------------------------------------

TEST_P(Log, has_no_checkpoint_at_first) {
    auto const head = run(store->log_head());
    EXPECT_EQ(head.size, 0u);
    EXPECT_EQ(head.note, "");
    EXPECT_EQ(head.entries, 0u);
}

TEST_P(Log, takes_a_checkpoint_from_the_size_before_alone) {
    meet();
    audit::TileWriter writer;
    auto const first = batch(writer);
    EXPECT_TRUE(run(store->append_checkpoint(first)));
    auto head = run(store->log_head());
    EXPECT_EQ(head.size, 4u);
    EXPECT_EQ(head.note, "note 4");
    EXPECT_EQ(run(store->counts()).sequenced, 4u);
    auto stale = first;
    stale.note = "another's";
    EXPECT_FALSE(run(store->append_checkpoint(stale)));
    EXPECT_EQ(run(store->log_head()).note, "note 4");
    send(client, 1);
    EXPECT_EQ(run(store->log_head()).entries, 5u);
    EXPECT_EQ(run(store->log_head()).size, 4u);
    EXPECT_TRUE(run(store->append_checkpoint(batch(writer))));
    open();
    head = run(store->log_head());
    EXPECT_EQ(head.size, 5u);
    EXPECT_EQ(head.note, "note 5");
}

TEST_P(Log, of_two_sequencers_at_once_one_is_first) {
    meet();
    audit::TileWriter writer;
    auto const one = batch(writer);
    auto other = one;
    other.note = "another's";
    int first = 0, second = 0;
    auto const note = [&](std::exception_ptr error, bool done) {
        EXPECT_FALSE(error);
        (done ? first : second) += 1;
    };
    boost::asio::co_spawn(io, store->append_checkpoint(one), note);
    boost::asio::co_spawn(io, store->append_checkpoint(other), note);
    io.restart();
    io.run();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
}

TEST_P(Log, keeps_the_widest_of_each_tile_and_answers_narrower_ones_with_it) {
    meet();
    audit::TileWriter writer;
    run(store->append_checkpoint(batch(writer)));
    send(client, 1);
    run(store->append_checkpoint(batch(writer)));
    for (int const level : {audit::Tile::entries_level, 0}) {
        auto const found = run(store->tiles({{level, 0, 5}, {level, 0, 4}, {level, 0, 6}, {level, 7, 1}}));
        ASSERT_THAT(found, SizeIs(4));
        EXPECT_FALSE(found[0].empty());
        EXPECT_EQ(found[1], found[0]);
        EXPECT_THAT(found[2], IsEmpty());
        EXPECT_THAT(found[3], IsEmpty());
    }
    auto const bundle = run(store->tiles({{audit::Tile::entries_level, 0, 5}})).at(0);
    EXPECT_EQ(audit::decode_bundle(bundle).value(), run(store->entries_from(0, 100)));
    EXPECT_EQ(audit::decode_hash_tile(run(store->tiles({{0, 0, 5}})).at(0)).value().size(), 5u);
}

TEST_P(Log, gives_a_sequencer_what_it_needs_to_go_on) {
    meet();
    audit::TileWriter writer;
    run(store->append_checkpoint(batch(writer)));
    open();
    auto const size = run(store->log_head()).size;
    auto const source = [&](audit::Tile const& tile) -> std::optional<Bytes> {
        auto content = run(store->tiles({tile})).at(0);
        return content.empty() ? std::nullopt : std::optional(std::move(content));
    };
    auto const resumed = audit::TileWriter::resume(size, source);
    ASSERT_TRUE(resumed);
    EXPECT_EQ(resumed->root(), writer.root());
}

// ---- What the parties keep -----------------------------------------------------------------------------------------

TEST_P(Log, forgets_payloads_that_a_device_of_every_party_keeps) {
    meet_with_hours(13, 14, true);
    send(client, 1);
    now = noon + 1h;
    auto const purge = [&] { run(store->purge(1000, seed())); };
    run(store->ack_log(client.device(), subject(), 2));
    purge();
    EXPECT_EQ(open_to(client.device()), 2u);
    run(store->ack_log(therapist.device(1), subject(), 1));
    purge();
    EXPECT_EQ(open_to(client.device()), 1u);
    EXPECT_THAT(read(client.device(), subject())->rows, SizeIs(2));  // the entries stay
    run(store->ack_log(therapist.device(), subject(), 2));
    purge();
    EXPECT_EQ(open_to(client.device()), 0u);
    auto const again = run(store->accept(message(client, 1, now.load())));
    EXPECT_TRUE(std::holds_alternative<core::BoundAnswer>(again.verdict));
    EXPECT_FALSE(again.entry);  // nothing to open it with any more
}

TEST_P(Log, acks_of_what_is_not_yet_do_not_count_for_it) {
    meet_with_hours(13, 14);
    for (auto const& device : {client.device(), therapist.device()}) run(store->ack_log(device, subject(), 1000));
    send(client, 1);
    run(store->purge(1000, seed()));
    EXPECT_EQ(open_to(client.device()), 1u);
    run(store->ack_log(client.device(), subject(), 1));  // never back
    Person stranger(Side::therapist, pair.entropy, noon);
    join(stranger);
    run(store->ack_log(stranger.device(), subject(), 2));
    run(store->ack_log(client.device(1), subject(), 2));
    run(store->ack_log(client.device(), SubjectId{}, 2));
    run(store->purge(1000, seed()));
    EXPECT_EQ(open_to(client.device()), 1u);
}

TEST_P(Log, keeps_payloads_of_an_account_for_who_may_still_meet_it) {
    meet();
    auto const about = audit::subject_of(therapist.account());
    for (auto const& device : {client.device(), therapist.device()}) run(store->ack_log(device, about, 1));
    run(store->purge(1000, seed()));
    EXPECT_THAT(opened(client.device(), about), SizeIs(1));
}

}  // namespace
}  // namespace interlude::test
