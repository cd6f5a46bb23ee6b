#include "common/wire/codec_client.hpp"

namespace interlude::wire {

namespace {

using wire::read;  // the parts, beside the overloads here

constexpr int acks_max = 1024;
constexpr int confirms_max = 1024;

/// Conversation, generation and epoch: the address that several frames begin with.
template <class Typed, class Proto>
Result<void> read_address(Typed& out, Proto const& proto) {
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    out.generation = proto.generation();
    out.epoch = proto.epoch();
    return {};
}
template <class Proto, class Typed>
void write_address(Proto& proto, Typed const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_generation(from.generation);
    proto.set_epoch(from.epoch);
}

Result<Hello> read(v1::Hello const& proto) {
    Hello out;
    out.version = proto.version();
    out.features = proto.features();
    switch (proto.who_case()) {
        case v1::Hello::kDevice: {
            DeviceLogin login;
            INTERLUDE_TRY(login.account, read_id<AccountId>(proto.device().account()));
            INTERLUDE_TRY(login.device, read_id<DeviceId>(proto.device().device()));
            out.who = login;
            break;
        }
        case v1::Hello::kInvitation: {
            INTERLUDE_TRY(auto id, read_id<InvitationId>(proto.invitation()));
            out.who = id;
            break;
        }
        case v1::Hello::WHO_NOT_SET:
            return Errc::malformed;
    }
    out.log_size_seen = proto.log_size_seen();
    if (proto.confirmed_size() > confirms_max) return Errc::too_long;
    INTERLUDE_TRY(out.confirmed, read_ids<RequestId>(proto.confirmed()));
    return out;
}
void write(v1::Hello& proto, Hello const& from) {
    proto.set_version(from.version);
    proto.set_features(from.features);
    if (auto const* login = std::get_if<DeviceLogin>(&from.who)) {
        proto.mutable_device()->set_account(id_field(login->account));
        proto.mutable_device()->set_device(id_field(login->device));
    } else {
        proto.set_invitation(id_field(std::get<InvitationId>(from.who)));
    }
    proto.set_log_size_seen(from.log_size_seen);
    for (auto const& id : from.confirmed) proto.add_confirmed(id_field(id));
}

Result<Authenticate> read(v1::Authenticate const& proto) {
    INTERLUDE_TRY(auto signature, read_sized(proto.signature(), 64));
    return Authenticate{std::move(signature)};
}
void write(v1::Authenticate& proto, Authenticate const& from) {
    proto.set_signature(bytes_field(from.signature));
}

Result<InvitationPut> read(v1::InvitationPut const& proto) {
    INTERLUDE_TRY(auto document, read(proto.document()));
    return InvitationPut{std::move(document)};
}
void write(v1::InvitationPut& proto, InvitationPut const& from) {
    write(*proto.mutable_document(), from.document);
}

Result<InvitationRevoke> read(v1::InvitationRevoke const& proto) {
    INTERLUDE_TRY(auto id, read_id<InvitationId>(proto.invitation()));
    return InvitationRevoke{id};
}
void write(v1::InvitationRevoke& proto, InvitationRevoke const& from) {
    proto.set_invitation(id_field(from.invitation));
}

Result<Redeem> read(v1::Redeem const& proto) {
    Redeem out;
    out.redemption = read_bytes(proto.redemption());
    INTERLUDE_TRY(out.signature, read_sized(proto.signature(), 64));
    return out;
}
void write(v1::Redeem& proto, Redeem const& from) {
    proto.set_redemption(bytes_field(from.redemption));
    proto.set_signature(bytes_field(from.signature));
}

Result<DeviceListPut> read(v1::DeviceListPut const& proto) {
    INTERLUDE_TRY(auto document, read(proto.document()));
    return DeviceListPut{std::move(document)};
}
void write(v1::DeviceListPut& proto, DeviceListPut const& from) {
    write(*proto.mutable_document(), from.document);
}

Result<DeviceListGet> read(v1::DeviceListGet const& proto) {
    INTERLUDE_TRY(auto account, read_id<AccountId>(proto.account()));
    return DeviceListGet{account, proto.generation(), proto.version()};
}
void write(v1::DeviceListGet& proto, DeviceListGet const& from) {
    proto.set_account(id_field(from.account));
    proto.set_generation(from.generation);
    proto.set_version(from.version);
}

Result<KeyPackagesPut> read(v1::KeyPackagesPut const& proto) {
    KeyPackagesPut out;
    INTERLUDE_TRY(out.key_packages, read_bytes_list(proto.key_packages()));
    if (proto.has_last_resort()) out.last_resort = read_bytes(proto.last_resort());
    return out;
}
void write(v1::KeyPackagesPut& proto, KeyPackagesPut const& from) {
    for (auto const& one : from.key_packages) proto.add_key_packages(bytes_field(one));
    if (from.last_resort) proto.set_last_resort(bytes_field(*from.last_resort));
}

Result<KeyPackagesFetch> read(v1::KeyPackagesFetch const& proto) {
    INTERLUDE_TRY(auto account, read_id<AccountId>(proto.account()));
    return KeyPackagesFetch{account};
}
void write(v1::KeyPackagesFetch& proto, KeyPackagesFetch const& from) {
    proto.set_account(id_field(from.account));
}

Result<Commit> read(v1::Commit const& proto) {
    Commit out;
    INTERLUDE_TRY_VOID(read_address(out, proto));
    out.mls = read_bytes(proto.mls());
    out.declaration = read_bytes(proto.declaration());
    INTERLUDE_TRY(out.welcomes, read_bytes_list(proto.welcomes()));
    return out;
}
void write(v1::Commit& proto, Commit const& from) {
    write_address(proto, from);
    proto.set_mls(bytes_field(from.mls));
    proto.set_declaration(bytes_field(from.declaration));
    for (auto const& one : from.welcomes) proto.add_welcomes(bytes_field(one));
}

Result<CommitRejected> read(v1::CommitRejected const& proto) {
    CommitRejected out;
    INTERLUDE_TRY_VOID(read_address(out, proto));
    out.reason = proto.reason();
    return out;
}
void write(v1::CommitRejected& proto, CommitRejected const& from) {
    write_address(proto, from);
    proto.set_reason(from.reason);
}

Result<Send> read(v1::Send const& proto) {
    Send out;
    INTERLUDE_TRY_VOID(read_address(out, proto));
    out.mls = read_bytes(proto.mls());
    INTERLUDE_TRY(out.wish, read_enum(proto.wish(), Wish::refuse));
    if (proto.has_replaces()) out.replaces = proto.replaces();
    if (proto.has_send_now()) {
        INTERLUDE_TRY(out.send_now, read(proto.send_now()));
    }
    for (auto const& blob : proto.blobs()) out.blobs.push_back(read_bytes(blob));
    return out;
}
void write(v1::Send& proto, Send const& from) {
    write_address(proto, from);
    proto.set_mls(bytes_field(from.mls));
    proto.set_wish(static_cast<v1::Wish>(from.wish));
    if (from.replaces) proto.set_replaces(*from.replaces);
    if (from.send_now) write(*proto.mutable_send_now(), *from.send_now);
    for (auto const& blob : from.blobs) proto.add_blobs(bytes_field(blob));
}

Result<Ack> read(v1::Ack const& proto) {
    Ack out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    if (proto.seqs_size() < 1) return Errc::malformed;
    if (proto.seqs_size() > acks_max) return Errc::too_long;
    out.seqs.assign(proto.seqs().begin(), proto.seqs().end());
    return out;
}
void write(v1::Ack& proto, Ack const& from) {
    proto.set_conversation(id_field(from.conversation));
    for (auto seq : from.seqs) proto.add_seqs(seq);
}

Result<HandshakeAck> read(v1::HandshakeAck const& proto) {
    HandshakeAck out;
    INTERLUDE_TRY_VOID(read_address(out, proto));
    return out;
}
void write(v1::HandshakeAck& proto, HandshakeAck const& from) {
    write_address(proto, from);
}

Result<Recall> read(v1::Recall const& proto) {
    INTERLUDE_TRY(auto conversation, read_id<ConversationId>(proto.conversation()));
    return Recall{conversation, proto.seq()};
}
void write(v1::Recall& proto, Recall const& from) {
    proto.set_conversation(id_field(from.conversation));
    proto.set_seq(from.seq);
}

Result<SchedulePut> read(v1::SchedulePut const& proto) {
    INTERLUDE_TRY(auto document, read(proto.document()));
    return SchedulePut{std::move(document)};
}
void write(v1::SchedulePut& proto, SchedulePut const& from) {
    write(*proto.mutable_document(), from.document);
}

Result<OverridePut> read(v1::OverridePut const& proto) {
    INTERLUDE_TRY(auto document, read(proto.document()));
    return OverridePut{std::move(document)};
}
void write(v1::OverridePut& proto, OverridePut const& from) {
    write(*proto.mutable_document(), from.document);
}

Result<TermsPut> read(v1::TermsPut const& proto) {
    TermsPut out;
    INTERLUDE_TRY(out.conversation, read_id<ConversationId>(proto.conversation()));
    INTERLUDE_TRY(out.document, read(proto.document()));
    INTERLUDE_TRY(out.counter_signature, read_sized(proto.counter_signature(), 64));
    return out;
}
void write(v1::TermsPut& proto, TermsPut const& from) {
    proto.set_conversation(id_field(from.conversation));
    write(*proto.mutable_document(), from.document);
    proto.set_counter_signature(bytes_field(from.counter_signature));
}

Result<LogGet> read(v1::LogGet const& proto) {
    INTERLUDE_TRY(auto subject, read_id<SubjectId>(proto.subject()));
    return LogGet{subject, proto.from_counter()};
}
void write(v1::LogGet& proto, LogGet const& from) {
    proto.set_subject(id_field(from.subject));
    proto.set_from_counter(from.from_counter);
}

Result<CheckpointGet> read(v1::CheckpointGet const& proto) {
    return CheckpointGet{proto.size_seen()};
}
void write(v1::CheckpointGet& proto, CheckpointGet const& from) {
    proto.set_size_seen(from.size_seen);
}

Result<LogAck> read(v1::LogAck const& proto) {
    INTERLUDE_TRY(auto subject, read_id<SubjectId>(proto.subject()));
    return LogAck{subject, proto.counter()};
}
void write(v1::LogAck& proto, LogAck const& from) {
    proto.set_subject(id_field(from.subject));
    proto.set_counter(from.counter);
}

Result<Confirm> read(v1::Confirm const& proto) {
    if (proto.ids_size() > confirms_max) return Errc::too_long;
    INTERLUDE_TRY(auto ids, read_ids<RequestId>(proto.ids()));
    return Confirm{std::move(ids)};
}
void write(v1::Confirm& proto, Confirm const& from) {
    for (auto const& id : from.ids) proto.add_ids(id_field(id));
}

Result<Leave> read(v1::Leave const& proto) {
    INTERLUDE_TRY(auto conversation, read_id<ConversationId>(proto.conversation()));
    return Leave{conversation};
}
void write(v1::Leave& proto, Leave const& from) {
    proto.set_conversation(id_field(from.conversation));
}

Result<CloseConversation> read(v1::CloseConversation const& proto) {
    INTERLUDE_TRY(auto conversation, read_id<ConversationId>(proto.conversation()));
    return CloseConversation{conversation};
}
void write(v1::CloseConversation& proto, CloseConversation const& from) {
    proto.set_conversation(id_field(from.conversation));
}

}  // namespace

// (clang-format never settles on a list like this.)
// clang-format off
#define INTERLUDE_CLIENT_FRAMES(X)                                                                                \
    X(Hello, hello) X(Authenticate, authenticate) X(InvitationPut, invitation_put)                                \
    X(InvitationRevoke, invitation_revoke) X(Redeem, redeem) X(DeviceListPut, device_list_put)                    \
    X(DeviceListGet, device_list_get) X(KeyPackagesPut, key_packages_put) X(KeyPackagesFetch, key_packages_fetch) \
    X(Commit, commit) X(CommitRejected, commit_rejected) X(Send, send) X(Ack, ack) X(HandshakeAck, handshake_ack) \
    X(Recall, recall) X(SchedulePut, schedule_put) X(OverridePut, override_put) X(TermsPut, terms_put)            \
    X(LogGet, log_get) X(CheckpointGet, checkpoint_get) X(LogAck, log_ack) X(Confirm, confirm) X(Leave, leave)    \
    X(CloseConversation, close_conversation)
// clang-format on

Result<ClientBody> read_client_body(v1::ClientFrame const& proto) {
    switch (proto.body_case()) {
#define X(Type, field)             \
    case v1::ClientFrame::k##Type: \
        return as_body<ClientBody>(read(proto.field()));
        INTERLUDE_CLIENT_FRAMES(X)
#undef X
        case v1::ClientFrame::kInvitationList:
            return ClientBody(InvitationList{});
        case v1::ClientFrame::kSuccessor:
        case v1::ClientFrame::kFound:
        case v1::ClientFrame::kBackupPut:
        case v1::ClientFrame::kBackupGet:
        case v1::ClientFrame::kPushPut:
            return ClientBody(Later{static_cast<std::uint32_t>(proto.body_case())});
        case v1::ClientFrame::BODY_NOT_SET:
            return Errc::unsupported;
    }
    return Errc::unsupported;
}

namespace {

struct WriteClientBody {
    v1::ClientFrame& proto;
#define X(Type, field)                         \
    void operator()(Type const& from) const {  \
        write(*proto.mutable_##field(), from); \
    }
    INTERLUDE_CLIENT_FRAMES(X)
#undef X
    void operator()(InvitationList const&) const {
        proto.mutable_invitation_list();
    }
    void operator()(Later const& later) const {
        switch (static_cast<v1::ClientFrame::BodyCase>(later.number)) {
            case v1::ClientFrame::kSuccessor:
                proto.mutable_successor();
                return;
            case v1::ClientFrame::kFound:
                proto.mutable_found();
                return;
            case v1::ClientFrame::kBackupPut:
                proto.mutable_backup_put();
                return;
            case v1::ClientFrame::kBackupGet:
                proto.mutable_backup_get();
                return;
            case v1::ClientFrame::kPushPut:
                proto.mutable_push_put();
                return;
            default:
                INTERLUDE_CHECK(!"a Later frame has a reserved number");  // the generated enum has many others
        }
    }
};

struct NameClientBody {
#define X(Type, field)                               \
    std::string_view operator()(Type const&) const { \
        return #field;                               \
    }
    INTERLUDE_CLIENT_FRAMES(X)
#undef X
    std::string_view operator()(InvitationList const&) const {
        return "invitation_list";
    }
    std::string_view operator()(Later const&) const {
        return "later";
    }
};

}  // namespace

void write_client_body(v1::ClientFrame& proto, ClientBody const& body) {
    std::visit(WriteClientBody{proto}, body);
}

std::string_view name(ClientBody const& body) {
    return std::visit(NameClientBody{}, body);
}

}  // namespace interlude::wire
