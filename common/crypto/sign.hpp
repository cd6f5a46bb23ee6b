// Ed25519 (RFC 8032) with one strict rule set: small-order and non-canonical A and R are refused, S is canonical, the
// check is without the cofactor. Of C2SP's 914 CCTV edge cases exactly 43 are accepted, in every app.
#pragma once

#include "common/base/result.hpp"
#include "common/bytes/secret.hpp"
#include "common/crypto/entropy.hpp"

namespace interlude::crypto {

inline constexpr std::size_t ed25519_public_size = 32;
inline constexpr std::size_t ed25519_seed_size = 32;
inline constexpr std::size_t ed25519_signature_size = 64;

using VerifyKey = base::Id<struct VerifyKeyTag, 32>;
using Signature = base::Id<struct SignatureTag, 64>;

/// An Ed25519 key pair. The secret half is the 32-byte seed (what RFC 9420 vectors call signature_priv).
class SigningKey {
  public:
    static SigningKey generate(Entropy& entropy);
    /// bad_key unless 32 bytes.
    static base::Result<SigningKey> from_seed(bytes::ByteView seed);

    VerifyKey const& public_key() const { return public_; }
    bytes::ByteView expose_seed() const { return seed_.expose(); }
    Signature sign(bytes::ByteView message) const;
    SigningKey clone() const;

  private:
    SigningKey() = default;
    bytes::SecretBytes seed_;
    VerifyKey public_;
};

/// bad_key for a wrong-sized or refused public key, bad_signature otherwise.
base::Result<void> verify(bytes::ByteView public_key, bytes::ByteView message, bytes::ByteView signature);

/// Signs and verifies `interlude/v1 NAME`, a zero byte, the struct (exact.md, Bytes).
Signature sign_labelled(SigningKey const& key, std::string_view name, bytes::ByteView structure);
base::Result<void> verify_labelled(bytes::ByteView public_key, std::string_view name, bytes::ByteView structure,
                                   bytes::ByteView signature);

}  // namespace interlude::crypto
