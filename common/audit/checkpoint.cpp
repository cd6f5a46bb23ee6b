#include "common/audit/checkpoint.hpp"

#include "common/audit/labels.hpp"
#include "common/audit/text_lines.hpp"
#include "common/bytes/text.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::audit {

using base::Errc;
using base::Result;

std::string log_origin(std::string_view server_name, std::uint64_t restore_count) {
    auto origin = std::string(server_name) + "/log";
    if (restore_count > 0) origin += '/' + std::to_string(restore_count);
    return origin;
}

Result<LogKey> parse_log_key(std::string_view vkey) {
    INTERLUDE_TRY(auto key, parse_vkey(vkey));
    if (key.type != note_ed25519) return Errc::unsupported;
    return LogKey{std::move(key.name), *crypto::VerifyKey::from(key.public_key)};
}

Hash32 log_key_hash(crypto::VerifyKey const& key) {
    return crypto::labelled_hash(labels::log_key, key.bytes);
}

std::string format_checkpoint(Checkpoint const& checkpoint) {
    auto text = checkpoint.origin + '\n' + std::to_string(checkpoint.size) + '\n' +
                bytes::to_base64(checkpoint.root.bytes) + '\n';
    for (auto const& line : checkpoint.extensions) text += line + '\n';
    return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
    Checkpoint checkpoint;
    auto const origin = next_line(text);
    auto const size_line = next_line(text);
    auto const root_line = next_line(text);
    if (!origin || origin->empty() || !size_line || !root_line) return Errc::malformed;
    checkpoint.origin = *origin;

    auto const size = parse_decimal(*size_line);
    auto const root = parse_base64_hash(*root_line);
    if (!size || !root) return Errc::malformed;
    checkpoint.size = *size;
    checkpoint.root = *root;

    while (!text.empty()) {
        auto const extension = next_line(text);
        if (!extension || extension->empty()) return Errc::malformed;
        checkpoint.extensions.emplace_back(*extension);
    }
    return checkpoint;
}

std::string sign_checkpoint(Checkpoint const& checkpoint, crypto::SigningKey const& key) {
    Note note{format_checkpoint(checkpoint), {}};
    note.signatures.push_back(sign_note(note.text, checkpoint.origin, key));
    return format_note(note);
}

Result<SignedCheckpoint> open_checkpoint(std::string_view note, LogKey const& key) {
    auto const known = key.note_key();
    INTERLUDE_TRY(auto opened, open_note(note, std::span(&known, 1)));
    INTERLUDE_TRY(auto checkpoint, parse_checkpoint(opened.text));
    if (checkpoint.origin != key.origin) return Errc::inconsistent;
    return SignedCheckpoint{std::move(checkpoint), std::string(note)};
}

Result<SignedCheckpoint> reopen_checkpoint(std::string_view note, LogKey const& key) {
    INTERLUDE_TRY(auto parsed, parse_note(note));
    INTERLUDE_TRY(auto checkpoint, parse_checkpoint(parsed.text));
    if (checkpoint.origin != key.origin) return Errc::inconsistent;
    return SignedCheckpoint{std::move(checkpoint), std::string(note)};
}

}  // namespace interlude::audit
