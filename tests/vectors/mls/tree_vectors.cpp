#include "tests/vectors/mls/tree_vectors.hpp"

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/mls/labels.hpp"
#include "common/mls/messages.hpp"
#include "common/mls/tree_kem.hpp"
#include "common/mls/tree_validation.hpp"
#include "tests/vectors/mls/expect.hpp"

namespace interlude::mls_vectors {

using namespace mls;
using nlohmann::json;

namespace {

RatchetTree tree_of(crypto::Suite const& suite, json const& value) {
    auto const encoded = hex(value);
    auto nodes = need(decode(encoded, read_node_list), "ratchet tree");
    auto tree = need(RatchetTree::from_nodes(suite, std::move(nodes)), "tree structure");
    expect(encode(tree.nodes()) == encoded, "the tree does not encode to the same bytes");
    return tree;
}

/// Decodes the field and encodes it again.
template <class Read>
void round_trip(json const& entry, char const* field, Read&& read) {
    auto const encoded = hex(entry.at(field));
    auto const value = need(decode(encoded, read), field);
    expect(encode(value) == encoded, std::string(field) + " does not encode to the same bytes");
}

void message_round_trip(json const& entry, char const* field, WireFormat format,
                        std::optional<ContentType> type = std::nullopt) {
    round_trip(entry, field, read_mls_message);
    auto const message = need(decode(hex(entry.at(field)), read_mls_message), field);
    expect(message.wire_format() == format, std::string(field) + " is of another wire format");
    if (type) {
        auto const* framed = message.as<PublicMessage>();
        expect(framed && framed->content.type() == *type, std::string(field) + " is of another content type");
    }
}

void expect_index(json const& expected, std::optional<NodeIndex> actual, std::string const& what) {
    expect(expected.is_null() ? !actual : actual && actual->value == expected.get<std::uint32_t>(), what);
}

/// leaves_private: the key pairs of each member, checked against the tree; and their signature keys.
struct Members {
    std::map<LeafIndex, TreePrivate> keys;
    std::map<LeafIndex, crypto::SigningKey> signature_keys;
};

Members members_of(RatchetTree const& tree, json const& leaves) {
    Members members;
    for (auto const& leaf : leaves) {
        LeafIndex const index{leaf.at("index").get<std::uint32_t>()};
        auto keys = TreePrivate::for_leaf(
            index, need(crypto::hpke_key_pair_from_private(tree.suite(), hex(leaf.at("encryption_priv"))), "leaf key"));
        for (auto const& held : leaf.at("path_secrets")) {
            auto const node_secret = derive_secret(tree.suite(), hex(held.at("path_secret")), "node");
            keys.key_pairs.insert_or_assign(NodeIndex{held.at("node").get<std::uint32_t>()},
                                            crypto::hpke_derive_key_pair(tree.suite(), node_secret.expose()));
        }
        expect(keys.is_consistent_with(tree), "private state does not fit the tree");
        members.keys.emplace(index, std::move(keys));
        members.signature_keys.emplace(
            index, need(crypto::SigningKey::from_seed(hex(leaf.at("signature_priv"))), "signature key"));
    }
    return members;
}

void check_given_path(RatchetTree const& tree, Members const& members, GroupContext const& context, json const& given) {
    LeafIndex const sender{given.at("sender").get<std::uint32_t>()};
    auto const path = need(decode(hex(given.at("update_path")), read_update_path), "update path");
    need(check_leaf(path.leaf_node,
                    {.suite = tree.suite(), .source = LeafNodeSource::commit, .place = {context.group_id, sender}}),
         "new leaf");
    auto const merged = need(merge_update_path(tree, sender, path, {}), "merge");
    expect(merged.tree_hash() == hex(given.at("tree_hash_after")), "tree hash after the path");
    need(merged.verify_parent_hashes(), "parent hashes after the path");
    for (auto const& [leaf, keys] : members.keys) {
        auto const& expected = given.at("path_secrets").at(leaf.value);
        if (leaf == sender) continue;
        auto processed = need(process_update_path(tree, keys, sender, path, context, {}), "process");
        expect(bytes::equal(processed.path_secret.expose(), hex(expected)), "path secret");
        expect(bytes::equal(processed.commit_secret.expose(), hex(given.at("commit_secret"))), "commit secret");
        expect(processed.tree == merged && processed.keys.is_consistent_with(merged), "state after the path");
    }
}

void check_own_path(RatchetTree const& tree, Members const& members, GroupContext const& context, LeafIndex sender,
                    crypto::Entropy& entropy) {
    auto created = need(create_update_path(tree,
                                           {.sender = sender,
                                            .leaf = *tree.leaf(sender),
                                            .signature_key = members.signature_keys.at(sender),
                                            .context = context,
                                            .added = {}},
                                           entropy),
                        "create");
    expect(created.keys.is_consistent_with(created.tree), "own state after an own path");
    for (auto const& [leaf, keys] : members.keys) {
        if (leaf == sender) continue;
        auto const processed = need(process_update_path(tree, keys, sender, created.path, context, {}), "process own");
        expect(bytes::equal(processed.commit_secret.expose(), created.commit_secret.expose()), "own commit secret");
        expect(bytes::equal(processed.path_secret.expose(),
                            created.path_secrets.at(common_ancestor(sender, leaf)).expose()),
               "own path secret");
        expect(processed.tree == created.tree, "tree after an own path");
    }
}

}  // namespace

Outcome check_deserialization(json const& entry) {
    return checked([&] {
        auto const header = hex(entry.at("vlbytes_header"));
        bytes::Reader reader(header);
        auto const length = need(reader.varint(), "varint");
        expect(length == entry.at("length").get<std::uint32_t>() && reader.empty(), "length differs");
        bytes::Writer writer;
        writer.varint(length);
        expect(writer.bytes() == header, "does not encode to the same bytes");
    });
}

Outcome check_tree_math(json const& entry) {
    return checked([&] {
        auto const size = TreeSize::for_leaves(entry.at("n_leaves").get<std::uint32_t>());
        expect(size.leaves() == entry.at("n_leaves"), "n_leaves");
        expect(size.nodes() == entry.at("n_nodes"), "n_nodes");
        expect(size.root().value == entry.at("root"), "root");
        for (NodeIndex at{0}; size.contains(at); ++at.value) {
            auto const where = " of " + std::to_string(at.value);
            expect_index(entry.at("left").at(at.value), left(at), "left" + where);
            expect_index(entry.at("right").at(at.value), right(at), "right" + where);
            expect_index(entry.at("parent").at(at.value), size.parent(at), "parent" + where);
            expect_index(entry.at("sibling").at(at.value), size.sibling(at), "sibling" + where);
        }
    });
}

Outcome check_crypto_basics(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        auto const& ref = entry.at("ref_hash");
        expect(ref_hash(*suite, ref.at("label").get<std::string>(), hex(ref.at("value"))) == hex(ref.at("out")),
               "ref_hash");

        auto const& expand = entry.at("expand_with_label");
        auto const expanded = expand_with_label(*suite, hex(expand.at("secret")), expand.at("label").get<std::string>(),
                                                hex(expand.at("context")), expand.at("length").get<std::size_t>());
        expect(bytes::equal(expanded.expose(), hex(expand.at("out"))), "expand_with_label");

        auto const& derive = entry.at("derive_secret");
        auto const derived = derive_secret(*suite, hex(derive.at("secret")), derive.at("label").get<std::string>());
        expect(bytes::equal(derived.expose(), hex(derive.at("out"))), "derive_secret");

        auto const& tree = entry.at("derive_tree_secret");
        auto const tree_secret =
            derive_tree_secret(*suite, hex(tree.at("secret")), tree.at("label").get<std::string>(),
                               tree.at("generation").get<std::uint32_t>(), tree.at("length").get<std::size_t>());
        expect(bytes::equal(tree_secret.expose(), hex(tree.at("out"))), "derive_tree_secret");

        auto const& sign = entry.at("sign_with_label");
        auto const label = sign.at("label").get<std::string>();
        auto const content = hex(sign.at("content"));
        need(verify_with_label(hex(sign.at("pub")), label, content, hex(sign.at("signature"))), "given signature");
        auto const key = need(crypto::SigningKey::from_seed(hex(sign.at("priv"))), "signature key");
        need(verify_with_label(hex(sign.at("pub")), label, content, sign_with_label(key, label, content)),
             "own signature");

        auto const& encrypt = entry.at("encrypt_with_label");
        auto const purpose = encrypt.at("label").get<std::string>();
        auto const context = hex(encrypt.at("context"));
        auto const plaintext = hex(encrypt.at("plaintext"));
        auto const recipient = need(crypto::hpke_key_pair_from_private(*suite, hex(encrypt.at("priv"))), "hpke key");
        expect(recipient.public_key == hex(encrypt.at("pub")), "hpke public key");
        auto const opened = need(decrypt_with_label(*suite, recipient, purpose, context,
                                                    {hex(encrypt.at("kem_output")), hex(encrypt.at("ciphertext"))}),
                                 "decrypt given");
        expect(bytes::equal(opened.expose(), plaintext), "decrypted plaintext");
        crypto::SeededEntropy entropy(1);
        auto const sealed =
            need(encrypt_with_label(*suite, recipient.public_key, purpose, context, plaintext, entropy), "encrypt");
        auto const reopened = need(decrypt_with_label(*suite, recipient, purpose, context, sealed), "decrypt own");
        expect(bytes::equal(reopened.expose(), plaintext), "own plaintext");
    });
}

