// Signed notes, verifier keys and checkpoints: C2SP's examples, a real log's checkpoints, a witness's requests, and
// abuse.
#include "common/audit/note.hpp"

#include <gtest/gtest.h>

#include "common/audit/text_lines.hpp"
#include "common/bytes/text.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/audit/sample_log.hpp"

namespace interlude::audit {
namespace {

using base::Errc;

constexpr std::string_view text = "clinic.example/log\n1\nroot\n";

std::string signed_by(std::vector<std::pair<std::string, std::uint64_t>> const& signers) {
    Note note{std::string(text), {}};
    for (auto const& [name, seed] : signers) note.signatures.push_back(sign_note(text, name, key_of(seed)));
    return format_note(note);
}

NoteKey known(std::string name, std::uint64_t seed) {
    return note_key(std::move(name), key_of(seed).public_key());
}

TEST(Vkey, of_the_specification_parses_and_is_written_back) {
    constexpr std::string_view vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    auto const key = parse_vkey(vkey);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->name, "example.com/foo");
    EXPECT_EQ(key->id, 0x530d903au);
    EXPECT_EQ(key->type, note_ed25519);
    EXPECT_EQ(format_vkey(*key), vkey);
}

TEST(Vkey, refuses_what_is_not_one) {
    for (auto const* vkey :
         {"", "+", "++", "name", "name+530d903a", "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
          "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
          "example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
          "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
          "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
          "exam ple+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"})
        EXPECT_EQ(parse_vkey(vkey).error(), Errc::malformed) << vkey;
    EXPECT_EQ(parse_vkey("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").error(),
              Errc::inconsistent);
    EXPECT_TRUE(parse_vkey("witness.example+01020304+BA==").has_error());
    EXPECT_EQ(parse_vkey("witness.example+01020304+BAEC")->type, 4);  // another type: kept, but verifies nothing
    EXPECT_EQ(parse_log_key("witness.example+01020304+BAEC").error(), Errc::unsupported);
}

TEST(KeyName, has_neither_spaces_nor_plus_nor_control_characters) {
    EXPECT_TRUE(is_key_name("clinic.example/log"));
    EXPECT_TRUE(is_key_name("praxis-m\xc3\xbcller.example"));
    for (std::string_view name : {"", "a b", "a+b", "a\tb", "a\nb", "a\xc2\xa0z", "a\xe3\x80\x80z", "a\xe2\x80\x83z",
                                  "\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"})
        EXPECT_FALSE(is_key_name(name)) << name;
}

TEST(Note, examples_of_c2sp_parse_and_the_one_with_a_key_verifies) {
    INTERLUDE_VECTORS_OR_SKIP(examples, "tlog/c2sp-examples.json");
    int verified = 0;
    int checkpoints = 0;
    for (auto const& example : examples) {
        auto const note_text = example["note"].get<std::string>();
        auto const note = parse_note(note_text);
        ASSERT_TRUE(note) << note_text;
        EXPECT_EQ(format_note(*note), note_text);
        if (example["spec"] != "signed-note") {
            auto const checkpoint = parse_checkpoint(note->text);
            ASSERT_TRUE(checkpoint);
            EXPECT_EQ(checkpoint->origin, "example.com/behind-the-sofa");
            EXPECT_EQ(checkpoint->size, 20852163u);
            EXPECT_EQ(format_checkpoint(*checkpoint), note->text);
            ++checkpoints;
        }
        if (example["vkey"].is_null()) continue;
        auto const key = parse_vkey(example["vkey"].get<std::string>());
        ASSERT_TRUE(key);
        EXPECT_TRUE(open_note(note_text, std::span(&*key, 1)));
        ++verified;
    }
    EXPECT_EQ(examples.size(), 4u);
    EXPECT_EQ(verified, 1);
    EXPECT_EQ(checkpoints, 2);
}

TEST(Note, text_may_hold_blank_lines_and_ends_at_the_last_one) {
    auto const note = parse_note("a\n\nb\n\n\xe2\x80\x94 k AAAAAAA=\n");
    ASSERT_TRUE(note);
    EXPECT_EQ(note->text, "a\n\nb\n");
    ASSERT_EQ(note->signatures.size(), 1u);
    EXPECT_EQ(note->signatures[0].key_id, 0u);
    EXPECT_EQ(note->signatures[0].signature, bytes::Bytes{0});
}

TEST(Note, refuses_other_forms) {
    auto const sound = signed_by({{"log", 1}});
    ASSERT_TRUE(parse_note(sound));
    for (auto const& broken : std::vector<std::string>{"",
                                                       "\n",
                                                       "\n\n",
                                                       "text\n",
                                                       "text\n\n",
                                                       std::string(text),
                                                       std::string(text) + "\n",
                                                       sound + "\n",
                                                       sound + "x",
                                                       sound.substr(0, sound.size() - 1),
                                                       "\r\n" + sound,
                                                       "\x01" + sound,
                                                       "\xff" + sound,
                                                       sound + "- k AAAAAAA=\n",
                                                       sound + "\xe2\x80\x94  AAAAAAA=\n",
                                                       sound + "\xe2\x80\x94 k\n",
                                                       sound + "\xe2\x80\x94 k AAAA\n",
                                                       sound + "\xe2\x80\x94 k AAAAAA==\n",
                                                       sound + "\xe2\x80\x94 a+b AAAAAAA=\n",
                                                       sound + "\xe2\x80\x94 k AAAAAAA\n",
                                                       sound + "\xe2\x80\x94 k  AAAAAAA=\n"})
        EXPECT_EQ(parse_note(broken).error(), Errc::malformed) << broken;
    EXPECT_EQ(parse_note(std::string(note_bytes_max, 'a') + sound).error(), Errc::too_long);
}

TEST(Note, verifies_with_the_known_key_and_ignores_the_unknown_ones) {
    std::vector const keys = {known("log", 1)};
    auto const note = open_note(signed_by({{"witness", 2}, {"log", 1}, {"other", 3}}), keys);
    ASSERT_TRUE(note);
    EXPECT_EQ(note->text, text);
    ASSERT_EQ(note->signatures.size(), 1u);
    EXPECT_EQ(note->signatures[0].name, "log");
}

TEST(Note, without_a_known_signature_is_refused) {
    std::vector const keys = {known("log", 1)};
    EXPECT_EQ(open_note(signed_by({{"witness", 2}}), keys).error(), Errc::no_key);
    EXPECT_EQ(open_note(signed_by({{"log", 2}}), keys).error(), Errc::no_key);   // same name, another key
    EXPECT_EQ(open_note(signed_by({{"log2", 1}}), keys).error(), Errc::no_key);  // same key, another name
    EXPECT_EQ(open_note(signed_by({{"log", 1}}), {}).error(), Errc::no_key);
}

TEST(Note, one_failing_known_signature_spoils_the_sound_ones) {
    std::vector const keys = {known("log", 1), known("witness", 2)};
    auto note = *parse_note(signed_by({{"log", 1}, {"witness", 2}}));
    EXPECT_EQ(open_note(format_note(note), keys)->signatures.size(), 2u);
    note.signatures[1].signature[10] ^= 1;
    EXPECT_EQ(open_note(format_note(note), keys).error(), Errc::bad_signature);
    EXPECT_TRUE(open_note(format_note(note), std::span(keys).first(1)));  // to somebody who does not know the witness
    note.signatures[1].signature.pop_back();
    EXPECT_EQ(open_note(format_note(note), keys).error(), Errc::bad_signature);
}

TEST(Note, changed_text_is_refused) {
    std::vector const keys = {known("log", 1)};
    auto note = signed_by({{"log", 1}});
    note[0] = 'C';
    EXPECT_EQ(open_note(note, keys).error(), Errc::bad_signature);
}

TEST(Note, takes_sixteen_signatures_and_more_but_not_endlessly) {
    std::vector<std::pair<std::string, std::uint64_t>> signers;
    for (std::uint64_t i = 1; i <= note_signatures_max; ++i) signers.emplace_back("w" + std::to_string(i), i);
    static_assert(note_signatures_max >= 16);
    std::vector const keys = {known("w16", 16), known("w32", 32)};
    auto const note = signed_by(signers);
    EXPECT_EQ(open_note(note, keys)->signatures.size(), 2u);
    EXPECT_EQ(parse_note(note + "\xe2\x80\x94 k AAAAAAA=\n").error(), Errc::too_long);
}

TEST(Note, repeated_signature_counts_once) {
    std::vector const keys = {known("log", 1)};
    EXPECT_EQ(open_note(signed_by({{"log", 1}, {"log", 1}}), keys)->signatures.size(), 1u);
}

TEST(Checkpoint, refuses_other_forms) {
    std::string const root = bytes::to_base64(empty_root().bytes);
    EXPECT_TRUE(parse_checkpoint("o\n0\n" + root + "\n"));
    EXPECT_EQ(parse_checkpoint("o\n0\n" + root + "\nextension\n")->extensions, std::vector<std::string>{"extension"});
    EXPECT_EQ(parse_checkpoint("o\n18446744073709551615\n" + root + "\n")->size, ~std::uint64_t{0});
    for (auto const& broken : std::vector<std::string>{
             "", "o\n", "o\n0\n", "o\n0\n" + root, "\n0\n" + root + "\n", "o\n00\n" + root + "\n",
             "o\n01\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n+1\n" + root + "\n", "o\n\n" + root + "\n",
             "o\n 1\n" + root + "\n", "o\n18446744073709551616\n" + root + "\n", "o\n1\n" + root.substr(1) + "\n",
             "o\n1\nAAAA\n", "o\n1\n" + root + "\n\n", "o\n1\n" + root + "\next"})
        EXPECT_EQ(parse_checkpoint(broken).error(), Errc::malformed) << broken;
}

TEST(Checkpoint, is_opened_only_under_its_own_origin_and_key) {
    auto const log = SampleLog::of(5);
    auto const opened = open_checkpoint(log.note(5), log.key);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->checkpoint, log.checkpoint(5));
    EXPECT_EQ(opened->note, log.note(5));
    EXPECT_EQ(open_checkpoint(log.note(5), {"other.example/log", log.key.key}).error(), Errc::no_key);
    EXPECT_EQ(open_checkpoint(log.note(5), {log.key.origin, key_of(2).public_key()}).error(), Errc::no_key);
    // The log's key under its own name, over another log's checkpoint.
    auto foreign = log.checkpoint(5);
    foreign.origin = "other.example/log";
    auto const body = format_checkpoint(foreign);
    auto const note = format_note({body, {sign_note(body, log.key.origin, log.signing_key)}});
    EXPECT_EQ(open_checkpoint(note, log.key).error(), Errc::inconsistent);
}

