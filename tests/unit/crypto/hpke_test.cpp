// HPKE against RFC 9180 Appendix A (all modes, all encryptions, all exports), X25519 against RFC 7748 §5.2.
#include "common/bytes/text.hpp"
#include "common/crypto/hpke_context.hpp"
#include "tests/support/vectors.hpp"

namespace interlude::crypto {
namespace {

using base::Errc;
using bytes::Bytes;
using bytes::ByteView;
using bytes::from_hex;
using bytes::to_hex;
using bytes::view;
using nlohmann::json;
using tests::hex;

Suite const& suite() {
    return **find_suite(suite_x25519_chacha20poly1305);
}

HpkeKeyPair key_pair(json const& vector, std::string const& who) {
    auto pair = hpke_derive_key_pair(suite(), hex(vector["ikm" + who]));
    EXPECT_TRUE(bytes::equal(pair.private_key.expose(), hex(vector["sk" + who + "m"])));
    EXPECT_EQ(pair.public_key, hex(vector["pk" + who + "m"]));
    return pair;
}

struct Counts {
    int encryptions = 0;
    int exports = 0;
};

void run_vector(json const& vector, Counts& counts) {
    SCOPED_TRACE(vector["title"].get<std::string>());
    HpkeAlgorithms algorithms{.kem_id = vector["kem_id"], .kdf_id = vector["kdf_id"], .aead = {}};
    if (vector["aead_id"] != 0xffff) algorithms.aead = static_cast<Aead>(vector["aead_id"].get<std::uint16_t>());
    auto const ephemeral = key_pair(vector, "E");
    auto const recipient = key_pair(vector, "R");
    auto const info = hex(vector["info"]);
    std::optional<HpkeKeyPair> sender;
    if (vector.contains("ikmS")) sender = key_pair(vector, "S");
    Bytes psk, psk_id;
    std::optional<HpkePsk> given_psk;
    if (vector.contains("psk")) {
        psk = hex(vector["psk"]);
        psk_id = hex(vector["psk_id"]);
        given_psk = HpkePsk{psk, psk_id};
    }
    auto setup =
        hpke_setup_sender(algorithms, recipient.public_key, info, ephemeral, given_psk, sender ? &*sender : nullptr);
    ASSERT_TRUE(setup);
    EXPECT_EQ(setup->kem_output, hex(vector["enc"]));
    std::optional<ByteView> sender_public;
    if (sender) sender_public = sender->public_key;
    auto receiving = hpke_setup_recipient(algorithms, setup->kem_output, recipient, info, given_psk, sender_public);
    ASSERT_TRUE(receiving);

    int sequence = 0;
    for (auto const& encryption : vector["encryptions"]) {
        for (; sequence < encryption["sequence number"]; ++sequence) {  // numbers that the RFC does not print
            auto const between = setup->context.seal({}, {});
            ASSERT_TRUE(between);
            ASSERT_TRUE(receiving->open({}, *between));
        }
        auto const associated_data = hex(encryption["aad"]);
        auto const sealed = setup->context.seal(associated_data, hex(encryption["pt"]));
        ASSERT_TRUE(sealed);
        EXPECT_EQ(*sealed, hex(encryption["ct"])) << "sequence " << sequence;
        EXPECT_EQ(receiving->open(view("other"), *sealed).error(), Errc::decrypt_failed);  // spends no number
        auto const opened = receiving->open(associated_data, *sealed);
        ASSERT_TRUE(opened);
        EXPECT_TRUE(bytes::equal(opened->expose(), hex(encryption["pt"])));
        ++sequence;
        ++counts.encryptions;
    }
    for (auto const& exported : vector["exports"]) {
        auto const context = hex(exported["exporter_context"]);
        auto const value = hex(exported["exported_value"]);
        auto const length = exported["L"].get<std::size_t>();
        EXPECT_TRUE(bytes::equal(setup->context.export_secret(context, length).expose(), value));
        EXPECT_TRUE(bytes::equal(receiving->export_secret(context, length).expose(), value));
        ++counts.exports;
    }
    if (!algorithms.aead) {
        EXPECT_EQ(setup->context.seal({}, {}).error(), Errc::unsupported);
    }
}

TEST(Hpke, gives_every_value_of_rfc_9180_appendix_a) {
    INTERLUDE_VECTORS_OR_SKIP(file, "hpke/rfc9180-x25519-hkdfsha256.json");
    Counts counts;
    for (auto const& vector : file) run_vector(vector, counts);
    EXPECT_EQ(file.size(), 12u);  // three AEADs in four modes
    EXPECT_EQ(counts.encryptions, 8 * 6);
    EXPECT_EQ(counts.exports, 12 * 3);
}

TEST(Hpke, single_shot_seal_opens_only_with_the_same_info_and_associated_data) {
    SeededEntropy entropy(4);
    for (auto id : {suite_x25519_aes128gcm, suite_x25519_chacha20poly1305}) {
        auto const& row = **find_suite(id);
        auto const recipient = hpke_generate_key_pair(row, entropy);
        auto const other = hpke_generate_key_pair(row, entropy);
        auto const sealed = hpke_seal(row, recipient.public_key, view("info"), view("aad"), view("text"), entropy);
        ASSERT_TRUE(sealed);
        auto open = [&](HpkeKeyPair const& key, std::string_view info, std::string_view associated_data) {
            return hpke_open(row, sealed->kem_output, key, view(info), view(associated_data), sealed->ciphertext);
        };
        ASSERT_TRUE(open(recipient, "info", "aad"));
        EXPECT_EQ(bytes::text(open(recipient, "info", "aad")->expose()), "text");
        EXPECT_EQ(open(recipient, "other", "aad").error(), Errc::decrypt_failed);
        EXPECT_EQ(open(recipient, "info", "other").error(), Errc::decrypt_failed);
        EXPECT_EQ(open(other, "info", "aad").error(), Errc::decrypt_failed);
    }
}

TEST(Hpke, both_sides_export_the_same_secret) {
    SeededEntropy entropy(5);
    auto const recipient = hpke_generate_key_pair(suite(), entropy);
    auto const sent =
        hpke_export_to(suite(), recipient.public_key, {}, view("MLS 1.0 external init secret"), 32, entropy);
    ASSERT_TRUE(sent);
    auto const got =
        hpke_export_from(suite(), sent->kem_output, recipient, {}, view("MLS 1.0 external init secret"), 32);
    ASSERT_TRUE(got);
    EXPECT_TRUE(bytes::equal(got->expose(), sent->secret.expose()));
}

TEST(Hpke, refuses_keys_of_a_wrong_size) {
    SeededEntropy entropy(6);
    auto const recipient = hpke_generate_key_pair(suite(), entropy);
    EXPECT_EQ(hpke_seal(suite(), Bytes(31, 9), {}, {}, {}, entropy).error(), Errc::bad_key);
    EXPECT_EQ(hpke_open(suite(), Bytes(33, 9), recipient, {}, {}, Bytes(16)).error(), Errc::bad_key);
    EXPECT_EQ(hpke_key_pair_from_private(suite(), Bytes(31)).error(), Errc::bad_key);
    EXPECT_EQ(hpke_key_pair_from_private(suite(), recipient.private_key.expose())->public_key, recipient.public_key);
}

TEST(X25519, gives_the_values_of_rfc_7748) {
    struct Case {
        char const *scalar, *u, *result;
    };
    for (auto const& c : {Case{"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                               "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                               "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
                          Case{"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                               "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                               "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"}}) {
        auto const result = x25519(*from_hex(c.scalar), *from_hex(c.u));
        ASSERT_TRUE(result);
        EXPECT_EQ(to_hex(result->expose()), c.result);
    }
}

TEST(X25519, iterates_as_in_rfc_7748) {
    Bytes k(32), u(32);
    k[0] = u[0] = 9;
    for (int i = 1; i <= 1000; ++i) {
        auto const result = x25519(k, u);
        ASSERT_TRUE(result);
        u = k;
        k = bytes::copy(result->expose());
        if (i == 1) {
            EXPECT_EQ(to_hex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        }
    }
    EXPECT_EQ(to_hex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, refuses_points_that_lead_to_zero) {
    Bytes const scalar(32, 0x55);
    for (auto const* u : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"})
        EXPECT_EQ(x25519(scalar, *from_hex(u)).error(), Errc::bad_key) << u;
}

}  // namespace
}  // namespace interlude::crypto
