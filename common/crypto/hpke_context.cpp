#include "common/crypto/hpke_context.hpp"

#include <limits>

#include "common/base/check.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/aead.hpp"
#include "common/crypto/hash.hpp"
#include "common/crypto/hpke_labels.hpp"

namespace interlude::crypto {

using base::Errc;
using base::Result;
using bytes::Bytes;
using bytes::ByteView;
using bytes::SecretBytes;
using bytes::view;

namespace {

constexpr std::uint16_t export_only_id = 0xffff;

Bytes suite_id_of(HpkeAlgorithms const& algorithms) {
    bytes::Writer out;
    out.raw(view("HPKE")).u16(algorithms.kem_id).u16(algorithms.kdf_id);
    out.u16(algorithms.aead ? static_cast<std::uint16_t>(*algorithms.aead) : export_only_id);
    return std::move(out).take();
}

SecretBytes joined(SecretBytes const& first, SecretBytes const& second) {
    SecretBytes out(first.size() + second.size());
    auto const a = first.expose();
    auto const b = second.expose();
    std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), out.expose_mutable().begin()));
    return out;
}

// RFC 9180 §4.1, ExtractAndExpand.
SecretBytes shared_secret_of(std::uint16_t kem_id, SecretBytes const& dh, ByteView kem_context) {
    auto const suite_id = hpke_kem_suite_id(kem_id);
    auto const eae_prk = hpke_labelled_extract(suite_id, {}, "eae_prk", dh.expose());
    return hpke_labelled_expand(suite_id, eae_prk.expose(), "shared_secret", kem_context, 32);
}

}  // namespace

HpkeAlgorithms hpke_algorithms(Suite const& suite) {
    return {.kem_id = suite.kem_id, .kdf_id = suite.kdf_id, .aead = suite.aead};
}

/// RFC 9180 §5.1, KeySchedule: the one place that makes contexts.
class HpkeKeySchedule {
  public:
    static HpkeContext run(HpkeAlgorithms const& algorithms, HpkeMode mode, SecretBytes const& shared_secret,
                           ByteView info, std::optional<HpkePsk> psk) {
        INTERLUDE_CHECK(!psk || (!psk->psk.empty() && !psk->id.empty()));
        auto const suite_id = suite_id_of(algorithms);
        auto const psk_id_hash = hpke_labelled_extract(suite_id, {}, "psk_id_hash", psk ? psk->id : ByteView{});
        auto const info_hash = hpke_labelled_extract(suite_id, {}, "info_hash", info);
        bytes::Writer writer;
        writer.u8(static_cast<std::uint8_t>(mode)).raw(psk_id_hash.expose()).raw(info_hash.expose());
        auto const context = std::move(writer).take();
        auto const secret =
            hpke_labelled_extract(suite_id, shared_secret.expose(), "secret", psk ? psk->psk : ByteView{});

        HpkeContext out;
        out.algorithms_ = algorithms;
        if (algorithms.aead) {
            out.key_ = hpke_labelled_expand(suite_id, secret.expose(), "key", context, aead_key_size(*algorithms.aead));
            out.base_nonce_ = hpke_labelled_expand(suite_id, secret.expose(), "base_nonce", context, aead_nonce_size);
        }
        out.exporter_secret_ = hpke_labelled_expand(suite_id, secret.expose(), "exp", context, 32);
        return out;
    }
};

namespace {

HpkeMode mode_of(bool with_psk, bool with_sender) {
    if (with_sender) return with_psk ? HpkeMode::auth_psk : HpkeMode::auth;
    return with_psk ? HpkeMode::psk : HpkeMode::base;
}

}  // namespace

// RFC 9180 §4.1 (Encap, AuthEncap) and §5.1.
Result<HpkeSenderSetup> hpke_setup_sender(HpkeAlgorithms const& algorithms, ByteView recipient_public, ByteView info,
                                          HpkeKeyPair const& ephemeral, std::optional<HpkePsk> psk,
                                          HpkeKeyPair const* sender) {
    INTERLUDE_TRY(auto dh, x25519(ephemeral.private_key.expose(), recipient_public));
    Bytes kem_context = ephemeral.public_key;
    bytes::append(kem_context, recipient_public);
    if (sender != nullptr) {
        INTERLUDE_TRY(auto sender_dh, x25519(sender->private_key.expose(), recipient_public));
        dh = joined(dh, sender_dh);
        bytes::append(kem_context, sender->public_key);
    }
    auto const shared_secret = shared_secret_of(algorithms.kem_id, dh, kem_context);
    auto const mode = mode_of(psk.has_value(), sender != nullptr);
    return HpkeSenderSetup{ephemeral.public_key, HpkeKeySchedule::run(algorithms, mode, shared_secret, info, psk)};
}

// RFC 9180 §4.1 (Decap, AuthDecap) and §5.1.
Result<HpkeContext> hpke_setup_recipient(HpkeAlgorithms const& algorithms, ByteView kem_output,
                                         HpkeKeyPair const& recipient, ByteView info, std::optional<HpkePsk> psk,
                                         std::optional<ByteView> sender_public) {
    INTERLUDE_TRY(auto dh, x25519(recipient.private_key.expose(), kem_output));
    Bytes kem_context = bytes::copy(kem_output);
    bytes::append(kem_context, recipient.public_key);
    if (sender_public) {
        INTERLUDE_TRY(auto sender_dh, x25519(recipient.private_key.expose(), *sender_public));
        dh = joined(dh, sender_dh);
        bytes::append(kem_context, *sender_public);
    }
    auto const shared_secret = shared_secret_of(algorithms.kem_id, dh, kem_context);
    auto const mode = mode_of(psk.has_value(), sender_public.has_value());
    return HpkeKeySchedule::run(algorithms, mode, shared_secret, info, psk);
}

// RFC 9180 §5.2: the base nonce with the sequence number XORed into its end.
Bytes HpkeContext::nonce() const {
    auto out = bytes::copy(base_nonce_.expose());
    for (std::size_t i = 0; i < 8; ++i) out[out.size() - 1 - i] ^= static_cast<std::uint8_t>(sequence_ >> (8 * i));
    return out;
}

Result<Bytes> HpkeContext::seal(ByteView associated_data, ByteView plaintext) {
    if (!algorithms_.aead) return Errc::unsupported;
    if (sequence_ == std::numeric_limits<std::uint64_t>::max()) return Errc::limit;
    auto sealed = aead_seal(*algorithms_.aead, key_.expose(), nonce(), associated_data, plaintext);
    ++sequence_;
    return sealed;
}

Result<SecretBytes> HpkeContext::open(ByteView associated_data, ByteView ciphertext) {
    if (!algorithms_.aead) return Errc::unsupported;
    if (sequence_ == std::numeric_limits<std::uint64_t>::max()) return Errc::limit;
    auto opened = aead_open(*algorithms_.aead, key_.expose(), nonce(), associated_data, ciphertext);
    if (opened) ++sequence_;
    return opened;
}

SecretBytes HpkeContext::export_secret(ByteView exporter_context, std::size_t length) const {
    return hpke_labelled_expand(suite_id_of(algorithms_), exporter_secret_.expose(), "sec", exporter_context, length);
}

}  // namespace interlude::crypto
