#include "common/mls/key_schedule.hpp"

#include "common/crypto/hash.hpp"

namespace interlude::mls {

namespace {
constexpr std::string_view external_init_label = "MLS 1.0 external init secret";
}  // namespace

EpochSecrets EpochSecrets::clone() const {
    return {.sender_data_secret = sender_data_secret.clone(),
            .encryption_secret = encryption_secret.clone(),
            .exporter_secret = exporter_secret.clone(),
            .external_secret = external_secret.clone(),
            .confirmation_key = confirmation_key.clone(),
            .membership_key = membership_key.clone(),
            .resumption_psk = resumption_psk.clone(),
            .epoch_authenticator = epoch_authenticator.clone(),
            .init_secret = init_secret.clone()};
}

void write(Writer& writer, EpochSecrets const& secrets) {
    for (auto const* secret : {&secrets.sender_data_secret, &secrets.encryption_secret, &secrets.exporter_secret,
                               &secrets.external_secret, &secrets.confirmation_key, &secrets.membership_key,
                               &secrets.resumption_psk, &secrets.epoch_authenticator, &secrets.init_secret}) {
        writer.opaque(secret->expose());
    }
}

Result<EpochSecrets> read_epoch_secrets(Reader& reader) {
    EpochSecrets secrets;
    for (auto* secret : {&secrets.sender_data_secret, &secrets.encryption_secret, &secrets.exporter_secret,
                         &secrets.external_secret, &secrets.confirmation_key, &secrets.membership_key,
                         &secrets.resumption_psk, &secrets.epoch_authenticator, &secrets.init_secret}) {
        INTERLUDE_TRY(*secret, read_secret(reader));
    }
    return secrets;
}

SecretBytes zero_secret(crypto::Suite const& suite) {
    return SecretBytes(suite.hash_size);
}

SecretBytes joiner_secret(crypto::Suite const& suite, ByteView init_secret, ByteView commit_secret,
                          GroupContext const& context) {
    auto const extracted = crypto::hkdf_extract(init_secret, commit_secret);
    return expand_with_label(suite, extracted.expose(), "joiner", encode(context), suite.hash_size);
}

SecretBytes welcome_secret(crypto::Suite const& suite, ByteView joiner_secret, ByteView psk_secret) {
    auto const member = crypto::hkdf_extract(joiner_secret, psk_secret);
    return derive_secret(suite, member.expose(), "welcome");
}

EpochSecrets epoch_secrets(crypto::Suite const& suite, ByteView joiner_secret, ByteView psk_secret,
                           GroupContext const& context) {
    auto const member = crypto::hkdf_extract(joiner_secret, psk_secret);
    auto const epoch = expand_with_label(suite, member.expose(), "epoch", encode(context), suite.hash_size);
    return epoch_secrets_from(suite, epoch.expose());
}

EpochSecrets epoch_secrets_from(crypto::Suite const& suite, ByteView epoch_secret) {
    auto const derive = [&](std::string_view label) { return derive_secret(suite, epoch_secret, label); };
    return {.sender_data_secret = derive("sender data"),
            .encryption_secret = derive("encryption"),
            .exporter_secret = derive("exporter"),
            .external_secret = derive("external"),
            .confirmation_key = derive("confirm"),
            .membership_key = derive("membership"),
            .resumption_psk = derive("resumption"),
            .epoch_authenticator = derive("authentication"),
            .init_secret = derive("init")};
}

SecretBytes export_from(crypto::Suite const& suite, ByteView exporter_secret, std::string_view label, ByteView context,
                        std::size_t length) {
    auto const derived = derive_secret(suite, exporter_secret, label);
    return expand_with_label(suite, derived.expose(), "exported", hash(suite, context), length);
}

KeyAndNonce welcome_key(crypto::Suite const& suite, ByteView welcome_secret) {
    return {expand_with_label(suite, welcome_secret, "key", {}, suite.key_size),
            expand_with_label(suite, welcome_secret, "nonce", {}, suite.nonce_size)};
}

crypto::HpkeKeyPair external_key_pair(crypto::Suite const& suite, ByteView external_secret) {
    return crypto::hpke_derive_key_pair(suite, external_secret);
}

Result<ExternalInitSecret> make_external_init(crypto::Suite const& suite, ByteView external_pub,
                                              crypto::Entropy& entropy) {
    INTERLUDE_TRY(auto exported, crypto::hpke_export_to(suite, external_pub, {}, bytes::view(external_init_label),
                                                        suite.hash_size, entropy));
    return ExternalInitSecret{std::move(exported.kem_output), std::move(exported.secret)};
}

Result<SecretBytes> open_external_init(crypto::Suite const& suite, ByteView external_secret, ByteView kem_output) {
    return crypto::hpke_export_from(suite, kem_output, external_key_pair(suite, external_secret), {},
                                    bytes::view(external_init_label), suite.hash_size);
}

}  // namespace interlude::mls
