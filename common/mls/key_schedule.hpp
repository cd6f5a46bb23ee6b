// The key schedule: from one epoch's init secret, a commit's secret and the PSKs to all secrets of the next epoch
// (RFC 9420 §8), the exporter (§8.5) and the init secret of an external commit (§8.3).
#pragma once

#include "common/mls/labels.hpp"

namespace interlude::mls {

/// What one epoch's keys come from. Move-only: copies are explicit.
struct EpochSecrets {
    SecretBytes sender_data_secret;
    SecretBytes encryption_secret;  // emptied once the secret tree has taken it
    SecretBytes exporter_secret;
    SecretBytes external_secret;
    SecretBytes confirmation_key;
    SecretBytes membership_key;
    SecretBytes resumption_psk;
    SecretBytes epoch_authenticator;
    SecretBytes init_secret;  // for the next epoch

    EpochSecrets clone() const;
};

void write(Writer& writer, EpochSecrets const& secrets);
Result<EpochSecrets> read_epoch_secrets(Reader& reader);

/// The joiner secret from the previous epoch's init secret and the commit secret (zeros without a path).
SecretBytes joiner_secret(crypto::Suite const& suite, ByteView init_secret, ByteView commit_secret,
                          GroupContext const& context);
/// Nh zeros: the commit secret without a path, the PSK secret without PSKs.
SecretBytes zero_secret(crypto::Suite const& suite);

SecretBytes welcome_secret(crypto::Suite const& suite, ByteView joiner_secret, ByteView psk_secret);
EpochSecrets epoch_secrets(crypto::Suite const& suite, ByteView joiner_secret, ByteView psk_secret,
                           GroupContext const& context);
/// Directly from an epoch secret: a founder's, which is random (§11).
EpochSecrets epoch_secrets_from(crypto::Suite const& suite, ByteView epoch_secret);

/// §8.5, MLS-Exporter.
SecretBytes export_from(crypto::Suite const& suite, ByteView exporter_secret, std::string_view label, ByteView context,
                        std::size_t length);

/// Key and nonce of a Welcome's GroupInfo (§12.4.3.1).
struct KeyAndNonce {
    SecretBytes key;
    SecretBytes nonce;
    KeyAndNonce clone() const { return {key.clone(), nonce.clone()}; }
};
KeyAndNonce welcome_key(crypto::Suite const& suite, ByteView welcome_secret);

/// §8: the key pair that external commits encrypt to.
crypto::HpkeKeyPair external_key_pair(crypto::Suite const& suite, ByteView external_secret);
struct ExternalInitSecret {
    Bytes kem_output;
    SecretBytes init_secret;
};
Result<ExternalInitSecret> make_external_init(crypto::Suite const& suite, ByteView external_pub,
                                              crypto::Entropy& entropy);
Result<SecretBytes> open_external_init(crypto::Suite const& suite, ByteView external_secret, ByteView kem_output);

}  // namespace interlude::mls
