// Hashes, random numbers, suites and Argon2id: the shapes that Wycheproof has no file for.
#include <map>

#include "common/bytes/text.hpp"
#include "common/crypto/aead.hpp"
#include "common/crypto/entropy.hpp"
#include "common/crypto/hash.hpp"
#include "common/crypto/password.hpp"
#include "tests/support/vectors.hpp"

namespace interlude::crypto {
namespace {

using bytes::Bytes;
using bytes::to_hex;
using bytes::view;

// FIPS 180-4 examples.
TEST(Sha256, gives_the_published_digests) {
    EXPECT_EQ(to_hex(sha256({}).bytes), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256(view("abc")).bytes), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, pieces_hash_like_the_whole) {
    std::string const text(1000, 'x');
    for (std::size_t cut : {0u, 1u, 63u, 64u, 65u, 999u, 1000u}) {
        Sha256 hash;
        hash.update(view(text).first(cut)).update(view(text).subspan(cut));
        EXPECT_EQ(hash.finish(), sha256(view(text)));
    }
}

TEST(Sha256, a_label_stands_before_a_zero_byte) {
    EXPECT_EQ(labelled_hash("thing", view("body")), sha256(view(std::string("interlude/v1 thing") + '\0' + "body")));
    EXPECT_NE(labelled_hash("thing", view("body")), labelled_hash("thin", view("gbody")));
}

TEST(EqualConstantTime, compares_contents_and_lengths) {
    EXPECT_TRUE(equal_constant_time({}, {}));
    EXPECT_TRUE(equal_constant_time(view("same"), view("same")));
    EXPECT_FALSE(equal_constant_time(view("same"), view("sane")));
    EXPECT_FALSE(equal_constant_time(view("same"), view("sam")));
}

TEST(Entropy, a_seed_gives_the_same_bytes_again_and_another_seed_others) {
    SeededEntropy first(7), again(7), other(8);
    auto const a = first.bytes(40);
    EXPECT_EQ(a, again.bytes(40));
    EXPECT_NE(a, other.bytes(40));
    EXPECT_NE(a, first.bytes(40)) << "the second draw must differ from the first";
}

TEST(Entropy, below_stays_below_and_reaches_every_value) {
    SeededEntropy entropy(9);
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < 7000; ++i) ++seen[entropy.below(7)];
    EXPECT_EQ(seen.size(), 7u);
    for (auto const& [value, times] : seen) {
        EXPECT_LT(value, 7u);
        EXPECT_NEAR(times, 1000, 200);
    }
    EXPECT_EQ(entropy.below(1), 0u);
}

TEST(Entropy, the_system_gives_different_ids) {
    SystemEntropy entropy;
    EXPECT_NE(entropy.id<base::DeviceId>(), entropy.id<base::DeviceId>());
    EXPECT_EQ(entropy.secret(48).size(), 48u);
}

TEST(Suites, both_suites_are_rows_and_others_are_unsupported) {
    for (auto id : {suite_x25519_aes128gcm, suite_x25519_chacha20poly1305}) {
        auto const suite = find_suite(id);
        ASSERT_TRUE(suite);
        EXPECT_EQ((*suite)->id, id);
        EXPECT_EQ((*suite)->key_size, aead_key_size((*suite)->aead));
        EXPECT_EQ((*suite)->nonce_size, aead_nonce_size);
    }
    EXPECT_EQ(find_suite(0x0002).error(), base::Errc::unsupported);
    EXPECT_EQ(find_suite(0).error(), base::Errc::unsupported);
}

TEST(Aead, aes_256_gcm_round_trips_and_refuses_a_changed_bit) {  // Wycheproof's file is trimmed to 128-bit keys
    Bytes const key(32, 1), nonce(12, 2);
    auto sealed = aead_seal(Aead::aes_256_gcm, key, nonce, view("aad"), view("text"));
    auto const opened = aead_open(Aead::aes_256_gcm, key, nonce, view("aad"), sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(bytes::text(opened->expose()), "text");
    sealed[0] ^= 1;
    EXPECT_EQ(aead_open(Aead::aes_256_gcm, key, nonce, view("aad"), sealed).error(), base::Errc::decrypt_failed);
}

TEST(Aead, what_is_shorter_than_a_tag_does_not_open) {
    for (auto aead : {Aead::aes_128_gcm, Aead::aes_256_gcm, Aead::chacha20_poly1305}) {
        Bytes const key(aead_key_size(aead)), nonce(12);
        EXPECT_EQ(aead_open(aead, key, nonce, {}, Bytes(15)).error(), base::Errc::decrypt_failed);
    }
    EXPECT_EQ(xchacha_open(Bytes(32), Bytes(24), {}, Bytes(15)).error(), base::Errc::decrypt_failed);
}

TEST(AeadDeathTest, a_wrong_key_size_is_our_own_bug) {
    EXPECT_EXIT(aead_seal(Aead::aes_128_gcm, Bytes(32), Bytes(12), {}, {}), testing::ExitedWithCode(70), "check");
}

TEST(Argon2id, depends_on_passphrase_salt_and_length) {
    Bytes const salt(16, 3);
    auto const a = argon2id(view("passphrase"), salt, 32);
    // Computed with OpenSSL's Argon2id: 65,536 KiB, 3 passes, one lane.
    EXPECT_EQ(to_hex(a.expose()), "44754345e0493e7f634835117be8861b1605561578eed38235482f18d180b1b9");
    EXPECT_FALSE(bytes::equal(a.expose(), argon2id(view("passphrasf"), salt, 32).expose()));
    EXPECT_FALSE(bytes::equal(a.expose(), argon2id(view("passphrase"), Bytes(16, 4), 32).expose()));
}

}  // namespace
}  // namespace interlude::crypto
