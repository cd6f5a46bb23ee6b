// Project Wycheproof's cases for every primitive that has some: each file is run whole, and what does not apply to our
// interface (other nonce sizes) is counted too, so that a case cannot fall out unseen.
#include "common/crypto/aead.hpp"
#include "common/crypto/hash.hpp"
#include "common/crypto/sign.hpp"
#include "tests/support/vectors.hpp"

namespace interlude::crypto {
namespace {

using bytes::Bytes;
using bytes::ByteView;
using nlohmann::json;
using tests::hex;

struct Tally {
    int run = 0;
    int not_applicable = 0;
    void expect_all_of(json const& file, int run_at_least) const {
        EXPECT_EQ(run + not_applicable, file["numberOfTests"].get<int>());
        EXPECT_GE(run, run_at_least);
    }
};

struct AeadCase {
    Bytes key, nonce, associated_data, message, sealed;
    bool valid;
};

template <class Seal, class Open>
Tally run_aead_cases(json const& file, unsigned nonce_bits, unsigned key_bits, Seal seal, Open open) {
    Tally tally;
    for (auto const& group : file["testGroups"]) {
        if (group["ivSize"] != nonce_bits || group["keySize"] != key_bits || group["tagSize"] != 128) {
            tally.not_applicable += static_cast<int>(group["tests"].size());
            continue;
        }
        for (auto const& test : group["tests"]) {
            SCOPED_TRACE(test["tcId"].get<int>());
            AeadCase c{hex(test["key"]), hex(test["iv"]), hex(test["aad"]),
                       hex(test["msg"]), hex(test["ct"]), test["result"] == "valid"};
            bytes::append(c.sealed, hex(test["tag"]));
            auto const opened = open(c);
            EXPECT_EQ(opened.has_value(), c.valid);
            if (c.valid && opened) {
                EXPECT_TRUE(bytes::equal(opened->expose(), c.message));
                EXPECT_EQ(seal(c), c.sealed);
            }
            if (!opened) {
                EXPECT_EQ(opened.error(), base::Errc::decrypt_failed);
            }
            ++tally.run;
        }
    }
    return tally;
}

Tally run_aead_cases(json const& file, Aead aead) {
    return run_aead_cases(
        file, 96, static_cast<unsigned>(aead_key_size(aead) * 8),
        [&](AeadCase const& c) { return aead_seal(aead, c.key, c.nonce, c.associated_data, c.message); },
        [&](AeadCase const& c) { return aead_open(aead, c.key, c.nonce, c.associated_data, c.sealed); });
}

TEST(Wycheproof, aes_128_gcm_answers_every_case_as_stated) {
    INTERLUDE_VECTORS_OR_SKIP(file, "wycheproof/aes_gcm_test.json");
    run_aead_cases(file, Aead::aes_128_gcm).expect_all_of(file, 60);
}

TEST(Wycheproof, chacha20_poly1305_answers_every_case_as_stated) {
    INTERLUDE_VECTORS_OR_SKIP(file, "wycheproof/chacha20_poly1305_test.json");
    run_aead_cases(file, Aead::chacha20_poly1305).expect_all_of(file, 300);
}

TEST(Wycheproof, xchacha20_poly1305_answers_every_case_as_stated) {
    INTERLUDE_VECTORS_OR_SKIP(file, "wycheproof/xchacha20_poly1305_test.json");
    run_aead_cases(
        file, 192, 256, [](AeadCase const& c) { return xchacha_seal(c.key, c.nonce, c.associated_data, c.message); },
        [](AeadCase const& c) { return xchacha_open(c.key, c.nonce, c.associated_data, c.sealed); })
        .expect_all_of(file, 280);
}

TEST(Wycheproof, ed25519_answers_every_case_as_stated) {
    INTERLUDE_VECTORS_OR_SKIP(file, "wycheproof/ed25519_test.json");
    Tally tally;
    for (auto const& group : file["testGroups"]) {
        auto const key = hex(group["publicKey"]["pk"]);
        for (auto const& test : group["tests"]) {
            auto const accepted = verify(key, hex(test["msg"]), hex(test["sig"]));
            EXPECT_EQ(accepted.has_value(), test["result"] == "valid") << "case " << test["tcId"];
            ++tally.run;
        }
    }
    tally.expect_all_of(file, 151);
}

TEST(Wycheproof, hmac_sha256_answers_every_case_as_stated) {
    INTERLUDE_VECTORS_OR_SKIP(file, "wycheproof/hmac_sha256_test.json");
    Tally tally;
    for (auto const& group : file["testGroups"]) {
        auto const tag_size = group["tagSize"].get<std::size_t>() / 8;
        for (auto const& test : group["tests"]) {
            auto const tag = hmac_sha256(hex(test["key"]), hex(test["msg"]));
            bool const same = equal_constant_time(ByteView(tag.bytes).first(tag_size), hex(test["tag"]));
            EXPECT_EQ(same, test["result"] == "valid") << "case " << test["tcId"];
            ++tally.run;
        }
    }
    tally.expect_all_of(file, 174);
}

TEST(Wycheproof, hkdf_sha256_answers_every_case_as_stated) {
    INTERLUDE_VECTORS_OR_SKIP(file, "wycheproof/hkdf_sha256_test.json");
    Tally tally;
    for (auto const& group : file["testGroups"]) {
        for (auto const& test : group["tests"]) {
            SCOPED_TRACE(test["tcId"].get<int>());
            auto const key = hkdf_extract(hex(test["salt"]), hex(test["ikm"]));
            auto const info = hex(test["info"]);
            auto const size = test["size"].get<std::size_t>();
            if (test["result"] == "valid") {
                EXPECT_TRUE(bytes::equal(hkdf_expand(key.expose(), info, size).expose(), hex(test["okm"])));
            } else {  // more than HKDF can give: only our own code chooses lengths, so this ends the process
                EXPECT_EXIT(hkdf_expand(key.expose(), info, size), testing::ExitedWithCode(70), "internal check");
            }
            ++tally.run;
        }
    }
    tally.expect_all_of(file, 86);
}

}  // namespace
}  // namespace interlude::crypto
