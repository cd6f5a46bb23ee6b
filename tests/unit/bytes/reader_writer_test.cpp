// The presentation language of RFC 9420 §2.1: what the writer writes the reader reads, and nothing else is accepted.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/bytes/reader.hpp"
#include "common/bytes/text.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::bytes {
namespace {

using base::Errc;

Bytes written(std::uint32_t value) {
    Writer out;
    out.varint(value);
    return std::move(out).take();
}

TEST(Varint, has_the_examples_of_rfc_9420) {
    EXPECT_EQ(to_hex(written(37)), "25");
    EXPECT_EQ(to_hex(written(15293)), "7bbd");
    EXPECT_EQ(to_hex(written(494878333)), "9d7f3e7d");
}

TEST(Varint, reads_back_at_every_boundary) {
    for (std::uint32_t value : {0u, 1u, 63u, 64u, 16383u, 16384u, (1u << 30) - 1}) {
        auto const encoded = written(value);
        Reader in(encoded);
        EXPECT_EQ(in.varint().value(), value);
        EXPECT_TRUE(in.empty());
    }
}

TEST(Varint, refuses_longer_forms_than_needed_and_the_fourth_prefix) {
    struct Case {
        char const* hex;
        Errc error;
    };
    for (auto const& c :
         {Case{"4000", Errc::non_minimal}, Case{"403f", Errc::non_minimal}, Case{"80000000", Errc::non_minimal},
          Case{"80003fff", Errc::non_minimal}, Case{"c000000000000001", Errc::malformed}, Case{"ff", Errc::malformed},
          Case{"40", Errc::truncated}, Case{"800040", Errc::truncated}, Case{"", Errc::truncated}}) {
        auto const encoded = *from_hex(c.hex);
        EXPECT_EQ(Reader(encoded).varint().error(), c.error) << c.hex;
    }
}

TEST(VarintDeathTest, a_length_beyond_30_bits_is_our_own_bug) {
    EXPECT_EXIT(written(1u << 30), testing::ExitedWithCode(70), "check");
}

RC_GTEST_PROP(ReaderWriter, any_values_come_back,
              (std::uint8_t a, std::uint16_t b, std::uint32_t c, std::uint64_t d, Bytes const& e, bool f)) {
    Writer out;
    out.u8(a).u16(b).u32(c).u64(d).opaque(e).boolean(f).time(base::wall_ms(static_cast<std::int64_t>(c)));
    Reader in(out.bytes());
    RC_ASSERT(in.u8().value() == a);
    RC_ASSERT(in.u16().value() == b);
    RC_ASSERT(in.u32().value() == c);
    RC_ASSERT(in.u64().value() == d);
    RC_ASSERT(equal(in.opaque().value(), e));
    RC_ASSERT(in.boolean().value() == f);
    RC_ASSERT(to_ms(in.time().value()) == static_cast<std::int64_t>(c));
    RC_ASSERT(in.finish().has_value());
}

TEST(Writer, writes_big_endian) {
    Writer out;
    out.u16(0x0102).u32(0x03040506).u64(0x0708090a0b0c0d0e);
    EXPECT_EQ(to_hex(out.bytes()), "0102030405060708090a0b0c0d0e");
}

TEST(Writer, vectors_carry_their_length_in_bytes) {
    Writer out;
    out.vector_of(std::vector<std::uint16_t>{1, 2, 3}, [](Writer& to, std::uint16_t value) { to.u16(value); });
    out.vector([](Writer& to) { to.opaque(Bytes{9}); });
    EXPECT_EQ(to_hex(out.bytes()),
              "06000100020003"
              "020109");
    Reader in(out.bytes());
    auto numbers = in.vector();
    ASSERT_TRUE(numbers);
    for (std::uint16_t expected = 1; !numbers->empty(); ++expected) EXPECT_EQ(numbers->u16().value(), expected);
    EXPECT_EQ(in.vector()->opaque()->size(), 1u);
    EXPECT_TRUE(in.finish());
}

TEST(Reader, refuses_what_is_cut_short_and_takes_nothing) {
    Bytes const three(3);
    Reader in(three);
    EXPECT_EQ(in.u32().error(), Errc::truncated);
    EXPECT_EQ(in.u64().error(), Errc::truncated);
    EXPECT_EQ(in.raw(4).error(), Errc::truncated);
    EXPECT_EQ(in.id<base::DeviceId>().error(), Errc::truncated);
    EXPECT_EQ(in.size(), 3u);
    EXPECT_EQ(in.finish().error(), Errc::trailing_bytes);
}

TEST(Reader, bounds_a_length_before_it_believes_it) {
    auto const huge = *from_hex("bfffffff00");  // an opaque of 2^30 - 1 bytes, of which one is there
    EXPECT_EQ(Reader(huge).opaque().error(), Errc::truncated);
    EXPECT_EQ(Reader(huge).opaque(1024).error(), Errc::too_long);
    EXPECT_EQ(Reader(huge).vector(1024).error(), Errc::too_long);
    auto const two = *from_hex("020102");
    EXPECT_EQ(Reader(two).opaque(1).error(), Errc::too_long);
    EXPECT_TRUE(Reader(two).opaque(2));
}

TEST(Reader, a_truth_value_is_zero_or_one) {
    Bytes const bytes{0, 1, 2};
    Reader in(bytes);
    EXPECT_FALSE(in.boolean().value());
    EXPECT_TRUE(in.boolean().value());
    EXPECT_EQ(in.boolean().error(), Errc::malformed);
}

TEST(Reader, a_time_ends_with_the_year_9999) {
    Writer out;
    out.u64(253'402'300'799'999).u64(253'402'300'800'000).u64(~0ull);
    Reader in(out.bytes());
    EXPECT_TRUE(in.time());
    EXPECT_EQ(in.time().error(), Errc::malformed);
    EXPECT_EQ(in.time().error(), Errc::malformed);
}

TEST(Labelled, is_the_prefix_the_name_a_zero_byte_and_the_struct) {
    auto const bytes = labelled("device list", Bytes{0xff});
    EXPECT_EQ(text(bytes), std::string("interlude/v1 device list") + '\0' + '\xff');
}

}  // namespace
}  // namespace interlude::bytes
