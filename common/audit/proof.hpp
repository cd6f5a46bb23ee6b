// A proof that can be kept for years: C2SP tlog-proof, the index, the inclusion proof and the signed checkpoint as
// text.
#pragma once

#include "common/audit/checkpoint.hpp"

namespace interlude::audit {

struct LogProof {
    std::optional<bytes::Bytes> extra;  // never in ours; not authenticated
    std::uint64_t index = 0;
    Proof hashes;
    std::string checkpoint;  // the signed note
    bool operator==(LogProof const&) const = default;
};

std::string format_proof(LogProof const& proof);
/// Form only. malformed, too_long.
base::Result<LogProof> parse_proof(std::string_view text);

/// Inclusion alone, in the tree of a checkpoint whose signature was checked. bad_proof.
base::Result<void> verify_proof_in(Checkpoint const& checkpoint, LogProof const& proof, bytes::ByteView entry);
/// Checks signature and inclusion of the entry's bytes; gives the checkpoint under which it stands. Whether that
/// checkpoint continues the one that the app kept is LogView's question.
base::Result<SignedCheckpoint> verify_proof(LogProof const& proof, bytes::ByteView entry, LogKey const& key);

}  // namespace interlude::audit
