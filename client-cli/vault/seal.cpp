#include "client-cli/vault/seal.hpp"

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/aead.hpp"

namespace interlude::vault {

namespace {

bytes::SecretBytes subkey(ByteView master_key, std::string_view name) {
    return crypto::hkdf_expand(master_key, bytes::labelled(name, {}), master_key_bytes);
}

Bytes associated_data(std::uint8_t table, Slot const& slot, std::uint64_t version) {
    bytes::Writer writer;
    writer.u8(table).id(slot).u64(version);
    return bytes::labelled("vault record", writer.bytes());
}

base::Hash32 row_hash(std::uint8_t table, Slot const& slot, Slot const& group, std::uint64_t version, ByteView sealed) {
    bytes::Writer writer;
    auto const tag_size = std::min(sealed.size(), crypto::aead_tag_size);
    writer.u8(table).id(slot).id(group).u64(version).opaque(sealed.last(tag_size));
    return crypto::labelled_hash("vault row", writer.bytes());
}

}  // namespace

Sealer::Sealer(ByteView master_key)
    : seal_key_(subkey(master_key, "vault seal key")),
      slot_key_(subkey(master_key, "vault slot key")),
      group_key_(subkey(master_key, "vault group key")) {}

Slot Sealer::slot(std::uint8_t table, ByteView key) const {
    bytes::Writer writer;
    writer.u8(table).opaque(key);
    return crypto::hmac_sha256(slot_key_.expose(), writer.bytes());
}

Slot Sealer::group(std::uint8_t table, ByteView key) const {
    bytes::Writer writer;
    writer.u8(table).opaque(key.first(std::min(key.size(), group_prefix_bytes)));
    return crypto::hmac_sha256(group_key_.expose(), writer.bytes());
}

Bytes Sealer::seal(std::uint8_t table, Slot const& slot, std::uint64_t version, ByteView key, ByteView value,
                   crypto::Entropy& entropy) const {
    bytes::Writer writer;
    writer.opaque(key).opaque(value);
    auto plain = bytes::SecretBytes(std::move(writer).take());
    auto sealed = entropy.bytes(crypto::xchacha_nonce_size);
    auto const ciphertext =
        crypto::xchacha_seal(seal_key_.expose(), sealed, associated_data(table, slot, version), plain.expose());
    bytes::append(sealed, ciphertext);
    return sealed;
}

base::Result<OpenedRecord> Sealer::open(std::uint8_t table, Slot const& slot_of_row, std::uint64_t version,
                                        ByteView sealed) const {
    if (sealed.size() < crypto::xchacha_nonce_size) return base::Errc::truncated;
    auto const nonce = sealed.first(crypto::xchacha_nonce_size);
    INTERLUDE_TRY(auto plain,
                  crypto::xchacha_open(seal_key_.expose(), nonce, associated_data(table, slot_of_row, version),
                                       sealed.subspan(crypto::xchacha_nonce_size)));
    bytes::Reader reader(plain.expose());
    OpenedRecord record;
    INTERLUDE_TRY(auto key, reader.opaque());
    record.key = bytes::copy(key);
    INTERLUDE_TRY(auto value, reader.opaque());
    record.value = bytes::copy(value);
    INTERLUDE_TRY_VOID(reader.finish());
    if (slot(table, record.key) != slot_of_row) return base::Errc::inconsistent;
    return record;
}

void RowSum::add(std::uint8_t table, Slot const& slot, Slot const& group, std::uint64_t version, ByteView sealed) {
    auto const hash = row_hash(table, slot, group, version, sealed);
    unsigned carry = 0;
    for (std::size_t i = sum_.bytes.size(); i-- > 0;) {
        carry += unsigned{sum_.bytes[i]} + hash.bytes[i];
        sum_.bytes[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
}

void RowSum::take(std::uint8_t table, Slot const& slot, Slot const& group, std::uint64_t version, ByteView sealed) {
    auto const hash = row_hash(table, slot, group, version, sealed);
    int borrow = 0;
    for (std::size_t i = sum_.bytes.size(); i-- > 0;) {
        int const difference = int{sum_.bytes[i]} - hash.bytes[i] - borrow;
        borrow = difference < 0 ? 1 : 0;
        sum_.bytes[i] = static_cast<std::uint8_t>(difference + 256 * borrow);
    }
}

RowSum RowSum::from(base::Hash32 const& value) {
    RowSum sum;
    sum.sum_ = value;
    return sum;
}

Bytes wrap_master_key(ByteView master_key, ByteView wrapping_key, crypto::Entropy& entropy) {
    auto wrapped = entropy.bytes(crypto::xchacha_nonce_size);
    auto const sealed =
        crypto::xchacha_seal(wrapping_key, wrapped, bytes::labelled("vault master key", {}), master_key);
    bytes::append(wrapped, sealed);
    return wrapped;
}

base::Result<bytes::SecretBytes> unwrap_master_key(ByteView wrapped, ByteView wrapping_key) {
    if (wrapped.size() < crypto::xchacha_nonce_size) return base::Errc::truncated;
    auto const nonce = wrapped.first(crypto::xchacha_nonce_size);
    return crypto::xchacha_open(wrapping_key, nonce, bytes::labelled("vault master key", {}),
                                wrapped.subspan(crypto::xchacha_nonce_size));
}

}  // namespace interlude::vault
