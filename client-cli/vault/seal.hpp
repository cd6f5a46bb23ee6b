// The vault's cryptography without its file: sealing of records and the additive hash over all of them.
#pragma once

#include "client-cli/engine/vault_port.hpp"
#include "common/base/result.hpp"
#include "common/crypto/entropy.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::vault {

using bytes::Bytes;
using bytes::ByteView;

inline constexpr std::size_t master_key_bytes = 32;
inline constexpr std::size_t group_prefix_bytes = 16;
inline constexpr std::uint8_t head_table = 0;

/// Where a record lives; says nothing about its key to whoever lacks the master key.
using Slot = base::Hash32;

struct OpenedRecord {
    Bytes key;
    Bytes value;
};

class Sealer {
  public:
    explicit Sealer(ByteView master_key);

    Slot slot(std::uint8_t table, ByteView key) const;
    /// Of the key's first 16 bytes; keys of one prefix of that length or more share it.
    Slot group(std::uint8_t table, ByteView key) const;
    Bytes seal(std::uint8_t table, Slot const& slot, std::uint64_t version, ByteView key, ByteView value,
               crypto::Entropy& entropy) const;
    /// decrypt_failed, malformed, inconsistent (a record in a slot that is not its own).
    base::Result<OpenedRecord> open(std::uint8_t table, Slot const& slot, std::uint64_t version, ByteView sealed) const;

  private:
    bytes::SecretBytes seal_key_;
    bytes::SecretBytes slot_key_;
    bytes::SecretBytes group_key_;
};

/// Sum modulo 2^256 of one hash for each row: order does not matter, adding and taking away are one step each.
/// The group is part of it: a row in another group would be missing from its scans.
class RowSum {
  public:
    void add(std::uint8_t table, Slot const& slot, Slot const& group, std::uint64_t version, ByteView sealed);
    void take(std::uint8_t table, Slot const& slot, Slot const& group, std::uint64_t version, ByteView sealed);
    base::Hash32 const& value() const { return sum_; }
    static RowSum from(base::Hash32 const& value);
    bool operator==(RowSum const&) const = default;

  private:
    base::Hash32 sum_;
};

/// The master key under a passphrase or key file: nonce ‖ sealed.
Bytes wrap_master_key(ByteView master_key, ByteView wrapping_key, crypto::Entropy& entropy);
/// decrypt_failed: another passphrase or key.
base::Result<bytes::SecretBytes> unwrap_master_key(ByteView wrapped, ByteView wrapping_key);

}  // namespace interlude::vault
