// The codec's refusals, and agreement with the server's outer readers.
#include "common/mls/messages.hpp"

#include <gtest/gtest.h>

#include "common/mls_framing/outer.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/mls/tree_members.hpp"

namespace interlude::mls::tests {
namespace {

using interlude::tests::hex;

template <class T>
MLSMessage message(T body) {
    return {std::move(body)};
}

FramedContent content(ContentBody body) {
    return {.group_id = {1, 2, 3},
            .epoch = 9,
            .sender = Sender::member(LeafIndex{4}),
            .authenticated_data = {5},
            .body = std::move(body)};
}

TEST(Messages, every_shortened_or_lengthened_form_is_refused) {
    crypto::SeededEntropy entropy(1);
    auto const bundle = make_bundle(entropy);
    Commit const commit{{Proposal{Remove{LeafIndex{1}}}, ProposalRef(32, 7)},
                        UpdatePath{bundle.key_package.leaf_node, {{Bytes(32, 1), {{Bytes(32, 2), Bytes(48, 3)}}}}}};
    MLSMessage const messages[] = {
        message(bundle.key_package),
        message(PublicMessage{content(commit), {Bytes(64), Bytes(32)}, Bytes(32)}),
        message(PublicMessage{content(Proposal{ReInit{{1}, mls10, 3, {}}}), {Bytes(64), {}}, Bytes(32)}),
        message(PrivateMessage{{1}, 2, ContentType::commit, {3}, Bytes(28), Bytes(60)}),
        message(Welcome{3, {{Bytes(32, 1), {Bytes(32), Bytes(60)}}}, Bytes(100)}),
        message(GroupInfo{{3, {1}, 2, Bytes(32), Bytes(32), {}}, {{4, Bytes(33)}}, Bytes(32), LeafIndex{0}, Bytes(64)}),
    };
    for (auto const& original : messages) {
        auto encoded = encode(original);
        auto const decoded = decode(encoded, read_mls_message);
        ASSERT_TRUE(decoded);
        EXPECT_EQ(*decoded, original);
        for (std::size_t size = 0; size < encoded.size(); ++size) {
            EXPECT_FALSE(decode(ByteView(encoded).first(size), read_mls_message)) << size;
        }
        encoded.push_back(0);
        EXPECT_EQ(decode(encoded, read_mls_message).error(), Errc::trailing_bytes);
    }
}

TEST(Messages, a_changed_byte_gives_another_value_or_none) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/messages.json");
    for (auto const* field : {"mls_key_package", "public_message_commit", "mls_group_info", "mls_welcome"}) {
        auto bytes = hex(entries.at(0).at(field));
        auto const original = *decode(bytes, read_mls_message);
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            for (std::uint8_t flip : {0x01, 0x40, 0x80}) {
                bytes[at] ^= flip;
                if (auto const decoded = decode(bytes, read_mls_message)) {
                    EXPECT_NE(*decoded, original) << field << " " << at;
                    EXPECT_EQ(encode(*decoded), bytes) << field << " " << at;  // one form per value
                }
                bytes[at] ^= flip;
            }
        }
    }
}

TEST(Messages, unknown_and_grease_ids_are_kept) {
    Capabilities const capabilities{{1, 0x7a7a}, {3, 0xeaea}, {0x0a0a}, {0x1a1a, 99}, {1, 0x2a2a}};
    EXPECT_EQ(*decode(encode(capabilities), read_capabilities), capabilities);
    Extensions const extensions{{0x3a3a, {1, 2}}, {0xff00, {}}};
    EXPECT_EQ(*decode(encode(extensions), read_extensions), extensions);
    Welcome const of_another_suite{0x4242, {}, Bytes(3)};
    EXPECT_EQ(*decode(encode(of_another_suite), read_welcome), of_another_suite);
}

TEST(Messages, what_cannot_be_skipped_is_unsupported) {
    auto refusal = [](Bytes const& from, auto&& read) { return decode(from, read).error(); };
    EXPECT_EQ(refusal({0, 3, 0}, read_credential), Errc::unsupported);
    EXPECT_EQ(refusal({0, 8, 0}, read_proposal), Errc::unsupported);
    EXPECT_EQ(refusal({0x0a, 0x0a, 0}, read_proposal), Errc::unsupported);
    EXPECT_EQ(refusal({0, 2, 0, 1}, read_mls_message), Errc::unsupported);
    EXPECT_EQ(refusal({0, 1, 0, 6}, read_mls_message), Errc::unsupported);
    EXPECT_EQ(refusal({0, 0}, read_key_package), Errc::unsupported);
}

