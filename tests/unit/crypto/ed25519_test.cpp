// One strict Ed25519 for every app: C2SP's edge cases, and the shape of keys and signatures.
#include <set>

#include "common/bytes/text.hpp"
#include "common/crypto/sign.hpp"
#include "tests/support/vectors.hpp"

namespace interlude::crypto {
namespace {

using base::Errc;
using bytes::Bytes;
using bytes::view;
using tests::hex;

TEST(Ed25519, accepts_exactly_the_43_harmless_cases_of_914) {
    INTERLUDE_VECTORS_OR_SKIP(file, "cctv/ed25519vectors.json");
    std::set<std::string> const refused_flags{"low_order_A", "low_order_R", "low_order_residue", "non_canonical_A",
                                              "non_canonical_R"};
    int accepted = 0;
    for (auto const& test : file) {
        bool harmless = true;
        if (test["flags"].is_array())
            for (auto const& flag : test["flags"]) harmless = harmless && !refused_flags.contains(flag);
        auto const message = test["msg"].get<std::string>();
        auto const result = verify(hex(test["key"]), view(message), hex(test["sig"]));
        EXPECT_EQ(result.has_value(), harmless) << "case " << test["number"];
        accepted += result.has_value();
    }
    EXPECT_EQ(file.size(), 914u);
    EXPECT_EQ(accepted, 43);
}

TEST(Ed25519, refuses_every_small_order_key_with_either_sign_before_the_library_sees_it) {
    for (auto const* y : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        auto key = *bytes::from_hex(y);
        EXPECT_EQ(verify(key, view("m"), Bytes(64)).error(), Errc::bad_key) << y;
        key[31] |= 0x80;
        EXPECT_EQ(verify(key, view("m"), Bytes(64)).error(), Errc::bad_key) << y;
    }
}

// RFC 8032 §7.1, TEST 2.
TEST(Ed25519, signs_as_rfc_8032_does) {
    auto const seed = *bytes::from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    auto const key = *SigningKey::from_seed(seed);
    EXPECT_EQ(bytes::to_hex(key.public_key().bytes),
              "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    EXPECT_EQ(bytes::to_hex(key.sign(Bytes{0x72}).bytes),
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    EXPECT_TRUE(bytes::equal(key.expose_seed(), seed));
}

TEST(Ed25519, a_clone_signs_the_same) {
    SeededEntropy entropy(1);
    auto const key = SigningKey::generate(entropy);
    EXPECT_EQ(key.clone().sign(view("hello")), key.sign(view("hello")));
    EXPECT_EQ(key.clone().public_key(), key.public_key());
}

TEST(Ed25519, refuses_wrong_sizes_and_any_changed_bit) {
    SeededEntropy entropy(2);
    auto const key = SigningKey::generate(entropy);
    auto const message = bytes::copy(view("between sessions"));
    auto const signature = key.sign(message);
    ASSERT_TRUE(verify(key.public_key().bytes, message, signature.bytes));

    EXPECT_EQ(SigningKey::from_seed(Bytes(31)).error(), Errc::bad_key);
    EXPECT_EQ(verify(key.public_key().span().first(31), message, signature.bytes).error(), Errc::bad_key);
    EXPECT_EQ(verify(key.public_key().bytes, message, signature.span().first(63)).error(), Errc::bad_signature);
    for (std::size_t bit = 0; bit < 64 * 8; ++bit) {
        auto changed = signature;
        changed.bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        EXPECT_FALSE(verify(key.public_key().bytes, message, changed.bytes)) << "bit " << bit;
    }
    auto other = message;
    other[0] ^= 1;
    EXPECT_EQ(verify(key.public_key().bytes, other, signature.bytes).error(), Errc::bad_signature);
}

TEST(Ed25519, a_label_binds_the_signature_to_its_purpose) {
    SeededEntropy entropy(3);
    auto const key = SigningKey::generate(entropy);
    auto const structure = bytes::copy(view("struct"));
    auto const signature = sign_labelled(key, "login", structure);
    EXPECT_TRUE(verify_labelled(key.public_key().bytes, "login", structure, signature.bytes));
    EXPECT_FALSE(verify_labelled(key.public_key().bytes, "logout", structure, signature.bytes));
    // The exact bytes: interlude/v1 NAME, one zero byte, the struct.
    auto const exact = std::string("interlude/v1 login") + '\0' + "struct";
    EXPECT_EQ(key.sign(view(exact)), signature);
}

}  // namespace
}  // namespace interlude::crypto
