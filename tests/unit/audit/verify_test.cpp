// The app's verifier against an honest server and against each kind of lie.
#include "common/audit/verify.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/audit/codec_abuse.hpp"
#include "tests/unit/audit/sample_log.hpp"

namespace interlude::audit {
namespace {

using namespace std::chrono_literals;
using base::wall_ms;

WallTime const evening = wall_ms(1'795'383'720'000);  // a whole minute
WallTime const opening = wall_ms(1'795'424'400'000);
std::optional<std::string> decision_follows(Payload const&) {
    return std::nullopt;
}

std::vector<Alarm> codes(Report const& report) {
    std::vector<Alarm> found;
    for (auto const& problem : report.problems) found.push_back(problem.code);
    return found;
}
std::vector<Alarm> only(Alarm code) {
    return {code};
}
std::vector<Alarm> const none;

Held held(std::uint64_t seq) {
    return {{evening,
             seq,
             leaf_hash(numbered_entry(seq)),
             0,
             {{AccountId{}, false, Verdict::hold, opening, GateNumbers{1, 0}}},
             0,
             {}}};
}

/// A server that keeps one subject's chain among other people's entries, honest unless told otherwise.
class Server {
  public:
    struct Lie {
        std::optional<Hash32> previous;
        std::optional<WallTime> minute;
        std::optional<std::uint64_t> tag_counter;
    };

    explicit Server(std::uint64_t seed = 1) : log(seed), entropy_(seed) { log.grow_to(3); }

    /// Logs `body` as the chain's next entry and, if `moves`, goes on from it.
    PresentedEntry write(Body body, WallTime decided_at = evening, Lie const& lie = {}, bool moves = true) {
        auto const counter = counter_ + 1;
        PresentedEntry presented{counter,
                                 {},
                                 entropy_.bytes(salt_bytes),
                                 encode_payload({lie.previous.value_or(previous_), decided_at, std::move(body)}),
                                 {}};
        auto entry =
            make_entry(key(), lie.tag_counter.value_or(counter), decided_at, presented.salt, presented.payload);
        if (lie.minute) entry.minute = *lie.minute;
        presented.entry = encode_entry(entry);
        presented.proof.index = log.append(presented.entry);
        if (moves) {
            counter_ = counter;
            previous_ = entry_hash(presented.entry);
        }
        log.append(numbered_entry(log.size()));
        return presented;
    }
    /// With a proof under the newest checkpoint.
    PresentedEntry shown(PresentedEntry presented) const {
        presented.proof = log.proof(presented.proof.index, log.size());
        return presented;
    }
    static SubjectKey key() { return {bytes::SecretBytes(bytes::Bytes(subject_key_bytes, 0x11))}; }

    SampleLog log;

  private:
    crypto::SeededEntropy entropy_;
    std::uint64_t counter_ = 0;
    Hash32 previous_;
};

/// What an app that reads from `server` sees.
struct App {
    explicit App(Server const& server) : log(server.log.key), chain(Server::key()) { catch_up(server); }

    Report catch_up(Server const& server) {
        auto const from = log.latest() ? log.latest()->checkpoint.size : 0;
        return log.advance(server.log.note(server.log.size()), server.log.consistency(from, server.log.size()));
    }
    EntryOutcome read(Server const& server, PresentedEntry const& presented,
                      DecisionCheck const& check = decision_follows) {
        EXPECT_EQ(codes(catch_up(server)), none);
        return chain.add(log, server.shown(presented), check);
    }

