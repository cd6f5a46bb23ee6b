#include "common/audit/verify.hpp"

#include <algorithm>

namespace interlude::audit {

using base::Errc;
using base::Result;
using namespace std::chrono_literals;

namespace {

constexpr auto reversal_tolerated = 2s;   // exact.md, Time of a decision
constexpr auto peer_head_patience = 24h;  // audit.md, Apps
constexpr auto proof_patience = 60s;      // audit.md, A proof, not a promise

Problem problem(Alarm code, std::optional<std::uint64_t> entry, std::string text) {
    return {code, entry, std::move(text)};
}

std::string because(std::string_view what, Errc why) {
    return std::string(what) + ": " + std::string(name(why));
}

/// One failed step, as the only line of a report.
Report failed(Problem what) {
    Report report;
    report.problems.push_back(std::move(what));
    return report;
}

std::string sizes(Checkpoint const& a, Checkpoint const& b) {
    return "tree sizes " + std::to_string(a.size) + " and " + std::to_string(b.size);
}

/// Does the larger of two signed checkpoints continue the smaller? Nothing is asked for when they are equal.
Report check_consistency(Checkpoint const& a, Checkpoint const& b, std::span<Hash32 const> proof) {
    auto const& [smaller, larger] = a.size <= b.size ? std::tie(a, b) : std::tie(b, a);
    Report report;
    if (smaller.size == larger.size && smaller.root == larger.root) return report;
    if (smaller.size == 0 && larger.size > 0 && smaller.root == empty_root()) return report;  // all trees begin so
    if (proof.empty() && smaller.size > 0 && smaller.size < larger.size)
        return failed(problem(Alarm::unconnected_checkpoint, {}, "no consistency proof for " + sizes(smaller, larger)));
    if (!verify_consistency(smaller.size, larger.size, smaller.root, larger.root, proof))
        return failed(
            problem(Alarm::inconsistent_checkpoint, {}, "signed checkpoints differ, " + sizes(smaller, larger)));
    report.checked.consistency = 1;
    return report;
}

bool is_gate_decision(EntryType type) {
    return type == EntryType::held || type == EntryType::quiet || type == EntryType::refused;
}

}  // namespace

std::string_view name(Alarm alarm) noexcept {
    switch (alarm) {
        case Alarm::two_heads:
            return "two_heads";
        case Alarm::missing_head:
            return "missing_head";
        case Alarm::gap:
            return "gap";
        case Alarm::broken_chain:
            return "broken_chain";
        case Alarm::inconsistent_checkpoint:
            return "inconsistent_checkpoint";
        case Alarm::smaller_checkpoint:
            return "smaller_checkpoint";
        case Alarm::unconnected_checkpoint:
            return "unconnected_checkpoint";
        case Alarm::bad_signature:
            return "bad_signature";
        case Alarm::bad_inclusion:
            return "bad_inclusion";
        case Alarm::missing_proof:
            return "missing_proof";
        case Alarm::bad_entry:
            return "bad_entry";
        case Alarm::bad_commitment:
            return "bad_commitment";
        case Alarm::bad_tag:
            return "bad_tag";
        case Alarm::wrong_minute:
            return "wrong_minute";
        case Alarm::time_reversed:
            return "time_reversed";
        case Alarm::wrong_decision:
            return "wrong_decision";
        case Alarm::broken_promise:
            return "broken_promise";
        case Alarm::early_delivery:
            return "early_delivery";
        case Alarm::stale_list:
            return "stale_list";
    }
    return "unknown alarm";
}

Checked& Checked::operator+=(Checked const& more) {
    entries += more.entries;
    inclusion += more.inclusion;
    consistency += more.consistency;
    schedules += more.schedules;
    decisions += more.decisions;
    return *this;
}

void Report::add(MaybeProblem found) {
    if (found) problems.push_back(std::move(*found));
}

Report& Report::operator+=(Report more) {
    checked += more.checked;
    std::move(more.problems.begin(), more.problems.end(), std::back_inserter(problems));
    return *this;
}

// ---- LogView
// ---------------------------------------------------------------------------------------------------------

LogView::LogView(LogKey key, SignedCheckpoint kept) : key_(std::move(key)), latest_(std::move(kept)) {
    remember(latest_->checkpoint.size, latest_->checkpoint.root);
}

void LogView::remember(std::uint64_t size, Hash32 const& root) {
    if (std::find(connected_.begin(), connected_.end(), std::pair(size, root)) != connected_.end()) return;
    if (connected_.size() == connected_checkpoints_max) connected_.erase(connected_.begin());
    connected_.emplace_back(size, root);
}

void LogView::believe(Connected const& connected) {
    for (auto const& [size, root] : connected) remember(size, root);
}

bool LogView::knows(Checkpoint const& checkpoint) const {
    if (checkpoint.origin != key_.origin) return false;
    if (latest_ && latest_->checkpoint == checkpoint) return true;  // however many others came after it
    return std::find(connected_.begin(), connected_.end(), std::pair(checkpoint.size, checkpoint.root)) !=
           connected_.end();
}

Result<SignedCheckpoint> LogView::open(std::string_view note) const {
    if (latest_ && latest_->note == note) return *latest_;
    if (!opened_ || opened_->note != note) {
        INTERLUDE_TRY(opened_, open_checkpoint(note, key_));
    }
    return *opened_;
}

Result<SignedCheckpoint> LogView::verify(LogProof const& proof, bytes::ByteView entry) const {
    INTERLUDE_TRY(auto under, open(proof.checkpoint));
    INTERLUDE_TRY_VOID(verify_proof_in(under.checkpoint, proof, entry));
    return under;
}

Report LogView::advance(std::string_view note, std::span<Hash32 const> consistency) {
    auto next = open(note);
    if (!next) return failed(problem(Alarm::bad_signature, {}, because("checkpoint", next.error())));
    Report report;
    if (latest_) {
        auto const& kept = latest_->checkpoint;
        if (next->checkpoint.size < kept.size)
            return failed(problem(Alarm::smaller_checkpoint, {}, "the log shrank, " + sizes(kept, next->checkpoint)));
        report = check_consistency(kept, next->checkpoint, consistency);
        if (!report.ok()) return report;
    }
    remember(next->checkpoint.size, next->checkpoint.root);
    latest_ = std::move(*next);
    return report;
}

Report LogView::connect(std::string_view note, std::span<Hash32 const> consistency) {
    auto const other = open(note);
    if (!other) return failed(problem(Alarm::bad_signature, {}, because("checkpoint", other.error())));
    if (knows(other->checkpoint)) return {};
    if (!latest_) return failed(problem(Alarm::unconnected_checkpoint, {}, "no checkpoint of our own to compare with"));
    auto report = check_consistency(latest_->checkpoint, other->checkpoint, consistency);
    if (report.ok()) remember(other->checkpoint.size, other->checkpoint.root);
    return report;
}

// ---- SubjectView
// -----------------------------------------------------------------------------------------------------

bytes::Bytes encode_head(SubjectHead const& head) {
    bytes::Writer to;
    codec::write(to, head);
    return to.take();
}

Result<SubjectHead> decode_head(bytes::ByteView from) {
    bytes::Reader rest(from);
    INTERLUDE_TRY(auto head, codec::read<SubjectHead>(rest));
    INTERLUDE_TRY_VOID(rest.finish());
    return head;
}

EntryOutcome SubjectView::add(LogView const& log, PresentedEntry const& presented, DecisionCheck const& decision) {
    auto const index = presented.proof.index;
    auto const refuse = [&](Alarm code, std::string text) {
        return EntryOutcome{failed(problem(code, index, std::move(text))), {}};
    };

    // Authentic: in the log, of this subject, and meaning this payload.
    auto const entry = decode_entry(presented.entry);
    if (!entry) return refuse(Alarm::bad_entry, because("entry", entry.error()));
    auto const under = log.verify(presented.proof, presented.entry);
    if (!under) {
        return under.error() == Errc::bad_proof ? refuse(Alarm::bad_inclusion, "the entry is not in the tree")
                                                : refuse(Alarm::bad_signature, because("checkpoint", under.error()));
    }
    if (!log.knows(under->checkpoint))
        return refuse(Alarm::unconnected_checkpoint, "the proof's checkpoint was not shown to continue the kept one");
    if (entry->tag != tag_of(key_, presented.counter))
        return refuse(Alarm::bad_tag, "not counter " + std::to_string(presented.counter) + " of this subject");
    if (presented.salt.size() != salt_bytes || presented.payload.size() != base::limits::payload_bytes ||
        entry->commitment != commitment_of(presented.salt, presented.payload))
        return refuse(Alarm::bad_commitment, "the payload is not what was logged");
    auto payload = decode_payload(presented.payload);
    if (!payload) return refuse(Alarm::bad_entry, because("payload", payload.error()));

    EntryOutcome outcome;
    auto& report = outcome.report;
    report.checked.entries = 1;
    report.checked.inclusion = 1;
    auto const hash = entry_hash(presented.entry);
    auto const alarm = [&](Alarm code, std::string text) { report.add(problem(code, index, std::move(text))); };

    // In its place in the chain.
    if (presented.counter == head_.counter) {
        if (hash != head_.entry)
            alarm(Alarm::two_heads, "two entries for counter " + std::to_string(presented.counter));
        outcome.payload = std::move(*payload);
        return outcome;
    }
    if (presented.counter < head_.counter) {
        alarm(Alarm::broken_chain,
              "counter " + std::to_string(presented.counter) + " came after " + std::to_string(head_.counter));
        outcome.payload = std::move(*payload);
        return outcome;
    }
    if (presented.counter > head_.counter + 1)
        alarm(Alarm::gap, "counters " + std::to_string(head_.counter + 1) + " to " +
                              std::to_string(presented.counter - 1) + " were not shown");
    else if (payload->previous != head_.entry)
        alarm(Alarm::broken_chain, "it names another predecessor");
    if (head_.counter > 0 && payload->decided_at < head_.decided_at - reversal_tolerated)
        alarm(Alarm::time_reversed, "decided before its predecessor");

    // Honest in itself.
    if (minute_of(payload->decided_at) != entry->minute)
        alarm(Alarm::wrong_minute, "the decision time is not in the entry's minute");
    if (auto why = decision(*payload)) alarm(Alarm::wrong_decision, std::move(*why));
    if (is_gate_decision(payload->type())) report.checked.decisions = 1;

    head_ = {presented.counter, hash, payload->decided_at};
    outcome.payload = std::move(*payload);
    return outcome;
}

// ---- Comparing with others
// -------------------------------------------------------------------------------------------

MaybeProblem check_peer_head(SubjectHead const& theirs, std::optional<Hash32> const& ours, base::Millis known_for) {
    auto const counter = std::to_string(theirs.counter);
    if (ours && *ours != theirs.entry)
        return problem(Alarm::two_heads, {}, "the other side was shown another entry for counter " + counter);
    if (!ours && known_for >= peer_head_patience)
        return problem(Alarm::missing_head, {}, "the other side has counter " + counter + ", we were never shown it");
    return std::nullopt;
}

MaybeProblem check_promise(StoredReceipt const& receipt, Payload const& payload, std::optional<std::uint64_t> index) {
    auto const by_account = [](Hold const& a, Hold const& b) { return a.account < b.account; };
    auto promised = receipt.holds;
    std::sort(promised.begin(), promised.end(), by_account);
    auto const* held = std::get_if<Held>(&payload.body);
    auto logged = held ? holds_of(held->parties) : Holds{};
    std::sort(logged.begin(), logged.end(), by_account);
    if (held && held->seq == receipt.seq && held->stamp == receipt.stamp && held->envelope == receipt.envelope &&
        logged == promised)
        return std::nullopt;
    return problem(Alarm::broken_promise, index, "the entry is not what the server signed when it took the message");
}

MaybeProblem check_waiting(StoredReceipt const& receipt, base::Millis connected_for) {
    if (receipt.holds.empty() || connected_for < proof_patience) return std::nullopt;
    return problem(Alarm::missing_proof, {}, "a held message has no proof after 60 s");
}

TagScan::TagScan(SubjectKey const& key, std::uint64_t head_counter, std::uint64_t beyond) : head_(head_counter) {
    for (std::uint64_t counter = 1; counter <= head_counter + beyond; ++counter)
        tags_.push_back({tag_of(key, counter), {counter, {}}});
    std::sort(tags_.begin(), tags_.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
}

void TagScan::see(std::uint64_t index, Entry const& entry) {
    auto const found = std::lower_bound(tags_.begin(), tags_.end(), entry.tag,
                                        [](auto const& known, Hash32 const& tag) { return known.first < tag; });
    if (found != tags_.end() && found->first == entry.tag) found->second.at.push_back(index);
}

Report TagScan::finish() const {
    Report report;
    for (auto const& [tag, seen] : tags_) {
        auto const counter = "counter " + std::to_string(seen.counter);
        report.checked.entries += seen.at.size();
        if (seen.at.size() > 1) report.add(problem(Alarm::two_heads, seen.at.back(), counter + " was used twice"));
        if (seen.at.empty() && seen.counter <= head_)
            report.add(problem(Alarm::gap, {}, counter + " is not in the public log"));
        if (!seen.at.empty() && seen.counter > head_)
            report.add(problem(Alarm::missing_head, seen.at.front(), counter + " was not shown to us"));
    }
    return report;
}

}  // namespace interlude::audit