TEST(Messages, values_outside_their_range_are_malformed) {
    auto refusal = [](Bytes const& from, auto&& read) { return decode(from, read).error(); };
    EXPECT_EQ(refusal({0}, read_sender), Errc::malformed);
    EXPECT_EQ(refusal({5}, read_sender), Errc::malformed);
    EXPECT_EQ(refusal({3, 0}, read_proposal_or_ref), Errc::malformed);
    EXPECT_EQ(refusal({0}, read_pre_shared_key_id), Errc::malformed);
    EXPECT_EQ(refusal({2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, read_pre_shared_key_id), Errc::malformed);
    EXPECT_EQ(refusal({0, 2}, read_commit), Errc::malformed);                     // presence of the path
    EXPECT_EQ(refusal({3}, read_node), Errc::malformed);                          // node type
    EXPECT_EQ(refusal({6, 0, 9, 0, 0, 9, 0}, read_extensions), Errc::malformed);  // one type twice
    ParentNode const unsorted{Bytes(32), {}, {LeafIndex{2}, LeafIndex{1}}};
    EXPECT_EQ(refusal(encode(unsorted), read_parent_node), Errc::malformed);
    ParentNode const twice{Bytes(32), {}, {LeafIndex{2}, LeafIndex{2}}};
    EXPECT_EQ(refusal(encode(twice), read_parent_node), Errc::malformed);
    AuthenticatedContent const as_welcome{WireFormat::mls_welcome, content(ApplicationData{{1}}), {Bytes(64), {}}};
    EXPECT_EQ(refusal(encode(as_welcome), read_authenticated_content), Errc::malformed);
}

TEST(Messages, a_tree_of_blanks_does_not_blow_up) {
    Writer list;
    list.opaque(Bytes(2 * tree_leaves_max));
    EXPECT_EQ(decode(list.bytes(), read_node_list).error(), Errc::too_long);
}

TEST(Messages, padding_must_be_zero) {
    PrivateMessageContent const inner{ApplicationData{{1, 2, 3}}, {Bytes(64, 4), {}}};
    auto encoded = encode(inner);
    auto read = [](Reader& reader) { return read_private_message_content(reader, ContentType::application); };
    EXPECT_EQ(*decode(encoded, read), inner);
    encoded.resize(encoded.size() + 100);
    EXPECT_EQ(*decode(encoded, read), inner);
    encoded.back() = 1;
    EXPECT_EQ(decode(encoded, read).error(), Errc::bad_padding);
}

TEST(Messages, a_leaf_signature_covers_the_group_only_where_it_is_known) {
    LeafNode leaf;
    leaf.source = Lifetime{1, 2};
    Bytes const here{1};
    Bytes const there{2};
    EXPECT_EQ(leaf_node_tbs(leaf, {here, LeafIndex{0}}), leaf_node_tbs(leaf, {there, LeafIndex{3}}));
    leaf.source = UpdateSource{};
    EXPECT_NE(leaf_node_tbs(leaf, {here, LeafIndex{0}}), leaf_node_tbs(leaf, {there, LeafIndex{0}}));
    EXPECT_NE(leaf_node_tbs(leaf, {here, LeafIndex{0}}), leaf_node_tbs(leaf, {here, LeafIndex{3}}));
}

TEST(OuterReaders, see_what_the_whole_codec_sees) {
    INTERLUDE_VECTORS_OR_SKIP(entries, "mls/messages.json");
    int compared = 0;
    for (auto const& entry : entries) {
        auto const bytes = hex(entry.at("private_message"));
        auto const whole = decode(bytes, read_mls_message);
        auto const outer = mls_framing::read_private_message_outer(bytes);
        ASSERT_TRUE(whole && outer);
        auto const& inside = *whole->as<PrivateMessage>();
        EXPECT_EQ(*outer, (mls_framing::PrivateMessageOuter{inside.group_id, inside.epoch, inside.content_type,
                                                            inside.authenticated_data}));
        ++compared;
    }
    EXPECT_EQ(compared, 100);
}

TEST(OuterReaders, name_a_key_package_as_its_members_do) {
    crypto::SeededEntropy entropy(2);
    auto const bundle = make_bundle(entropy, "account and device");
    auto const outer = mls_framing::read_key_package_outer(encode(message(bundle.key_package)));
    ASSERT_TRUE(outer);
    EXPECT_TRUE(bytes::equal(outer->ref.span(), key_package_ref(suite(), bundle.key_package)));
    EXPECT_EQ(outer->identity, *bundle.key_package.leaf_node.credential.identity());
    EXPECT_EQ(outer->leaf_signature_key, bundle.key_package.leaf_node.signature_key);
    EXPECT_EQ(outer->not_after, base::wall_seconds(2000));
}

}  // namespace
}  // namespace interlude::mls::tests
