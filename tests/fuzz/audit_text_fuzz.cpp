// The log's texts: parse_note, open_note, parse_vkey, parse_log_key, parse_checkpoint, open_checkpoint, parse_proof,
// verify_proof, parse_tile_path, parse_decimal and parse_base64_hash.
// Parser: common/audit/note.cpp common/audit/checkpoint.cpp common/audit/proof.cpp
// Parser: common/audit/text_lines.cpp common/audit/tiles.cpp(tile_path,parse_tile_path)
// Not reached: signing (sign_note, sign_checkpoint) and log_origin, which no bytes ask for.
#include "common/audit/proof.hpp"
#include "common/audit/text_lines.hpp"
#include "common/audit/tiles.hpp"
#include "common/bytes/text.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    using namespace interlude::audit;
    // Its private half signed nothing here but the seeds (make_corpus.cpp), which say clinic.example/log and no more.
    static LogKey const key{"clinic.example/log",
                            crypto::SigningKey::from_seed(bytes::Bytes(32, 1)).value().public_key()};
    fuzz::Chosen const input(data, size, 8);
    auto const text = input.text();
    switch (input.choice) {
        case 0: {
            fuzz::one_form(text, parse_note, format_note);
            NoteKey const known[] = {key.note_key()};
            if (auto const note = open_note(text, known)) {
                INTERLUDE_CHECK(!note->signatures.empty());
                for (auto const& signature : note->signatures) INTERLUDE_CHECK(signature.name == key.origin);
                INTERLUDE_CHECK(text.substr(0, note->text.size()) == note->text);
            }
            break;
        }
        case 1:
            fuzz::one_form(text, parse_vkey, format_vkey);
            break;
        case 2:
            fuzz::one_form(text, parse_log_key, [](LogKey const& log) { return log.vkey(); });
            break;
        case 3:
            fuzz::one_form(text, parse_checkpoint, format_checkpoint);
            break;
        case 4:
            if (auto const opened = open_checkpoint(text, key)) {
                INTERLUDE_CHECK(opened->note == text && opened->checkpoint.origin == key.origin);
                INTERLUDE_CHECK(text.starts_with(format_checkpoint(opened->checkpoint)));
                auto const again = reopen_checkpoint(text, key);
                INTERLUDE_CHECK(again && again->checkpoint == opened->checkpoint);
            }
            break;
        case 5:
            fuzz::one_form(text, parse_proof, format_proof);
            if (auto const proof = parse_proof(text)) (void)verify_proof(*proof, bytes::view("entry 0"), key);
            break;
        case 6:
            fuzz::one_form(text, parse_tile_path, tile_path);
            break;
        case 7:
            fuzz::one_form(text, parse_decimal, [](std::uint64_t number) { return std::to_string(number); });
            fuzz::one_form(text, parse_base64_hash, [](Hash32 const& hash) { return bytes::to_base64(hash.bytes); });
            break;
    }
    return 0;
}
