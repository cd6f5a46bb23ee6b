// From a decision to its entry of the audit log (audit.md, Which decisions): the draft that a verdict carries, and the
// sealing that the store does inside the same transaction. The order of the transactions is the order of the tree.
#pragma once

#include "common/audit/entry.hpp"
#include "common/audit/payload.hpp"
#include "server/core/calendars.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

/// Salt and payload of an entry about an envelope are shown to an account only once the envelope passes for it (or
/// would have, had it not been recalled); until then the account gets the entry's 104 bytes and the chain's head.
struct Veil {
    ConversationId conversation;
    Origin origin;  // its sender's account sees the entry at once
    bool operator==(Veil const&) const = default;
};

/// What is to be logged, before it has a place in its subject's chain.
struct EntryDraft {
    SubjectId subject;
    WallTime decided_at{};
    audit::Body body;
    std::optional<Veil> veil;
};

/// The end of a subject's chain; counter 0 and zeros before its first entry.
struct ChainHead {
    std::uint64_t counter = 0;
    Hash32 head;
    bool operator==(ChainHead const&) const = default;
};

/// A row of the log. `index`, its place in the tree, is given by the store: the number of rows before it.
struct SealedEntry {
    SubjectId subject;
    std::uint64_t counter = 0;
    Bytes entry;    // 104 bytes
    Bytes salt;     // 32
    Bytes payload;  // 512
    std::optional<Veil> veil;
    Hash32 hash;  // of `entry`: the new head
};
/// May `account` open an entry behind this veil at `now`?
bool sees(AccountId const& account, std::optional<Veil> const& veil, Calendars const& calendars, WallTime now);
SealedEntry seal_entry(EntryDraft draft, audit::SubjectKey const& k_tag, ChainHead const& before, Hash32 const& salt);

}  // namespace interlude::core
