#include "common/wire/codec_parts.hpp"

namespace interlude::wire {

namespace {
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t key_bytes = 32;
}  // namespace

Result<SignedDocument> read(v1::SignedDocument const& proto) {
    SignedDocument out;
    INTERLUDE_TRY(out.kind, read_enum(proto.kind(), DocumentKind::terms));
    out.bytes = read_bytes(proto.bytes());
    INTERLUDE_TRY(out.signature, read_sized(proto.signature(), signature_bytes));
    return out;
}
void write(v1::SignedDocument& proto, SignedDocument const& from) {
    proto.set_kind(static_cast<v1::DocumentKind>(from.kind));
    proto.set_bytes(bytes_field(from.bytes));
    proto.set_signature(bytes_field(from.signature));
}

Result<PublishedDocument> read(v1::PublishedDocument const& proto) {
    PublishedDocument out;
    INTERLUDE_TRY(out.document, read(proto.document()));
    INTERLUDE_TRY(out.in_force_from, read_time(proto.in_force_from()));
    return out;
}
void write(v1::PublishedDocument& proto, PublishedDocument const& from) {
    write(*proto.mutable_document(), from.document);
    proto.set_in_force_from(time_field(from.in_force_from));
}

Result<LogItem> read(v1::LogItem const& proto) {
    LogItem out;
    INTERLUDE_TRY(out.subject, read_id<SubjectId>(proto.subject()));
    out.counter = proto.counter();
    out.index = proto.index();
    out.entry = read_bytes(proto.entry());
    out.salt = read_bytes(proto.salt());
    out.payload = read_bytes(proto.payload());
    out.proof = proto.proof();
    return out;
}
void write(v1::LogItem& proto, LogItem const& from) {
    proto.set_subject(id_field(from.subject));
    proto.set_counter(from.counter);
    proto.set_index(from.index);
    proto.set_entry(bytes_field(from.entry));
    proto.set_salt(bytes_field(from.salt));
    proto.set_payload(bytes_field(from.payload));
    proto.set_proof(from.proof);
}

Result<Hold> read(v1::Hold const& proto) {
    Hold out;
    INTERLUDE_TRY(out.account, read_id<AccountId>(proto.account()));
    if (proto.has_until()) {
        INTERLUDE_TRY(out.until, read_time(proto.until()));
    }
    return out;
}
void write(v1::Hold& proto, Hold const& from) {
    proto.set_account(id_field(from.account));
    if (from.until) proto.set_until(time_field(*from.until));
}

Result<ConversationState> read(v1::ConversationState const& proto) {
    ConversationState out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    out.generation = proto.generation();
    out.epoch = proto.epoch();
    INTERLUDE_TRY(out.members,
                  read_list<MemberState>(proto.members(), [](v1::MemberState const& member) -> Result<MemberState> {
                      MemberState state;
                      INTERLUDE_TRY(state.account, read_id<AccountId>(member.account()));
                      INTERLUDE_TRY(state.side, read_enum(member.side(), Side::therapist));
                      INTERLUDE_TRY(state.devices, read_ids<DeviceId>(member.devices()));
                      return state;
                  }));
    out.last_own_seq = proto.last_own_seq();
    out.closed = proto.closed();
    return out;
}
void write(v1::ConversationState& proto, ConversationState const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_generation(from.generation);
    proto.set_epoch(from.epoch);
    for (auto const& member : from.members) {
        auto& out = *proto.add_members();
        out.set_account(id_field(member.account));
        out.set_side(static_cast<v1::Side>(member.side));
        for (auto const& device : member.devices) out.add_devices(id_field(device));
    }
    proto.set_last_own_seq(from.last_own_seq);
    proto.set_closed(from.closed);
}

Result<SubjectState> read(v1::SubjectState const& proto) {
    SubjectState out;
    INTERLUDE_TRY(out.subject, read_id<SubjectId>(proto.subject()));
    INTERLUDE_TRY(out.key, read_sized(proto.key(), key_bytes));
    out.counter = proto.counter();
    INTERLUDE_TRY(out.head, read_id<Hash32>(proto.head()));
    return out;
}
void write(v1::SubjectState& proto, SubjectState const& from) {
    proto.set_subject(id_field(from.subject));
    proto.set_key(bytes_field(from.key));
    proto.set_counter(from.counter);
    proto.set_head(id_field(from.head));
}

}  // namespace interlude::wire
