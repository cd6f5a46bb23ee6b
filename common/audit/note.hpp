// Signed notes: C2SP signed-note. A text and signature lines by named keys; unknown keys are ignored, a known key whose
// signature fails makes the note worthless.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/bytes/bytes.hpp"
#include "common/crypto/sign.hpp"

namespace interlude::audit {

inline constexpr std::uint8_t note_ed25519 = 0x01;
inline constexpr std::size_t note_bytes_max = 64 * 1024;
inline constexpr std::size_t note_signatures_max = 32;  // signed-note asks for at least 16

/// A vkey: `name+hex(id)+base64(type ‖ public key)`.
struct NoteKey {
    std::string name;
    std::uint32_t id = 0;
    std::uint8_t type = note_ed25519;
    bytes::Bytes public_key;
    bool operator==(NoteKey const&) const = default;
};

/// Not empty, no Unicode space, no plus, no control character, valid UTF-8.
bool is_key_name(std::string_view name);
/// First four bytes of SHA-256(name ‖ LF ‖ type ‖ key).
std::uint32_t note_key_id(std::string_view name, std::uint8_t type, bytes::ByteView public_key);
/// `name` must be a key name (checked: a wrong one is our own bug).
NoteKey note_key(std::string name, crypto::VerifyKey const& key);
std::string format_vkey(NoteKey const& key);
/// malformed; for Ed25519 also inconsistent when the id is not the key's.
base::Result<NoteKey> parse_vkey(std::string_view vkey);

struct NoteSignature {
    std::string name;
    std::uint32_t key_id = 0;
    bytes::Bytes signature;  // without the key id
    bool operator==(NoteSignature const&) const = default;
};

struct Note {
    std::string text;  // ends in a newline
    std::vector<NoteSignature> signatures;
    bool operator==(Note const&) const = default;
};

/// Form only, no signature is checked. malformed, too_long.
base::Result<Note> parse_note(std::string_view note);
std::string format_note(Note const& note);
/// One signature over `text`, which ends in a newline and has no other control character (checked).
NoteSignature sign_note(std::string_view text, std::string const& key_name, crypto::SigningKey const& key);

/// The note, its signatures reduced to those that `known` keys verified. bad_signature if a known key's signature
/// fails, no_key if no known key signed.
base::Result<Note> open_note(std::string_view note, std::span<NoteKey const> known);

}  // namespace interlude::audit
