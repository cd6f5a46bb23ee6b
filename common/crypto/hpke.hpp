// HPKE (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and the AEADs of the suite table. Single shot for MLS;
// contexts with sequence numbers, PSK and auth modes and exports for completeness and the RFC's vectors.
#pragma once

#include <optional>

#include "common/base/result.hpp"
#include "common/bytes/secret.hpp"
#include "common/crypto/entropy.hpp"
#include "common/crypto/suite.hpp"

namespace interlude::crypto {

inline constexpr std::size_t x25519_size = 32;

struct HpkeKeyPair {
    bytes::Bytes public_key;         // Npk
    bytes::SecretBytes private_key;  // Nsk
    HpkeKeyPair clone() const { return {public_key, private_key.clone()}; }
};

/// X25519 (RFC 7748 §5). bad_key for wrong sizes and for an all-zero result (RFC 9180 §7.1.4).
base::Result<bytes::SecretBytes> x25519(bytes::ByteView private_key, bytes::ByteView public_key);
base::Result<bytes::Bytes> x25519_public(bytes::ByteView private_key);

/// RFC 9180 §7.1.3, DeriveKeyPair.
HpkeKeyPair hpke_derive_key_pair(Suite const& suite, bytes::ByteView input_key_material);
HpkeKeyPair hpke_generate_key_pair(Suite const& suite, Entropy& entropy);
/// bad_key unless `private_key` is one of this KEM.
base::Result<HpkeKeyPair> hpke_key_pair_from_private(Suite const& suite, bytes::ByteView private_key);

struct HpkeCiphertext {
    bytes::Bytes kem_output;  // enc
    bytes::Bytes ciphertext;
};

/// RFC 9180 §6.1, base mode, single shot.
base::Result<HpkeCiphertext> hpke_seal(Suite const& suite, bytes::ByteView recipient_public, bytes::ByteView info,
                                       bytes::ByteView associated_data, bytes::ByteView plaintext, Entropy& entropy);
base::Result<bytes::SecretBytes> hpke_open(Suite const& suite, bytes::ByteView kem_output, HpkeKeyPair const& recipient,
                                           bytes::ByteView info, bytes::ByteView associated_data,
                                           bytes::ByteView ciphertext);

/// RFC 9180 §5.3: the secret exported from a base-mode context (RFC 9420 §8.3, external init).
struct HpkeExport {
    bytes::Bytes kem_output;
    bytes::SecretBytes secret;
};
base::Result<HpkeExport> hpke_export_to(Suite const& suite, bytes::ByteView recipient_public, bytes::ByteView info,
                                        bytes::ByteView exporter_context, std::size_t length, Entropy& entropy);
base::Result<bytes::SecretBytes> hpke_export_from(Suite const& suite, bytes::ByteView kem_output,
                                                  HpkeKeyPair const& recipient, bytes::ByteView info,
                                                  bytes::ByteView exporter_context, std::size_t length);

}  // namespace interlude::crypto
