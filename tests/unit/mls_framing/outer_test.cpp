// The server's readers against bytes built here by hand from RFC 9420, without common/mls.
#include "common/mls_framing/outer.hpp"

#include <gtest/gtest.h>

#include "common/bytes/writer.hpp"
#include "common/crypto/sign.hpp"
#include "common/mls_framing/labelled.hpp"
#include "tests/support/vectors.hpp"

namespace interlude::mls_framing {
namespace {

using base::Errc;
using bytes::Bytes;
using bytes::ByteView;
using bytes::Writer;

Writer header(std::uint16_t format) {
    Writer writer;
    writer.u16(1).u16(format);
    return writer;
}

/// Builds a KeyPackage message; every part can be bent before the signatures are made.
struct KeyPackageBuilder {
    std::uint16_t suite = 3;
    Bytes init_key = Bytes(32, 0x11);
    Bytes encryption_key = Bytes(32, 0x22);
    std::uint16_t credential_type = 1;
    std::uint8_t source = 1;
    std::uint64_t not_before = 1000;
    std::uint64_t not_after = 2000;
    Bytes extensions = {0x0a, 0x0a, 0x01, 0xff};  // one, of a GREASE type
    bool sign_leaf = true;
    bool sign_package = true;

    static crypto::SigningKey key() { return *crypto::SigningKey::from_seed(Bytes(32, 0x33)); }

