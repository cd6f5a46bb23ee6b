// What a device acked: a cursor and ranges beyond it.
#include "server/core/acked.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace interlude::core {
namespace {

using Range = AckedSet::Range;

TEST(AckedSet, keeps_ranges_until_the_cursor_reaches_them) {
    AckedSet acked;
    EXPECT_TRUE(acked.add(3));
    EXPECT_TRUE(acked.add(5));
    EXPECT_FALSE(acked.add(3));
    EXPECT_EQ(acked.cursor(), 1u);
    EXPECT_EQ(acked.ranges(), (std::vector<Range>{{3, 3}, {5, 5}}));
    EXPECT_TRUE(acked.add(4));
    EXPECT_EQ(acked.ranges(), (std::vector<Range>{{3, 5}}));
    EXPECT_TRUE(acked.add(1));
    EXPECT_EQ(acked.cursor(), 2u);
    acked.advance_to(3);  // 2 was nothing for this device
    EXPECT_EQ(acked.cursor(), 6u);
    EXPECT_TRUE(acked.ranges().empty());
    EXPECT_TRUE(acked.contains(2));
    EXPECT_FALSE(acked.contains(6));
}

TEST(AckedSet, has_room_for_so_many_ranges_and_no_more) {
    AckedSet acked;
    for (std::uint64_t i = 1; i <= AckedSet::ranges_max; ++i) ASSERT_TRUE(acked.add(2 * i + 1));
    EXPECT_FALSE(acked.add(100'000));
    EXPECT_FALSE(acked.contains(100'000));
    EXPECT_TRUE(acked.add(4));  // joins two
    EXPECT_TRUE(acked.add(100'000));
    EXPECT_FALSE(acked.add(200'000));
    EXPECT_TRUE(acked.add(1));  // the cursor always moves
    EXPECT_EQ(acked.cursor(), 2u);
}

TEST(AckedSet, refuses_what_it_would_not_write) {
    AckedSet acked;
    acked.add(3);
    acked.add(7);
    auto const encoded = acked.encode();
    EXPECT_EQ(AckedSet::decode(encoded).value(), acked);
    for (std::size_t cut = 0; cut < encoded.size(); ++cut)
        EXPECT_FALSE(AckedSet::decode(bytes::ByteView(encoded).first(cut))) << cut;
    auto touching = encoded;
    touching[16] = 1;  // the first range begins at the cursor
    EXPECT_FALSE(AckedSet::decode(touching));
}

RC_GTEST_PROP(AckedSet, is_a_set_of_numbers, ()) {
    AckedSet acked;
    std::set<std::uint64_t> model;
    auto const seqs = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 60));
    for (auto const seq : seqs) RC_ASSERT(acked.add(seq) == model.insert(seq).second);
    for (std::uint64_t seq = 1; seq <= 61; ++seq) RC_ASSERT(acked.contains(seq) == model.contains(seq));
    RC_ASSERT(!acked.contains(acked.cursor()));
    RC_ASSERT(AckedSet::decode(acked.encode()).value() == acked);
}

}  // namespace
}  // namespace interlude::core
