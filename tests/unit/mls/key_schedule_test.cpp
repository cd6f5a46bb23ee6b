// What the vectors of key schedule, PSKs and transcript do not show.
#include "common/mls/key_schedule.hpp"

#include <gtest/gtest.h>

#include "common/mls/psk.hpp"
#include "tests/unit/mls/group_people.hpp"

namespace interlude::mls::tests {
namespace {

GroupContext context_of(std::uint64_t epoch) {
    return {.cipher_suite = suite().id,
            .group_id = {1},
            .epoch = epoch,
            .tree_hash = Bytes(32, 2),
            .confirmed_transcript_hash = Bytes(32, 3),
            .extensions = {}};
}

bool same(SecretBytes const& a, SecretBytes const& b) {
    return bytes::equal(a.expose(), b.expose());
}

TEST(KeySchedule, every_input_changes_the_epoch) {
    Bytes const joiner(32, 1), psk(32, 0);
    auto const base = epoch_secrets(suite(), joiner, psk, context_of(4));
    EXPECT_TRUE(same(base.init_secret, epoch_secrets(suite(), joiner, psk, context_of(4)).init_secret));
    EXPECT_FALSE(same(base.init_secret, epoch_secrets(suite(), joiner, psk, context_of(5)).init_secret));
    EXPECT_FALSE(same(base.init_secret, epoch_secrets(suite(), joiner, Bytes(32, 1), context_of(4)).init_secret));
    EXPECT_FALSE(same(base.init_secret, epoch_secrets(suite(), psk, psk, context_of(4)).init_secret));
}

TEST(KeySchedule, the_order_and_number_of_psks_matter) {
    auto const psk = [](std::string_view id) {
        return Psk{{ExternalPSK{bytes_of(id)}, Bytes(32, 5)}, SecretBytes(bytes_of(id))};
    };
    std::vector<Psk> one, ab, ba;
    one.push_back(psk("a"));
    ab.push_back(psk("a"));
    ab.push_back(psk("b"));
    ba.push_back(psk("b"));
    ba.push_back(psk("a"));
    EXPECT_FALSE(same(psk_secret(suite(), ab), psk_secret(suite(), ba)));
    EXPECT_FALSE(same(psk_secret(suite(), ab), psk_secret(suite(), one)));
    EXPECT_TRUE(same(psk_secret(suite(), {}), zero_secret(suite())));
}

TEST(KeySchedule, an_external_joiner_and_the_group_come_to_one_init_secret) {
    crypto::SeededEntropy entropy(4);
    Bytes const external_secret(32, 6);
    auto const pair = external_key_pair(suite(), external_secret);
    auto const made = must(make_external_init(suite(), pair.public_key, entropy));
    EXPECT_TRUE(same(must(open_external_init(suite(), external_secret, made.kem_output)), made.init_secret));
    EXPECT_EQ(error_of(open_external_init(suite(), external_secret, Bytes(32, 0))), "bad_key");
    EXPECT_FALSE(same(must(open_external_init(suite(), Bytes(32, 7), made.kem_output)), made.init_secret));
}

TEST(KeySchedule, exports_differ_by_label_and_context) {
    Bytes const exporter(32, 8);
    auto const base = export_from(suite(), exporter, "label", {}, 100);
    EXPECT_EQ(base.size(), 100U);
    EXPECT_FALSE(same(base, export_from(suite(), exporter, "other", {}, 100)));
    EXPECT_FALSE(same(base, export_from(suite(), exporter, "label", Bytes{1}, 100)));
}

TEST(KeySchedule, secrets_survive_a_round_trip) {
    auto const secrets = epoch_secrets(suite(), Bytes(32, 1), Bytes(32, 2), context_of(1));
    auto const again = must(decode(encode(secrets), read_epoch_secrets));
    EXPECT_EQ(encode(again), encode(secrets));
    EXPECT_EQ(encode(again.clone()), encode(secrets));
}

}  // namespace
}  // namespace interlude::mls::tests
