// Invitations: the seed makes the key, the link pins whom to trust, the document is the inviter's device's word.
#include "common/identity/invitation.hpp"

#include "common/bytes/text.hpp"
#include "common/identity/invitation_link.hpp"
#include "tests/unit/identity/people.hpp"

namespace interlude::identity {
namespace {

using base::Errc;
using base::Side;
using tests::noon;
using tests::Person;
using namespace std::chrono_literals;

struct Invitations : testing::Test {
    crypto::SeededEntropy entropy{6};
    Person anna{entropy, Side::therapist};
    bytes::SecretBytes seed = entropy.secret(32);
    crypto::SigningKey key = invitation_key(seed.expose());

    InvitationDocument document() const {
        return {.invitation_key = key.public_key(),
                .kind = InvitationKind::new_conversation,
                .conversation = {},
                .inviter = anna.account(),
                .device = anna.device.id,
                .position = anna.list().position(),
                .expiry = noon + 168h};
    }
    InvitationFragment fragment() const {
        return {.kind = InvitationKind::new_conversation,
                .seed = seed.clone(),
                .inviter = anna.account(),
                .position = anna.list().position(),
                .list_hash = anna.newest.hash(),
                .log_key_hash = tests::id_of<base::Hash32>(5),
                .expiry = noon + 168h};
    }
    InvitationFragment operators_fragment() const {
        return {.kind = InvitationKind::therapist,
                .seed = seed.clone(),
                .inviter = {},
                .position = {},
                .list_hash = {},
                .log_key_hash = tests::id_of<base::Hash32>(5),
                .expiry = noon + 168h};
    }
};

TEST_F(Invitations, seed_decides_key_and_id) {
    EXPECT_EQ(invitation_key(seed.expose()).public_key(), key.public_key());
    EXPECT_NE(invitation_key(entropy.bytes(32)).public_key(), key.public_key());
    EXPECT_NE(crypto::SigningKey::from_seed(seed.expose())->public_key(), key.public_key())
        << "derived, not used as is";
    EXPECT_NE(base::Hash32{invitation_id(key.public_key()).bytes}, base::Hash32{account_id(key.public_key()).bytes});
}

TEST_F(Invitations, documents_come_back_and_have_one_encoding) {
    tests::expect_sound_codec(document(), decode_invitation);
    tests::expect_one_encoding(encode(document()), decode_invitation);
    tests::expect_sound_codec(operators_invitation(key.public_key(), noon), decode_invitation);
    auto join = document();
    join.kind = InvitationKind::join;
    join.conversation = tests::id_of<base::ConversationId>(1);
    tests::expect_sound_codec(join, decode_invitation);
}

TEST_F(Invitations, documents_name_what_their_kind_needs_and_nothing_else) {
    auto refused = [&](InvitationDocument changed, auto change) {
        change(changed);
        return decode_invitation(encode(changed)).error();
    };
    EXPECT_EQ(refused(document(), [](auto& d) { d.kind = InvitationKind::join; }), Errc::malformed);
    EXPECT_EQ(refused(document(), [](auto& d) { d.kind = InvitationKind::therapist; }), Errc::malformed);
    EXPECT_EQ(refused(document(), [](auto& d) { d.inviter = {}; }), Errc::malformed);
    EXPECT_EQ(refused(document(), [](auto& d) { d.position = {}; }), Errc::malformed);
    EXPECT_EQ(refused(document(), [](auto& d) { d.kind = static_cast<InvitationKind>(4); }), Errc::unsupported);
    auto encoded = encode(document());
    encoded[0] = 2;
    EXPECT_EQ(decode_invitation(encoded).error(), Errc::unsupported);
}

TEST_F(Invitations, documents_are_the_word_of_a_listed_device) {
    auto const received = sign_invitation(anna.device.key, document());
    auto const verified = verify_invitation(received, anna.list());
    ASSERT_TRUE(verified);
    EXPECT_EQ(*verified, document());
    for (std::size_t i = 0; i < received.bytes.size(); ++i) {
        auto changed = received;
        changed.bytes[i] ^= 1;
        EXPECT_FALSE(verify_invitation(changed, anna.list()).has_value()) << "byte " << i;
    }
    EXPECT_EQ(verify_invitation(sign_invitation(anna.list_key, document()), anna.list()).error(), Errc::bad_signature);
    Person const ben(entropy, Side::therapist);
    EXPECT_EQ(verify_invitation(received, ben.list()).error(), Errc::not_listed);
    auto newer = document();
    newer.position = {1, 2};
    EXPECT_EQ(verify_invitation(sign_invitation(anna.device.key, newer), anna.list()).error(), Errc::stale);
    anna.relist({tests::new_device(entropy).listed()});
    EXPECT_EQ(verify_invitation(received, anna.list()).error(), Errc::not_listed) << "the device was removed";
}

TEST_F(Invitations, of_a_client_begin_no_conversation_and_of_a_device_no_therapist) {
    Person const carla(entropy, Side::client);
    auto from_client = document();
    from_client.inviter = carla.account();
    from_client.device = carla.device.id;
    EXPECT_EQ(verify_invitation(sign_invitation(carla.device.key, from_client), carla.list()).error(),
              Errc::not_allowed);
    auto const bytes = encode(operators_invitation(key.public_key(), noon));
    SignedInvitation const forged{bytes, crypto::sign_labelled(anna.device.key, "invitation", bytes)};
    EXPECT_EQ(verify_invitation(forged, anna.list()).error(), Errc::not_allowed);
}

TEST_F(Invitations, end_at_their_expiry) {
    EXPECT_FALSE(is_expired(document(), noon + 168h - 1ms));
    EXPECT_TRUE(is_expired(document(), noon + 168h));
}

TEST_F(Invitations, fragments_come_back_exactly) {
    auto const text = encode_fragment(fragment());
    EXPECT_EQ(bytes::from_base64url(text)->size(), 154u);
    auto const decoded = decode_fragment(text);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->kind, InvitationKind::new_conversation);
    EXPECT_TRUE(bytes::equal(decoded->seed.expose(), seed.expose()));
    EXPECT_EQ(decoded->inviter, anna.account());
    EXPECT_EQ(decoded->position, (ListPosition{1, 1}));
    EXPECT_EQ(decoded->list_hash, anna.newest.hash());
    EXPECT_EQ(decoded->log_key_hash, tests::id_of<base::Hash32>(5));
    EXPECT_EQ(decoded->expiry, noon + 168h);
    EXPECT_EQ(encode_fragment(*decoded), text);
    auto const operators = encode_fragment(operators_fragment());
    EXPECT_EQ(encode_fragment(*decode_fragment(operators)), operators);
}

TEST_F(Invitations, fragments_have_the_bytes_of_the_design) {
    auto const whole = *bytes::from_base64url(encode_fragment(fragment()));
    bytes::Bytes expected{1, 2};
    bytes::append(expected, seed.expose());
    bytes::append(expected, anna.account().bytes);
    for (int i = 0; i < 2; ++i) bytes::append(expected, bytes::Bytes{0, 0, 0, 0, 0, 0, 0, 1});
    bytes::append(expected, anna.newest.hash().bytes);
    bytes::append(expected, bytes::Bytes(32, 5));
    bytes::append(expected, *bytes::from_hex("00000197982d6000"));  // 2025-06-22T15:06:40Z in milliseconds
    EXPECT_EQ(bytes::to_hex(whole), bytes::to_hex(expected));
}

TEST_F(Invitations, fragments_cut_lengthened_or_of_another_kind_are_refused) {
    auto const text = encode_fragment(fragment());
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(decode_fragment(std::string_view(text).substr(0, size)).has_value()) << size;
    auto whole = *bytes::from_base64url(text);
    auto refused = [&](std::size_t at, std::uint8_t value) {
        auto changed = whole;
        changed[at] = value;
        return decode_fragment(bytes::to_base64url(changed)).error();
    };
    EXPECT_EQ(refused(0, 2), Errc::unsupported);
    EXPECT_EQ(refused(1, 4), Errc::unsupported) << "reserved: continue";
    EXPECT_EQ(refused(1, 1), Errc::malformed) << "the operator's invitation names no inviter";
    whole.push_back(0);
    EXPECT_EQ(decode_fragment(bytes::to_base64url(whole)).error(), Errc::trailing_bytes);
    EXPECT_EQ(decode_fragment(text + "=").error(), Errc::malformed);
    EXPECT_EQ(decode_fragment(std::string(1000, 'A')).error(), Errc::too_long);
    auto operators = *bytes::from_base64url(encode_fragment(operators_fragment()));
    operators[1] = 2;
    EXPECT_EQ(decode_fragment(bytes::to_base64url(operators)).error(), Errc::malformed);
}

TEST_F(Invitations, links_come_back_with_their_server) {
    for (auto const* server :
         {"relay.example", "relay.example:8443", "localhost:9000", "127.0.0.1:1", "[::1]:8443", "[2001:db8::1]"}) {
        auto const text = format_link({server, fragment()});
        EXPECT_EQ(text, "https://" + std::string(server) + "/i#" + encode_fragment(fragment()));
        auto const link = parse_link(text);
        ASSERT_TRUE(link) << server;
        EXPECT_EQ(link->server, server);
        EXPECT_EQ(format_link(*link), text);
    }
}

TEST_F(Invitations, links_of_another_form_are_refused) {
    auto const text = encode_fragment(fragment());
    for (auto const* start :
         {"http://relay.example/i#", "https:///i#", "https://relay.example/j#", "https://relay.example/i?x#",
          "https://relay.example/i/#", "https://user@relay.example/i#", "https://Relay.example/i#",
          "https://relay.example:/i#", "https://relay.example:0/i#", "https://relay.example:65536/i#",
          "https://relay.example:80a/i#", "https://[::1/i#", "https://[::1]x/i#", "https://[]/i#",
          " https://relay.example/i#", "https://relay.example#", "https://re lay.example/i#", ""})
        EXPECT_EQ(parse_link(start + text).error(), Errc::malformed) << start;
    EXPECT_FALSE(parse_link("https://relay.example/i#" + text + " ").has_value());
    EXPECT_FALSE(parse_link("https://relay.example/i#").has_value());
    EXPECT_FALSE(parse_link("https://" + std::string(256, 'a') + "/i#" + text).has_value());
}

}  // namespace
}  // namespace interlude::identity
