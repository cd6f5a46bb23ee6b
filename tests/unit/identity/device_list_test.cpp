// Device lists: encoded once, chained, verified as received; who holds the kit beats who holds the list key.
#include "common/base/limits.hpp"
#include "tests/unit/identity/people.hpp"

namespace interlude::identity {
namespace {

using base::Errc;
using base::Side;
using tests::new_device;
using tests::noon;
using tests::Person;
using namespace std::chrono_literals;

struct DeviceLists : testing::Test {
    crypto::SeededEntropy entropy{3};
    Person anna{entropy, Side::therapist};

    /// What the holder of the list key can sign when she does not care for the rules.
    SignedDeviceList forge(DeviceList list, crypto::SigningKey const& key) const {
        auto bytes = encode(list);
        auto const signature = crypto::sign_labelled(key, "device list", bytes);
        return {std::move(bytes), signature};
    }
    DeviceList next_list() const {
        auto list = anna.list();
        list.version = 2;
        list.previous = anna.newest.hash();
        return list;
    }
};

TEST_F(DeviceLists, come_back_and_have_one_encoding) {
    auto const phone = new_device(entropy);
    anna.relist({anna.device.listed(), phone.listed(noon + 1h)}, noon + 1h);
    tests::expect_sound_codec(anna.list(), decode_device_list);
    tests::expect_one_encoding(encode(anna.list()), decode_device_list);
}

TEST_F(DeviceLists, refuse_values_that_no_list_has) {
    auto refused = [&](auto change) {
        auto list = anna.list();
        change(list);
        return decode_device_list(encode(list)).error();
    };
    EXPECT_EQ(refused([](auto& l) { l.identity.side = static_cast<Side>(3); }), Errc::malformed);
    EXPECT_EQ(refused([](auto& l) { l.identity.generation = 0; }), Errc::malformed);
    EXPECT_EQ(refused([](auto& l) { l.version = 0; }), Errc::malformed);
    EXPECT_EQ(refused([](auto& l) { l.identity.generation = UINT64_C(1) << 63; }), Errc::malformed);
    EXPECT_EQ(refused([](auto& l) {
                  l.version = UINT64_C(1) << 63;
                  l.previous.bytes[0] = 1;
              }),
              Errc::malformed);
    EXPECT_EQ(refused([](auto& l) { l.version = 2; }), Errc::malformed) << "version 2 names its predecessor";
    EXPECT_EQ(refused([](auto& l) { l.previous.bytes[0] = 1; }), Errc::malformed) << "version 1 has none";
    EXPECT_EQ(refused([](auto& l) { l.devices.clear(); }), Errc::malformed);
    EXPECT_EQ(refused([](auto& l) { l.devices.push_back(l.devices[0]); }), Errc::malformed);
    EXPECT_EQ(refused([](auto& l) {
                  l.devices.push_back(l.devices[0]);
                  l.devices[1].id.bytes[0] ^= 1;
              }),
              Errc::malformed)
        << "one key for two devices";
}

TEST_F(DeviceLists, have_at_most_eight_devices) {
    auto list = anna.list();
    while (list.devices.size() < 8) list.devices.push_back(new_device(entropy).listed());
    EXPECT_TRUE(decode_device_list(encode(list)));
    list.devices.push_back(new_device(entropy).listed());
    EXPECT_EQ(decode_device_list(encode(list)).error(), Errc::too_long);
}

TEST_F(DeviceLists, first_list_is_generation_1_version_1) {
    auto const first = anna.newest.as_signed();
    ASSERT_TRUE(verify_first(first));
    EXPECT_EQ(verify_first(first)->hash(), device_list_hash(first.bytes));
    anna.relist({anna.device.listed()});
    EXPECT_EQ(verify_first(anna.newest.as_signed()).error(), Errc::inconsistent);
}

TEST_F(DeviceLists, any_changed_byte_is_noticed) {
    auto const received = anna.newest.as_signed();
    for (std::size_t i = 0; i < received.bytes.size(); ++i) {
        auto changed = received;
        changed.bytes[i] ^= 1;
        EXPECT_FALSE(verify_device_list(changed).has_value()) << "byte " << i;
    }
    auto changed = received;
    changed.signature.bytes[0] ^= 1;
    EXPECT_EQ(verify_device_list(changed).error(), Errc::bad_signature);
    auto const mallory = crypto::SigningKey::generate(entropy);
    EXPECT_EQ(verify_device_list(forge(anna.list(), mallory)).error(), Errc::bad_signature);
}

TEST_F(DeviceLists, of_a_list_key_that_the_account_key_never_certified_are_refused) {
    // Mallory signs a flawless list of her own devices in Anna's name; only the certificate is missing.
    auto const mallory = crypto::SigningKey::generate(entropy);
    auto list = anna.list();
    list.identity.list_key = mallory.public_key();
    list.devices = {new_device(entropy).listed()};
    EXPECT_EQ(verify_first(forge(list, mallory)).error(), Errc::bad_signature);
    // Who only holds the list key cannot begin a newer generation either.
    list = anna.list();
    list.identity.generation = 2;
    EXPECT_EQ(verify_next(anna.newest, forge(list, anna.list_key)).error(), Errc::bad_signature);
    list = anna.list();
    list.identity = certify_list_key(mallory, Side::therapist, 1, mallory.public_key());
    list.identity.account = anna.account();
    EXPECT_EQ(verify_first(forge(list, mallory)).error(), Errc::bad_key);
}

TEST_F(DeviceLists, chain_version_by_version) {
    auto const phone = new_device(entropy);
    auto const first = anna.newest;
    auto const second = sign_next(anna.list_key, first, {anna.device.listed(), phone.listed()}, noon + 1h);
    auto const verified = verify_next(first, second);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->list().position(), (ListPosition{1, 2}));
    EXPECT_NE(verified->list().find(phone.id), nullptr);
    EXPECT_EQ(verified->list().previous, first.hash());

