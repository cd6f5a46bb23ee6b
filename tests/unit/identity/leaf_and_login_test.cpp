// What a device's key says: which leaf is its own, and which link.
#include "common/identity/leaf_attestation.hpp"
#include "common/identity/login.hpp"
#include "tests/unit/identity/people.hpp"

namespace interlude::identity {
namespace {

using base::Errc;
using base::Side;
using tests::new_device;
using tests::noon;
using tests::Person;

struct Leaves : testing::Test {
    crypto::SeededEntropy entropy{4};
    Person anna{entropy, Side::therapist};
    bytes::Bytes leaf_key = entropy.bytes(32);
    LeafIdentity leaf = attest_leaf(anna.device.key, anna.account(), anna.device.id, {1, 1}, leaf_key);
};

TEST_F(Leaves, come_back_and_have_one_encoding) {
    tests::expect_sound_codec(leaf, decode_leaf_identity);
    tests::expect_one_encoding(encode(leaf), decode_leaf_identity);
    EXPECT_EQ(encode(leaf).size(), 1u + 32 + 16 + 8 + 8 + 64);
    auto encoded = encode(leaf);
    encoded[0] = 2;
    EXPECT_EQ(decode_leaf_identity(encoded).error(), Errc::unsupported);
    leaf.floor.version = 0;
    EXPECT_EQ(decode_leaf_identity(encode(leaf)).error(), Errc::malformed);
}

TEST_F(Leaves, hold_for_their_own_key_device_and_account_alone) {
    EXPECT_TRUE(verify_leaf(leaf, leaf_key, anna.list()));
    EXPECT_EQ(verify_leaf(leaf, entropy.bytes(32), anna.list()).error(), Errc::bad_signature);
    Person const ben(entropy, Side::client);
    EXPECT_EQ(verify_leaf(leaf, leaf_key, ben.list()).error(), Errc::not_listed);
    auto other = leaf;
    other.device = new_device(entropy).id;
    EXPECT_EQ(verify_leaf(other, leaf_key, anna.list()).error(), Errc::not_listed);
}

TEST_F(Leaves, hold_while_the_newest_list_still_has_the_device) {
    auto const phone = new_device(entropy);
    anna.relist({anna.device.listed(), phone.listed()});
    EXPECT_TRUE(verify_leaf(leaf, leaf_key, anna.list())) << "the list version is a floor";
    anna.relist({phone.listed()});
    EXPECT_EQ(verify_leaf(leaf, leaf_key, anna.list()).error(), Errc::not_listed);
}

TEST_F(Leaves, that_know_a_newer_list_ask_for_it) {
    auto const old_list = anna.list();
    for (ListPosition floor : {ListPosition{1, 2}, ListPosition{2, 1}}) {
        auto const newer = attest_leaf(anna.device.key, anna.account(), anna.device.id, floor, leaf_key);
        EXPECT_EQ(verify_leaf(newer, leaf_key, old_list).error(), Errc::stale);
    }
    anna.relist({anna.device.listed()});
    auto const newer = attest_leaf(anna.device.key, anna.account(), anna.device.id, {1, 2}, leaf_key);
    EXPECT_TRUE(verify_leaf(newer, leaf_key, anna.list()));
}

TEST_F(Leaves, cannot_lower_their_floor) {
    anna.relist({anna.device.listed()});
    auto lowered = attest_leaf(anna.device.key, anna.account(), anna.device.id, {1, 2}, leaf_key);
    lowered.floor = {1, 1};
    EXPECT_EQ(verify_leaf(lowered, leaf_key, anna.list()).error(), Errc::bad_signature);
}

struct Logins : testing::Test {
    crypto::SeededEntropy entropy{5};
    Person anna{entropy, Side::client};
    bytes::Bytes nonce = entropy.bytes(32);
    bytes::Bytes hello = bytes::copy(bytes::view("hello frame"));
    LinkFacts link{"relay.example", nonce, hello};
};

TEST_F(Logins, hold_for_one_server_nonce_hello_account_and_device) {
    auto const& key = anna.device.key.public_key();
    auto const signature = sign_login(anna.device.key, link, anna.account(), anna.device.id);
    auto verified = [&](LinkFacts const& seen, base::AccountId account, base::DeviceId device) {
        return verify_login(key, seen, account, device, signature.bytes).has_value();
    };
    EXPECT_TRUE(verified(link, anna.account(), anna.device.id));
    auto const other = entropy.bytes(32);
    EXPECT_FALSE(verified({"other.example", nonce, hello}, anna.account(), anna.device.id));
    EXPECT_FALSE(verified({"relay.example", other, hello}, anna.account(), anna.device.id));
    EXPECT_FALSE(verified({"relay.example", nonce, other}, anna.account(), anna.device.id));
    EXPECT_FALSE(verified(link, tests::id_of<base::AccountId>(9), anna.device.id));
    EXPECT_FALSE(verified(link, anna.account(), tests::id_of<base::DeviceId>(9)));
    EXPECT_EQ(verify_login(anna.list_key.public_key(), link, anna.account(), anna.device.id, signature.bytes).error(),
              Errc::bad_signature);
}

TEST_F(Logins, of_an_invitee_hold_for_her_invitation_alone) {
    auto const invitation = crypto::SigningKey::generate(entropy);
    auto const signature = sign_invited_login(invitation, link);
    EXPECT_TRUE(verify_invited_login(invitation.public_key(), link, signature.bytes));
    auto const other = crypto::SigningKey::generate(entropy);
    EXPECT_FALSE(verify_invited_login(other.public_key(), link, signature.bytes));
    EXPECT_FALSE(verify_invited_login(invitation.public_key(), {"other.example", nonce, hello}, signature.bytes));
    EXPECT_FALSE(verify_login(invitation.public_key(), link, anna.account(), anna.device.id, signature.bytes))
        << "the two statements never stand in for each other";
}

}  // namespace
}  // namespace interlude::identity
