// The records and texts of the log.
#include <sstream>

#include "common/audit/entry.hpp"
#include "common/audit/proof.hpp"
#include "common/audit/receipt.hpp"
#include "common/audit/verify.hpp"
#include "common/bytes/text.hpp"
#include "tests/fuzz/make_corpus.hpp"
#include "tests/unit/audit/sample_log.hpp"

namespace interlude::fuzz {

namespace {

/// One of each kind of body, with the values that its fields begin with.
template <std::size_t... I>
void make_every_payload(std::index_sequence<I...>) {
    auto const one = [](std::size_t number, audit::Body body) {
        auto const kind = std::string(name(audit::EntryType(number + 1)));
        seed("audit_record", "empty_" + kind, 1, audit::encode_payload({{}, noon, std::move(body)}));
    };
    (one(I, audit::Body(std::in_place_index<I>)), ...);
}

}  // namespace

void make_audit_seeds() {
    using namespace audit;
    SampleLog log;
    log.signing_key = crypto::SigningKey::from_seed(Bytes(32, 1)).value();
    log.key.key = log.signing_key.public_key();
    log.grow_to(7);
    auto const account = id_of<base::AccountId>(1);
    auto const hash = id_of<base::Hash32>(2);
    GateDecision const decision{
        noon, 9, hash, 1, {{account, true, Verdict::hold, noon, GateNumbers{1, 2}}}, 4, id_of<base::InstanceId>(5)};
    std::pair<char const*, Body> const bodies[] = {
        {"held", Held{decision}},
        {"refused", Refused{noon,
                            hash,
                            account,
                            RefusalRule::therapist_off_hours,
                            noon,
                            {{account, {1, 2}}},
                            5,
                            id_of<base::InstanceId>(6)}},
        {"recalled", Recalled{8, hash, account, id_of<base::DeviceId>(3)}},
        {"expired", Expired{9, hash, {account}}},
        {"operator", OperatorAction{OperatorActionKind::clock_confirmed, account, hash}}};
    for (auto const& [name, body] : bodies)
        seed("audit_record", std::string("payload_") + name, 1, encode_payload({hash, noon, body}));
    seed("audit_record", "entry", 0, encode_entry({minute_of(noon), hash, hash}));
    seed("audit_record", "receipt", 2,
         encode_receipt({"relay.example",
                         id_of<base::ConversationId>(1),
                         id_of<base::DeviceId>(2),
                         id_of<base::RequestId>(3),
                         4,
                         noon,
                         hash,
                         {{account, noon}, {account, std::nullopt}}}));
    seed("audit_record", "head", 3, encode_head({3, hash, noon}));
    seed("audit_record", "hash_tile", 4, log.tiles.at(Tile{0, 0, 7}));
    seed("audit_record", "bundle", 5, log.tiles.at(Tile{Tile::entries_level, 0, 7}));

    auto const note = log.note(7);
    seed_text("audit_text", "note", 0, note);
    seed_text("audit_text", "vkey", 1, log.key.vkey());
    seed_text("audit_text", "log_key", 2, log.key.vkey());
    seed_text("audit_text", "checkpoint", 3, format_checkpoint(log.checkpoint(7)));
    seed_text("audit_text", "signed_checkpoint", 4, note);
    seed_text("audit_text", "proof", 5, format_proof(log.proof(0, 7)));
    seed_text("audit_text", "tile_path", 6, tile_path({0, 1234067, 7}));
    seed_text("audit_text", "entries_path", 6, tile_path({Tile::entries_level, 5, tile_width}));
    seed_text("audit_text", "decimal", 7, "18446744073709551615");
    seed_text("audit_text", "hash", 7, bytes::to_base64(hash.bytes));

    make_every_payload(std::make_index_sequence<std::variant_size_v<Body>>());
    Payload const held{hash, noon, Held{decision}};
    auto const refused = [](char const* name, unsigned choice, Bytes bytes, std::size_t at, std::uint8_t value) {
        bytes.at(at) = value;
        seed("audit_record", std::string("bad_") + name, choice, bytes);
    };
    auto const payload = encode_payload(held);
    auto const entry = encode_entry({minute_of(noon), hash, hash});
    refused("payload_version", 1, payload, 1, 9);
    refused("payload_type", 1, payload, 2, 99);
    refused("payload_padding", 1, payload, payload.size() - 1, 1);
    seed("audit_record", "bad_payload_size", 1, Bytes(10));
    refused("entry_version", 0, entry, 1, 9);
    refused("entry_minute", 0, entry, 9, 1);
    refused("entry_reserved", 0, entry, entry.size() - 1, 1);
    auto three_gates = decision;
    three_gates.parties = {{account, true, Verdict::pass, {}, {}}, {account, false, Verdict::quiet, {}, {}}};
    seed("audit_record", "payload_two_parties", 1, encode_payload({hash, noon, Quiet{three_gates}}));
    seed("audit_record", "bad_hash_tile", 4, Bytes(33));
    seed("audit_record", "bad_hash_tile_empty", 4, Bytes{});
    seed("audit_record", "bad_bundle", 5, Bytes{0, 9, 1});
    seed("audit_record", "bad_head", 3, Bytes(9));

    auto const changed = [](std::string text, std::string_view from, std::string_view to) {
        return text.replace(text.find(from), from.size(), to);
    };
    auto two_signatures = note + note.substr(note.find("\n\n") + 2);
    seed_text("audit_text", "note_signed_twice", 0, two_signatures);
    seed_text("audit_text", "note_of_others", 0, changed(note, "\xe2\x80\x94 clinic", "\xe2\x80\x94 others"));
    seed_text("audit_text", "note_not_signed_so", 4, changed(note, "\n7\n", "\n8\n"));
    seed_text("audit_text", "note_of_other_alphabets", 0,
              changed(note, "clinic", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\x8a"));
    for (auto const& [name, text] :
         {std::pair("no_utf8", "\xff\n\n"), std::pair("cut_utf8", "\xe2\x82\n\n"),
          std::pair("long_utf8", "\xc0\x80\n\n"), std::pair("control", "\x01\n\n"), std::pair("one_text", "text\n"),
          std::pair("no_signature", "text\n\n"), std::pair("no_dash", "text\n\n- a AAAA\n"),
          std::pair("no_name", "text\n\n\xe2\x80\x94 AAAA\n"), std::pair("no_base64", "text\n\n\xe2\x80\x94 a ?\n"),
          std::pair("short_signature", "text\n\n\xe2\x80\x94 a AAAA\n")})
        seed_text("audit_text", std::string("bad_note_") + name, 0, text);
    auto const vkey = log.key.vkey();
    for (auto const& [name, text] :
         {std::pair("nothing", std::string("a")), std::pair("one_part", std::string("a+00000000")),
          std::pair("hex", std::string("a+0000000+AAAA")), std::pair("name", std::string(" +00000000+AAAA")),
          std::pair("size", std::string("a+00000000+AQAA")), std::pair("id", changed(vkey, "clinic", "others"))})
        seed_text("audit_text", std::string("bad_vkey_") + name, 1, text);
    seed_text("audit_text", "vkey_of_another_type", 1, "a+00000000+AgAA");
    seed_text("audit_text", "bad_log_key_type", 2, "a+00000000+AgAA");
    auto const checkpoint = format_checkpoint(log.checkpoint(7));
    seed_text("audit_text", "checkpoint_extended", 3, checkpoint + "more\n");
    seed_text("audit_text", "bad_checkpoint_extension", 3, checkpoint + "\n");
    seed_text("audit_text", "bad_checkpoint_lines", 3, "a\n1\n");
    seed_text("audit_text", "bad_checkpoint_size", 3, changed(checkpoint, "\n7\n", "\n07\n"));
    auto const proof = format_proof(log.proof(0, 7));
    seed_text("audit_text", "proof_with_extra", 5, changed(proof, "index", "extra AAAA\nindex"));
    seed_text("audit_text", "proof_of_another_entry", 5, format_proof(log.proof(1, 7)));
    seed_text("audit_text", "bad_proof_extra", 5, changed(proof, "index", "extra ?\nindex"));
    seed_text("audit_text", "bad_proof_index", 5, changed(proof, "index 0", "index x"));
    seed_text("audit_text", "bad_proof_without_index", 5, changed(proof, "index 0\n", ""));
    seed_text("audit_text", "bad_proof_hash", 5, changed(proof, "index 0\n", "index 0\nx\n"));
    seed_text("audit_text", "bad_proof_cut", 5, proof.substr(0, proof.find("\n\n")));
    seed_text("audit_text", "bad_proof_first_line", 5, "x\n");
    for (auto const& [name, path] :
         {std::pair("prefix", "/file/0/000"), std::pair("level", "/tile/9/000"), std::pair("no_index", "/tile/0"),
          std::pair("width", "/tile/0/000.p/256"), std::pair("spelling", "/tile/0/0000"),
          std::pair("number", "/tile/0/x999/x999/x999/x999/x999/x999/x999/999")})
        seed_text("audit_text", std::string("bad_path_") + name, 6, path);
    for (char const* number : {"007", "x", "18446744073709551616", ""})
        seed_text("audit_text", "bad_decimal_" + std::to_string(std::string_view(number).size()), 7, number);
}

}  // namespace interlude::fuzz