    EXPECT_EQ(verify_next(*verified, second).error(), Errc::stale) << "the same again";
    EXPECT_EQ(verify_next(*verified, first.as_signed()).error(), Errc::stale);
    auto const third = sign_next(anna.list_key, *verified, {phone.listed()}, noon + 2h);
    EXPECT_EQ(verify_next(first, third).error(), Errc::inconsistent) << "a version was left out";
    auto const whole = verify_chain(first, {first.as_signed(), second, third});
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->list().position(), (ListPosition{1, 3}));
    EXPECT_EQ(verify_chain(first, {third}).error(), Errc::inconsistent);
}

TEST_F(DeviceLists, successor_keeps_identity_predecessor_time_and_keys) {
    auto refused = [&](auto change) {
        auto list = next_list();
        change(list);
        return verify_next(anna.newest, forge(list, anna.list_key)).error();
    };
    EXPECT_TRUE(verify_next(anna.newest, forge(next_list(), anna.list_key)));
    EXPECT_EQ(refused([](auto& l) { l.previous.bytes[5] ^= 1; }), Errc::inconsistent);
    EXPECT_EQ(refused([&](auto& l) { l.devices[0].auth_key = new_device(entropy).key.public_key(); }),
              Errc::inconsistent);
    EXPECT_EQ(refused([](auto& l) { l.devices[0].added += 1ms; }), Errc::inconsistent);
    // Neighbouring times may go back by two seconds, not more.
    EXPECT_EQ(refused([](auto& l) { l.time = noon - 2001ms; }), Errc::inconsistent);
    auto list = next_list();
    list.time = noon - 2s;
    EXPECT_TRUE(verify_next(anna.newest, forge(list, anna.list_key)));
    EXPECT_EQ(sign_next(anna.list_key, anna.newest, {anna.device.listed()}, noon - 1h).bytes,
              sign_next(anna.list_key, anna.newest, {anna.device.listed()}, noon).bytes)
        << "a clock that went back does not break the chain";
}

TEST_F(DeviceLists, of_another_account_never_follow) {
    Person const ben(entropy, Side::therapist);
    auto const theirs = sign_next(ben.list_key, ben.newest, {ben.device.listed()}, noon);
    EXPECT_EQ(verify_next(anna.newest, theirs).error(), Errc::inconsistent);
}

TEST_F(DeviceLists, newer_generation_beats_every_version_of_the_older) {
    // given a thief with the list key who got far ahead
    auto const owners_view = anna.newest;
    for (int i = 0; i < 3; ++i) anna.relist({new_device(entropy).listed()}, noon + 24h * 365);
    // when the owner takes the account back with the kit, knowing only her old list
    auto const new_list_key = crypto::SigningKey::generate(entropy);
    auto const certificate = certify_list_key(anna.root, Side::therapist, 2, new_list_key.public_key());
    auto const taken_back = sign_first(new_list_key, certificate, {new_device(entropy).listed()}, noon);
    // then everybody follows her, and the thief's next list is old
    EXPECT_TRUE(verify_next(owners_view, taken_back));
    auto const after = verify_next(anna.newest, taken_back);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->list().position(), (ListPosition{2, 1}));
    auto const thiefs = sign_next(anna.list_key, anna.newest, {anna.device.listed()}, noon + 24h * 366);
    EXPECT_EQ(verify_next(*after, thiefs).error(), Errc::stale);
    EXPECT_EQ(verify_first(taken_back).error(), Errc::inconsistent);
}

TEST_F(DeviceLists, newer_generation_begins_with_version_1_and_keeps_the_side) {
    auto const key = crypto::SigningKey::generate(entropy);
    auto list = next_list();
    list.identity = certify_list_key(anna.root, Side::therapist, 2, key.public_key());
    EXPECT_EQ(verify_next(anna.newest, forge(list, key)).error(), Errc::inconsistent);
    auto const certificate = certify_list_key(anna.root, Side::client, 2, key.public_key());
    auto const other_side = sign_first(key, certificate, {anna.device.listed()}, noon);
    EXPECT_EQ(verify_next(anna.newest, other_side).error(), Errc::inconsistent);
}

TEST_F(DeviceLists, pinned_list_is_the_one_with_the_hash) {
    anna.relist({anna.device.listed()});
    auto const pinned = anna.newest.as_signed();
    EXPECT_TRUE(verify_pinned(pinned, anna.account(), anna.newest.hash()));
    auto other = anna.newest.hash();
    other.bytes[0] ^= 1;
    EXPECT_EQ(verify_pinned(pinned, anna.account(), other).error(), Errc::inconsistent);
    EXPECT_EQ(verify_pinned(pinned, tests::id_of<base::AccountId>(1), anna.newest.hash()).error(), Errc::inconsistent);
}

TEST_F(DeviceLists, come_back_from_the_store_with_the_same_hash) {
    auto const restored = VerifiedDeviceList::from_own_store(anna.newest.as_signed());
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->hash(), anna.newest.hash());
    EXPECT_EQ(restored->list(), anna.list());
}

TEST_F(DeviceLists, grow_old_after_45_days) {
    EXPECT_FALSE(is_old(anna.list(), noon + 24h * 45));
    EXPECT_TRUE(is_old(anna.list(), noon + 24h * 45 + 1ms));
}

}  // namespace
}  // namespace interlude::identity