    LogView log;
    SubjectView chain;
};

// ---- The log
// ---------------------------------------------------------------------------------------------------------

TEST(LogView, follows_a_growing_log_and_counts_what_it_checked) {
    auto const log = SampleLog::of(20);
    LogView view(log.key);
    EXPECT_TRUE(view.advance(log.note(5), {}).ok());
    auto const grown = view.advance(log.note(20), log.consistency(5, 20));
    EXPECT_EQ(codes(grown), none);
    EXPECT_EQ(grown.checked.consistency, 1u);
    EXPECT_TRUE(view.advance(log.note(20), {}).ok());  // the same again needs no proof
    EXPECT_EQ(view.latest()->checkpoint.size, 20u);
    EXPECT_TRUE(view.knows(log.checkpoint(5)));
    EXPECT_FALSE(view.knows(log.checkpoint(6)));
}

TEST(LogView, begins_with_the_empty_log) {
    auto const log = SampleLog::of(4);
    LogView view(log.key);
    EXPECT_TRUE(view.advance(log.note(0), {}).ok());
    EXPECT_TRUE(view.advance(log.note(4), {}).ok());
    LogView other(log.key);
    Checkpoint const impossible{log.key.origin, 0, leaf_hash({}), {}};
    EXPECT_TRUE(other.advance(sign_checkpoint(impossible, log.signing_key), {}).ok());
    EXPECT_EQ(codes(other.advance(log.note(4), {})), only(Alarm::inconsistent_checkpoint));
}

TEST(LogView, alarms_when_the_log_shrinks_and_keeps_the_larger) {
    auto const log = SampleLog::of(20);
    LogView view(log.key, *open_checkpoint(log.note(20), log.key));
    EXPECT_EQ(codes(view.advance(log.note(19), log.consistency(19, 20))), only(Alarm::smaller_checkpoint));
    EXPECT_EQ(view.latest()->checkpoint.size, 20u);
}

TEST(LogView, alarms_when_history_was_rewritten) {
    auto const log = SampleLog::of(20);
    SampleLog forked;
    forked.append(numbered_entry(99));
    forked.grow_to(25);
    LogView view(log.key, *open_checkpoint(log.note(20), log.key));
    EXPECT_EQ(codes(view.advance(forked.note(20), {})), only(Alarm::inconsistent_checkpoint));
    EXPECT_EQ(codes(view.advance(forked.note(25), forked.consistency(20, 25))), only(Alarm::inconsistent_checkpoint));
    EXPECT_EQ(codes(view.advance(forked.note(25), {})), only(Alarm::unconnected_checkpoint));
    EXPECT_EQ(view.latest()->checkpoint, log.checkpoint(20));
}

TEST(LogView, alarms_on_a_strangers_signature) {
    auto const log = SampleLog::of(5);
    LogView view({log.key.origin, key_of(2).public_key()});
    EXPECT_EQ(codes(view.advance(log.note(5), {})), only(Alarm::bad_signature));
    EXPECT_EQ(codes(view.connect(log.note(5), {})), only(Alarm::bad_signature));
    EXPECT_EQ(codes(view.advance("nonsense", {})), only(Alarm::bad_signature));
    EXPECT_FALSE(view.latest());
}

TEST(LogView, what_it_opened_last_opens_no_other_note) {
    auto const log = SampleLog::of(20);
    LogView view(log.key);
    ASSERT_TRUE(view.advance(log.note(10), {}).ok());
    for (auto const size : {10u, 7u, 7u, 20u, 10u}) {
        auto const opened = view.open(log.note(size));
        ASSERT_TRUE(opened) << size;
        EXPECT_EQ(opened->checkpoint, log.checkpoint(size));
    }
    for (auto const size : {10u, 7u}) {  // one of them was the last one opened, the other is the newest one
        ASSERT_TRUE(view.open(log.note(7)));
        auto forged = log.note(size);
        forged[forged.size() - 5] ^= 1;
        EXPECT_FALSE(view.open(forged)) << size;
    }
    EXPECT_EQ(view.latest()->checkpoint.size, 10u);
}

TEST(LogView, connects_a_peers_checkpoint_on_either_side_of_its_own) {
    auto const log = SampleLog::of(20);
    LogView view(log.key);
    EXPECT_EQ(codes(view.connect(log.note(7), {})), only(Alarm::unconnected_checkpoint));
    ASSERT_TRUE(view.advance(log.note(10), {}).ok());
    EXPECT_TRUE(view.connect(log.note(7), log.consistency(7, 10)).ok());
    EXPECT_TRUE(view.connect(log.note(20), log.consistency(10, 20)).ok());
    EXPECT_TRUE(view.knows(log.checkpoint(7)));
    EXPECT_TRUE(view.knows(log.checkpoint(20)));
    EXPECT_EQ(view.latest()->checkpoint.size, 10u);

    SampleLog forked;
    forked.append(numbered_entry(99));
    forked.grow_to(15);
    EXPECT_EQ(codes(view.connect(forked.note(7), forked.consistency(7, 10))), only(Alarm::inconsistent_checkpoint));
    EXPECT_EQ(codes(view.connect(forked.note(10), {})), only(Alarm::inconsistent_checkpoint));
    EXPECT_FALSE(view.knows(forked.checkpoint(10)));
}

TEST(KeptCheckpoint, is_what_was_opened_and_of_no_other_log) {
    auto const log = SampleLog::of(5);
    auto const opened = open_checkpoint(log.note(3), log.key);
    ASSERT_TRUE(opened);
    EXPECT_EQ(*reopen_checkpoint(opened->note, log.key), *opened);
    auto other = log.key;
    other.origin += "/1";
    EXPECT_EQ(reopen_checkpoint(opened->note, other).error(), base::Errc::inconsistent);
    EXPECT_EQ(reopen_checkpoint("no note", log.key).error(), base::Errc::malformed);
}

TEST(LogView, remembers_after_a_restart_what_it_connected_and_never_more_than_its_limit) {
    auto const log = SampleLog::of(20);
    LogView view(log.key);
    view.advance(log.note(5), {});
    view.advance(log.note(20), log.consistency(5, 20));
    LogView restarted(log.key, *view.latest());
    EXPECT_FALSE(restarted.knows(log.checkpoint(5)));
    restarted.believe(view.connected());
    EXPECT_TRUE(restarted.knows(log.checkpoint(5)));
    EXPECT_TRUE(restarted.knows(log.checkpoint(20)));
    LogView::Connected many;
    for (std::uint64_t size = 100; size < 100 + 2 * connected_checkpoints_max; ++size)
        many.emplace_back(size, Hash32{});
    restarted.believe(many);
    EXPECT_EQ(restarted.connected().size(), connected_checkpoints_max);
    EXPECT_TRUE(restarted.knows(log.checkpoint(20)));
}

TEST(LogView, another_origin_is_another_log) {
    SampleLog restored(1, "clinic.example/log/1");
    restored.grow_to(3);
    auto const log = SampleLog::of(3);
    LogView view(log.key, *open_checkpoint(log.note(3), log.key));
    EXPECT_EQ(codes(view.advance(restored.note(3), {})), only(Alarm::bad_signature));
    EXPECT_FALSE(view.knows(restored.checkpoint(3)));
}

// ---- A chain
// ---------------------------------------------------------------------------------------------------------

TEST(SubjectView, honest_chain_verifies_and_is_counted) {
    Server server;
    App app(server);
    Report total;
    for (std::uint64_t seq = 1; seq <= 4; ++seq) {
        auto const presented = server.write(held(seq), evening + base::Millis{seq * 1000});
        auto outcome = app.read(server, presented);
        ASSERT_TRUE(outcome.payload);
        EXPECT_EQ(std::get<Held>(outcome.payload->body).seq, seq);
        total += outcome.report;
    }
    total += app.read(server, server.write(WindowOpened{{}, opening, 1}, opening)).report;
    EXPECT_EQ(codes(total), none);
    EXPECT_EQ(total.checked, (Checked{5, 5, 0, 0, 4}));
    EXPECT_EQ(app.chain.head().counter, 5u);
    EXPECT_EQ(app.chain.head().decided_at, opening);
}

TEST(SubjectView, head_survives_a_restart) {
    Server server;
    App app(server);
    app.read(server, server.write(held(1)));
    expect_codec_is_strict(
        app.chain.head(), [](SubjectHead const& h) { return encode_head(h); },
        [](bytes::ByteView from) { return decode_head(from); });
    app.chain = SubjectView(Server::key(), *decode_head(encode_head(app.chain.head())));
    EXPECT_TRUE(app.read(server, server.write(held(2))).report.ok());
}

TEST(SubjectView, counter_goes_on_when_the_key_is_replaced) {
    Server server;
    App app(server);
    app.read(server, server.write(held(1)));
    app.chain.replace_key({bytes::SecretBytes(bytes::Bytes(subject_key_bytes, 0x22))});
    EXPECT_EQ(codes(app.read(server, server.write(held(2))).report), only(Alarm::bad_tag));
}

TEST(SubjectView, shows_every_lie_about_a_single_entry) {
    Server server;
    App app(server);
    auto const presented = server.write(held(1));
    app.catch_up(server);
    auto const sound = server.shown(presented);
    auto const found = [&](auto change) {
        auto lie = sound;
        change(lie);
        auto const outcome = app.chain.add(app.log, lie, decision_follows);
        EXPECT_FALSE(outcome.payload);
        EXPECT_EQ(app.chain.head(), SubjectHead{});
        return codes(outcome.report);
    };
    EXPECT_EQ(found([](auto& e) { e.entry.pop_back(); }), only(Alarm::bad_entry));
    EXPECT_EQ(found([](auto& e) { e.entry[20] ^= 1; }), only(Alarm::bad_inclusion));
    EXPECT_EQ(found([](auto& e) { e.proof.hashes[0].bytes[0] ^= 1; }), only(Alarm::bad_inclusion));
    EXPECT_EQ(found([](auto& e) { ++e.proof.index; }), only(Alarm::bad_inclusion));
    EXPECT_EQ(found([](auto& e) { e.proof.checkpoint[0] ^= 1; }), only(Alarm::bad_signature));
    EXPECT_EQ(found([&](auto& e) { e.proof.checkpoint = SampleLog(2).note(0); }), only(Alarm::bad_signature));
    EXPECT_EQ(found([](auto& e) { ++e.counter; }), only(Alarm::bad_tag));
    EXPECT_EQ(found([](auto& e) { e.payload[100] ^= 1; }), only(Alarm::bad_commitment));
    EXPECT_EQ(found([](auto& e) { e.payload.pop_back(); }), only(Alarm::bad_commitment));
    EXPECT_EQ(found([](auto& e) { e.salt[0] ^= 1; }), only(Alarm::bad_commitment));
    EXPECT_EQ(found([](auto& e) { e.salt.pop_back(); }), only(Alarm::bad_commitment));
    EXPECT_TRUE(app.chain.add(app.log, sound, decision_follows).report.ok());
}

TEST(SubjectView, proof_under_a_checkpoint_that_nobody_connected_proves_nothing) {
    Server server;
    App app(server);
    auto const presented = server.shown(server.write(held(1)));
    EXPECT_EQ(codes(app.chain.add(app.log, presented, decision_follows).report), only(Alarm::unconnected_checkpoint));
    app.catch_up(server);
    EXPECT_TRUE(app.chain.add(app.log, presented, decision_follows).report.ok());
}

TEST(SubjectView, entry_of_a_forked_log_is_not_believed) {
    Server honest;
    App app(honest);
    Server forked;
    forked.log.append(numbered_entry(99));
    auto const presented = forked.shown(forked.write(held(1)));
    EXPECT_EQ(codes(app.log.connect(presented.proof.checkpoint, forked.log.consistency(4, forked.log.size()))),
              only(Alarm::inconsistent_checkpoint));
    EXPECT_EQ(codes(app.chain.add(app.log, presented, decision_follows).report), only(Alarm::unconnected_checkpoint));
}

TEST(SubjectView, alarms_on_a_gap_and_goes_on_behind_it) {
    Server server;
    App app(server);
    app.read(server, server.write(held(1)));
    server.write(held(2));
    server.write(held(3));
    auto const outcome = app.read(server, server.write(held(4)));
    EXPECT_EQ(codes(outcome.report), only(Alarm::gap));
    EXPECT_TRUE(outcome.payload);
    EXPECT_TRUE(app.read(server, server.write(held(5))).report.ok());
}

TEST(SubjectView, alarms_on_a_first_entry_that_is_not_the_first) {
    Server server;
    App app(server);
    server.write(held(1));
    EXPECT_EQ(codes(app.read(server, server.write(held(2))).report), only(Alarm::gap));
}

TEST(SubjectView, alarms_on_another_predecessor) {
    Server server;
    App app(server);
    EXPECT_EQ(codes(app.read(server, server.write(held(1), evening, {leaf_hash({}), {}, {}})).report),
              only(Alarm::broken_chain));
}

TEST(SubjectView, alarms_on_two_entries_for_one_counter) {
    Server server;
    App app(server);
    auto const secret = server.write(held(1), evening, {}, false);
    auto const shown = server.write(held(2));
    EXPECT_TRUE(app.read(server, shown).report.ok());
    EXPECT_TRUE(app.read(server, shown).report.ok());  // the head itself may come again
    EXPECT_EQ(codes(app.read(server, secret).report), only(Alarm::two_heads));
    EXPECT_EQ(app.chain.head().entry, entry_hash(shown.entry));
    app.read(server, server.write(held(3)));
    EXPECT_EQ(codes(app.read(server, secret).report), only(Alarm::broken_chain));
}

TEST(SubjectView, lets_time_go_back_by_two_seconds_and_no_more) {
    for (auto const& [back, expected] :
         {std::pair(1999ms, none), std::pair(2000ms, none), std::pair(2001ms, only(Alarm::time_reversed))}) {
        Server server;
        App app(server);
        app.read(server, server.write(held(1), evening + 30s));
        EXPECT_EQ(codes(app.read(server, server.write(held(2), evening + 30s - back)).report), expected);
    }
}

TEST(SubjectView, decision_time_lies_in_the_entrys_minute) {
    Server server;
    App app(server);
    EXPECT_TRUE(app.read(server, server.write(held(1), evening + 59'999ms)).report.ok());
    EXPECT_EQ(codes(app.read(server, server.write(held(2), evening + 60s, {{}, evening, {}})).report),
              only(Alarm::wrong_minute));
    EXPECT_EQ(codes(app.read(server, server.write(held(3), evening + 61s, {{}, evening + 120s, {}})).report),
              only(Alarm::wrong_minute));
}

TEST(SubjectView, asks_the_engine_whether_the_decision_follows) {
    Server server;
    App app(server);
    auto const presented = server.write(held(7));
    auto const outcome = app.read(server, presented, [](Payload const& payload) -> std::optional<std::string> {
        return "held although open, seq " + std::to_string(std::get<Held>(payload.body).seq);
    });
    ASSERT_EQ(codes(outcome.report), only(Alarm::wrong_decision));
    EXPECT_EQ(outcome.report.problems[0].text, "held although open, seq 7");
    EXPECT_EQ(outcome.report.problems[0].entry, presented.proof.index);
}

// ---- Others
// ----------------------------------------------------------------------------------------------------------

TEST(PeerHead, differs_at_once_or_is_missing_after_a_day) {
    SubjectHead const theirs{4, leaf_hash(numbered_entry(4)), evening};
    EXPECT_FALSE(check_peer_head(theirs, theirs.entry, 48h));
    EXPECT_EQ(check_peer_head(theirs, leaf_hash({}), 0ms)->code, Alarm::two_heads);
    EXPECT_FALSE(check_peer_head(theirs, std::nullopt, 24h - 1ms));
    EXPECT_EQ(check_peer_head(theirs, std::nullopt, 24h)->code, Alarm::missing_head);
}

TEST(Promise, is_kept_only_by_the_entry_that_says_the_same) {
    auto const kept = held(5);
    StoredReceipt const receipt{"clinic.example", {}, {}, {}, 5, kept.stamp, kept.envelope, holds_of(kept.parties)};
    EXPECT_FALSE(check_promise(receipt, {{}, evening, kept}, 3));
    auto const broken = [&](auto change) {
        auto other = kept;
        change(other);
        auto const problem = check_promise(receipt, {{}, evening, other}, 3);
        return problem && problem->code == Alarm::broken_promise && problem->entry == 3u;
    };
    EXPECT_TRUE(broken([](Held& h) { h.seq = 6; }));
    EXPECT_TRUE(broken([](Held& h) { h.stamp += 1ms; }));
    EXPECT_TRUE(broken([](Held& h) { h.envelope.bytes[0] ^= 1; }));
    EXPECT_TRUE(broken([](Held& h) { *h.parties[0].until += 1s; }));
    EXPECT_TRUE(broken([](Held& h) { h.parties[0].until.reset(); }));
    EXPECT_TRUE(broken([](Held& h) { h.parties.clear(); }));
    EXPECT_EQ(check_promise(receipt, {{}, evening, Filler{}}, {})->code, Alarm::broken_promise);
}

TEST(Promise, waits_sixty_connected_seconds_for_its_proof) {
    StoredReceipt receipt;
    EXPECT_FALSE(check_waiting(receipt, 1h));  // nothing is held: nothing was promised
    receipt.holds.push_back({});
    EXPECT_FALSE(check_waiting(receipt, 59'999ms));
    EXPECT_EQ(check_waiting(receipt, 60s)->code, Alarm::missing_proof);
}

TEST(TagScan, finds_the_subject_in_the_public_log_and_what_is_wrong_there) {
    auto const key = Server::key();
    auto const entry = [&](std::uint64_t counter) { return Entry{evening, tag_of(key, counter), {}}; };
    auto const scan = [&](std::vector<std::uint64_t> const& counters) {
        TagScan found(key, 3);
        found.see(0, Entry{evening, leaf_hash({}), {}});  // somebody else's
        for (std::size_t i = 0; i < counters.size(); ++i) found.see(i + 1, entry(counters[i]));
        return found.finish();
    };
    EXPECT_TRUE(scan({1, 2, 3}).ok());
    EXPECT_EQ(scan({1, 2, 3}).checked.entries, 3u);
    EXPECT_EQ(codes(scan({1, 3})), only(Alarm::gap));
    EXPECT_EQ(codes(scan({1, 2, 3, 2})), only(Alarm::two_heads));
    EXPECT_EQ(scan({1, 2, 3, 2}).problems[0].entry, 4u);
    EXPECT_EQ(codes(scan({1, 2, 3, 4})), only(Alarm::missing_head));
    EXPECT_EQ(codes(scan({})).size(), 3u);
}

TEST(Alarm, each_has_its_own_name) {
    std::set<std::string_view> names;
    for (int code = 0; code <= static_cast<int>(Alarm::stale_list); ++code)
        names.insert(name(static_cast<Alarm>(code)));
    EXPECT_EQ(names.size(), 19u);
    EXPECT_FALSE(names.contains("unknown alarm"));
}

}  // namespace
}  // namespace interlude::audit