TEST(Checkpoint, log_keys_travel_as_vkeys_and_are_pinned_by_hash) {
    auto const log = SampleLog();
    EXPECT_EQ(*parse_log_key(log.key.vkey()), log.key);
    EXPECT_EQ(log_origin("clinic.example"), "clinic.example/log");
    EXPECT_EQ(log_origin("clinic.example", 2), "clinic.example/log/2");
    EXPECT_NE(log_key_hash(log.key.key), log_key_hash(key_of(2).public_key()));
}

TEST(TesseraLog, every_checkpoint_agrees_with_the_tiles) {
    INTERLUDE_VECTORS_OR_SKIP(log, "tlog/tessera-log.json");
    auto const key = parse_log_key(log["vkey"].get<std::string>());
    ASSERT_TRUE(key);
    TileSource const source = [&](Tile const& tile) -> std::optional<bytes::Bytes> {
        auto const found = log["tiles_hex"].find(tile_path(tile).substr(1));
        if (found == log["tiles_hex"].end()) return std::nullopt;
        return tests::hex(*found);
    };
    int opened = 0;
    for (auto const& [name, note] : log["checkpoints"].items()) {
        auto const checkpoint = open_checkpoint(note.get<std::string>(), *key);
        ASSERT_TRUE(checkpoint) << name;
        ++opened;
        auto const size = checkpoint->checkpoint.size;
        EXPECT_EQ(*root_at(size, hashes_from_tiles(size, source)), checkpoint->checkpoint.root) << name;
        auto const resumed = TileWriter::resume(size, source);  // also hashes the entry bundle
        ASSERT_TRUE(resumed) << name;
        EXPECT_EQ(resumed->root(), checkpoint->checkpoint.root);
        if (size == 0) continue;
        auto const newest = open_checkpoint(log["checkpoints"]["checkpoint"].get<std::string>(), *key)->checkpoint;
        auto const proof = *prove_consistency(size, newest.size, hashes_from_tiles(newest.size, source));
        EXPECT_TRUE(verify_consistency(size, newest.size, checkpoint->checkpoint.root, newest.root, proof)) << name;
    }
    EXPECT_EQ(opened, 17);
    EXPECT_EQ(log["tiles_hex"].size(), 30u);
}

