// One signature by the invitation key turns an invitation into an account and a conversation, and into nothing else.
#include "common/identity/redemption.hpp"

#include "common/base/limits.hpp"
#include "tests/unit/identity/people.hpp"

namespace interlude::identity {
namespace {

using base::Errc;
using base::Side;
using tests::noon;
using tests::Person;

struct Redemptions : testing::Test {
    crypto::SeededEntropy entropy{7};
    Person anna{entropy, Side::therapist};
    Person carla{entropy, Side::client};
    crypto::SigningKey key = invitation_key(entropy.bytes(32));
    InvitationDocument invitation{.invitation_key = key.public_key(),
                                  .kind = InvitationKind::new_conversation,
                                  .conversation = {},
                                  .inviter = anna.account(),
                                  .device = anna.device.id,
                                  .position = {1, 1},
                                  .expiry = noon};

    Redemption founding() const {
        Redemption out{.invitation = invitation.id(),
                       .server_name = "relay.example",
                       .kind = InvitationKind::new_conversation,
                       .account = carla.account(),
                       .device_list = carla.newest.as_signed(),
                       .device = carla.device.id,
                       .founding = Founding{},
                       .key_packages = {}};
        out.founding->conversation = tests::id_of<base::ConversationId>(7);
        out.founding->group_id = bytes::Bytes(32, 8);
        out.founding->declaration = bytes::Bytes(300, 9);
        out.founding->welcomes = {bytes::Bytes(500, 10), bytes::Bytes(20, 11)};
        return out;
    }
    Redemption joining() const {
        auto out = founding();
        out.kind = InvitationKind::join;
        out.founding.reset();
        out.key_packages = {bytes::Bytes(100, 12), bytes::Bytes(90, 13)};
        return out;
    }
    Redemption beginning() const {
        auto out = founding();
        out.kind = InvitationKind::therapist;
        out.founding.reset();
        out.account = anna.account();
        out.device_list = anna.newest.as_signed();
        out.device = anna.device.id;
        return out;
    }
    /// Signed without sign_redemption's checks.
    SignedRedemption forge(Redemption const& redemption) const {
        auto bytes = encode(redemption);
        auto const signature = crypto::sign_labelled(key, "redemption", bytes);
        return {std::move(bytes), signature};
    }
};

TEST_F(Redemptions, come_back_and_have_one_encoding) {
    for (auto const& redemption : {founding(), joining(), beginning()}) {
        tests::expect_sound_codec(redemption, decode_redemption);
        tests::expect_one_encoding(encode(redemption), decode_redemption);
    }
}

TEST_F(Redemptions, have_the_parts_of_their_kind_and_no_others) {
    auto refused = [](Redemption changed, auto change) {
        change(changed);
        return decode_redemption(encode(changed)).error();
    };
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding.reset(); }), Errc::malformed);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.key_packages = {bytes::Bytes(9)}; }), Errc::malformed);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding->welcomes.clear(); }), Errc::malformed);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding->welcomes.push_back({}); }), Errc::malformed);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding->generation = 0; }), Errc::malformed);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding->conversation = {}; }), Errc::malformed);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding->group_id.clear(); }), Errc::malformed);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding->declaration.clear(); }), Errc::malformed);
    EXPECT_EQ(refused(joining(), [](auto& r) { r.key_packages.clear(); }), Errc::malformed);
    EXPECT_EQ(refused(joining(), [](auto& r) { r.kind = InvitationKind::therapist; }), Errc::malformed);
    EXPECT_EQ(refused(beginning(), [](auto& r) { r.kind = static_cast<InvitationKind>(4); }), Errc::unsupported);
}

TEST_F(Redemptions, are_bounded) {
    auto refused = [](Redemption changed, auto change) {
        change(changed);
        return decode_redemption(encode(changed)).error();
    };
    auto const whole = base::limits::redemption_bytes_max;
    EXPECT_EQ(refused(founding(), [&](auto& r) { r.founding->welcomes[0].resize(whole); }), Errc::too_long);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.founding->group_id.resize(256); }), Errc::too_long);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.server_name.resize(256); }), Errc::too_long);
    EXPECT_EQ(refused(founding(), [](auto& r) { r.device_list.bytes.resize(1025); }), Errc::too_long);
    EXPECT_EQ(refused(joining(), [](auto& r) { r.key_packages.assign(65, bytes::Bytes(1)); }), Errc::too_long);
}

TEST_F(Redemptions, verify_with_list_and_device) {
    auto const verified = verify_redemption(sign_redemption(key, founding()), invitation, "relay.example");
    ASSERT_TRUE(verified) << name(verified.error());
    EXPECT_EQ(verified->redemption, founding());
    EXPECT_EQ(verified->device_list.hash(), carla.newest.hash());
    invitation = operators_invitation(key.public_key(), noon);
    EXPECT_TRUE(verify_redemption(sign_redemption(key, beginning()), invitation, "relay.example"));
}

TEST_F(Redemptions, of_a_changed_byte_or_another_key_are_refused) {
    auto const received = sign_redemption(key, founding());
    for (std::size_t i = 0; i < received.bytes.size(); ++i) {
        auto changed = received;
        changed.bytes[i] ^= 1;
        EXPECT_EQ(verify_redemption(changed, invitation, "relay.example").error(), Errc::bad_signature) << i;
    }
    auto const other = invitation_key(entropy.bytes(32));
    EXPECT_EQ(verify_redemption(sign_redemption(other, founding()), invitation, "relay.example").error(),
              Errc::bad_signature);
}

TEST_F(Redemptions, hold_for_their_invitation_server_and_account_alone) {
    auto refused = [&](auto change) {
        auto changed = founding();
        change(changed);
        return verify_redemption(forge(changed), invitation, "relay.example").error();
    };
    EXPECT_EQ(verify_redemption(forge(founding()), invitation, "other.example").error(), Errc::not_allowed);
    EXPECT_EQ(refused([](auto& r) { r.invitation.bytes[0] ^= 1; }), Errc::not_allowed);
    EXPECT_EQ(refused([&](auto& r) { r = joining(); }), Errc::not_allowed) << "another kind";
    EXPECT_EQ(refused([](auto& r) { r.account.bytes[0] ^= 1; }), Errc::inconsistent);
    EXPECT_EQ(refused([](auto& r) { r.device.bytes[0] ^= 1; }), Errc::not_listed);
    EXPECT_EQ(refused([](auto& r) { r.device_list.signature.bytes[0] ^= 1; }), Errc::bad_signature);
    EXPECT_EQ(refused([&](auto& r) {
                  r.account = anna.account();
                  r.device_list = anna.newest.as_signed();
                  r.device = anna.device.id;
              }),
              Errc::not_allowed)
        << "a therapist's account cannot take a client's place";
    carla.relist({carla.device.listed()});
    EXPECT_EQ(refused([&](auto& r) { r.device_list = carla.newest.as_signed(); }), Errc::inconsistent)
        << "only an account's first list";
}

TEST_F(Redemptions, have_a_hash_of_their_bytes) {
    auto const one = sign_redemption(key, founding());
    EXPECT_EQ(redemption_hash(one.bytes), redemption_hash(sign_redemption(key, founding()).bytes));
    EXPECT_NE(redemption_hash(one.bytes), redemption_hash(sign_redemption(key, joining()).bytes));
}

}  // namespace
}  // namespace interlude::identity
