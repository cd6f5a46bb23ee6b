// The home's records and its seals.
#include "client-cli/engine/records.hpp"
#include "client-cli/vault/seal.hpp"
#include "tests/fuzz/make_corpus.hpp"

namespace interlude::fuzz {

namespace {

/// One of each kind as it begins; the numbers are places in vault_record_fuzz.cpp's list.
template <class... Records>
void make_empty_records() {
    unsigned choice = 0;
    (seed("vault_record", "empty_" + std::to_string(choice + 1), ++choice, engine::records::encode(Records{})), ...);
}

void make_sealed_seeds() {
    crypto::SeededEntropy entropy(1);
    vault::Sealer const sealer(Bytes(vault::master_key_bytes, 1));
    auto const key = bytes::view("key");
    seed("vault_record", "sealed", 0, sealer.seal(1, sealer.slot(1, key), 1, key, bytes::view("value"), entropy));
    seed("vault_record", "wrapped", 0,
         vault::wrap_master_key(Bytes(vault::master_key_bytes, 2), Bytes(32, 1), entropy));
    seed("vault_record", "bad_seal", 0, Bytes(60, 1));
    seed("vault_record", "bad_size", 0, Bytes(20));
}

}  // namespace

void make_home_seeds() {
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
    make_sealed_seeds();
    make_empty_records<AccountRecord, ServerRecord, JoinRecord, CountersRecord, CrisisCardRecord, ListRecord,
                       CalendarRecord, KeyPackageRecord, ConversationRecord, PendingCommitRecord, MessageRecord,
                       EnvelopeRecord, OutgoingRecord, InvitationRecord, SubjectRecord, PeerHeadRecord, AlarmRecord,
                       wire::LogItem, NewsRecord, MessagePlaceRecord, MarkRecord, EarlyReportRecord,
                       bytes::SecretBytes>();
    auto refused = records::encode(CountersRecord{7, 8});
    refused.push_back(0);
    seed("vault_record", "bad_end", 4, refused);
    refused[1] = 9;
    seed("vault_record", "bad_version", 4, refused);
    seed("vault_record", "bad_cut", 4, ByteView(refused).first(1));
    auto number = records::encode(KeyPackageRecord{});
    number.back() = 2;
    seed("vault_record", "bad_truth", 8, number);
}

}  // namespace interlude::fuzz
