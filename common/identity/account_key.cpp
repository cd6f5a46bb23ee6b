#include "common/identity/account_key.hpp"

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/labels.hpp"

namespace interlude::identity {

using base::Errc;
using base::Result;
using crypto::SigningKey;

namespace {

bytes::Bytes certified(ListKeyCertificate const& certificate) {
    bytes::Writer out;
    out.id(certificate.account).u8(static_cast<std::uint8_t>(certificate.side));
    out.u64(certificate.generation).id(certificate.list_key);
    return std::move(out).take();
}

}  // namespace

SigningKey account_key(bytes::ByteView recovery_seed, std::uint32_t index) {
    INTERLUDE_CHECK(recovery_seed.size() == recovery_seed_size);
    bytes::Writer structure;
    structure.u32(index);
    auto const pseudorandom_key = crypto::hkdf_extract({}, recovery_seed);
    auto const seed = crypto::hkdf_expand(
        pseudorandom_key.expose(), bytes::labelled(labels::account_key, structure.bytes()), crypto::ed25519_seed_size);
    return *SigningKey::from_seed(seed.expose());
}

base::AccountId account_id(crypto::VerifyKey const& account_key) {
    return {crypto::labelled_hash(labels::account_id, account_key.bytes).bytes};
}

ListKeyCertificate certify_list_key(SigningKey const& account_key, base::Side side, std::uint64_t generation,
                                    crypto::VerifyKey const& list_key) {
    INTERLUDE_CHECK(generation > 0);
    ListKeyCertificate certificate{.account = account_id(account_key.public_key()),
                                   .account_key = account_key.public_key(),
                                   .side = side,
                                   .generation = generation,
                                   .list_key = list_key,
                                   .signature = {}};
    certificate.signature = crypto::sign_labelled(account_key, labels::list_key, certified(certificate));
    return certificate;
}

Result<void> verify_list_key(ListKeyCertificate const& certificate) {
    if (certificate.account != account_id(certificate.account_key)) return Errc::bad_key;
    return crypto::verify_labelled(certificate.account_key.bytes, labels::list_key, certified(certificate),
                                   certificate.signature.bytes);
}

std::vector<AccountInWaiting> certify_accounts_ahead(bytes::ByteView recovery_seed, std::uint32_t first_index,
                                                     base::Side side, crypto::Entropy& entropy) {
    std::vector<AccountInWaiting> out;
    for (std::uint32_t ahead = 0; ahead < base::limits::accounts_certified_ahead; ++ahead) {
        auto const index = first_index + ahead;
        auto list_key = SigningKey::generate(entropy);
        auto certificate = certify_list_key(account_key(recovery_seed, index), side, 1, list_key.public_key());
        out.push_back({index, std::move(list_key), certificate});
    }
    return out;
}

}  // namespace interlude::identity
