#include "common/audit/entry.hpp"

#include "common/audit/labels.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::audit {

using base::Errc;
using base::Result;

namespace {

constexpr std::size_t reserved_bytes = base::limits::entry_bytes - 2 - 8 - 32 - 32;
constexpr auto minute = std::chrono::minutes{1};

base::SubjectId subject(SubjectKind kind, bytes::ByteView id) {
    auto const structure = bytes::Writer().u8(static_cast<std::uint8_t>(kind)).raw(id).take();
    return {crypto::labelled_hash(labels::subject, structure).bytes};
}

}  // namespace

base::SubjectId subject_of(base::ConversationId const& conversation) {
    return subject(SubjectKind::conversation, conversation.bytes);
}
base::SubjectId subject_of(base::AccountId const& account) {
    return subject(SubjectKind::account, account.bytes);
}
base::SubjectId operator_subject(base::InstanceId const& instance) {
    return subject(SubjectKind::operator_, instance.bytes);
}

base::WallTime minute_of(base::WallTime time) {
    return std::chrono::floor<std::chrono::minutes>(time);
}

Hash32 tag_of(SubjectKey const& key, std::uint64_t counter) {
    auto const structure = bytes::Writer().u64(counter).take();
    return crypto::hmac_sha256(key.bytes.expose(), bytes::labelled(labels::tag, structure));
}

Hash32 commitment_of(bytes::ByteView salt, bytes::ByteView payload) {
    INTERLUDE_CHECK(salt.size() == salt_bytes && payload.size() == base::limits::payload_bytes);
    return crypto::hmac_sha256(salt, bytes::labelled(labels::commitment, payload));
}

Entry make_entry(SubjectKey const& key, std::uint64_t counter, base::WallTime decided_at, bytes::ByteView salt,
                 bytes::ByteView payload) {
    return {minute_of(decided_at), tag_of(key, counter), commitment_of(salt, payload)};
}

bytes::Bytes encode_entry(Entry const& entry) {
    INTERLUDE_CHECK(entry.minute == minute_of(entry.minute));
    return bytes::Writer()
        .u16(entry_version)
        .time(entry.minute)
        .id(entry.tag)
        .id(entry.commitment)
        .raw(bytes::Bytes(reserved_bytes))
        .take();
}

Result<Entry> decode_entry(bytes::ByteView from) {
    bytes::Reader rest(from);
    Entry entry;
    INTERLUDE_TRY(auto version, rest.u16());
    if (version != entry_version) return Errc::unsupported;
    INTERLUDE_TRY(entry.minute, rest.time());
    if (entry.minute.time_since_epoch() % minute != base::Millis{0}) return Errc::malformed;
    INTERLUDE_TRY(entry.tag, rest.id<Hash32>());
    INTERLUDE_TRY(entry.commitment, rest.id<Hash32>());
    INTERLUDE_TRY(auto reserved, rest.raw(reserved_bytes));
    if (!std::all_of(reserved.begin(), reserved.end(), [](auto byte) { return byte == 0; })) return Errc::malformed;
    INTERLUDE_TRY_VOID(rest.finish());
    return entry;
}

}  // namespace interlude::audit
