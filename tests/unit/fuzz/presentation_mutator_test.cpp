// The mutator of MLS bytes finds the vectors that are there, and what it changes reaches the reader.
#include "tests/fuzz/presentation_mutator.hpp"

#include <gtest/gtest.h>

#include "common/mls/messages.hpp"

namespace interlude::fuzz {
namespace {

using namespace mls;

bool takes(ByteView input) {
    return decode(input, read_commit).has_value();
}

/// Two proposals; the second one's GroupContextExtensions holds one extension, whose data is the innermost vector.
Commit sample() {
    Commit commit;
    commit.proposals = {Proposal{Remove{LeafIndex{1}}}, Proposal{GroupContextExtensions{{{0xf001, Bytes(10, 0xff)}}}}};
    return commit;
}

TEST(PresentationMutator, finds_the_vectors_around_one) {
    auto const input = mls::encode(sample());
    auto const header = input.size() - 12;  // 1 of length and 10 of data, then the path's absence
    auto const data = real_vector_at(input, header, takes);
    ASSERT_TRUE(data);
    EXPECT_EQ(*data, (Vector{header, header + 1, header + 11}));
    auto const outer = around(input, *data, takes);
    ASSERT_EQ(outer.size(), 2U);  // the list of extensions and that of proposals
    EXPECT_EQ(outer.back(), (Vector{0, 1, input.size() - 1}));
}

TEST(PresentationMutator, a_byte_that_is_no_length_is_no_vector) {
    auto input = mls::encode(sample());
    auto const inside = input.size() - 6;
    input[inside] = 2;  // in the data, and two bytes follow
    ASSERT_TRUE(vector_at(input, inside));
    EXPECT_FALSE(real_vector_at(input, inside, takes));
}

TEST(PresentationMutator, a_longer_content_makes_all_lengths_right) {
    auto const input = mls::encode(sample());
    auto const data = real_vector_at(input, input.size() - 12, takes);
    ASSERT_TRUE(data);
    Bytes const longer(100, 7);  // beyond 63 the headers grow, too
    auto const changed = decode(with_content(input, *data, around(input, *data, takes), longer), read_commit);
    ASSERT_TRUE(changed);
    auto expected = sample();
    expected.proposals[1] = Proposal{GroupContextExtensions{{{0xf001, longer}}}};
    EXPECT_EQ(*changed, expected);
}

TEST(PresentationMutator, many_mutations_are_still_taken_and_differ) {
    auto const input = mls::encode(sample());
    auto const flip = [](ByteView from) {
        auto out = bytes::copy(from);
        for (auto& byte : out) byte ^= 0x55;
        return out;
    };
    std::minstd_rand dice(1);
    int made = 0, taken = 0;
    for (int i = 0; i < 1000; ++i) {
        auto const mutated = mutate_vector(input, takes, flip, dice);
        if (!mutated) continue;
        ++made;
        taken += takes(*mutated) && !bytes::equal(*mutated, input);
    }
    EXPECT_GT(made, 900);
    EXPECT_GT(taken, made / 8);  // of few and short vectors; blind changes to lengths are all refused
}

TEST(PresentationMutator, bytes_that_are_refused_have_no_structure) {
    std::minstd_rand dice(1);
    auto const same = [](ByteView from) { return bytes::copy(from); };
    EXPECT_FALSE(mutate_vector({}, takes, same, dice));
    EXPECT_FALSE(mutate_vector(Bytes{0xff, 1, 2}, takes, same, dice));
}

}  // namespace
}  // namespace interlude::fuzz
