#include "common/mls_framing/declaration.hpp"

#include <gtest/gtest.h>

#include "common/base/limits.hpp"
#include "common/crypto/entropy.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::mls_framing {
namespace {

using base::Errc;

template <class IdType>
IdType id(std::uint8_t first, std::uint8_t second = 0) {
    IdType made;
    made.bytes.front() = first;
    made.bytes.back() = second;
    return made;
}

AddedDevice added(std::uint8_t account, std::uint8_t device) {
    return {id<base::AccountId>(account), base::Side::client, id<base::DeviceId>(device),
            id<KeyPackageRef>(account, device)};
}

Declaration example() {
    Declaration declaration{id<base::ConversationId>(7), 1, 41, {added(1, 1), added(1, 2), added(2, 1)}, {}};
    declaration.added[2].side = base::Side::therapist;
    declaration.removed = {{id<base::AccountId>(3), id<base::DeviceId>(9)}};
    return declaration;
}

TEST(Declaration, decodes_to_what_was_encoded) {
    auto const encoded = encode(example());
    auto const decoded = decode_declaration(encoded);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, example());
    EXPECT_EQ(encode(*decoded), encoded);
}

TEST(Declaration, has_the_documented_layout) {
    Declaration const declaration{id<base::ConversationId>(7), 1, 2, {added(1, 5)}, {}};
    auto const encoded = encode(declaration);
    // conversation, generation, epoch, a two-byte length of 81, one added device, no removed one, no consents.
    ASSERT_EQ(encoded.size(), 16u + 8 + 8 + 2 + (32 + 1 + 16 + 32) + 1 + 1);
    EXPECT_EQ(encoded[0], 7);
    EXPECT_EQ(encoded[23], 1);
    EXPECT_EQ(encoded[31], 2);
    EXPECT_EQ(encoded[32], 0x40);
    EXPECT_EQ(encoded[33], 81);
    EXPECT_EQ(encoded[34 + 32], 1);  // the client side
    EXPECT_EQ(encoded[34 + 33], 5);  // the device
}

TEST(Declaration, hash_is_labelled_and_over_the_bytes_as_received) {
    auto const encoded = encode(example());
    EXPECT_EQ(declaration_hash(encoded), crypto::labelled_hash("declaration", encoded));
    EXPECT_NE(declaration_hash(encoded), crypto::sha256(encoded));
}

TEST(Declaration, every_shortened_or_lengthened_form_is_refused) {
    auto encoded = encode(example());
    for (std::size_t size = 0; size < encoded.size(); ++size) {
        EXPECT_FALSE(decode_declaration(bytes::ByteView(encoded).first(size))) << size;
    }
    encoded.push_back(0);
    EXPECT_EQ(decode_declaration(encoded).error(), Errc::trailing_bytes);
}

TEST(Declaration, contradictions_are_refused) {
    struct Case {
        char const* what;
        void (*spoil)(Declaration&);
    };
    Case const cases[] = {
        {"generation 0", [](Declaration& d) { d.generation = 0; }},
        {"an unknown side", [](Declaration& d) { d.added[0].side = base::Side{3}; }},
        {"one account on two sides", [](Declaration& d) { d.added[0].side = base::Side::therapist; }},
        {"a device added twice", [](Declaration& d) { d.added[1].device = d.added[0].device; }},
        {"a key package used twice", [](Declaration& d) { d.added[1].ref = d.added[0].ref; }},
        {"a device removed twice", [](Declaration& d) { d.removed.push_back(d.removed[0]); }},
    };
    for (auto const& [what, spoil] : cases) {
        auto declaration = example();
        spoil(declaration);
        auto const decoded = decode_declaration(encode(declaration));
        ASSERT_FALSE(decoded) << what;
        EXPECT_EQ(decoded.error(), Errc::malformed) << what;
    }
}

TEST(Declaration, a_device_may_be_removed_and_added_anew_in_one_commit) {
    auto declaration = example();
    declaration.removed.push_back({declaration.added[0].account, declaration.added[0].device});
    EXPECT_TRUE(decode_declaration(encode(declaration)));
}

TEST(Declaration, reserved_consents_must_be_empty) {
    auto encoded = encode(example());
    encoded.back() = 1;  // the length of the consents
    encoded.push_back(0);
    EXPECT_EQ(decode_declaration(encoded).error(), Errc::malformed);
}

TEST(Declaration, a_full_conversation_fits_and_one_more_does_not) {
    Declaration full;
    for (std::uint8_t account = 0; account < base::limits::accounts_per_conversation_max; ++account) {
        for (std::uint8_t device = 0; device < base::limits::devices_per_account_max; ++device) {
            full.added.push_back(added(account, device));
        }
    }
    EXPECT_TRUE(decode_declaration(encode(full)));
    auto one_device_more = full;
    one_device_more.added.push_back(added(0, base::limits::devices_per_account_max));
    EXPECT_EQ(decode_declaration(encode(one_device_more)).error(), Errc::too_long);
    auto one_account_more = full;
    one_account_more.added.push_back(added(base::limits::accounts_per_conversation_max, 0));
    EXPECT_EQ(decode_declaration(encode(one_account_more)).error(), Errc::too_long);
}

}  // namespace
}  // namespace interlude::mls_framing
