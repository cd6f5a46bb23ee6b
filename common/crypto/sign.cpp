#include "common/crypto/sign.hpp"

#include <sodium.h>

#include <array>

#include "common/bytes/writer.hpp"

namespace interlude::crypto {

using base::Errc;
using base::Result;
using bytes::ByteView;

namespace {

using Encoding = std::array<std::uint8_t, 32>;

// The y coordinates (little-endian) of the eight points whose order divides eight. Either sign bit is refused, so the
// non-canonical "minus zero" forms of the first, second and last need no rule of their own.
constexpr std::array<Encoding, 5> small_order_y{{
    {},   // y = 0: order 4
    {1},  // y = 1: the neutral element
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},  // order 8
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},  // order 8
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},  // y = -1: order 2
}};

// p = 2^255 - 19 and L, the order of the base point (RFC 8032 §5.1), little-endian.
constexpr Encoding field_prime{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                               0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                               0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
constexpr Encoding group_order{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                               0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                               0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// Not in constant time: everything compared here is public.
bool less(ByteView a, Encoding const& b) {
    return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

bool point_is_allowed(ByteView encoded) {
    Encoding y;
    std::copy(encoded.begin(), encoded.end(), y.begin());
    y[31] &= 0x7f;  // the top bit is the sign of x
    return less(y, field_prime) && std::find(small_order_y.begin(), small_order_y.end(), y) == small_order_y.end();
}

}  // namespace

SigningKey SigningKey::generate(Entropy& entropy) {
    auto const seed = entropy.secret(ed25519_seed_size);
    return *from_seed(seed.expose());
}

Result<SigningKey> SigningKey::from_seed(ByteView seed) {
    if (seed.size() != ed25519_seed_size) return Errc::bad_key;
    SigningKey key;
    key.seed_ = bytes::SecretBytes(seed);
    bytes::SecretBytes expanded(crypto_sign_SECRETKEYBYTES);
    crypto_sign_seed_keypair(key.public_.bytes.data(), expanded.expose_mutable().data(), seed.data());
    return key;
}

Signature SigningKey::sign(ByteView message) const {
    bytes::SecretBytes expanded(crypto_sign_SECRETKEYBYTES);  // libsodium's form: seed ‖ public key
    auto const to = expanded.expose_mutable();
    auto const seed = seed_.expose();
    std::copy(public_.bytes.begin(), public_.bytes.end(), std::copy(seed.begin(), seed.end(), to.begin()));
    Signature signature;
    crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(), to.data());
    return signature;
}

SigningKey SigningKey::clone() const {
    SigningKey copy;
    copy.seed_ = seed_.clone();
    copy.public_ = public_;
    return copy;
}

Result<void> verify(ByteView public_key, ByteView message, ByteView signature) {
    if (public_key.size() != ed25519_public_size || !point_is_allowed(public_key)) return Errc::bad_key;
    if (signature.size() != ed25519_signature_size) return Errc::bad_signature;
    auto const r = signature.first(32);
    auto const s = signature.last(32);
    if (!point_is_allowed(r) || !less(s, group_order)) return Errc::bad_signature;
    // libsodium computes s·B - k·A and compares its encoding with R: no cofactor.
    if (crypto_sign_verify_detached(signature.data(), message.data(), message.size(), public_key.data()) != 0)
        return Errc::bad_signature;
    return {};
}

Signature sign_labelled(SigningKey const& key, std::string_view name, ByteView structure) {
    return key.sign(bytes::labelled(name, structure));
}

Result<void> verify_labelled(ByteView public_key, std::string_view name, ByteView structure, ByteView signature) {
    return verify(public_key, bytes::labelled(name, structure), signature);
}

}  // namespace interlude::crypto
