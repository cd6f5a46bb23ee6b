// One record under its key: what it is bound to.
#include "client-cli/vault/seal.hpp"

#include <gtest/gtest.h>

namespace interlude::vault {
namespace {

TEST(Seal, opens_a_record_in_its_own_place_only) {
    crypto::SystemEntropy entropy;
    Sealer const sealer(entropy.bytes(master_key_bytes));
    auto const key = entropy.bytes(20), other_key = entropy.bytes(20), value = entropy.bytes(100);
    auto const slot = sealer.slot(3, key);
    auto const sealed = sealer.seal(3, slot, 7, key, value, entropy);
    auto const opened = sealer.open(3, slot, 7, sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->key, key);
    EXPECT_EQ(opened->value, value);
    EXPECT_FALSE(sealer.open(3, sealer.slot(3, other_key), 7, sealed));
    EXPECT_FALSE(sealer.open(4, slot, 7, sealed));
    EXPECT_FALSE(sealer.open(3, slot, 6, sealed));
    EXPECT_FALSE(Sealer(entropy.bytes(master_key_bytes)).open(3, slot, 7, sealed));
}

}  // namespace
}  // namespace interlude::vault
