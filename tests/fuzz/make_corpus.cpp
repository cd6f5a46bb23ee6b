// Writes the seeds of the targets with our own encoders: `fuzz_make_corpus tests/fuzz/corpus`. Run it when a format
// changes; what a fuzzer found lies next to the seeds as regression_NAME and is never written over.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client-cli/engine/content.hpp"
#include "client-cli/engine/records.hpp"
#include "common/audit/entry.hpp"
#include "common/audit/proof.hpp"
#include "common/audit/receipt.hpp"
#include "common/audit/verify.hpp"
#include "common/bytes/text.hpp"
#include "common/crypto/hpke_context.hpp"
#include "common/identity/invitation_link.hpp"
#include "common/identity/leaf_attestation.hpp"
#include "common/identity/redemption.hpp"
#include "common/mls/messages.hpp"
#include "common/mls_framing/declaration.hpp"
#include "common/wire/codec.hpp"
#include "server/core/acked.hpp"
#include "tests/unit/audit/sample_log.hpp"
#include "tests/unit/identity/people.hpp"
#include "tests/unit/mls/tree_members.hpp"
#include "tests/unit/wire/sample_frames.hpp"

namespace {

using namespace interlude;
using bytes::Bytes;
using bytes::ByteView;
using identity::tests::id_of;

constexpr auto noon = identity::tests::noon;
std::filesystem::path root;

void seed(std::string const& target, std::string const& name, ByteView content) {
    std::filesystem::create_directories(root / target);
    std::ofstream(root / target / name, std::ios::binary)
        .write(reinterpret_cast<char const*>(content.data()), static_cast<std::streamsize>(content.size()));
}
void seed(std::string const& target, std::string const& name, std::uint8_t choice, ByteView content) {
    Bytes chosen{choice};
    bytes::append(chosen, content);
    seed(target, name, chosen);
}
void seed(std::string const& target, std::string const& name, std::uint8_t choice, std::string_view content) {
    seed(target, name, choice, bytes::view(content));
}

void frames() {
    int number = 0;
    for (auto const& frame : tests::sample_client_frames())
        seed("wire_frame", "client_" + std::to_string(number++) + "_" + std::string(wire::name(frame.body)), 0,
             wire::encode(frame));
    number = 0;
    for (auto const& frame : tests::sample_server_frames())
        seed("wire_frame", "server_" + std::to_string(number++) + "_" + std::string(wire::name(frame.body)), 1,
             wire::encode(frame));
}

void contents() {
    using namespace engine;
    std::pair<char const*, ContentBody> const bodies[] = {{"text", Text{"Grüße"}},
                                                          {"opened", Opened{{1, 2, 300}}},
                                                          {"receipt", Receipt{{4}}},
                                                          {"profile", Profile{"Kim"}},
                                                          {"card", CardContent{"112", noon}},
                                                          {"early", EarlyDelivery{9, noon}},
                                                          {"cannot_open", CannotOpen{{5, 6}}},
                                                          {"unknown", UnknownBody{}}};
    for (auto const& [name, body] : bodies)
        seed("content", name,
             encode(Content{id_of<base::MessageId>(1),
                            noon,
                            {"note", 3, id_of<base::Hash32>(2)},
                            {1, 2, id_of<base::Hash32>(3)},
                            {{Bytes(50, 4), Bytes(64, 5)}},
                            "Dr. Adler",
                            body}));
}

void mls_bytes() {
    using namespace mls;
    crypto::SeededEntropy entropy(1);
    auto const bundle = mls::tests::make_bundle(entropy);
    auto const& package = bundle.key_package;
    Commit const commit{{Proposal{Remove{LeafIndex{1}}}, ProposalRef(32, 7)},
                        UpdatePath{package.leaf_node, {{Bytes(32, 1), {{Bytes(32, 2), Bytes(48, 3)}}}}}};
    FramedContent const content{{1, 2, 3}, 9, Sender::member(LeafIndex{4}), {5}, commit};
    PrivateMessage const sealed{{1}, 2, ContentType::commit, {3}, Bytes(28), Bytes(60)};
    Welcome const welcome{3, {{Bytes(32, 1), {Bytes(32), Bytes(60)}}}, Bytes(100)};
    GroupInfo const info{{3, {1}, 2, Bytes(32), Bytes(32), {}}, {{4, Bytes(33)}}, Bytes(32), LeafIndex{0}, Bytes(64)};
    mls_framing::Declaration declaration{id_of<base::ConversationId>(7), 1, 41, {}, {}};
    declaration.added = {{id_of<base::AccountId>(1), base::Side::therapist, id_of<base::DeviceId>(2),
                          id_of<mls_framing::KeyPackageRef>(3)}};
    declaration.removed = {{id_of<base::AccountId>(3), id_of<base::DeviceId>(9)}};

    seed("mls_outer", "declaration", 0, mls_framing::encode(declaration));
    seed("mls_outer", "private_message", 1, encode(MLSMessage{sealed}));
    seed("mls_outer", "welcome", 2, encode(MLSMessage{welcome}));
    seed("mls_outer", "key_package", 3, encode(MLSMessage{package}));

    // The numbers are places in mls_message_fuzz.cpp's list.
    seed("mls_message", "public_commit", 0,
         encode(MLSMessage{PublicMessage{content, {Bytes(64), Bytes(32)}, Bytes(32)}}));
    seed("mls_message", "private_message", 0, encode(MLSMessage{sealed}));
    seed("mls_message", "welcome", 0, encode(MLSMessage{welcome}));
    seed("mls_message", "group_info", 0, encode(MLSMessage{info}));
    seed("mls_message", "key_package", 0, encode(MLSMessage{package}));
    seed("mls_message", "leaf_node", 6, encode(package.leaf_node));
    seed("mls_message", "commit", 10, encode(commit));
    seed("mls_message", "add", 11, encode(Proposal{Add{package}}));
    seed("mls_message", "reinit", 11, encode(Proposal{ReInit{{1}, mls10, 3, {}}}));
    seed("mls_message", "capabilities", 27, encode(default_capabilities()));
    seed("mls_message", "framed_content", 32, encode(content));
    seed("mls_message", "bundle", 38, encode(bundle));
    auto padded = encode(PrivateMessageContent{ApplicationData{{1, 2, 3}}, {Bytes(64), {}}});
    padded.resize(256);
    seed("mls_message", "padded_content", 39, padded);
}

void people() {
    using namespace identity;
    crypto::SeededEntropy entropy(1);
    identity::tests::Person anna(entropy, base::Side::therapist);
    auto const carla = identity::tests::Person(entropy, base::Side::client);
    seed("identity", "first_list", 0, anna.newest.as_signed().bytes);
    anna.relist({anna.device.listed(), identity::tests::new_device(entropy).listed()});
    seed("identity", "second_list", 0, anna.newest.as_signed().bytes);
    seed("identity", "leaf", 1,
         encode(attest_leaf(anna.device.key, anna.account(), anna.device.id, {1, 2}, Bytes(32, 6))));
    auto const key = invitation_key(Bytes(32, 1));
    InvitationDocument const invitation{
        key.public_key(), InvitationKind::new_conversation, {}, anna.account(), anna.device.id, {1, 2}, noon};
    seed("identity", "invitation", 2, encode(invitation));
    seed("identity", "operators_invitation", 2, encode(operators_invitation(key.public_key(), noon)));
    Redemption redemption{invitation.id(),
                          "relay.example",
                          InvitationKind::new_conversation,
                          carla.account(),
                          carla.newest.as_signed(),
                          carla.device.id,
                          Founding{},
                          {}};
    redemption.founding->group_id = Bytes(32, 8);
    redemption.founding->declaration = Bytes(30, 9);
    redemption.founding->welcomes = {Bytes(50, 10), Bytes(20, 11)};
    seed("identity", "founding", 3, encode(redemption));
    redemption.kind = InvitationKind::join;
    redemption.founding.reset();
    redemption.key_packages = {Bytes(100, 12), Bytes(90, 13)};
    seed("identity", "joining", 3, encode(redemption));

    InvitationLink const link{"relay.example:8443",
                              {InvitationKind::new_conversation,
                               bytes::SecretBytes(Bytes(32, 1)),
                               anna.account(),
                               {1, 2},
                               anna.newest.hash(),
                               id_of<base::Hash32>(5),
                               noon}};
    seed("invitation_link", "link", 0, format_link(link));
    seed("invitation_link", "fragment", 1, encode_fragment(link.fragment));
}

void log() {
    using namespace audit;
    SampleLog log;
    log.signing_key = crypto::SigningKey::from_seed(Bytes(32, 1)).value();
    log.key.key = log.signing_key.public_key();
    log.grow_to(7);
    auto const account = id_of<base::AccountId>(1);
    auto const hash = id_of<base::Hash32>(2);
    GateDecision const decision{
        noon, 9, hash, 1, {{account, true, Verdict::hold, noon, GateNumbers{1, 2}}}, 4, id_of<base::InstanceId>(5)};
    std::pair<char const*, Body> const bodies[] = {
        {"schedule", SchedulePublished{account, 1, hash, noon}},
        {"held", Held{decision}},
        {"refused", Refused{noon,
                            hash,
                            account,
                            RefusalRule::therapist_off_hours,
                            noon,
                            {{account, {1, 2}}},
                            5,
                            id_of<base::InstanceId>(6)}},
        {"recalled", Recalled{8, hash, account, id_of<base::DeviceId>(3)}},
        {"expired", Expired{9, hash, {account}}},
        {"list", DeviceListPublished{account, 1, 2, hash}},
        {"epoch", EpochAccepted{1, 2, hash, hash}},
        {"operator", OperatorAction{OperatorActionKind::clock_confirmed, account, hash}},
        {"restored", Restored{1, 2, hash, hash}},
        {"filler", Filler{}}};
    for (auto const& [name, body] : bodies)
        seed("audit_record", std::string("payload_") + name, 1, encode_payload({hash, noon, body}));
    seed("audit_record", "entry", 0, encode_entry({minute_of(noon), hash, hash}));
    seed("audit_record", "receipt", 2,
         encode_receipt({"relay.example",
                         id_of<base::ConversationId>(1),
                         id_of<base::DeviceId>(2),
                         id_of<base::RequestId>(3),
                         4,
                         noon,
                         hash,
                         {{account, noon}, {account, std::nullopt}}}));
    seed("audit_record", "head", 3, encode_head({3, hash, noon}));
    seed("audit_record", "hash_tile", 4, log.tiles.at(Tile{0, 0, 7}));
    seed("audit_record", "bundle", 5, log.tiles.at(Tile{Tile::entries_level, 0, 7}));

    auto const note = log.note(7);
    seed("audit_text", "note", 0, note);
    seed("audit_text", "vkey", 1, log.key.vkey());
    seed("audit_text", "log_key", 2, log.key.vkey());
    seed("audit_text", "checkpoint", 3, format_checkpoint(log.checkpoint(7)));
    seed("audit_text", "signed_checkpoint", 4, note);
    seed("audit_text", "proof", 5, format_proof(log.proof(0, 7)));
    seed("audit_text", "tile_path", 6, tile_path({0, 1234067, 7}));
    seed("audit_text", "entries_path", 6, tile_path({Tile::entries_level, 5, tile_width}));
    seed("audit_text", "decimal", 7, std::string_view("18446744073709551615"));
    seed("audit_text", "hash", 7, bytes::to_base64(hash.bytes));
}

void small_things() {
    Bytes const some{0, 1, 0xfe, 0xff};
    seed("byte_text", "hex", bytes::view(bytes::to_hex(some)));
    seed("byte_text", "base64", bytes::view(bytes::to_base64(some)));
    seed("byte_text", "base64url", bytes::view(bytes::to_base64url(some)));

    core::AckedSet acked;
    acked.advance_to(7);
    seed("acked_set", "cursor", acked.encode());
    for (std::uint64_t const seq : {9, 10, 20}) acked.add(seq);
    seed("acked_set", "ranges", acked.encode());

    auto const& suite = mls::tests::suite();
    auto const recipient = crypto::hpke_derive_key_pair(suite, Bytes(32, 1));
    crypto::SeededEntropy entropy(2);
    auto const sealed =
        crypto::hpke_seal(suite, recipient.public_key, bytes::view("fuzz"), {}, bytes::view("sealed once"), entropy)
            .value();
    auto whole = sealed.kem_output;
    bytes::append(whole, sealed.ciphertext);
    seed("hpke", "sealed", whole);

    for (char const* moment :
         {"now", "+90m", "18:00", "2026-11-23 18:00:30", "2026-11-23T18:00:00Z", "2026-11-23T18:00:00.5+01:00"})
        seed("typed_text", "moment_" + std::to_string(std::string_view(moment).size()), 0, std::string_view(moment));
    seed("typed_text", "options", 1, std::string_view("--json\n--home=/home/anna\nsend\n--\nKim\nhello"));
    seed("typed_text", "hours", 1, std::string_view("hours\nset\n--zone\nEurope/Berlin\nmon 9-17"));
    seed("server_config", "whole",
         bytes::view("server_name = \"relay.example\"\nlisten = [\"127.0.0.1:8443\"]\n[tls]\ncertificate = \"a\"\n"
                     "key = \"b\"\n[store]\nurl = \"sqlite:c\"\n[limits]\nidle_seconds = 60\n"));
}

/// The numbers are places in vault_record_fuzz.cpp's list.
void records() {
    using namespace engine;
    auto const account = id_of<base::AccountId>(1);
    seed("vault_record", "counters", 4, records::encode(CountersRecord{7, 8}));
    seed("vault_record", "card", 5, records::encode(CrisisCardRecord{"112", noon}));
    ServerRecord server;
    server.host = "relay.example";
    server.consistent = {{7, id_of<base::Hash32>(1)}};
    server.last_contact = noon;
    seed("vault_record", "server", 2, records::encode(server));
    ConversationRecord conversation;
    conversation.name = "Kim";
    conversation.members = {{account, base::Side::client, {id_of<base::DeviceId>(2)}}};
    conversation.opened_due = {1, 2};
    conversation.names = {{account, "Kim"}};
    seed("vault_record", "conversation", 9, records::encode(conversation));
    MessageRecord message;
    message.kind = MessageKind::text;
    message.text = "Grüße";
    message.holds = {{account, noon}, {account, std::nullopt}};
    message.opened_by = {account};
    message.fate = wire::FateKind::expired;
    seed("vault_record", "message", 11, records::encode(message));
    OutgoingRecord outgoing;
    outgoing.kind = OutgoingKind::message;
    outgoing.content = Bytes(20, 1);
    outgoing.variants = {id_of<base::Hash32>(1)};
    outgoing.refusal.emplace();
    seed("vault_record", "outgoing", 13, records::encode(outgoing));
    seed("vault_record", "sealed", 0, Bytes(60, 1));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    root = argv[1];
    frames();
    contents();
    mls_bytes();
    people();
    log();
    small_things();
    records();
}
