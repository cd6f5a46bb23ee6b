// Hex, base64 and base64url are strict and come back; secrets move, wipe and cannot be copied or printed.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <concepts>
#include <ostream>

#include "common/bytes/secret.hpp"
#include "common/bytes/text.hpp"

namespace interlude::bytes {
namespace {

RC_GTEST_PROP(Text, every_encoding_comes_back, (Bytes const& bytes)) {
    RC_ASSERT(from_hex(to_hex(bytes)) == bytes);
    RC_ASSERT(from_base64(to_base64(bytes)) == bytes);
    RC_ASSERT(from_base64url(to_base64url(bytes)) == bytes);
}

RC_GTEST_PROP(Text, what_decodes_encodes_to_the_same_text, ()) {
    auto const text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("AQgw+/-_=Bab012")));
    if (auto const bytes = from_base64(text)) RC_ASSERT(to_base64(*bytes) == text);
    if (auto const bytes = from_base64url(text)) RC_ASSERT(to_base64url(*bytes) == text);
}

// RFC 4648 §10.
TEST(Base64, has_the_examples_of_rfc_4648) {
    EXPECT_EQ(to_base64(view("")), "");
    EXPECT_EQ(to_base64(view("f")), "Zg==");
    EXPECT_EQ(to_base64(view("fo")), "Zm8=");
    EXPECT_EQ(to_base64(view("foo")), "Zm9v");
    EXPECT_EQ(to_base64(view("foobar")), "Zm9vYmFy");
    EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
    EXPECT_EQ(to_base64(Bytes{0xfb, 0xff}), "+/8=");
}

TEST(Base64, refuses_missing_or_stray_padding_other_alphabets_and_loose_bits) {
    for (auto const* text :
         {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm9v=", "Zm9v====", "Zm 9v", "Zm9v\n", "Zh==", "Zm9=", "-_8="})
        EXPECT_EQ(from_base64(text), std::nullopt) << text;
    for (auto const* text : {"Zg==", "Z", "Zm9vY", "Zh", "+/8", "Zm9v "})
        EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

TEST(Hex, reads_either_case_and_refuses_the_rest) {
    EXPECT_EQ(from_hex("00aAFf"), (Bytes{0, 0xaa, 0xff}));
    EXPECT_EQ(to_hex(Bytes{0, 0xaa, 0xff}), "00aaff");
    for (auto const* text : {"0", "0g", "0x00", " 00", "0 0"}) EXPECT_EQ(from_hex(text), std::nullopt) << text;
}

TEST(Utf8, whole_sequences_of_every_length_are_text_and_nothing_else_is) {
    for (auto const* text : {"", "a", "\x7f", "Grüße", "日本語", "🙂", "\xf4\x8f\xbf\xbf", "\xee\x80\x80"})
        EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
    for (auto const* text : {"\xff", "a\xc3", "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
                             "\xf4\x90\x80\x80", "\xe2\x82", "\xc3(", "\xf8\x88\x80\x80\x80"})
        EXPECT_FALSE(is_utf8(text)) << to_hex(view(text));
}

static_assert(!std::is_copy_constructible_v<SecretBytes> && !std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes> && std::is_nothrow_move_assignable_v<SecretBytes>);
static_assert(!std::equality_comparable<SecretBytes>);
template <class T>
concept Printable = requires(std::ostream& out, T const& value) {
    out << value;
};
static_assert(!Printable<SecretBytes>);

TEST(SecretBytes, moving_leaves_nothing_behind) {
    SecretBytes first(view("secret"));
    SecretBytes second(std::move(first));
    EXPECT_TRUE(first.empty());  // NOLINT: the point of the test
    EXPECT_EQ(text(second.expose()), "secret");
    SecretBytes third(view("another"));
    third = std::move(second);
    EXPECT_TRUE(second.empty());  // NOLINT
    EXPECT_EQ(text(third.expose()), "secret");
    Bytes plain = copy(view("plain"));
    SecretBytes const taken(std::move(plain));
    EXPECT_TRUE(plain.empty());  // NOLINT
    EXPECT_EQ(taken.size(), 5u);
}

TEST(SecretBytes, wiping_overwrites_and_empties) {
    SecretBytes secret(view("secret"));
    auto const* where = secret.expose().data();
    secret.wipe();
    EXPECT_TRUE(secret.empty());
    // wipe() keeps the allocation, so the place may still be read: it must hold zeros.
    EXPECT_TRUE(std::all_of(where, where + 6, [](std::uint8_t byte) { return byte == 0; }));
}

TEST(SecretBytes, a_clone_is_a_copy_of_its_own) {
    SecretBytes secret(view("secret"));
    auto const copied = secret.clone();
    secret.expose_mutable()[0] = 'S';
    EXPECT_EQ(text(copied.expose()), "secret");
}

}  // namespace
}  // namespace interlude::bytes
