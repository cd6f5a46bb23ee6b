// Account keys come from the recovery seed alone and speak for list keys.
#include "common/identity/account_key.hpp"

#include <set>

#include "common/base/limits.hpp"
#include "common/crypto/hash.hpp"
#include "tests/unit/identity/people.hpp"

namespace interlude::identity {
namespace {

using base::Errc;
using base::Side;

TEST(AccountKey, the_seed_and_the_number_decide_it) {
    bytes::Bytes const seed(32, 7), other(32, 8);
    EXPECT_EQ(account_key(seed, 3).public_key(), account_key(seed, 3).public_key());
    EXPECT_NE(account_key(seed, 3).public_key(), account_key(seed, 4).public_key());
    EXPECT_NE(account_key(seed, 3).public_key(), account_key(other, 3).public_key());
}

TEST(AccountKey, the_account_is_the_hash_of_the_labelled_key) {
    auto const key = account_key(bytes::Bytes(32, 7), 0).public_key();
    auto text = std::string("interlude/v1 account id") + '\0' + bytes::text(key.bytes);
    EXPECT_EQ(account_id(key).bytes, crypto::sha256(bytes::view(text)).bytes);
}

TEST(ListKeyCertificate, holds_and_no_field_can_be_changed) {
    crypto::SeededEntropy entropy(1);
    tests::Person const person(entropy, Side::client);
    ASSERT_TRUE(verify_list_key(person.certificate));
    auto refused = [&](auto change) {
        auto changed = person.certificate;
        change(changed);
        return verify_list_key(changed).error();
    };
    auto const stranger = account_key(entropy.bytes(32), 0);
    EXPECT_EQ(refused([](auto& c) { c.side = Side::therapist; }), Errc::bad_signature);
    EXPECT_EQ(refused([](auto& c) { c.generation = 2; }), Errc::bad_signature);
    EXPECT_EQ(refused([&](auto& c) { c.list_key = stranger.public_key(); }), Errc::bad_signature);
    EXPECT_EQ(refused([](auto& c) { c.account.bytes[0] ^= 1; }), Errc::bad_key);
    EXPECT_EQ(refused([&](auto& c) { c.account_key = stranger.public_key(); }), Errc::bad_key);
    EXPECT_EQ(refused([&](auto& c) {
                  c.account_key = stranger.public_key();
                  c.account = account_id(c.account_key);
              }),
              Errc::bad_signature);
}

TEST(AccountsInWaiting, are_certified_by_their_own_account_keys) {
    crypto::SeededEntropy entropy(2);
    auto const seed = entropy.secret(32);
    auto const waiting = certify_accounts_ahead(seed.expose(), 5, Side::client, entropy);
    ASSERT_EQ(waiting.size(), 16u);
    std::set<base::AccountId> accounts;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        EXPECT_EQ(waiting[i].index, 5 + i);
        EXPECT_TRUE(verify_list_key(waiting[i].certificate));
        EXPECT_EQ(waiting[i].certificate.account_key, account_key(seed.expose(), waiting[i].index).public_key());
        EXPECT_EQ(waiting[i].certificate.list_key, waiting[i].list_key.public_key());
        accounts.insert(waiting[i].certificate.account);
    }
    EXPECT_EQ(accounts.size(), 16u);
}

}  // namespace
}  // namespace interlude::identity