TEST(WitnessSequence, signatures_and_proofs_are_judged_as_the_witness_judged_them) {
    INTERLUDE_VECTORS_OR_SKIP(sequence, "tlog/witness-sequence.json");
    auto const raw = tests::hex(sequence["log_public_key_hex"]);
    LogKey const key{sequence["log_origin_and_key_name"].get<std::string>(), *crypto::VerifyKey::from(raw)};
    std::map<int, int> by_status;
    std::optional<Checkpoint> latest;
    for (auto const& request : sequence["requests"]) {
        if (request["path"] != "/add-checkpoint") continue;
        auto const body = request["body"].get<std::string>();
        std::string_view rest = body;
        auto line = next_line(rest);
        auto const old_size = line && line->starts_with("old ") ? parse_decimal(line->substr(4)) : std::nullopt;
        Proof proof;
        for (line = next_line(rest); line && !line->empty(); line = next_line(rest)) {
            auto const hash = parse_base64_hash(*line);
            if (!hash) break;
            proof.push_back(*hash);
        }
        int const status = request["status"].get<int>();
        ++by_status[status];
        auto const opened = open_checkpoint(rest, key);
        if (status == 403 || status == 404) {
            EXPECT_FALSE(opened) << body;
            continue;
        }
        if (status != 200 && status != 422) continue;
        ASSERT_TRUE(opened) << body;
        ASSERT_TRUE(old_size);
        auto const& next = opened->checkpoint;
        bool const continues = *old_size == 0
                                   ? proof.empty()
                                   : latest && verify_consistency(*old_size, next.size, latest->root, next.root, proof);
        EXPECT_EQ(continues, status == 200) << body;
        if (status == 200) latest = next;
    }
    EXPECT_EQ(by_status, (std::map<int, int>{{200, 3}, {403, 2}, {409, 2}, {422, 2}}));
}

}  // namespace
}  // namespace interlude::audit
