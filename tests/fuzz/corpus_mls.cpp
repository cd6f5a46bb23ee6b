// MLS structs one by one, and what the server reads of them.
#include "common/mls/messages.hpp"
#include "common/mls_framing/declaration.hpp"
#include "tests/fuzz/make_corpus.hpp"
#include "tests/unit/mls/tree_members.hpp"

namespace interlude::fuzz {

namespace {

/// One of each struct; the numbers are places in mls_message_fuzz.cpp's list.
void make_message_seeds(mls::KeyPackageBundle const& bundle, mls::Commit const& commit,
                        mls::FramedContent const& content, mls::PrivateMessage const& sealed,
                        mls::Welcome const& welcome, mls::GroupInfo const& info) {
    using namespace mls;
    auto const& package = bundle.key_package;
    auto const one = [](char const* name, unsigned choice, auto const& value) {
        seed("mls_message", name, choice, encode(value));
    };
    PublicMessage const public_commit{content, {Bytes(64), Bytes(32)}, Bytes(32)};
    one("public_commit", 0, MLSMessage{public_commit});
    one("private_message", 0, MLSMessage{sealed});
    one("welcome", 0, MLSMessage{welcome});
    one("group_info", 0, MLSMessage{info});
    one("key_package", 0, MLSMessage{package});
    seed("mls_message", "bad_version", 0, Bytes{0, 2, 0, 1});
    seed("mls_message", "bad_format", 0, Bytes{0, 1, 0, 6});

    FramedContent const joining{{1}, 9, {SenderType::new_member_commit, 0}, {}, commit};
    FramedContent const proposing{{1}, 9, {SenderType::external, 2}, {}, Proposal{Remove{LeafIndex{1}}}};
    FramedContent const saying{{1}, 9, Sender::member(LeafIndex{4}), {}, ApplicationData{{7}}};
    one("public_external_commit", 1, PublicMessage{joining, {Bytes(64), Bytes(32)}, {}});
    one("public_proposal", 1, PublicMessage{proposing, {Bytes(64), {}}, {}});
    one("lone_private_message", 2, sealed);
    one("lone_welcome", 3, welcome);
    one("lone_group_info", 4, info);
    one("lone_key_package", 5, package);
    seed("mls_message", "bad_package_version", 5, Bytes{0, 2});

    auto leaf = package.leaf_node;
    one("leaf_node", 6, leaf);
    leaf.source = UpdateSource{};
    one("leaf_of_update", 6, leaf);
    leaf.source = CommitSource{Bytes(32)};
    leaf.credential = {X509Credential{{Bytes(4), Bytes(5)}}};
    leaf.extensions = {{0xf001, Bytes(3)}};
    one("leaf_of_commit", 6, leaf);
    ParentNode const parent{Bytes(32, 1), Bytes(32, 2), {LeafIndex{1}, LeafIndex{2}}};
    one("parent_node", 7, parent);
    one("bad_unmerged", 7, ParentNode{Bytes(1), {}, {LeafIndex{2}, LeafIndex{2}}});
    one("node_leaf", 8, Node{leaf});
    one("node_parent", 8, Node{parent});
    seed("mls_message", "bad_node", 8, Bytes{3});
    one("tree", 9, NodeList{Node{leaf}, Node{parent}, std::nullopt, Node{parent}, Node{leaf}});

    Extensions const extensions{{extension_type::application_id, Bytes(3)}, {0xf001, {}}};
    PreSharedKeyID const external{ExternalPSK{{1}}, Bytes(32)};
    PreSharedKeyID const resumption{ResumptionPSK{ResumptionPSKUsage::branch, {1}, 2}, Bytes(32)};
    one("commit", 10, commit);
    std::pair<char const*, Proposal> const proposals[] = {{"add", {Add{package}}},
                                                          {"update", {Update{leaf}}},
                                                          {"remove", {Remove{LeafIndex{1}}}},
                                                          {"psk", {PreSharedKey{external}}},
                                                          {"resumption", {PreSharedKey{resumption}}},
                                                          {"reinit", {ReInit{{1}, mls10, 3, extensions}}},
                                                          {"external_init", {ExternalInit{Bytes(32)}}},
                                                          {"context", {GroupContextExtensions{extensions}}}};
    for (auto const& [name, proposal] : proposals) one(name, 11, proposal);
    seed("mls_message", "bad_proposal", 11, Bytes{0, 8});
    one("by_value", 12, ProposalOrRef{Proposal{Remove{LeafIndex{1}}}});
    one("by_reference", 12, ProposalOrRef{ProposalRef(32, 7)});
    seed("mls_message", "bad_by_nothing", 12, Bytes{3});
    one("psk_id", 17, resumption);
    seed("mls_message", "bad_psk_type", 17, Bytes{3});
    seed("mls_message", "bad_psk_usage", 17, Bytes{2, 4});
    one("update_path", 23, *commit.path);
    one("certificates", 24, leaf.credential);
    seed("mls_message", "bad_credential", 24, Bytes{0, 3});
    one("extensions", 26, extensions);
    one("bad_twins", 26, Extensions{{9, {}}, {9, {}}});
    one("capabilities", 27, default_capabilities());
    seed("mls_message", "bad_odd_capabilities", 27, Bytes{1, 0});
    one("required", 28, RequiredCapabilities{{1}, {2, 3}, {}});
    one("external_senders", 30, std::vector<ExternalSender>{{Bytes(32), Credential::basic({1})}});
    for (std::uint8_t type = 1; type <= 5; ++type)
        seed("mls_message", "sender_" + std::to_string(type), 31, type < 3 ? Bytes{type, 0, 0, 0, 1} : Bytes{type});
    one("framed_content", 32, content);
    one("framed_application", 32, saying);
    seed("mls_message", "bad_content_type", 32, Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4});
    one("authenticated_content", 33,
        AuthenticatedContent{WireFormat::mls_public_message, content, {Bytes(64), Bytes(32)}});
    seed("mls_message", "bad_authenticated_format", 33, Bytes{0, 3});
    one("sender_data", 34, SenderData{LeafIndex{1}, 2, {1, 2, 3, 4}});
    one("group_context", 35, info.group_context);
    seed("mls_message", "bad_context_version", 35, Bytes{0, 2});
    one("group_secrets", 36, GroupSecrets{SecretBytes(Bytes(32)), SecretBytes(Bytes(32)), {external}});
    one("bundle", 38, bundle);
    auto wrong_key = encode(bundle);
    wrong_key.back() ^= 1;
    seed("mls_message", "bad_bundle_key", 38, wrong_key);

