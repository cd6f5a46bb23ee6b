// Is the log honest? What an app checks with the pinned key, its kept checkpoint and its own chain heads (audit.md,
// Apps). Finds problems by name; never stops a message.
#pragma once

#include "common/audit/entry.hpp"
#include "common/audit/payload.hpp"
#include "common/audit/proof.hpp"
#include "common/audit/receipt.hpp"

namespace interlude::audit {

enum class Alarm : std::uint8_t {
    two_heads,                // two entries, or two heads, for one counter of a subject
    missing_head,             // a head that the other side does not have within a day
    gap,                      // a counter was skipped
    broken_chain,             // `previous` is not the entry before
    inconsistent_checkpoint,  // two signed checkpoints of which neither continues the other
    smaller_checkpoint,       // the log claims to be shorter than it was
    unconnected_checkpoint,   // signed, but nobody showed that it continues the kept one
    bad_signature,            // of a checkpoint, proof or receipt
    bad_inclusion,            // the entry is not in the tree
    missing_proof,            // a promised or asked for entry or proof did not come
    bad_entry,                // an entry or payload that does not parse
    bad_commitment,           // the payload is not what the entry commits to
    bad_tag,                  // not the tag of this subject and counter
    wrong_minute,             // the decision time is not in the entry's minute
    time_reversed,            // more than 2 s before its predecessor in the chain
    wrong_decision,           // does not follow from the signed documents
    broken_promise,           // the entry says something else than the signed answer
    early_delivery,           // an envelope came before it passed
    stale_list,               // an older device list than one known
};
std::string_view name(Alarm alarm) noexcept;

struct Problem {
    Alarm code;
    std::optional<std::uint64_t> entry;  // index in the log
    std::string text;                    // English, for the details line; names nobody
    bool operator==(Problem const&) const = default;
};
using MaybeProblem = std::optional<Problem>;

/// What was checked, counted: a report with zero of what should exist is a failure too.
struct Checked {
    std::uint64_t entries = 0;
    std::uint64_t inclusion = 0;
    std::uint64_t consistency = 0;
    std::uint64_t schedules = 0;  // counted by the engine
    std::uint64_t decisions = 0;
    Checked& operator+=(Checked const& more);
    bool operator==(Checked const&) const = default;
};

struct Report {
    Checked checked;
    std::vector<Problem> problems;
    bool ok() const { return problems.empty(); }
    void add(MaybeProblem problem);
    Report& operator+=(Report more);
};

// ---- The log as a whole --------------------------------------------------------------------------------------------

inline constexpr std::size_t connected_checkpoints_max = 1024;

/// What an app believes of one log: the newest checkpoint and those known to be consistent with it.
class LogView {
  public:
    explicit LogView(LogKey key) : key_(std::move(key)) {}
    /// With the checkpoint kept in the vault.
    LogView(LogKey key, SignedCheckpoint kept);

    LogKey const& key() const { return key_; }
    std::optional<SignedCheckpoint> const& latest() const { return latest_; }

    /// A checkpoint of this log, verified; the newest one and the last one that was asked for, once.
    base::Result<SignedCheckpoint> open(std::string_view note) const;
    /// The checkpoint of a proof that holds for this entry (proof.hpp, verify_proof).
    base::Result<SignedCheckpoint> verify(LogProof const& proof, bytes::ByteView entry) const;

    /// The log's own newest checkpoint, at connect and when pushed: the first is believed (the key is pinned), later
    /// ones must continue it. Kept only without a problem; an equal one needs no proof.
    Report advance(std::string_view note, std::span<Hash32 const> consistency);
    /// Any other checkpoint (in a peer's message, under a proof), smaller or larger than the newest, with the
    /// consistency proof from the smaller to the larger. Never changes latest(). Needs a latest().
    Report connect(std::string_view note, std::span<Hash32 const> consistency);
    /// Is it the newest one, or one that connect() or advance() accepted?
    bool knows(Checkpoint const& checkpoint) const;
    /// What was accepted so far, to be kept beside the newest checkpoint, and believed again after a restart.
    using Connected = std::vector<std::pair<std::uint64_t, Hash32>>;
    Connected const& connected() const { return connected_; }
    void believe(Connected const& connected);

  private:
    void remember(std::uint64_t size, Hash32 const& root);

    LogKey key_;
    std::optional<SignedCheckpoint> latest_;
    mutable std::optional<SignedCheckpoint> opened_;  // last
    Connected connected_;
};

// ---- One subject's chain -------------------------------------------------------------------------------------------

/// Where a chain ends; counter 0: before its first entry.
struct SubjectHead {
    std::uint64_t counter = 0;
    Hash32 entry;  // its leaf hash
    WallTime decided_at;
    bool operator==(SubjectHead const&) const = default;
    static constexpr auto fields() {
        using S = SubjectHead;
        return std::tuple(&S::counter, &S::entry, &S::decided_at);
    }
};
bytes::Bytes encode_head(SubjectHead const& head);
base::Result<SubjectHead> decode_head(bytes::ByteView from);

/// One entry as `log_get`, `held` and `refused` bring it.
struct PresentedEntry {
    std::uint64_t counter = 0;
    bytes::Bytes entry;    // 104 bytes
    bytes::Bytes salt;     // 32
    bytes::Bytes payload;  // 512
    LogProof proof;
};

/// Decides again from the signed documents (the engine, which links schedule): why the payload's decision does not
/// follow, or nothing. Called once for every authentic entry.
using DecisionCheck = std::function<std::optional<std::string>(Payload const&)>;

struct EntryOutcome {
    Report report;
    std::optional<Payload> payload;  // set when the entry is authentic: signed, included, opened and of this subject
};

class SubjectView {
  public:
    explicit SubjectView(SubjectKey key, SubjectHead head = {}) : key_(std::move(key)), head_(head) {}

    SubjectHead const& head() const { return head_; }
    /// From the next counter on (a relation ended).
    void replace_key(SubjectKey key) { key_ = std::move(key); }

    /// The next entry. Its head moves on with every authentic entry whose counter is beyond it, problems or not; the
    /// entry at the head may come again.
    EntryOutcome add(LogView const& log, PresentedEntry const& presented, DecisionCheck const& decision);

  private:
    SubjectKey key_;
    SubjectHead head_;
};

// ---- Comparing with others -----------------------------------------------------------------------------------------

/// A peer's head against the hash that we have for that counter (absent: we are not there yet). Missing after a day.
MaybeProblem check_peer_head(SubjectHead const& theirs, std::optional<Hash32> const& ours, base::Millis known_for);
/// A signed answer against the entry that came for it.
MaybeProblem check_promise(StoredReceipt const& receipt, Payload const& payload, std::optional<std::uint64_t> index);
/// A signed answer that waits for its proof, in time connected.
MaybeProblem check_waiting(StoredReceipt const& receipt, base::Millis connected_for);

/// `audit verify --full`: over all public entries, finds tags of a subject used twice, missing, or beyond the head.
class TagScan {
  public:
    /// Looks `beyond` counters further than the head.
    TagScan(SubjectKey const& key, std::uint64_t head_counter, std::uint64_t beyond = 64);
    /// Entries in the log's order.
    void see(std::uint64_t index, Entry const& entry);
    Report finish() const;

  private:
    struct Seen {
        std::uint64_t counter;
        std::vector<std::uint64_t> at;
    };
    std::uint64_t head_;
    std::vector<std::pair<Hash32, Seen>> tags_;  // sorted by tag
};

}  // namespace interlude::audit
