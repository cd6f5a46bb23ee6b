// HPKE contexts (RFC 9180 §5): all four modes, sequence numbers, exports, the export-only AEAD. MLS itself needs only
// the single-shot functions of hpke.hpp, which are built on these.
#pragma once

#include "common/crypto/hpke.hpp"

namespace interlude::crypto {

/// The algorithms of a context (RFC 9180 §7); no AEAD means export-only (0xffff).
struct HpkeAlgorithms {
    std::uint16_t kem_id = 0x0020;
    std::uint16_t kdf_id = 0x0001;
    std::optional<Aead> aead;
};
HpkeAlgorithms hpke_algorithms(Suite const& suite);

/// RFC 9180 §5.1: the values that go into the key schedule.
enum class HpkeMode : std::uint8_t { base = 0, psk = 1, auth = 2, auth_psk = 3 };

/// A pre-shared key with its name; neither may be empty (checked).
struct HpkePsk {
    bytes::ByteView psk;
    bytes::ByteView id;
};

/// One direction of an encrypted conversation. Each seal or open spends a sequence number; a refused open spends none.
class HpkeContext {
  public:
    /// limit when the sequence numbers ran out, unsupported for export-only.
    base::Result<bytes::Bytes> seal(bytes::ByteView associated_data, bytes::ByteView plaintext);
    base::Result<bytes::SecretBytes> open(bytes::ByteView associated_data, bytes::ByteView ciphertext);
    /// RFC 9180 §5.3; at most 255 * 32 bytes (checked).
    bytes::SecretBytes export_secret(bytes::ByteView exporter_context, std::size_t length) const;

  private:
    friend class HpkeKeySchedule;
    HpkeContext() = default;
    bytes::Bytes nonce() const;

    HpkeAlgorithms algorithms_;
    bytes::SecretBytes key_;
    bytes::SecretBytes base_nonce_;
    bytes::SecretBytes exporter_secret_;
    std::uint64_t sequence_ = 0;
};

struct HpkeSenderSetup {
    bytes::Bytes kem_output;  // enc
    HpkeContext context;
};

/// The mode follows from what is given: a PSK, the sender's key pair, both or neither. `ephemeral` is used once.
base::Result<HpkeSenderSetup> hpke_setup_sender(HpkeAlgorithms const& algorithms, bytes::ByteView recipient_public,
                                                bytes::ByteView info, HpkeKeyPair const& ephemeral,
                                                std::optional<HpkePsk> psk = {}, HpkeKeyPair const* sender = nullptr);
base::Result<HpkeContext> hpke_setup_recipient(HpkeAlgorithms const& algorithms, bytes::ByteView kem_output,
                                               HpkeKeyPair const& recipient, bytes::ByteView info,
                                               std::optional<HpkePsk> psk = {},
                                               std::optional<bytes::ByteView> sender_public = {});

}  // namespace interlude::crypto