    Bytes build() const {
        Writer leaf;
        leaf.opaque(encryption_key).opaque(key().public_key().span());
        leaf.u16(credential_type).opaque(bytes::view("identity"));
        leaf.opaque(Bytes{0, 1}).opaque(Bytes{0, 3, 0x0a, 0x0a}).opaque({}).opaque({}).opaque(Bytes{0, 1});
        leaf.u8(source).u64(not_before).u64(not_after);
        leaf.opaque({});
        auto const leaf_signature = key().sign(sign_content("LeafNodeTBS", leaf.bytes()));
        Writer package;
        package.u16(1).u16(suite).opaque(init_key).raw(leaf.bytes());
        package.opaque(sign_leaf ? ByteView(leaf_signature.span()) : ByteView(Bytes(64)));
        package.opaque(extensions);
        auto const signature = key().sign(sign_content("KeyPackageTBS", package.bytes()));
        package.opaque(sign_package ? ByteView(signature.span()) : ByteView(Bytes(64)));
        return header(5).raw(package.bytes()).take();
    }
};

TEST(PrivateMessageOuter, shows_group_epoch_type_and_authenticated_data) {
    auto message = header(2);
    message.opaque(bytes::view("group")).u64(17).u8(3).opaque(bytes::view("hash")).opaque(Bytes(28)).opaque(Bytes(300));
    auto const outer = read_private_message_outer(message.bytes());
    ASSERT_TRUE(outer);
    EXPECT_EQ(*outer, (PrivateMessageOuter{bytes::copy(bytes::view("group")), 17, ContentType::commit,
                                           bytes::copy(bytes::view("hash"))}));
    for (std::size_t size = 0; size < message.bytes().size(); ++size) {
        EXPECT_FALSE(read_private_message_outer(ByteView(message.bytes()).first(size))) << size;
    }
    message.u8(0);
    EXPECT_EQ(read_private_message_outer(message.bytes()).error(), Errc::trailing_bytes);
}

TEST(PrivateMessageOuter, refuses_other_versions_formats_and_content_types) {
    auto rest = [](Writer start, std::uint8_t type) {
        return start.opaque({}).u64(0).u8(type).opaque({}).opaque({}).opaque({}).take();
    };
    EXPECT_TRUE(read_private_message_outer(rest(header(2), 1)));
    EXPECT_EQ(read_private_message_outer(rest(header(1), 1)).error(), Errc::malformed);
    EXPECT_EQ(read_private_message_outer(rest(header(2), 0)).error(), Errc::malformed);
    EXPECT_EQ(read_private_message_outer(rest(header(2), 4)).error(), Errc::malformed);
    Writer other_version;
    other_version.u16(2).u16(2);
    EXPECT_EQ(read_private_message_outer(rest(other_version, 1)).error(), Errc::unsupported);
}

TEST(WelcomeOuter, names_the_new_members_in_order) {
    auto welcome = [](std::vector<Bytes> const& refs) {
        auto message = header(3);
        message.u16(3).vector_of(
            refs, [](Writer& inner, Bytes const& ref) { inner.opaque(ref).opaque(Bytes(32)).opaque(Bytes(48)); });
        return message.opaque(Bytes(100)).take();
    };
    auto const outer = read_welcome_outer(welcome({Bytes(32, 9), Bytes(32, 4)}));
    ASSERT_TRUE(outer);
    EXPECT_EQ(outer->suite, 3);
    EXPECT_EQ(outer->refs, (std::vector{*KeyPackageRef::from(Bytes(32, 9)), *KeyPackageRef::from(Bytes(32, 4))}));
    EXPECT_EQ(read_welcome_outer(welcome({Bytes(32, 9), Bytes(32, 9)})).error(), Errc::malformed);
    EXPECT_EQ(read_welcome_outer(welcome({Bytes(31, 9)})).error(), Errc::malformed);
    std::vector<Bytes> many;  // as many as a conversation has devices at most
    for (std::uint8_t i = 0; i < 64; ++i) many.push_back(Bytes(32, i));
    EXPECT_TRUE(read_welcome_outer(welcome(many)));
    many.push_back(Bytes(32, 64));
    EXPECT_EQ(read_welcome_outer(welcome(many)).error(), Errc::malformed);
    EXPECT_EQ(read_welcome_outer(KeyPackageBuilder{}.build()).error(), Errc::malformed);
}

TEST(KeyPackageOuter, shows_ref_suite_lifetime_identity_and_leaf_key) {
    auto const message = KeyPackageBuilder{}.build();
    auto const outer = read_key_package_outer(message);
    ASSERT_TRUE(outer) << name(outer.error());
    EXPECT_EQ(outer->ref.span().size(), 32u);
    EXPECT_TRUE(
        bytes::equal(outer->ref.span(), ref_hash("MLS 1.0 KeyPackage Reference", ByteView(message).subspan(4)).span()));
    EXPECT_EQ(outer->suite, 3);
    EXPECT_EQ(outer->not_before, base::wall_seconds(1000));
    EXPECT_EQ(outer->not_after, base::wall_seconds(2000));
    EXPECT_EQ(bytes::text(outer->identity), "identity");
    EXPECT_TRUE(bytes::equal(outer->leaf_signature_key, KeyPackageBuilder::key().public_key().span()));
}

TEST(KeyPackageOuter, refuses_what_no_member_would_add) {
    auto refusal = [](KeyPackageBuilder const& builder) {
        auto const outer = read_key_package_outer(builder.build());
        EXPECT_FALSE(outer);
        return outer ? Errc::out_of_state : outer.error();
    };
    EXPECT_EQ(refusal({.sign_leaf = false}), Errc::bad_signature);
    EXPECT_EQ(refusal({.sign_package = false}), Errc::bad_signature);
    EXPECT_EQ(refusal({.suite = 2}), Errc::unsupported);
    EXPECT_EQ(refusal({.credential_type = 2}), Errc::unsupported);
    EXPECT_EQ(refusal({.source = 2}), Errc::bad_leaf);
    EXPECT_EQ(refusal({.init_key = Bytes(32, 0x22)}), Errc::bad_leaf);
    EXPECT_EQ(refusal({.not_after = 999}), Errc::bad_leaf);
    EXPECT_EQ(refusal({.not_after = 1000}), Errc::bad_leaf);
    EXPECT_EQ(refusal({.extensions = {0, 9, 0, 0, 9, 0}}), Errc::malformed);
    EXPECT_EQ(refusal({.extensions = {0, 9, 1}}), Errc::truncated);
}

TEST(KeyPackageOuter, every_single_changed_byte_is_refused) {
    auto message = KeyPackageBuilder{}.build();
    for (auto& byte : message) {
        byte ^= 0x01;
        EXPECT_FALSE(read_key_package_outer(message));
        byte ^= 0x01;
    }
    EXPECT_TRUE(read_key_package_outer(message));
}

TEST(KeyPackageOuter, an_endless_lifetime_reads_as_the_end_of_year_9999) {
    auto const outer = read_key_package_outer(KeyPackageBuilder{.not_after = UINT64_MAX}.build());
    ASSERT_TRUE(outer);
    EXPECT_EQ(outer->not_after, base::wall_seconds(253'402'300'799));
}

TEST(KeyPackageOuter, reads_the_key_packages_of_other_implementations) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/passive-client-welcome.json");
    int read = 0;
    for (auto const& entry : entries) {
        auto const outer = read_key_package_outer(tests::hex(entry.at("key_package")));
        ASSERT_TRUE(outer) << name(outer.error());
        EXPECT_EQ(outer->suite, entry.at("cipher_suite"));
        auto const welcome = read_welcome_outer(tests::hex(entry.at("welcome")));
        ASSERT_TRUE(welcome);
        EXPECT_EQ(std::count(welcome->refs.begin(), welcome->refs.end(), outer->ref), 1);
        ++read;
    }
    EXPECT_EQ(read, 16);
}

}  // namespace
}  // namespace interlude::mls_framing
