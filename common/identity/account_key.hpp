// Account keys: derived from the recovery seed, used only to certify list keys (exact.md, Identity).
#pragma once

#include <vector>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/crypto/entropy.hpp"
#include "common/crypto/sign.hpp"

namespace interlude::identity {

inline constexpr std::size_t recovery_seed_size = 32;

/// Account key number `index` of a recovery seed; the seed has 32 bytes (checked).
crypto::SigningKey account_key(bytes::ByteView recovery_seed, std::uint32_t index);
base::AccountId account_id(crypto::VerifyKey const& account_key);

/// The account key's statement that `list_key` signs this account's device lists of `generation`.
struct ListKeyCertificate {
    base::AccountId account;
    crypto::VerifyKey account_key;
    base::Side side{};
    std::uint64_t generation = 0;  // from 1; grows when the account is taken back with the kit
    crypto::VerifyKey list_key;
    crypto::Signature signature;  // by the account key over (account, side, generation, list key)
    bool operator==(ListKeyCertificate const&) const = default;
};

ListKeyCertificate certify_list_key(crypto::SigningKey const& account_key, base::Side side, std::uint64_t generation,
                                    crypto::VerifyKey const& list_key);
/// bad_key if the id is not the key's hash, bad_signature if the signature does not hold.
base::Result<void> verify_list_key(ListKeyCertificate const& certificate);

/// A list key that waits for its account: made while the recovery seed is at hand, so that the seed can be wiped.
struct AccountInWaiting {
    std::uint32_t index = 0;
    crypto::SigningKey list_key;
    ListKeyCertificate certificate;  // generation 1
};

/// The accounts first_index .. first_index + limits::accounts_certified_ahead - 1.
std::vector<AccountInWaiting> certify_accounts_ahead(bytes::ByteView recovery_seed, std::uint32_t first_index,
                                                     base::Side side, crypto::Entropy& entropy);

}  // namespace interlude::identity
