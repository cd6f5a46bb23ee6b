// Entries, payloads and receipts: byte for byte what an independent computation gives, strict in what they accept.
#include "common/audit/entry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "common/audit/checkpoint.hpp"
#include "common/audit/receipt.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/audit/codec_abuse.hpp"
#include "tests/unit/audit/sample_log.hpp"

namespace interlude::audit {
namespace {

using base::Errc;
using base::wall_ms;

template <class IdType>
IdType all(std::uint8_t byte) {
    IdType id;
    id.bytes.fill(byte);
    return id;
}

WallTime const opening = wall_ms(1'795'424'400'000);
WallTime const evening = wall_ms(1'795'383'723'456);
auto const therapist = all<AccountId>(0xa1);
auto const client = all<AccountId>(0xa2);

Held held_message() {
    return {{evening - base::Millis{12},
             41,
             all<Hash32>(0xe1),
             0,
             {{therapist, false, Verdict::hold, opening, GateNumbers{3, 0}}, {client, true, Verdict::pass, {}, {}}},
             0,
             all<base::InstanceId>(0x1d)}};
}

/// A full conversation: eight accounts, two with a gate, all held until a known time.
Parties most_parties() {
    Parties parties;
    for (std::uint8_t i = 0; i < 8; ++i)
        parties.push_back({all<AccountId>(i), i == 0, Verdict::hold, opening,
                           i < 2 ? std::optional(GateNumbers{~0ull, ~0ull}) : std::nullopt});
    return parties;
}

/// One body of every type, each as large as it can be.
std::vector<Body> largest_bodies() {
    auto const account = all<AccountId>(1);
    auto const hash = all<Hash32>(2);
    auto const device = all<DeviceId>(3);
    GateDecision const decision{opening, 9, hash, 255, most_parties(), 4, all<base::InstanceId>(5)};
    return {SchedulePublished{account, 1, hash, opening},
            OverridePublished{account, 2, hash, opening, 3},
            ConversationOverridePublished{account, 4, hash, opening, 5},
            TermsPublished{1, hash, opening},
            WindowOpened{account, opening, 6},
            WindowClosed{account, opening, 7},
            Held{decision},
            Quiet{decision},
            Refused{evening,
                    hash,
                    account,
                    RefusalRule::therapist_off_hours,
                    opening,
                    {{account, {1, 2}}, {client, {3, 4}}},
                    5,
                    all<base::InstanceId>(6)},
            Recalled{8, hash, account, device},
            Expired{9, hash, std::vector<AccountId>(8, account)},
            DeviceListPublished{account, 1, 2, hash},
            EpochAccepted{1, 2, hash, all<Hash32>(9)},
            SuccessorFounded{2, 7, 1, device, hash},
            KeyPackagesReset{account, device},
            OperatorAction{OperatorActionKind::clock_confirmed, account, hash},
            Paused{evening, opening, hash},
            Restored{1, 2, hash, hash},
            RetentionPurge{3, 4},
            CoverStarted{account, client, opening, hash},
            CoverEnded{account, client, 1},
            Disclosure{evening, opening, hash},
            Filler{},
            LogKeyRotated{all<crypto::VerifyKey>(1), all<crypto::VerifyKey>(2), all<crypto::Signature>(3),
                          all<crypto::Signature>(4)}};
}

auto const encode_payload_of = [](Payload const& payload) { return encode_payload(payload); };
auto const decode_payload_of = [](bytes::ByteView from) { return decode_payload(from); };

TEST(Entry, agrees_with_the_independent_cases) {
    auto const cases = tests::read_json(tests::case_file("audit_entries.json"));
    SubjectKey const key{bytes::SecretBytes(tests::hex(cases["subject_key"]))};
    std::vector<Hash32> leaves;
    Hash32 previous;
    for (auto const& c : cases["entries"]) {
        auto const payload_bytes = tests::hex(c["payload"]);
        auto const payload = decode_payload(payload_bytes);
        ASSERT_TRUE(payload) << c["type"];
        EXPECT_EQ(name(payload->type()), c["type"].get<std::string>());
        EXPECT_EQ(payload->previous, previous);
        EXPECT_EQ(payload->decided_at, wall_ms(c["decided_at_ms"].get<std::int64_t>()));
        EXPECT_EQ(encode_payload(*payload), payload_bytes);

        auto const entry =
            encode_entry(make_entry(key, c["counter"], payload->decided_at, tests::hex(c["salt"]), payload_bytes));
        EXPECT_EQ(entry, tests::hex(c["entry"]));
        previous = entry_hash(entry);
        EXPECT_EQ(bytes::copy(previous.bytes), tests::hex(c["entry_hash"]));
        leaves.push_back(previous);
    }
    EXPECT_EQ(leaves.size(), 4u);
    EXPECT_EQ(bytes::copy(root_of(leaves).bytes), tests::hex(cases["root"]));
    EXPECT_EQ(std::get<Held>(decode_payload(tests::hex(cases["entries"][1]["payload"]))->body), held_message());

    StoredReceipt const receipt{"clinic.example",
                                all<base::ConversationId>(0xc0),
                                all<DeviceId>(0xd0),
                                all<base::RequestId>(0xf0),
                                41,
                                evening - base::Millis{12},
                                all<Hash32>(0xe1),
                                holds_of(held_message().parties)};
    EXPECT_EQ(encode_receipt(receipt), tests::hex(cases["receipt"]));

    auto const& subjects = cases["subjects"];
    auto const hash_of = [](base::SubjectId const& id) { return bytes::copy(id.bytes); };
    EXPECT_EQ(hash_of(subject_of(all<base::ConversationId>(0xc0))), tests::hex(subjects["conversation"]["subject"]));
    EXPECT_EQ(hash_of(subject_of(therapist)), tests::hex(subjects["account"]["subject"]));
    EXPECT_EQ(hash_of(operator_subject(all<base::InstanceId>(0x1d))), tests::hex(subjects["operator"]["subject"]));
    EXPECT_EQ(bytes::copy(log_key_hash(all<crypto::VerifyKey>(0x77)).bytes), tests::hex(cases["log_key"]["hash"]));
}

TEST(Entry, codec_is_strict) {
    Entry const entry{minute_of(evening), all<Hash32>(1), all<Hash32>(2)};
    EXPECT_EQ(encode_entry(entry).size(), 104u);
    expect_codec_is_strict(
        entry, [](Entry const& e) { return encode_entry(e); }, [](bytes::ByteView from) { return decode_entry(from); });
}

TEST(Entry, refuses_other_versions_half_minutes_and_reserved_bytes) {
    auto const sound = encode_entry({minute_of(evening), {}, {}});
    auto changed = sound;
    changed[1] = 2;
    EXPECT_EQ(decode_entry(changed).error(), Errc::unsupported);
    changed = sound;
    changed[9] ^= 1;
    EXPECT_EQ(decode_entry(changed).error(), Errc::malformed);
    changed = sound;
    changed[103] = 1;
    EXPECT_EQ(decode_entry(changed).error(), Errc::malformed);
}

TEST(Entry, minute_is_rounded_down) {
    EXPECT_EQ(minute_of(wall_ms(59'999)), wall_ms(0));
    EXPECT_EQ(minute_of(wall_ms(60'000)), wall_ms(60'000));
    EXPECT_EQ(minute_of(wall_ms(60'001)), wall_ms(60'000));
}

TEST(Entry, tells_outsiders_nothing_but_the_minute) {
    crypto::SeededEntropy entropy(1);
    auto const key = SubjectKey::generate(entropy);
    auto const other_key = SubjectKey::generate(entropy);
    auto const payload = encode_payload({{}, evening, held_message()});
    auto const entry = make_entry(key, 1, evening, entropy.bytes(salt_bytes), payload);
    EXPECT_NE(entry.commitment, make_entry(key, 1, evening, entropy.bytes(salt_bytes), payload).commitment);
    EXPECT_NE(entry.tag, tag_of(key, 2));
    EXPECT_NE(entry.tag, tag_of(other_key, 1));
    EXPECT_EQ(entry.tag, tag_of(key.clone(), 1));
}

TEST(Payload, of_every_type_comes_back_and_its_codec_is_strict) {
    std::set<EntryType> types;
    for (auto const& body : largest_bodies()) {
        Payload const payload{all<Hash32>(7), evening, body};
        types.insert(payload.type());
        SCOPED_TRACE(name(payload.type()));
        EXPECT_EQ(encode_payload(payload).size(), 512u);
        expect_codec_is_strict(payload, encode_payload_of, decode_payload_of);
    }
    EXPECT_EQ(types.size(), std::variant_size_v<Body>);
}

TEST(Payload, sizes_known_to_the_compiler_are_those_of_the_largest_bodies) {
    for (auto const& body : largest_bodies()) {
        std::visit(
            [](auto const& b) {
                bytes::Writer written;
                codec::write(written, b);
                EXPECT_EQ(written.bytes().size(), codec::max_size<std::remove_cvref_t<decltype(b)>>());
            },
            body);
    }
    EXPECT_EQ(8 + codec::max_size<Held>(), 467u);
}

TEST(Payload, numbers_of_the_types_are_final) {
    EXPECT_EQ(type_of(SchedulePublished{}), EntryType::schedule_published);
    EXPECT_EQ(type_of(TermsPublished{}), EntryType::terms_published);
    EXPECT_EQ(type_of(Held{}), EntryType::held);
    EXPECT_EQ(type_of(Refused{}), EntryType::refused);
    EXPECT_EQ(type_of(EpochAccepted{}), EntryType::epoch);
    EXPECT_EQ(type_of(OperatorAction{}), EntryType::operator_action);
    EXPECT_EQ(type_of(LogKeyRotated{}), EntryType::log_key_rotated);
    std::vector<std::string_view> names;
    for (auto const& body : largest_bodies()) names.push_back(name(type_of(body)));
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), 24u);
}

TEST(Payload, refuses_unknown_types_padding_and_unsound_parties) {
    auto const sound = encode_payload({{}, evening, held_message()});
    auto changed = sound;
    for (int type : {0, 25, 255}) {
        changed[0] = static_cast<std::uint8_t>(type);
        EXPECT_EQ(decode_payload(changed).error(), Errc::unsupported) << type;
    }
    changed = sound;
    changed[511] = 1;
    EXPECT_EQ(decode_payload(changed).error(), Errc::malformed);

    auto const encoded_with = [](std::vector<Party> const& parties) {
        bytes::Writer to;
        codec::write(to, Bounded<Party, 20>(parties));
        return to.take();
    };
    auto const read = [&](std::vector<Party> const& parties) {
        auto const encoded = encoded_with(parties);
        bytes::Reader from(encoded);
        return Parties::read(from);
    };
    Party const gated{therapist, false, Verdict::hold, {}, GateNumbers{}};
    Party const plain{client, false, Verdict::pass, {}, {}};
    Party const until_without_hold{client, false, Verdict::pass, opening, {}};
    EXPECT_TRUE(read({gated, gated, plain}));
    EXPECT_EQ(read({gated, gated, gated}).error(), Errc::malformed);
    EXPECT_EQ(read({until_without_hold}).error(), Errc::malformed);
    EXPECT_TRUE(read(std::vector<Party>(8, plain)));
    EXPECT_EQ(read(std::vector<Party>(9, plain)).error(), Errc::too_long);
}

RC_GTEST_PROP(Payload, decoder_takes_only_what_the_encoder_writes, ()) {
    auto bytes = *rc::gen::container<std::vector<std::uint8_t>>(512, rc::gen::element<std::uint8_t>(0, 0, 0, 1, 2, 32));
    bytes[0] = *rc::gen::inRange<std::uint8_t>(1, 25);
    auto const decoded = decode_payload(bytes);
    if (decoded) RC_ASSERT(encode_payload(*decoded) == bytes);
}

TEST(Receipt, codec_is_strict) {
    StoredReceipt receipt{
        "clinic.example", all<base::ConversationId>(1), all<DeviceId>(2), all<base::RequestId>(3), 41, evening,
        all<Hash32>(4),   holds_of(most_parties())};
    ASSERT_EQ(receipt.holds.size(), 8u);
    receipt.holds[3].until.reset();
    expect_codec_is_strict(
        receipt, [](StoredReceipt const& r) { return encode_receipt(r); },
        [](bytes::ByteView from) { return decode_receipt(from); });
}

TEST(Receipt, is_the_servers_word_under_its_log_key_only) {
    auto const key = key_of(1);
    auto const receipt = encode_receipt({"clinic.example", {}, {}, {}, 1, evening, {}, {{therapist, opening}}});
    auto const signature = sign_receipt(key, receipt);
    EXPECT_TRUE(open_receipt(receipt, signature.bytes, key.public_key()));
    EXPECT_EQ(open_receipt(receipt, signature.bytes, key_of(2).public_key()).error(), Errc::bad_signature);
    auto changed = receipt;
    changed.back() ^= 1;
    EXPECT_EQ(open_receipt(changed, signature.bytes, key.public_key()).error(), Errc::bad_signature);
    // A plain signature of the same key over the same bytes is not one: the label is missing.
    EXPECT_EQ(open_receipt(receipt, key.sign(receipt).bytes, key.public_key()).error(), Errc::bad_signature);
}

}  // namespace
}  // namespace interlude::audit
