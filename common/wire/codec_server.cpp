#include "common/wire/codec_server.hpp"

namespace interlude::wire {

namespace {

using wire::read;  // the parts, beside the overloads here

Result<Nonce> read(v1::Nonce const& proto) {
    Nonce out;
    INTERLUDE_TRY(out.nonce, read_sized(proto.nonce(), 32));
    if (proto.server_name().empty() || proto.server_name().size() > 255) return Errc::malformed;
    out.server_name = proto.server_name();
    INTERLUDE_TRY(out.time, read_time(proto.time()));
    return out;
}
void write(v1::Nonce& proto, Nonce const& from) {
    proto.set_nonce(bytes_field(from.nonce));
    proto.set_server_name(from.server_name);
    proto.set_time(time_field(from.time));
}

Result<std::vector<ConversationState>> read_conversations(
    google::protobuf::RepeatedPtrField<v1::ConversationState> const& fields) {
    return read_list<ConversationState>(fields, [](auto const& field) { return wire::read(field); });
}
Result<std::vector<SubjectState>> read_subjects(google::protobuf::RepeatedPtrField<v1::SubjectState> const& fields) {
    return read_list<SubjectState>(fields, [](auto const& field) { return wire::read(field); });
}

Result<Ready> read(v1::Ready const& proto) {
    Ready out;
    INTERLUDE_TRY(out.time, read_time(proto.time()));
    out.limits = {proto.limits().frame_bytes_max(), proto.limits().idle_seconds_max(),
                  proto.limits().hold_life_seconds(), proto.limits().in_flight_max()};
    INTERLUDE_TRY(out.instance, read_id<InstanceId>(proto.instance()));
    out.restore_count = proto.restore_count();
    out.checkpoint = proto.checkpoint();
    INTERLUDE_TRY(out.consistency, read_ids<Hash32>(proto.consistency()));
    out.log_vkey = proto.log_vkey();
    INTERLUDE_TRY(out.conversations, read_conversations(proto.conversations()));
    INTERLUDE_TRY(out.subjects, read_subjects(proto.subjects()));
    return out;
}
void write(v1::Ready& proto, Ready const& from) {
    proto.set_time(time_field(from.time));
    auto& limits = *proto.mutable_limits();
    limits.set_frame_bytes_max(from.limits.frame_bytes_max);
    limits.set_idle_seconds_max(from.limits.idle_seconds_max);
    limits.set_hold_life_seconds(from.limits.hold_life_seconds);
    limits.set_in_flight_max(from.limits.in_flight_max);
    proto.set_instance(id_field(from.instance));
    proto.set_restore_count(from.restore_count);
    proto.set_checkpoint(from.checkpoint);
    for (auto const& hash : from.consistency) proto.add_consistency(id_field(hash));
    proto.set_log_vkey(from.log_vkey);
    for (auto const& one : from.conversations) write(*proto.add_conversations(), one);
    for (auto const& one : from.subjects) write(*proto.add_subjects(), one);
}

Result<Invitations> read(v1::Invitations const& proto) {
    Invitations out;
    INTERLUDE_TRY(
        out.invitations,
        read_list<InvitationInfo>(proto.invitations(), [](v1::InvitationInfo const& field) -> Result<InvitationInfo> {
            InvitationInfo info;
            INTERLUDE_TRY(info.invitation, read_id<InvitationId>(field.invitation()));
            INTERLUDE_TRY(info.phase, read_enum(field.phase(), InvitationPhase::expired));
            INTERLUDE_TRY(info.expiry, read_time(field.expiry()));
            info.second_attempt = field.second_attempt();
            return info;
        }));
    return out;
}
void write(v1::Invitations& proto, Invitations const& from) {
    for (auto const& info : from.invitations) {
        auto& out = *proto.add_invitations();
        out.set_invitation(id_field(info.invitation));
        out.set_phase(static_cast<v1::InvitationPhase>(info.phase));
        out.set_expiry(time_field(info.expiry));
        out.set_second_attempt(info.second_attempt);
    }
}

Result<Redeemed> read(v1::Redeemed const& proto) {
    Redeemed out;
    INTERLUDE_TRY(out.account, read_id<AccountId>(proto.account()));
    if (proto.has_conversation()) {
        INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    }
    return out;
}
void write(v1::Redeemed& proto, Redeemed const& from) {
    proto.set_account(id_field(from.account));
    if (from.conversation) proto.set_conversation(id_field(*from.conversation));
}

Result<KeyPackages> read(v1::KeyPackages const& proto) {
    KeyPackages out;
    INTERLUDE_TRY(out.packages,
                  read_list<DeviceKeyPackage>(proto.packages(),
                                              [](v1::DeviceKeyPackage const& field) -> Result<DeviceKeyPackage> {
                                                  DeviceKeyPackage package;
                                                  INTERLUDE_TRY(package.device, read_id<DeviceId>(field.device()));
                                                  package.key_package = read_bytes(field.key_package());
                                                  package.last_resort = field.last_resort();
                                                  return package;
                                              }));
    return out;
}
void write(v1::KeyPackages& proto, KeyPackages const& from) {
    for (auto const& package : from.packages) {
        auto& out = *proto.add_packages();
        out.set_device(id_field(package.device));
        out.set_key_package(bytes_field(package.key_package));
        out.set_last_resort(package.last_resort);
    }
}

Result<KeyPackageStock> read(v1::KeyPackageStock const& proto) {
    return KeyPackageStock{proto.left()};
}
void write(v1::KeyPackageStock& proto, KeyPackageStock const& from) {
    proto.set_left(from.left);
}

Result<Handshake> read(v1::Handshake const& proto) {
    Handshake out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    out.generation = proto.generation();
    out.epoch = proto.epoch();
    INTERLUDE_TRY(out.sender_device, read_id<DeviceId>(proto.sender_device()));
    INTERLUDE_TRY(out.stamp, read_time(proto.stamp()));
    out.mls = read_bytes(proto.mls());
    out.declaration = read_bytes(proto.declaration());
    return out;
}
void write(v1::Handshake& proto, Handshake const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_generation(from.generation);
    proto.set_epoch(from.epoch);
    proto.set_sender_device(id_field(from.sender_device));
    proto.set_stamp(time_field(from.stamp));
    proto.set_mls(bytes_field(from.mls));
    proto.set_declaration(bytes_field(from.declaration));
}

Result<Accepted> read(v1::Accepted const& proto) {
    return Accepted{proto.epoch()};
}
void write(v1::Accepted& proto, Accepted const& from) {
    proto.set_epoch(from.epoch);
}

Result<Conflict> read(v1::Conflict const& proto) {
    Conflict out;
    if (proto.has_winner()) {
        INTERLUDE_TRY(out.winner, read(proto.winner()));
    }
    return out;
}
void write(v1::Conflict& proto, Conflict const& from) {
    if (from.winner) write(*proto.mutable_winner(), *from.winner);
}

Result<Stored> read(v1::Stored const& proto) {
    Stored out;
    out.seq = proto.seq();
    INTERLUDE_TRY(out.stamp, read_time(proto.stamp()));
    INTERLUDE_TRY(out.envelope, read_id<Hash32>(proto.envelope()));
    INTERLUDE_TRY(out.holds, read_list<Hold>(proto.holds(), [](auto const& field) { return wire::read(field); }));
    out.receipt = read_bytes(proto.receipt());
    out.receipt_signature = read_bytes(proto.receipt_signature());
    return out;
}
void write(v1::Stored& proto, Stored const& from) {
    proto.set_seq(from.seq);
    proto.set_stamp(time_field(from.stamp));
    proto.set_envelope(id_field(from.envelope));
    for (auto const& hold : from.holds) write(*proto.add_holds(), hold);
    proto.set_receipt(bytes_field(from.receipt));
    proto.set_receipt_signature(bytes_field(from.receipt_signature));
}

Result<Held> read(v1::Held const& proto) {
    Held out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    out.seq = proto.seq();
    INTERLUDE_TRY(out.item, read(proto.item()));
    return out;
}
void write(v1::Held& proto, Held const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_seq(from.seq);
    write(*proto.mutable_item(), from.item);
}

Result<Refused> read(v1::Refused const& proto) {
    Refused out;
    INTERLUDE_TRY(out.rule, read_enum(proto.rule(), Rule::unreachable));
    if (proto.problem() != v1::SCHEDULE_OK) {
        INTERLUDE_TRY(out.problem, read_enum(proto.problem(), ScheduleProblem::not_supported_yet));
    }
    if (proto.has_next_opening()) {
        INTERLUDE_TRY(out.next_opening, read_time(proto.next_opening()));
    }
    out.retry_after_seconds = proto.retry_after_seconds();
    if (proto.has_item()) {
        INTERLUDE_TRY(out.item, read(proto.item()));
    }
    return out;
}
void write(v1::Refused& proto, Refused const& from) {
    proto.set_rule(static_cast<v1::Rule>(from.rule));
    proto.set_problem(static_cast<v1::ScheduleProblem>(from.problem));
    if (from.next_opening) proto.set_next_opening(time_field(*from.next_opening));
    proto.set_retry_after_seconds(from.retry_after_seconds);
    if (from.item) write(*proto.mutable_item(), *from.item);
}

Result<EpochStale> read(v1::EpochStale const& proto) {
    return EpochStale{proto.epoch()};
}
void write(v1::EpochStale& proto, EpochStale const& from) {
    proto.set_epoch(from.epoch);
}

Result<LogEntries> read(v1::LogEntries const& proto) {
    LogEntries out;
    INTERLUDE_TRY(out.subject, read_id<SubjectId>(proto.subject()));
    INTERLUDE_TRY(out.items, read_list<LogItem>(proto.items(), [](auto const& field) { return wire::read(field); }));
    out.head_counter = proto.head_counter();
    INTERLUDE_TRY(out.head, read_id<Hash32>(proto.head()));
    out.checkpoint = proto.checkpoint();
    return out;
}
void write(v1::LogEntries& proto, LogEntries const& from) {
    proto.set_subject(id_field(from.subject));
    for (auto const& item : from.items) write(*proto.add_items(), item);
    proto.set_head_counter(from.head_counter);
    proto.set_head(id_field(from.head));
    proto.set_checkpoint(from.checkpoint);
}

Result<Checkpoint> read(v1::Checkpoint const& proto) {
    Checkpoint out;
    out.note = proto.note();
    INTERLUDE_TRY(out.consistency, read_ids<Hash32>(proto.consistency()));
    return out;
}
void write(v1::Checkpoint& proto, Checkpoint const& from) {
    proto.set_note(from.note);
    for (auto const& hash : from.consistency) proto.add_consistency(id_field(hash));
}

Result<Envelope> read(v1::Envelope const& proto) {
    Envelope out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    out.seq = proto.seq();
    out.generation = proto.generation();
    out.epoch = proto.epoch();
    INTERLUDE_TRY(out.sender_account, read_id<AccountId>(proto.sender_account()));
    INTERLUDE_TRY(out.sender_device, read_id<DeviceId>(proto.sender_device()));
    INTERLUDE_TRY(out.stamp, read_time(proto.stamp()));
    INTERLUDE_TRY(out.hash, read_id<Hash32>(proto.hash()));
    out.mls = read_bytes(proto.mls());
    return out;
}
void write(v1::Envelope& proto, Envelope const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_seq(from.seq);
    proto.set_generation(from.generation);
    proto.set_epoch(from.epoch);
    proto.set_sender_account(id_field(from.sender_account));
    proto.set_sender_device(id_field(from.sender_device));
    proto.set_stamp(time_field(from.stamp));
    proto.set_hash(id_field(from.hash));
    proto.set_mls(bytes_field(from.mls));
}

Result<Welcome> read(v1::Welcome const& proto) {
    Welcome out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    out.generation = proto.generation();
    out.epoch = proto.epoch();
    INTERLUDE_TRY(out.sender_device, read_id<DeviceId>(proto.sender_device()));
    INTERLUDE_TRY(out.stamp, read_time(proto.stamp()));
    out.mls = read_bytes(proto.mls());
    out.declaration = read_bytes(proto.declaration());
    if (proto.has_invitation()) {
        INTERLUDE_TRY(out.invitation, read(proto.invitation()));
    }
    out.redemption = read_bytes(proto.redemption());
    out.redemption_signature = read_bytes(proto.redemption_signature());
    return out;
}
void write(v1::Welcome& proto, Welcome const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_generation(from.generation);
    proto.set_epoch(from.epoch);
    proto.set_sender_device(id_field(from.sender_device));
    proto.set_stamp(time_field(from.stamp));
    proto.set_mls(bytes_field(from.mls));
    proto.set_declaration(bytes_field(from.declaration));
    if (from.invitation) write(*proto.mutable_invitation(), *from.invitation);
    proto.set_redemption(bytes_field(from.redemption));
    proto.set_redemption_signature(bytes_field(from.redemption_signature));
}

Result<Documents> read(v1::Documents const& proto) {
    Documents out;
    INTERLUDE_TRY(out.documents,
                  read_list<PublishedDocument>(proto.documents(), [](auto const& field) { return wire::read(field); }));
    return out;
}
void write(v1::Documents& proto, Documents const& from) {
    for (auto const& document : from.documents) write(*proto.add_documents(), document);
}

Result<Fate> read(v1::Fate const& proto) {
    Fate out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    out.seq = proto.seq();
    INTERLUDE_TRY(out.kind, read_enum(proto.kind(), FateKind::passed));
    if (proto.has_account()) {
        INTERLUDE_TRY(out.account, read_id<AccountId>(proto.account()));
    }
    return out;
}
void write(v1::Fate& proto, Fate const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_seq(from.seq);
    proto.set_kind(static_cast<v1::FateKind>(from.kind));
    if (from.account) proto.set_account(id_field(*from.account));
}

Result<EpochEnd> read(v1::EpochEnd const& proto) {
    INTERLUDE_TRY(auto conversation, read_id<ConversationId>(proto.conversation()));
    return EpochEnd{conversation, proto.generation(), proto.epoch()};
}
void write(v1::EpochEnd& proto, EpochEnd const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_generation(from.generation);
    proto.set_epoch(from.epoch);
}

Result<StateChanged> read(v1::StateChanged const& proto) {
    StateChanged out;
    INTERLUDE_TRY(out.conversations, read_conversations(proto.conversations()));
    INTERLUDE_TRY(out.subjects, read_subjects(proto.subjects()));
    return out;
}
void write(v1::StateChanged& proto, StateChanged const& from) {
    for (auto const& one : from.conversations) write(*proto.add_conversations(), one);
    for (auto const& one : from.subjects) write(*proto.add_subjects(), one);
}

Result<Error> read(v1::Error const& proto) {
    Error out;
    INTERLUDE_TRY(out.code, read_enum(proto.code(), ErrorCode::store));
    out.retry_after_seconds = proto.retry_after_seconds();
    return out;
}
void write(v1::Error& proto, Error const& from) {
    proto.set_code(static_cast<v1::ErrorCode>(from.code));
    proto.set_retry_after_seconds(from.retry_after_seconds);
}

Result<Goodbye> read(v1::Goodbye const& proto) {
    if (proto.code() < 1000 || proto.code() > 4999) return Errc::malformed;
    return Goodbye{static_cast<std::uint16_t>(proto.code()), proto.retry_after_seconds()};
}
void write(v1::Goodbye& proto, Goodbye const& from) {
    proto.set_code(from.code);
    proto.set_retry_after_seconds(from.retry_after_seconds);
}

}  // namespace

// (clang-format never settles on a list like this.)
// clang-format off
#define INTERLUDE_SERVER_FRAMES(X)                                                                                 \
    X(Nonce, nonce) X(Ready, ready) X(Invitations, invitations) X(Redeemed, redeemed) X(KeyPackages, key_packages) \
    X(KeyPackageStock, key_package_stock) X(Handshake, handshake) X(Accepted, accepted) X(Conflict, conflict)      \
    X(Stored, stored) X(Held, held) X(Refused, refused) X(EpochStale, epoch_stale) X(LogEntries, log_entries)      \
    X(Checkpoint, checkpoint) X(Envelope, envelope) X(Welcome, welcome) X(Documents, documents) X(Fate, fate)      \
    X(EpochEnd, epoch_end) X(StateChanged, state_changed) X(Error, error) X(Goodbye, goodbye)
#define INTERLUDE_EMPTY_SERVER_FRAMES(X) X(Done, done) X(ListChanged, list_changed) X(TooLate, too_late)
// clang-format on

Result<ServerBody> read_server_body(v1::ServerFrame const& proto) {
    switch (proto.body_case()) {
#define X(Type, field)             \
    case v1::ServerFrame::k##Type: \
        return as_body<ServerBody>(read(proto.field()));
        INTERLUDE_SERVER_FRAMES(X)
#undef X
#define X(Type, field)             \
    case v1::ServerFrame::k##Type: \
        return ServerBody(Type{});
        INTERLUDE_EMPTY_SERVER_FRAMES(X)
#undef X
        case v1::ServerFrame::BODY_NOT_SET:
            return Errc::unsupported;
    }
    return Errc::unsupported;
}

namespace {

struct WriteServerBody {
    v1::ServerFrame& proto;
#define X(Type, field)                         \
    void operator()(Type const& from) const {  \
        write(*proto.mutable_##field(), from); \
    }
    INTERLUDE_SERVER_FRAMES(X)
#undef X
#define X(Type, field)                   \
    void operator()(Type const&) const { \
        proto.mutable_##field();         \
    }
    INTERLUDE_EMPTY_SERVER_FRAMES(X)
#undef X
};

struct NameServerBody {
#define X(Type, field)                               \
    std::string_view operator()(Type const&) const { \
        return #field;                               \
    }
    INTERLUDE_SERVER_FRAMES(X)
    INTERLUDE_EMPTY_SERVER_FRAMES(X)
#undef X
};

}  // namespace

void write_server_body(v1::ServerFrame& proto, ServerBody const& body) {
    std::visit(WriteServerBody{proto}, body);
}

std::string_view name(ServerBody const& body) {
    return std::visit(NameServerBody{}, body);
}

}  // namespace interlude::wire
