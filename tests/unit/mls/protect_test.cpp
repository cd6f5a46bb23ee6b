// Framing beside its vectors: padding, what is bound to what, and what is refused.
#include "common/mls/protect.hpp"

#include <gtest/gtest.h>

#include "common/crypto/aead.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/mls/group_people.hpp"

namespace interlude::mls::tests {
namespace {

constexpr LeafIndex author{1};

struct Epoch {
    crypto::SeededEntropy entropy{5};
    crypto::SigningKey key = crypto::SigningKey::generate(entropy);
    GroupContext context{.cipher_suite = suite().id,
                         .group_id = bytes_of("group"),
                         .epoch = 7,
                         .tree_hash = Bytes(32, 1),
                         .confirmed_transcript_hash = Bytes(32, 2),
                         .extensions = {}};
    Bytes sender_data_secret = Bytes(32, 3);
    Bytes membership_key = Bytes(32, 4);
    SecretTree keys{suite(), TreeSize::for_leaves(2), SecretBytes(Bytes(32, 6))};

    AuthenticatedContent content(WireFormat format, ContentBody body) {
        return sign_content(format, {context.group_id, context.epoch, Sender::member(author), bytes_of("aad"), body},
                            context, key);
    }
    PrivateMessage sealed(ContentBody body) {
        return must(protect_private(suite(), content(WireFormat::mls_private_message, std::move(body)), keys,
                                    sender_data_secret, entropy))
            .message;
    }
    Result<OpenedContent> open(PrivateMessage const& message) {
        SecretTree receiver{suite(), TreeSize::for_leaves(2), SecretBytes(Bytes(32, 6))};
        return unprotect_private(suite(), message, receiver, sender_data_secret);
    }
};

Proposal a_proposal() {
    return {Remove{LeafIndex{0}}};
}

TEST(Padding, follows_the_table_that_all_apps_share) {
    auto const table = interlude::tests::read_json(interlude::tests::case_file("padding.json"));
    ASSERT_GT(table.at("cases").size(), 20U);
    for (auto const& row : table.at("cases")) {
        auto const length = row.at("content_bytes").get<std::size_t>();
        EXPECT_EQ(padded_length(length, ContentType::application), row.at("application")) << length;
        EXPECT_EQ(padded_length(length, ContentType::commit), row.at("handshake")) << length;
        EXPECT_EQ(padded_length(length, ContentType::proposal), row.at("handshake")) << length;
    }
}

TEST(Padding, costs_at_most_an_eighth_and_padded_lengths_stay) {
    for (std::size_t length = 256; length < 300000; length += 1 + length / 97) {
        auto const padded = padme(length);
        EXPECT_GE(padded, length);
        EXPECT_LE(padded - length, length / 8) << length;
        EXPECT_EQ(padme(padded), padded) << length;
    }
}

TEST(PrivateMessage, shows_only_its_padded_size) {
    Epoch epoch;
    auto const size = [&](std::size_t bytes) {
        return epoch.sealed(ApplicationData{Bytes(bytes, 'x')}).ciphertext.size();
    };
    EXPECT_EQ(size(0), 256 + crypto::aead_tag_size);
    EXPECT_EQ(size(150), 256 + crypto::aead_tag_size);
    EXPECT_EQ(size(1000), size(1010));
    EXPECT_EQ(epoch.sealed(a_proposal()).ciphertext.size(), 1024 + crypto::aead_tag_size);
}

TEST(PrivateMessage, sealed_again_from_a_restored_backup_repeats_no_nonce) {
    Epoch epoch;
    auto backup = epoch.keys.clone();
    auto const first = epoch.sealed(ApplicationData{bytes_of("hello")});
    epoch.keys = std::move(backup);
    auto const again = epoch.sealed(ApplicationData{bytes_of("hello")});
    EXPECT_NE(first.ciphertext, again.ciphertext);  // the same key and content: only the guard differs (§6.3.1)
    EXPECT_TRUE(epoch.open(first).has_value());
    EXPECT_TRUE(epoch.open(again).has_value());
}

TEST(PrivateMessage, gives_back_what_was_said_and_who_said_it) {
    Epoch epoch;
    auto const opened = must(epoch.open(epoch.sealed(ApplicationData{bytes_of("hello")})));
    EXPECT_EQ(opened.sender(), author);
    EXPECT_EQ(opened.key.generation, 0U);
    EXPECT_EQ(std::get<ApplicationData>(opened.content.content.body).data, bytes_of("hello"));
    EXPECT_EQ(opened.content.content.authenticated_data, bytes_of("aad"));
    EXPECT_TRUE(verify_content(opened.content, epoch.context, epoch.key.public_key().span()));
}

TEST(PrivateMessage, refuses_every_changed_field) {
    Epoch epoch;
    auto const message = epoch.sealed(ApplicationData{bytes_of("hello")});
    auto const changed = [&](auto&& change) {
        auto copy = message;
        change(copy);
        return error_of(epoch.open(copy));
    };
    EXPECT_EQ(changed([](PrivateMessage&) {}), "none");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.group_id[0] ^= 1; }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.epoch ^= 1; }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.content_type = ContentType::proposal; }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.authenticated_data[0] ^= 1; }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.encrypted_sender_data[0] ^= 1; }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.encrypted_sender_data.clear(); }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.ciphertext.front() ^= 1; }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.ciphertext.back() ^= 1; }), "decrypt_failed");
    EXPECT_EQ(changed([](PrivateMessage& m) { m.ciphertext.clear(); }), "decrypt_failed");
}

