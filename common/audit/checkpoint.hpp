// Checkpoints: C2SP tlog-checkpoint, a signed note of origin, size and root; and the identity of a log.
#pragma once

#include "common/audit/merkle.hpp"
#include "common/audit/note.hpp"

namespace interlude::audit {

struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;
    Hash32 root;
    std::vector<std::string> extensions;  // never in ours; opaque in others'
    bool operator==(Checkpoint const&) const = default;
};

/// `SERVER/log`, and `SERVER/log/N` after the N-th restore: the name of the log's key and the origin of its
/// checkpoints.
std::string log_origin(std::string_view server_name, std::uint64_t restore_count = 0);

/// What a verifier must know of a log. The key is pinned by an invitation as its hash, the origin changes by restores.
struct LogKey {
    std::string origin;
    crypto::VerifyKey key;
    NoteKey note_key() const { return audit::note_key(origin, key); }
    std::string vkey() const { return format_vkey(note_key()); }
    bool operator==(LogKey const&) const = default;
};
/// From a vkey (served at /log.v1): unsupported unless Ed25519.
base::Result<LogKey> parse_log_key(std::string_view vkey);
/// Labelled hash of the 32-byte key (exact.md, Invitation).
Hash32 log_key_hash(crypto::VerifyKey const& key);

/// The note's text.
std::string format_checkpoint(Checkpoint const& checkpoint);
base::Result<Checkpoint> parse_checkpoint(std::string_view text);

/// The signed note. The key's name is the origin.
std::string sign_checkpoint(Checkpoint const& checkpoint, crypto::SigningKey const& key);

struct SignedCheckpoint {
    Checkpoint checkpoint;
    std::string note;  // as received, with all its signatures
    bool operator==(SignedCheckpoint const&) const = default;
};
/// bad_signature or no_key unless the log signed it, inconsistent if its origin is another.
base::Result<SignedCheckpoint> open_checkpoint(std::string_view note, LogKey const& key);
/// A note that open_checkpoint accepted before and that only a sealed store kept since: the signature is not looked at
/// again. Inconsistent if its origin is another.
base::Result<SignedCheckpoint> reopen_checkpoint(std::string_view note, LogKey const& key);

}  // namespace interlude::audit
