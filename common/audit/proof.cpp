#include "common/audit/proof.hpp"

#include "common/audit/text_lines.hpp"
#include "common/bytes/text.hpp"

namespace interlude::audit {

using base::Errc;
using base::Result;

namespace {

constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1";
constexpr std::string_view extra_prefix = "extra ";
constexpr std::string_view index_prefix = "index ";
constexpr std::size_t text_bytes_max = note_bytes_max + 16 * 1024;

}  // namespace

std::string format_proof(LogProof const& proof) {
    auto text = std::string(first_line) + '\n';
    if (proof.extra) text += std::string(extra_prefix) + bytes::to_base64(*proof.extra) + '\n';
    text += std::string(index_prefix) + std::to_string(proof.index) + '\n';
    for (auto const& hash : proof.hashes) text += bytes::to_base64(hash.bytes) + '\n';
    return text + '\n' + proof.checkpoint;
}

Result<LogProof> parse_proof(std::string_view text) {
    if (text.size() > text_bytes_max) return Errc::too_long;
    if (next_line(text) != first_line) return Errc::malformed;
    LogProof proof;

    auto line = next_line(text);
    if (line && line->starts_with(extra_prefix)) {
        proof.extra = bytes::from_base64(line->substr(extra_prefix.size()));
        if (!proof.extra) return Errc::malformed;
        line = next_line(text);
    }
    if (!line || !line->starts_with(index_prefix)) return Errc::malformed;
    auto const index = parse_decimal(line->substr(index_prefix.size()));
    if (!index) return Errc::malformed;
    proof.index = *index;

    for (line = next_line(text); line && !line->empty(); line = next_line(text)) {
        if (proof.hashes.size() == proof_hashes_max) return Errc::too_long;
        auto const hash = parse_base64_hash(*line);
        if (!hash) return Errc::malformed;
        proof.hashes.push_back(*hash);
    }
    if (!line) return Errc::malformed;

    INTERLUDE_TRY(auto note, parse_note(text));
    INTERLUDE_TRY_VOID(parse_checkpoint(note.text));
    proof.checkpoint = text;
    return proof;
}

Result<void> verify_proof_in(Checkpoint const& checkpoint, LogProof const& proof, bytes::ByteView entry) {
    return verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.hashes, checkpoint.root);
}

Result<SignedCheckpoint> verify_proof(LogProof const& proof, bytes::ByteView entry, LogKey const& key) {
    INTERLUDE_TRY(auto signed_checkpoint, open_checkpoint(proof.checkpoint, key));
    INTERLUDE_TRY_VOID(verify_proof_in(signed_checkpoint.checkpoint, proof, entry));
    return signed_checkpoint;
}

}  // namespace interlude::audit