Outcome check_messages(json const& entry) {
    return checked([&] {
        message_round_trip(entry, "mls_welcome", WireFormat::mls_welcome);
        message_round_trip(entry, "mls_group_info", WireFormat::mls_group_info);
        message_round_trip(entry, "mls_key_package", WireFormat::mls_key_package);
        round_trip(entry, "ratchet_tree", read_node_list);
        round_trip(entry, "group_secrets", read_group_secrets);
        round_trip(entry, "add_proposal", read_add);
        round_trip(entry, "update_proposal", read_update);
        round_trip(entry, "remove_proposal", read_remove);
        round_trip(entry, "pre_shared_key_proposal", read_pre_shared_key);
        round_trip(entry, "re_init_proposal", read_reinit);
        round_trip(entry, "external_init_proposal", read_external_init);
        round_trip(entry, "group_context_extensions_proposal", read_group_context_extensions);
        round_trip(entry, "commit", read_commit);
        auto const open = WireFormat::mls_public_message;
        message_round_trip(entry, "public_message_application", open, ContentType::application);
        message_round_trip(entry, "public_message_proposal", open, ContentType::proposal);
        message_round_trip(entry, "public_message_commit", open, ContentType::commit);
        message_round_trip(entry, "private_message", WireFormat::mls_private_message);
    });
}

