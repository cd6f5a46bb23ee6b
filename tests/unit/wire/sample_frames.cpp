#include "tests/unit/wire/sample_frames.hpp"

namespace interlude::tests {

using namespace wire;

namespace {

template <class IdType>
IdType id(std::uint8_t first) {
    IdType out;
    for (auto& byte : out.bytes) byte = first++;
    return out;
}
Bytes filled(std::size_t size, std::uint8_t with) {
    return Bytes(size, with);
}

auto const account = id<AccountId>(1);
auto const device = id<DeviceId>(2);
auto const conversation = id<ConversationId>(3);
auto const invitation = id<InvitationId>(4);
auto const subject = id<SubjectId>(5);
auto const request = id<RequestId>(6);
auto const hash = id<Hash32>(7);
auto const time = base::wall_ms(1'795'000'000'123);

SignedDocument document(DocumentKind kind) {
    return {kind, filled(9, 0xd0), filled(64, 0x51)};
}
LogItem log_item() {
    return {subject, 3, 17, filled(104, 0xe0), filled(32, 0xe1), filled(512, 0xe2), "proof\n"};
}
ConversationState conversation_state() {
    return {conversation, 1, 4, {{account, Side::client, {device}}, {id<AccountId>(9), Side::therapist, {}}}, 12, true};
}
SubjectState subject_state() {
    return {subject, filled(32, 0xaa), 8, hash};
}
Handshake handshake() {
    return {conversation, 1, 4, device, time, filled(20, 0xc0), filled(10, 0xde)};
}

}  // namespace

std::vector<ClientFrame> sample_client_frames() {
    std::vector<ClientBody> bodies{
        Hello{1, 5, DeviceLogin{account, device}, 99, {request}},
        Hello{1, 0, invitation, 0, {}},
        Authenticate{filled(64, 0x51)},
        InvitationPut{document(DocumentKind::invitation)},
        InvitationRevoke{invitation},
        InvitationList{},
        Redeem{filled(300, 0x1e), filled(64, 0x51)},
        DeviceListPut{document(DocumentKind::device_list)},
        DeviceListGet{account, 1, 2},
        KeyPackagesPut{{filled(30, 0x90), filled(31, 0x91)}, filled(32, 0x92)},
        KeyPackagesFetch{account},
        Commit{conversation, 1, 4, filled(20, 0xc0), filled(10, 0xde), {filled(40, 0x3e)}},
        CommitRejected{conversation, 1, 4, 11},
        Send{conversation, 1, 4, filled(50, 0xa0), Wish::normal, 3, document(DocumentKind::override_all)},
        Ack{conversation, {1, 2, 7}},
        HandshakeAck{conversation, 1, 5},
        Recall{conversation, 7},
        SchedulePut{document(DocumentKind::schedule)},
        OverridePut{document(DocumentKind::override_conversation)},
        TermsPut{conversation, document(DocumentKind::terms), filled(64, 0x52)},
        LogGet{subject, 4},
        CheckpointGet{99},
        LogAck{subject, 8},
        Confirm{{request}},
        Leave{conversation},
        CloseConversation{conversation},
        Later{27},
        Later{28},
        Later{29},
        Later{30},
        Later{31},
    };
    std::vector<ClientFrame> frames;
    for (auto& body : bodies) frames.push_back({request, std::move(body)});
    return frames;
}

std::vector<ServerFrame> sample_server_frames() {
    std::vector<ServerBody> bodies{
        Nonce{filled(32, 0x40), "localhost", time},
        Ready{time,
              {262144, 75, 3024000, 64},
              id<InstanceId>(8),
              2,
              "checkpoint\n",
              {hash},
              "log+0+AAAA",
              {conversation_state()},
              {subject_state()}},
        Done{},
        Invitations{{{invitation, InvitationPhase::redeemed, time, true}}},
        Redeemed{account, conversation},
        Redeemed{account, std::nullopt},
        ListChanged{},
        KeyPackages{{{device, filled(30, 0x90), true}}},
        KeyPackageStock{49},
        handshake(),
        Accepted{5},
        Conflict{handshake()},
        Conflict{},
        Stored{7, time, hash, {{account, time}, {id<AccountId>(9), std::nullopt}}, filled(80, 0x4e), filled(64, 0x51)},
        Held{conversation, 7, log_item()},
        Refused{Rule::schedule, ScheduleProblem::gap_too_long, time, 30, log_item()},
        EpochStale{5},
        TooLate{},
        LogEntries{subject, {log_item()}, 8, hash, "checkpoint\n"},
        Checkpoint{"checkpoint\n", {hash}},
        Envelope{conversation, 7, 1, 4, account, device, time, hash, filled(50, 0xa0)},
        Welcome{conversation, 1, 1, device, time, filled(40, 0x3e), filled(10, 0xde),
                document(DocumentKind::invitation), filled(300, 0x1e), filled(64, 0x51)},
        Documents{{{document(DocumentKind::schedule), time}}},
        Fate{conversation, 7, FateKind::passed, account},
        EpochEnd{conversation, 1, 4},
        StateChanged{{conversation_state()}, {subject_state()}},
        Error{ErrorCode::too_fast, 3},
        Goodbye{4401, 1},
    };
    std::vector<ServerFrame> frames;
    for (auto& body : bodies) frames.push_back({request, std::move(body)});
    return frames;
}

}  // namespace interlude::tests