// Sealed with the right keys, but by an author that hides something in the padding (§6.3.1).
TEST(PrivateMessage, refuses_padding_that_is_not_all_zero) {
    for (std::uint8_t const hidden : {0, 1}) {
        Epoch epoch;
        auto const content = epoch.content(WireFormat::mls_private_message, ApplicationData{bytes_of("hello")});
        auto plaintext = encode(PrivateMessageContent{content.content.body, content.auth});
        plaintext.resize(256);
        plaintext.back() = hidden;
        auto const sealing = must(epoch.keys.spend(author, RatchetKind::application));
        SenderData const data{author, sealing.generation, {0, 0, 0, 0}};
        auto const& framed = content.content;
        PrivateMessage message{framed.group_id, framed.epoch, framed.type(), framed.authenticated_data, {}, {}};
        message.ciphertext = crypto::aead_seal(
            suite().aead, sealing.key.key.expose(), sealing.key.nonce.expose(),
            encode(PrivateContentAAD{framed.group_id, framed.epoch, framed.type(), framed.authenticated_data}),
            plaintext);
        auto const outer = sender_data_key(suite(), epoch.sender_data_secret, message.ciphertext);
        message.encrypted_sender_data =
            crypto::aead_seal(suite().aead, outer.key.expose(), outer.nonce.expose(),
                              encode(SenderDataAAD{framed.group_id, framed.epoch, framed.type()}), encode(data));
        EXPECT_EQ(error_of(epoch.open(message)), hidden ? "bad_padding" : "none");
    }
}

TEST(PublicMessage, shows_membership) {
    Epoch epoch;
    auto const message = protect_public(epoch.content(WireFormat::mls_public_message, a_proposal()), epoch.context,
                                        epoch.membership_key);
    EXPECT_EQ(error_of(unprotect_public(message, epoch.context, epoch.membership_key)), "none");
    EXPECT_EQ(error_of(unprotect_public(message, epoch.context, Bytes(32, 9))), "bad_mac");
    auto other_epoch = epoch.context;
    other_epoch.epoch += 1;
    EXPECT_EQ(error_of(unprotect_public(message, other_epoch, epoch.membership_key)), "bad_mac");
    auto without = message;
    without.membership_tag.reset();
    EXPECT_EQ(error_of(unprotect_public(without, epoch.context, epoch.membership_key)), "malformed");
}

TEST(PublicMessage, never_carries_application_data) {
    Epoch epoch;
    auto const message =
        protect_public(epoch.content(WireFormat::mls_public_message, ApplicationData{bytes_of("in the clear")}),
                       epoch.context, epoch.membership_key);
    EXPECT_EQ(error_of(unprotect_public(message, epoch.context, epoch.membership_key)), "malformed");
}

TEST(FramedContent, is_signed_for_one_wire_format_and_one_epoch) {
    Epoch epoch;
    auto content = epoch.content(WireFormat::mls_public_message, a_proposal());
    auto const key = epoch.key.public_key().span();
    EXPECT_EQ(error_of(verify_content(content, epoch.context, key)), "none");
    auto other_epoch = epoch.context;
    other_epoch.tree_hash[0] ^= 1;
    EXPECT_EQ(error_of(verify_content(content, other_epoch, key)), "bad_signature");
    content.wire_format = WireFormat::mls_private_message;
    EXPECT_EQ(error_of(verify_content(content, epoch.context, key)), "bad_signature");
}

TEST(FramedContent, of_a_stranger_does_not_depend_on_the_epoch) {
    Epoch epoch;
    auto other = epoch.context;
    other.tree_hash[0] ^= 1;
    auto const bound = [&](SenderType type) {
        FramedContent const content{{1}, 7, {type, 0}, {}, a_proposal()};
        return framed_content_tbs(WireFormat::mls_public_message, content, epoch.context) !=
               framed_content_tbs(WireFormat::mls_public_message, content, other);
    };
    EXPECT_TRUE(bound(SenderType::member));
    EXPECT_TRUE(bound(SenderType::new_member_commit));
    EXPECT_FALSE(bound(SenderType::external));
    EXPECT_FALSE(bound(SenderType::new_member_proposal));
}

}  // namespace
}  // namespace interlude::mls::tests