Outcome check_tree_operations(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        auto tree = tree_of(*suite, entry.at("tree_before"));
        expect(tree.tree_hash() == hex(entry.at("tree_hash_before")), "tree hash before");
        auto const proposal = need(decode(hex(entry.at("proposal")), read_proposal), "proposal");
        LeafIndex const sender{entry.at("proposal_sender").get<std::uint32_t>()};
        if (auto const* add = proposal.as<Add>()) {
            need(tree.add_leaf(add->key_package.leaf_node), "add");
        } else if (auto const* update = proposal.as<Update>()) {
            need(tree.update_leaf(sender, update->leaf_node), "update");
        } else if (auto const* remove = proposal.as<Remove>()) {
            need(tree.remove_leaf(remove->removed), "remove");
        } else {
            expect(false, "another proposal");
        }
        expect(encode(tree.nodes()) == hex(entry.at("tree_after")), "tree after");
        expect(tree.tree_hash() == hex(entry.at("tree_hash_after")), "tree hash after");
    });
}

Outcome check_tree_validation(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        auto const tree = tree_of(*suite, entry.at("tree"));
        auto const hashes = tree.tree_hashes();
        expect(entry.at("tree_hashes").size() == hashes.size(), "number of tree hashes");
        expect(entry.at("resolutions").size() == hashes.size(), "number of resolutions");
        for (NodeIndex at{0}; tree.size().contains(at); ++at.value) {
            auto const where = " of " + std::to_string(at.value);
            expect(hashes[at.value] == hex(entry.at("tree_hashes").at(at.value)), "tree hash" + where);
            std::vector<std::uint32_t> resolution;
            for (auto node : tree.resolution(at)) resolution.push_back(node.value);
            expect(resolution == entry.at("resolutions").at(at.value).get<std::vector<std::uint32_t>>(),
                   "resolution" + where);
        }
        need(tree.verify_parent_hashes(), "parent hashes");
        need(check_tree(tree, hex(entry.at("group_id")), {}, std::nullopt), "leaves");
    });
}

Outcome check_treekem(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        auto const tree = tree_of(*suite, entry.at("ratchet_tree"));
        auto const members = members_of(tree, entry.at("leaves_private"));
        GroupContext const context{.cipher_suite = suite->id,
                                   .group_id = hex(entry.at("group_id")),
                                   .epoch = entry.at("epoch").get<std::uint64_t>(),
                                   .tree_hash = {},
                                   .confirmed_transcript_hash = hex(entry.at("confirmed_transcript_hash")),
                                   .extensions = {}};
        crypto::SeededEntropy entropy(2);
        for (auto const& given : entry.at("update_paths")) {
            check_given_path(tree, members, context, given);
            check_own_path(tree, members, context, LeafIndex{given.at("sender").get<std::uint32_t>()}, entropy);
        }
    });
}

}  // namespace interlude::mls_vectors
