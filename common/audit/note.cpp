#include "common/audit/note.hpp"

#include <algorithm>

#include "common/audit/text_lines.hpp"
#include "common/base/check.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/text.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::audit {

using base::Errc;
using base::Result;

namespace {

constexpr std::string_view signature_prefix = "\xe2\x80\x94 ";  // em dash, space

/// Calls `accept` for each code point; false for invalid UTF-8 (RFC 3629) or when `accept` says so.
template <class Accept>
bool all_code_points(std::string_view text, Accept&& accept) {
    for (std::size_t at = 0; at < text.size();) {
        auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(i < text.size() ? text[i] : 0); };
        auto const first = byte(at);
        std::size_t const length = first < 0x80       ? 1
                                   : first >> 5 == 6  ? 2
                                   : first >> 4 == 14 ? 3
                                   : first >> 3 == 30 ? 4
                                                      : 0;
        if (length == 0) return false;
        std::uint32_t point = length == 1 ? first : first & (0x7fu >> length);
        for (std::size_t i = 1; i < length; ++i) {
            if (byte(at + i) >> 6 != 2) return false;
            point = point << 6 | (byte(at + i) & 0x3f);
        }
        constexpr std::uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
        if (point < shortest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
        if (!accept(point)) return false;
        at += length;
    }
    return true;
}

/// White_Space of Unicode.
bool is_space(std::uint32_t c) {
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_note_text(std::string_view text) {
    return all_code_points(text, [](std::uint32_t c) { return c >= 0x20 || c == '\n'; });
}

Result<NoteSignature> parse_signature_line(std::string_view line) {
    if (!line.starts_with(signature_prefix)) return Errc::malformed;
    line.remove_prefix(signature_prefix.size());
    auto const space = line.find(' ');
    if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return Errc::malformed;
    auto const decoded = bytes::from_base64(line.substr(space + 1));
    if (!decoded || decoded->size() <= sizeof(NoteSignature::key_id)) return Errc::malformed;
    bytes::Reader rest(*decoded);
    NoteSignature signature;
    signature.name = line.substr(0, space);
    INTERLUDE_TRY(signature.key_id, rest.u32());
    signature.signature = bytes::copy(rest.rest());
    return signature;
}

}  // namespace

bool is_key_name(std::string_view name) {
    return !name.empty() &&
           all_code_points(name, [](std::uint32_t c) { return c >= 0x20 && c != '+' && !is_space(c); });
}

std::uint32_t note_key_id(std::string_view name, std::uint8_t type, bytes::ByteView public_key) {
    auto const input = bytes::Writer().raw(bytes::view(name)).u8('\n').u8(type).raw(public_key).take();
    auto const hash = crypto::sha256(input);
    return *bytes::Reader(hash.bytes).u32();
}

NoteKey note_key(std::string name, crypto::VerifyKey const& key) {
    INTERLUDE_CHECK(is_key_name(name));
    auto const id = note_key_id(name, note_ed25519, key.bytes);
    return {std::move(name), id, note_ed25519, bytes::copy(key.bytes)};
}

std::string format_vkey(NoteKey const& key) {
    auto const id = bytes::Writer().u32(key.id).take();
    auto const typed_key = bytes::Writer().u8(key.type).raw(key.public_key).take();
    return key.name + '+' + bytes::to_hex(id) + '+' + bytes::to_base64(typed_key);
}

Result<NoteKey> parse_vkey(std::string_view vkey) {
    if (vkey.size() > note_bytes_max) return Errc::too_long;
    auto const first = vkey.find('+');
    if (first == std::string_view::npos || !is_key_name(vkey.substr(0, first))) return Errc::malformed;
    auto const second = vkey.find('+', first + 1);
    if (second == std::string_view::npos) return Errc::malformed;
    auto const hex = vkey.substr(first + 1, second - first - 1);
    auto const id = bytes::from_hex(hex);
    auto const typed_key = bytes::from_base64(vkey.substr(second + 1));
    if (!id || id->size() != 4 || bytes::to_hex(*id) != hex || !typed_key || typed_key->size() < 2)
        return Errc::malformed;
    NoteKey key{std::string(vkey.substr(0, first)), *bytes::Reader(*id).u32(), typed_key->front(),
                bytes::Bytes(typed_key->begin() + 1, typed_key->end())};
    if (key.type == note_ed25519) {
        if (key.public_key.size() != crypto::ed25519_public_size) return Errc::malformed;
        if (key.id != note_key_id(key.name, key.type, key.public_key)) return Errc::inconsistent;
    }
    return key;
}

Result<Note> parse_note(std::string_view note) {
    if (note.size() > note_bytes_max) return Errc::too_long;
    if (!is_note_text(note)) return Errc::malformed;
    auto const blank = note.rfind("\n\n");
    if (blank == std::string_view::npos) return Errc::malformed;
    Note parsed{std::string(note.substr(0, blank + 1)), {}};
    auto rest = note.substr(blank + 2);
    do {
        auto const line = next_line(rest);
        if (!line) return Errc::malformed;
        if (parsed.signatures.size() == note_signatures_max) return Errc::too_long;
        INTERLUDE_TRY(auto signature, parse_signature_line(*line));
        parsed.signatures.push_back(std::move(signature));
    } while (!rest.empty());
    return parsed;
}

std::string format_note(Note const& note) {
    INTERLUDE_CHECK(note.text.ends_with('\n') && is_note_text(note.text));
    INTERLUDE_CHECK(!note.signatures.empty() && note.signatures.size() <= note_signatures_max);
    auto out = note.text + '\n';
    for (auto const& [name, key_id, signature] : note.signatures) {
        auto const with_id = bytes::Writer().u32(key_id).raw(signature).take();
        out += std::string(signature_prefix) + name + ' ' + bytes::to_base64(with_id) + '\n';
    }
    return out;
}

NoteSignature sign_note(std::string_view text, std::string const& key_name, crypto::SigningKey const& key) {
    INTERLUDE_CHECK(text.ends_with('\n') && is_note_text(text));
    auto const signature = key.sign(bytes::view(text));
    return {key_name, note_key(key_name, key.public_key()).id, bytes::copy(signature.bytes)};
}

Result<Note> open_note(std::string_view note, std::span<NoteKey const> known) {
    INTERLUDE_TRY(auto opened, parse_note(note));
    std::vector<NoteSignature> verified;
    for (auto& signature : opened.signatures) {
        auto const key = std::find_if(known.begin(), known.end(), [&](NoteKey const& candidate) {
            return candidate.name == signature.name && candidate.id == signature.key_id &&
                   candidate.type == note_ed25519;
        });
        if (key == known.end()) continue;
        if (!crypto::verify(key->public_key, bytes::view(opened.text), signature.signature)) return Errc::bad_signature;
        if (std::find(verified.begin(), verified.end(), signature) == verified.end())
            verified.push_back(std::move(signature));
    }
    if (verified.empty()) return Errc::no_key;
    opened.signatures = std::move(verified);
    return opened;
}

}  // namespace interlude::audit
