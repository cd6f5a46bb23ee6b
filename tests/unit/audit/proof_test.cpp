// Proofs as text: they come back, they verify, and no changed byte does.
#include "common/audit/proof.hpp"

#include <gtest/gtest.h>

#include "common/bytes/text.hpp"
#include "tests/unit/audit/sample_log.hpp"

namespace interlude::audit {
namespace {

using base::Errc;

TEST(LogProof, has_the_lines_of_tlog_proof) {
    auto const log = SampleLog::of(5);
    auto const proof = log.proof(4, 5);
    ASSERT_EQ(proof.hashes.size(), 1u);
    EXPECT_EQ(format_proof(proof),
              "c2sp.org/tlog-proof@v1\nindex 4\n" + bytes::to_base64(proof.hashes[0].bytes) + "\n\n" + log.note(5));
}

TEST(LogProof, of_every_entry_verifies_after_a_trip_through_text) {
    auto const log = SampleLog::of(13);
    for (std::uint64_t size = 1; size <= 13; ++size) {
        for (std::uint64_t index = 0; index < size; ++index) {
            auto const parsed = parse_proof(format_proof(log.proof(index, size)));
            ASSERT_TRUE(parsed);
            EXPECT_EQ(*parsed, log.proof(index, size));
            auto const under = verify_proof(*parsed, numbered_entry(index), log.key);
            ASSERT_TRUE(under);
            EXPECT_EQ(under->checkpoint, log.checkpoint(size));
            EXPECT_EQ(verify_proof(*parsed, numbered_entry(index + 1), log.key).error(), Errc::bad_proof);
        }
    }
}

TEST(LogProof, keeps_extra_data) {
    auto const log = SampleLog::of(1);
    for (auto const& extra : {bytes::Bytes{}, bytes::Bytes{1, 2, 3}}) {
        auto proof = log.proof(0, 1);
        proof.extra = extra;
        EXPECT_EQ(*parse_proof(format_proof(proof)), proof);
    }
}

TEST(LogProof, is_refused_for_another_log_or_place) {
    auto const log = SampleLog::of(8);
    auto proof = log.proof(3, 8);
    EXPECT_EQ(verify_proof(proof, numbered_entry(3), {log.key.origin, key_of(9).public_key()}).error(), Errc::no_key);
    proof.index = 4;
    EXPECT_EQ(verify_proof(proof, numbered_entry(3), log.key).error(), Errc::bad_proof);
    proof.index = 8;
    EXPECT_EQ(verify_proof(proof, numbered_entry(3), log.key).error(), Errc::bad_proof);
}

TEST(LogProof, no_changed_byte_verifies_and_what_parses_is_written_back_as_it_was) {
    auto const log = SampleLog::of(6);
    auto const sound = format_proof(log.proof(2, 6));
    int parsed_anyway = 0;
    for (std::size_t at = 0; at < sound.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            auto changed = sound;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            auto const parsed = parse_proof(changed);
            if (!parsed) continue;
            ++parsed_anyway;
            EXPECT_EQ(format_proof(*parsed), changed);
            EXPECT_FALSE(verify_proof(*parsed, numbered_entry(2), log.key)) << at << ": " << changed;
        }
        EXPECT_FALSE(parse_proof(std::string_view(sound).substr(0, at)));
    }
    EXPECT_GT(parsed_anyway, 100);
}

TEST(LogProof, refuses_other_forms) {
    auto const log = SampleLog::of(2);
    auto const note = log.note(2);
    std::string const hash = bytes::to_base64(empty_root().bytes) + "\n";
    std::string const head = "c2sp.org/tlog-proof@v1\n";
    ASSERT_TRUE(parse_proof(head + "index 0\n" + hash + "\n" + note));
    for (auto const& broken : std::vector<std::string>{
             "", head, head + "index 0\n" + hash + note, head + "index 00\n" + hash + "\n" + note,
             head + "index -1\n\n" + note, head + "extra \xff\nindex 0\n\n" + note, head + "index 0\nAAAA\n\n" + note,
             head + "\nindex 0\n\n" + note, "c2sp.org/tlog-proof@v2\nindex 0\n\n" + note,
             head + "index 0\n\nnot a checkpoint\n", head + "index 0\n\na\n\n\xe2\x80\x94 k AAAAAAA=\n"})
        EXPECT_EQ(parse_proof(broken).error(), Errc::malformed) << broken;
    std::string many;
    for (std::size_t i = 0; i <= proof_hashes_max; ++i) many += hash;
    EXPECT_EQ(parse_proof(head + "index 0\n" + many + "\n" + note).error(), Errc::too_long);
    EXPECT_EQ(parse_proof(std::string(100'000, 'a')).error(), Errc::too_long);
}

}  // namespace
}  // namespace interlude::audit
