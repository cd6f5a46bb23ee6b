// Labelled cryptography: SignWithLabel, EncryptWithLabel, RefHash (RFC 9420 §5.1.2, §5.1.3, §5.2), ExpandWithLabel,
// DeriveSecret (§8) and DeriveTreeSecret (§9.1). Labels are given without their "MLS 1.0 " prefix, except RefHash's.
#pragma once

#include "common/crypto/entropy.hpp"
#include "common/crypto/hpke.hpp"
#include "common/crypto/sign.hpp"
#include "common/crypto/suite.hpp"
#include "common/mls/messages.hpp"

namespace interlude::mls {

Bytes ref_hash(crypto::Suite const& suite, std::string_view full_label, ByteView value);
KeyPackageRef key_package_ref(crypto::Suite const& suite, KeyPackage const& key_package);
/// Of the AuthenticatedContent that carries the proposal.
ProposalRef proposal_ref(crypto::Suite const& suite, AuthenticatedContent const& content);

/// The suite's hash.
Bytes hash(crypto::Suite const& suite, ByteView data);
SecretBytes expand_with_label(crypto::Suite const& suite, ByteView secret, std::string_view label, ByteView context,
                              std::size_t length);
SecretBytes derive_secret(crypto::Suite const& suite, ByteView secret, std::string_view label);
SecretBytes derive_tree_secret(crypto::Suite const& suite, ByteView secret, std::string_view label,
                               std::uint32_t generation, std::size_t length);

Bytes sign_with_label(crypto::SigningKey const& key, std::string_view label, ByteView content);
Result<void> verify_with_label(ByteView public_key, std::string_view label, ByteView content, ByteView signature);

/// bad_key if the recipient's key is not one of the KEM.
Result<HPKECiphertext> encrypt_with_label(crypto::Suite const& suite, ByteView recipient, std::string_view label,
                                          ByteView context, ByteView plaintext, crypto::Entropy& entropy);
Result<SecretBytes> decrypt_with_label(crypto::Suite const& suite, crypto::HpkeKeyPair const& recipient,
                                       std::string_view label, ByteView context, HPKECiphertext const& ciphertext);

}  // namespace interlude::mls