    auto padded = encode(PrivateMessageContent{ApplicationData{{1, 2, 3}}, {Bytes(64), {}}});
    padded.resize(256);
    seed("mls_message", "padded_content", 39, padded);
    padded.back() = 1;
    seed("mls_message", "bad_padding", 39, padded);
    one("inner_proposal", 40, PrivateMessageContent{Proposal{Remove{LeafIndex{1}}}, {Bytes(64), {}}});
    one("inner_commit", 41, PrivateMessageContent{commit, {Bytes(64), Bytes(32)}});
}

}  // namespace

void make_mls_seeds() {
    using namespace mls;
    crypto::SeededEntropy entropy(1);
    auto const bundle = mls::tests::make_bundle(entropy);
    auto const& package = bundle.key_package;
    Commit const commit{{Proposal{Remove{LeafIndex{1}}}, ProposalRef(32, 7)},
                        UpdatePath{package.leaf_node, {{Bytes(32, 1), {{Bytes(32, 2), Bytes(48, 3)}}}}}};
    FramedContent const content{{1, 2, 3}, 9, Sender::member(LeafIndex{4}), {5}, commit};
    PrivateMessage const sealed{{1}, 2, ContentType::commit, {3}, Bytes(28), Bytes(60)};
    Welcome const welcome{3, {{Bytes(32, 1), {Bytes(32), Bytes(60)}}}, Bytes(100)};
    GroupInfo const info{{3, {1}, 2, Bytes(32), Bytes(32), {}}, {{4, Bytes(33)}}, Bytes(32), LeafIndex{0}, Bytes(64)};
    mls_framing::Declaration declaration{id_of<base::ConversationId>(7), 1, 41, {}, {}};
    declaration.added = {{id_of<base::AccountId>(1), base::Side::therapist, id_of<base::DeviceId>(2),
                          id_of<mls_framing::KeyPackageRef>(3)}};
    declaration.removed = {{id_of<base::AccountId>(3), id_of<base::DeviceId>(9)}};

    seed("mls_outer", "declaration", 0, mls_framing::encode(declaration));
    seed("mls_outer", "private_message", 1, encode(MLSMessage{sealed}));
    seed("mls_outer", "welcome", 2, encode(MLSMessage{welcome}));
    seed("mls_outer", "key_package", 3, encode(MLSMessage{package}));

    auto const refused = [](char const* name, unsigned choice, Bytes bytes, std::size_t at, std::uint8_t value) {
        bytes.at(at) = value;
        seed("mls_outer", std::string("bad_") + name, choice, bytes);
    };
    auto const package_bytes = encode(MLSMessage{package});
    refused("version", 3, package_bytes, 1, 9);
    refused("format", 3, package_bytes, 3, 4);
    refused("package_version", 3, package_bytes, 5, 9);
    refused("suite", 3, package_bytes, 7, 99);
    refused("signature", 3, package_bytes, package_bytes.size() - 1, 0);
    refused("content_type", 1, encode(MLSMessage{sealed}), 4 + 2 + 8, 9);
    refused("generation", 0, mls_framing::encode(declaration), 16 + 7, 0);
    auto changed_package = [&](char const* name, auto change) {
        auto other = package;
        change(other);
        seed("mls_outer", std::string("bad_package_") + name, 3, encode(MLSMessage{other}));
    };
    changed_package("credential", [](KeyPackage& other) { other.leaf_node.credential = {X509Credential{{Bytes(3)}}}; });
    changed_package("source", [](KeyPackage& other) { other.leaf_node.source = UpdateSource{}; });
    changed_package("extensions", [](KeyPackage& other) { other.leaf_node.extensions = {{9, {}}, {9, {}}}; });
    changed_package("leaf_signature", [](KeyPackage& other) { other.leaf_node.signature[0] ^= 1; });
    auto twice = welcome;
    twice.secrets.push_back(twice.secrets.front());
    seed("mls_outer", "bad_welcome_twice", 2, encode(MLSMessage{twice}));
    auto crowd = declaration;
    crowd.added.push_back(crowd.added.front());
    seed("mls_outer", "bad_added_twice", 0, mls_framing::encode(crowd));
    crowd.added.back().device = id_of<base::DeviceId>(4);
    seed("mls_outer", "bad_ref_twice", 0, mls_framing::encode(crowd));
    crowd.added.back().ref = id_of<mls_framing::KeyPackageRef>(4);
    seed("mls_outer", "declaration_of_two", 0, mls_framing::encode(crowd));
    crowd.added.back().side = base::Side::client;
    seed("mls_outer", "bad_two_sides", 0, mls_framing::encode(crowd));
    crowd.added.back().side = base::Side{};
    seed("mls_outer", "bad_side", 0, mls_framing::encode(crowd));
    crowd.added.clear();
    for (std::uint8_t fill = 1; fill < 30; ++fill)
        crowd.removed.push_back({id_of<base::AccountId>(fill), id_of<base::DeviceId>(fill)});
    seed("mls_outer", "bad_many_accounts", 0, mls_framing::encode(crowd));

    make_message_seeds(bundle, commit, content, sealed, welcome, info);
}

}  // namespace interlude::fuzz
