// Made-up people for the tests of this folder: an account with its keys and first list, and checks that every decoder
// must pass.
#pragma once

#include <gtest/gtest.h>

#include "common/identity/device_list.hpp"

namespace interlude::identity::tests {

inline constexpr auto noon = base::wall_ms(1'750'000'000'000);

template <class IdType>
IdType id_of(std::uint8_t fill) {
    IdType id;
    id.bytes.fill(fill);
    return id;
}

struct Device {
    base::DeviceId id;
    crypto::SigningKey key;
    ListedDevice listed(base::WallTime added = noon) const { return {id, key.public_key(), added}; }
};

inline Device new_device(crypto::Entropy& entropy) {
    auto const id = entropy.id<base::DeviceId>();
    return {id, crypto::SigningKey::generate(entropy)};
}

/// An account with one device.
struct Person {
    Person(crypto::Entropy& entropy, base::Side side)
        : seed(entropy.secret(recovery_seed_size)),
          root(account_key(seed.expose(), 0)),
          list_key(crypto::SigningKey::generate(entropy)),
          device(new_device(entropy)),
          certificate(certify_list_key(root, side, 1, list_key.public_key())),
          newest(*verify_first(sign_first(list_key, certificate, {device.listed()}, noon))) {}

    DeviceList const& list() const { return newest.list(); }
    base::AccountId account() const { return certificate.account; }
    /// Makes the given devices the account's next list.
    void relist(std::vector<ListedDevice> devices, base::WallTime time = noon) {
        newest = *verify_next(newest, sign_next(list_key, newest, std::move(devices), time));
    }

    bytes::SecretBytes seed;
    crypto::SigningKey root;
    crypto::SigningKey list_key;
    Device device;
    ListKeyCertificate certificate;
    VerifiedDeviceList newest;
};

/// Comes back equal, encodes to the same bytes, and neither a shorter nor a longer input is taken for it.
template <class Value, class Decode>
void expect_sound_codec(Value const& value, Decode decode) {
    auto const encoded = encode(value);
    auto const decoded = decode(bytes::ByteView(encoded));
    ASSERT_TRUE(decoded.has_value()) << name(decoded.error());
    EXPECT_EQ(*decoded, value);
    EXPECT_EQ(encode(*decoded), encoded);
    for (std::size_t size = 0; size < encoded.size(); ++size)
        EXPECT_FALSE(decode(bytes::ByteView(encoded).first(size)).has_value()) << "cut to " << size;
    auto longer = encoded;
    longer.push_back(0);
    EXPECT_EQ(decode(bytes::ByteView(longer)).error(), base::Errc::trailing_bytes);
}

/// Whatever single byte is changed, what still decodes encodes to exactly the changed bytes.
template <class Decode>
void expect_one_encoding(bytes::Bytes const& encoded, Decode decode) {
    for (std::size_t i = 0; i < encoded.size(); ++i)
        for (int change : {1, 0x80, 0xff}) {
            auto changed = encoded;
            changed[i] ^= static_cast<std::uint8_t>(change);
            auto const decoded = decode(bytes::ByteView(changed));
            EXPECT_TRUE(!decoded.has_value() || encode(*decoded) == changed) << i;
        }
}

}  // namespace interlude::identity::tests
