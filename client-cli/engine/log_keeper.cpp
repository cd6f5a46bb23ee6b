#include "client-cli/engine/log_keeper.hpp"

#include <algorithm>
#include <set>

#include "common/base/limits.hpp"

namespace interlude::engine {

namespace {

constexpr std::size_t unconnected_max = 64;
constexpr std::chrono::days hold_life_least{1};  // a server does not choose how long keys live

void raise(Turn& turn, audit::Report const& report, Bytes first = {}, Bytes second = {}) {
    for (auto const& problem : report.problems)
        turn.alarm(std::string(audit::name(problem.code)), problem.text, std::nullopt, first, second);
}

Bytes as_bytes(std::string const& text) {
    return bytes::copy(bytes::view(text));
}

void keep(ServerRecord& server, audit::LogView const& view, audit::Report const& report, WallTime now) {
    server.consistency_checks += report.checked.consistency;
    server.consistent.clear();
    for (auto const& [size, root] : view.connected()) server.consistent.push_back({size, root});
    if (view.latest() && view.latest()->note != server.checkpoint) {
        server.checkpoint = view.latest()->note;
        server.checkpoint_at = now;
    }
}

/// To the letter: whatever is kept was verified.
bool is_kept(ServerRecord const& server, std::string const& note) {
    return note == server.checkpoint ||
           std::find(server.unconnected.begin(), server.unconnected.end(), note) != server.unconnected.end();
}

/// Signed by the log; anything else is not worth keeping.
std::optional<audit::SignedCheckpoint> open_note(audit::LogView const& view, std::string const& note) {
    auto opened = view.open(note);
    if (!opened) return std::nullopt;
    return std::move(*opened);
}

/// Hash of our own copy of one entry, or of a head that the server showed us.
std::optional<Hash32> own_hash(Turn& turn, SubjectId const& subject, std::uint64_t counter) {
    if (auto item = turn.rows.get<wire::LogItem>(Table::log_items, key_of(subject, counter)))
        return audit::entry_hash(item->entry);
    if (auto record = turn.rows.get<SubjectRecord>(Table::subjects, subject.bytes);
        record && record->counter == counter)
        return record->head;
    return std::nullopt;
}

void drop_connected(ServerRecord& server, audit::LogView const& view) {
    std::erase_if(server.unconnected, [&](std::string const& note) {
        auto const opened = audit::reopen_checkpoint(note, view.key());
        return !opened || view.knows(opened->checkpoint);
    });
}

}  // namespace

std::optional<audit::LogView> log_view(ServerRecord const& server) {
    if (server.log_vkey.empty()) return std::nullopt;
    auto key = audit::parse_log_key(server.log_vkey);
    INTERLUDE_CHECK(key);  // it was checked before it was kept
    if (server.checkpoint.empty()) return audit::LogView(std::move(*key));
    auto kept = audit::reopen_checkpoint(server.checkpoint, *key);
    INTERLUDE_CHECK(kept);
    audit::LogView view(std::move(*key), std::move(*kept));
    audit::LogView::Connected connected;
    for (auto const& known : server.consistent) connected.emplace_back(known.size, known.root);
    view.believe(std::move(connected));
    return view;
}

LogKnown log_known(Turn& turn) {
    LogKnown known;
    auto const server = turn.server();
    if (auto const view = log_view(server); view && view->latest()) {
        known.size = known.met = view->latest()->checkpoint.size;
        for (auto const& note : server.unconnected)
            if (auto const met = audit::reopen_checkpoint(note, view->key()))
                known.met = std::max(known.met, met->checkpoint.size);
    }
    for (auto const& [key, subject] : turn.rows.scan<SubjectRecord>(Table::subjects))
        known.entries[*SubjectId::from(key)] = subject.counter;
    return known;
}

void take_log_state(Turn& turn, wire::Ready const& ready, LogKnown& known) {
    auto server = turn.server();
    auto const key = audit::parse_log_key(ready.log_vkey);
    if (!key || audit::log_key_hash(key->key) != server.log_key_hash) {
        turn.alarm("wrong_log_key", "the server shows a log that is not the one of the invitation", std::nullopt,
                   as_bytes(server.log_vkey), as_bytes(ready.log_vkey));
    } else if (!server.log_vkey.empty() && server.log_vkey != ready.log_vkey) {
        turn.alarm("log_replaced", "the log goes on under another name, and this version cannot follow it",
                   std::nullopt, as_bytes(server.log_vkey), as_bytes(ready.log_vkey));
    } else {
        server.log_vkey = ready.log_vkey;
        if (!ready.checkpoint.empty()) {
            auto view = *log_view(server);
            auto const kept = server.checkpoint;
            // If another process got further since the hello, the proof continues another checkpoint; this link asks
            // about the newest one next.
            if (known.size == (view.latest() ? view.latest()->checkpoint.size : 0)) {
                auto const report = view.advance(ready.checkpoint, ready.consistency);
                raise(turn, report, as_bytes(kept), as_bytes(ready.checkpoint));
                keep(server, view, report, turn.now);
            }
        } else if (known.size > 0) {
            turn.alarm("smaller_checkpoint", "the log says that it is empty, and it was not", std::nullopt,
                       as_bytes(server.checkpoint));
        }
    }
    server.instance = ready.instance;
    server.restore_count = ready.restore_count;
    auto const life = std::chrono::seconds(ready.limits.hold_life_seconds);
    server.hold_life_seconds = static_cast<std::uint64_t>(
        std::clamp<std::chrono::seconds>(life, hold_life_least, base::limits::hold_life_default).count());
    server.last_contact = turn.now;
    turn.save(server);
    take_subjects(turn, ready.subjects, known);
}

void take_subjects(Turn& turn, std::vector<wire::SubjectState> const& subjects, LogKnown& known) {
    for (auto const& state : subjects) {
        if (state.key.size() != audit::subject_key_bytes) continue;
        auto record = turn.rows.get<SubjectRecord>(Table::subjects, state.subject.bytes).value_or(SubjectRecord{});
        auto& entries = known.entries[state.subject];
        if (state.counter < entries)
            turn.alarm("gap", "a chain of the log is shorter than it was", std::nullopt, bytes::copy(record.head.bytes),
                       bytes::copy(state.head.bytes));
        entries = std::max(entries, state.counter);
        auto const own = state.counter > 0 ? own_hash(turn, state.subject, state.counter) : std::nullopt;
        if (own && *own != state.head)
            turn.alarm("two_heads", "the server showed two entries for counter " + std::to_string(state.counter),
                       std::nullopt, bytes::copy(own->bytes), bytes::copy(state.head.bytes));
        record.key = SecretBytes(ByteView(state.key));
        if (state.counter > record.counter) {
            record.counter = state.counter;
            record.head = state.head;
        }
        turn.rows.put(Table::subjects, state.subject.bytes, record);
    }
}

void meet_checkpoint(Turn& turn, std::string const& note) {
    if (note.empty()) return;
    auto server = turn.server();
    auto view = log_view(server);
    if (!view || is_kept(server, note)) return;
    auto const opened = open_note(*view, note);
    if (!opened) {
        turn.alarm("bad_signature", "a checkpoint that the log did not sign was shown", std::nullopt, as_bytes(note));
        return;
    }
    auto const& met = opened->checkpoint;
    if (view->knows(met)) return;
    for (auto const& [size, root] : view->connected()) {
        if (size != met.size || root == met.root) continue;
        turn.alarm("inconsistent_checkpoint",
                   "two signed checkpoints of size " + std::to_string(size) + ": its readers are told two stories",
                   std::nullopt, as_bytes(server.checkpoint), as_bytes(note));
        return;
    }
    if (server.unconnected.size() == unconnected_max) server.unconnected.erase(server.unconnected.begin());
    server.unconnected.push_back(note);
    turn.save(server);
}

std::vector<std::uint64_t> sizes_to_connect(Turn& turn) {
    auto const server = turn.server();
    if (server.unconnected.empty()) return {};
    auto const view = log_view(server);
    if (!view) return {};
    auto const own = view->latest() ? view->latest()->checkpoint.size : 0;
    std::vector<std::uint64_t> sizes{own};  // first: to be as far as the others are
    for (auto const& note : server.unconnected)
        if (auto const opened = audit::reopen_checkpoint(note, view->key()); opened && opened->checkpoint.size > 0)
            sizes.push_back(opened->checkpoint.size);
    std::sort(sizes.begin() + 1, sizes.end());
    sizes.erase(std::unique(sizes.begin() + 1, sizes.end()), sizes.end());
    return sizes;
}

void take_checkpoint(Turn& turn, std::uint64_t size_seen, std::uint64_t met, wire::Checkpoint const& answer) {
    auto server = turn.server();
    auto view = log_view(server);
    if (!view || answer.note.empty()) return;
    auto const shown = open_note(*view, answer.note);
    if (!shown) {
        turn.alarm("bad_signature", "the server showed a checkpoint that the log did not sign", std::nullopt,
                   as_bytes(answer.note));
        return;
    }
    auto const newest = shown->checkpoint.size;
    auto const own = view->latest() ? view->latest()->checkpoint.size : 0;
    if (size_seen == own) {
        auto const report = view->advance(answer.note, answer.consistency);
        raise(turn, report, as_bytes(server.checkpoint), as_bytes(answer.note));
        keep(server, *view, report, turn.now);
        for (auto const& note : server.unconnected) {
            auto const other = audit::reopen_checkpoint(note, view->key());
            if (!other || other->checkpoint.size <= newest || other->checkpoint.size > met) continue;
            turn.alarm("inconsistent_checkpoint",
                       "somebody was shown a larger tree than the server admits: its readers are told two stories",
                       std::nullopt, as_bytes(answer.note), as_bytes(note));
        }
    } else if (view->latest() && shown->checkpoint == view->latest()->checkpoint) {
        for (auto const& note : server.unconnected) {
            auto const other = audit::reopen_checkpoint(note, view->key());
            if (!other || other->checkpoint.size != size_seen) continue;
            auto const report = view->connect(note, answer.consistency);
            raise(turn, report, as_bytes(server.checkpoint), as_bytes(note));
            keep(server, *view, report, turn.now);
            if (!report.ok()) std::erase(server.unconnected, std::string(note));
            break;
        }
    }  // else the log grew between two answers: asked again
    drop_connected(server, *view);
    turn.save(server);
}

std::optional<audit::PresentedEntry> presented(wire::LogItem const& item) {
    auto proof = audit::parse_proof(item.proof);
    if (!proof) return std::nullopt;
    return audit::PresentedEntry{item.counter, item.entry, item.salt, item.payload, std::move(*proof)};
}

namespace {

/// Beside what is kept under its counter: the same entry, opened now or proven anew, or an alarm. True: it is here, and
/// open. One that may not be opened yet must not be acknowledged: the server forgets what all parties have.
bool keep_item(Turn& turn, wire::LogItem item) {
    auto const key = key_of(item.subject, item.counter);
    if (auto const kept = turn.rows.get<wire::LogItem>(Table::log_items, key)) {
        if (kept->entry != item.entry) {
            turn.alarm("two_heads", "two entries for counter " + std::to_string(item.counter), std::nullopt,
                       records::encode(*kept), records::encode(item));
            return false;
        }
        if (item.payload.empty()) {
            item.payload = kept->payload;
            item.salt = kept->salt;
        }
    }
    turn.rows.put(Table::log_items, key, item);
    return !item.payload.empty();
}

}  // namespace

void take_log_entries(Turn& turn, wire::LogEntries const& entries) {
    auto record = turn.rows.get<SubjectRecord>(Table::subjects, entries.subject.bytes);
    if (!record) return;
    auto complete = record->fetched_to;
    std::set<std::string> met;  // many entries are proven in one tree
    for (auto const& item : entries.items) {
        if (item.subject != entries.subject || item.counter == 0) {
            turn.alarm("bad_entry", "an entry of another chain was shown", std::nullopt, records::encode(item));
            continue;
        }
        if (!keep_item(turn, item)) continue;
        if (item.counter == complete + 1) ++complete;
        if (auto const entry = presented(item); entry && met.insert(entry->proof.checkpoint).second)
            meet_checkpoint(turn, entry->proof.checkpoint);
    }
    record->fetched_to = complete;
    if (entries.head_counter > record->counter) {
        record->counter = entries.head_counter;
        record->head = entries.head;
    }
    turn.rows.put(Table::subjects, entries.subject.bytes, *record);
    meet_checkpoint(turn, entries.checkpoint);
}

void note_peers_asked(Turn& turn, SubjectId const& subject, CounterRange shown, WallTime asked) {
    for (auto& [key, peer] : turn.rows.scan<PeerHeadRecord>(Table::fences)) {
        if (peer.subject != subject || peer.asked || peer.since > asked) continue;
        if (peer.counter < shown.first || (shown.last && peer.counter > *shown.last)) continue;
        peer.asked = true;
        turn.rows.put(Table::fences, key, peer);
    }
}

void note_chain_withheld(Turn& turn, SubjectId const& subject) {
    auto record = turn.rows.get<SubjectRecord>(Table::subjects, subject.bytes);
    if (!record) return;
    record->withheld = true;
    turn.rows.put(Table::subjects, subject.bytes, *record);
}

void note_chain_fetched(Turn& turn, SubjectId const& subject, WallTime asked, std::uint64_t known) {
    auto record = turn.rows.get<SubjectRecord>(Table::subjects, subject.bytes);
    if (!record) return;
    record->withheld = false;
    record->fetched_at = std::max(record->fetched_at, asked);
    record->due_to = std::max(record->due_to, known);
    turn.rows.put(Table::subjects, subject.bytes, *record);
}

WallTime server_time(Turn& turn) {
    base::Millis const tolerance = base::limits::clock_tolerance;  // a server does not choose what it is asked about
    return turn.now + std::clamp(turn.server().skew().value_or(base::Millis{0}), -tolerance, tolerance);
}

std::uint64_t entries_complete_to(Turn& turn, SubjectId const& subject) {
    auto const record = turn.rows.get<SubjectRecord>(Table::subjects, subject.bytes);
    return record ? record->fetched_to : 0;
}

std::optional<audit::Payload> take_item(Turn& turn, wire::LogItem const& item) {
    auto const subject = turn.rows.get<SubjectRecord>(Table::subjects, item.subject.bytes);
    auto const view = log_view(turn.server());
    auto const entry = presented(item);
    if (!subject || !view || !entry) {
        turn.alarm("bad_entry", "a proof that does not parse, or of a chain that is not ours", std::nullopt,
                   records::encode(item));
        return std::nullopt;
    }
    keep_item(turn, item);
    meet_checkpoint(turn, entry->proof.checkpoint);

    auto const decoded = audit::decode_entry(entry->entry);
    if (!decoded || !audit::verify_proof(entry->proof, entry->entry, view->key())) {
        turn.alarm("bad_inclusion", "an entry came with a proof that does not hold", std::nullopt,
                   records::encode(item));
        return std::nullopt;
    }
    audit::SubjectKey const key{subject->key.clone()};
    bool const opens = entry->salt.size() == audit::salt_bytes &&
                       entry->payload.size() == base::limits::payload_bytes &&
                       decoded->tag == audit::tag_of(key, item.counter) &&
                       decoded->commitment == audit::commitment_of(entry->salt, entry->payload);
    auto payload = opens ? audit::decode_payload(entry->payload) : base::Result<audit::Payload>(base::Errc::malformed);
    if (!payload) {
        turn.alarm("bad_commitment", "an entry does not say what the server says it does", std::nullopt,
                   records::encode(item));
        return std::nullopt;
    }
    return std::move(*payload);
}

std::optional<audit::StoredReceipt> open_stored_receipt(Turn& turn, wire::Stored const& stored,
                                                        RequestId const& request) {
    auto const view = log_view(turn.server());
    if (!view) return std::nullopt;
    auto receipt = audit::open_receipt(stored.receipt, stored.receipt_signature, view->key().key);
    audit::Holds holds;
    for (auto const& hold : stored.holds) holds.push_back({hold.account, hold.until});
    bool const same = receipt && receipt->request == request && receipt->seq == stored.seq &&
                      receipt->stamp == stored.stamp && receipt->envelope == stored.envelope && receipt->holds == holds;
    if (!same) {
        turn.alarm("bad_signature", "the server held a message without its signed word for it", std::nullopt,
                   stored.receipt, stored.receipt_signature);
        return std::nullopt;
    }
    return std::move(*receipt);
}

LogSight own_sight(Turn& turn, ConversationId const& conversation) {
    LogSight sight;
    sight.checkpoint = turn.server().checkpoint;
    auto const subject = audit::subject_of(conversation);
    if (auto const record = turn.rows.get<SubjectRecord>(Table::subjects, subject.bytes)) {
        sight.head_counter = record->counter;
        sight.head = record->head;
    }
    return sight;
}

void take_peer_sight(Turn& turn, ConversationId const& conversation, LogSight const& sight) {
    meet_checkpoint(turn, sight.checkpoint);
    if (sight.head_counter == 0) return;
    auto const subject = audit::subject_of(conversation);
    audit::SubjectHead const theirs{sight.head_counter, sight.head, {}};
    auto const ours = own_hash(turn, subject, sight.head_counter);
    if (auto const problem = audit::check_peer_head(theirs, ours, base::Millis{0})) {
        turn.alarm("other_says_" + std::string(audit::name(problem->code)), problem->text, conversation,
                   ours ? bytes::copy(ours->bytes) : Bytes{}, bytes::copy(sight.head.bytes));
        return;
    }
    if (ours) return;
    auto const key = bytes::Writer().id(conversation).id(sight.head).u64(sight.head_counter).take();
    if (!turn.rows.has(Table::fences, key))
        turn.rows.put(Table::fences, key, PeerHeadRecord{subject, sight.head_counter, sight.head, turn.now});
}

std::map<SubjectId, std::uint64_t> check_peer_heads(Turn& turn) {
    std::map<SubjectId, std::uint64_t> wanted;
    for (auto const& [key, peer] : turn.rows.scan<PeerHeadRecord>(Table::fences)) {
        auto const ours = own_hash(turn, peer.subject, peer.counter);
        audit::SubjectHead const theirs{peer.counter, peer.head, {}};
        auto const known_for = peer.asked ? turn.now - peer.since : base::Millis{0};
        auto const problem = audit::check_peer_head(theirs, ours, known_for);
        if (problem)
            turn.alarm("other_says_" + std::string(audit::name(problem->code)), problem->text,
                       bytes::Reader(key).id<ConversationId>().value(), bytes::copy(peer.head.bytes));
        if (problem || ours) {
            turn.rows.erase(Table::fences, key);
            continue;
        }
        auto& from = wanted.try_emplace(peer.subject, peer.counter).first->second;
        from = std::min(from, peer.counter);
    }
    return wanted;
}

}  // namespace interlude::engine
