// The log's entry: 104 bytes of commitments that say nothing to anybody who has neither k_tag nor salt (audit.md,
// Entry).
#pragma once

#include "common/audit/merkle.hpp"
#include "common/base/limits.hpp"
#include "common/base/time.hpp"
#include "common/bytes/secret.hpp"
#include "common/crypto/entropy.hpp"

namespace interlude::audit {

inline constexpr std::uint16_t entry_version = 1;
inline constexpr std::size_t salt_bytes = 32;
inline constexpr std::size_t subject_key_bytes = 32;

/// A subject is a chain with one head.
enum class SubjectKind : std::uint8_t { conversation = 1, account = 2, operator_ = 3 };

/// Labelled hash of kind and id.
base::SubjectId subject_of(base::ConversationId const& conversation);
base::SubjectId subject_of(base::AccountId const& account);
base::SubjectId operator_subject(base::InstanceId const& instance);

/// k_tag: lets a subject's parties recognise its entries.
struct SubjectKey {
    bytes::SecretBytes bytes;
    static SubjectKey generate(crypto::Entropy& entropy) { return {entropy.secret(subject_key_bytes)}; }
    SubjectKey clone() const { return {bytes.clone()}; }
};

/// version u16 ‖ time u64 ‖ tag[32] ‖ commitment[32] ‖ zero[30].
struct Entry {
    base::WallTime minute;  // a whole minute
    Hash32 tag;
    Hash32 commitment;
    bool operator==(Entry const&) const = default;
};

/// The minute's start, at or before `time`.
base::WallTime minute_of(base::WallTime time);
/// HMAC-SHA256(k_tag, label ‖ counter).
Hash32 tag_of(SubjectKey const& key, std::uint64_t counter);
/// HMAC-SHA256(salt, label ‖ payload); `salt` 32, `payload` 512 bytes (checked).
Hash32 commitment_of(bytes::ByteView salt, bytes::ByteView payload);

Entry make_entry(SubjectKey const& key, std::uint64_t counter, base::WallTime decided_at, bytes::ByteView salt,
                 bytes::ByteView payload);

bytes::Bytes encode_entry(Entry const& entry);  ///< 104 bytes
base::Result<Entry> decode_entry(bytes::ByteView from);
/// RFC 6962 leaf hash of the 104 bytes: what `previous` in the next payload names.
inline Hash32 entry_hash(bytes::ByteView entry) {
    return leaf_hash(entry);
}

}  // namespace interlude::audit
