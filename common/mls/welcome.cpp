#include "common/mls/welcome.hpp"

#include <algorithm>

#include "common/crypto/aead.hpp"
#include "common/mls/key_schedule.hpp"

namespace interlude::mls {

void sign_group_info(GroupInfo& info, crypto::SigningKey const& key) {
    info.signature = sign_with_label(key, "GroupInfoTBS", group_info_tbs(info));
}

Result<void> verify_group_info(GroupInfo const& info, RatchetTree const& tree) {
    auto const* signer = tree.leaf(info.signer);
    if (!signer) return Errc::unknown_sender;
    return verify_with_label(signer->signature_key, "GroupInfoTBS", group_info_tbs(info), info.signature);
}

Result<RatchetTree> tree_for(crypto::Suite const& suite, GroupInfo const& info, std::optional<Bytes> const& given) {
    auto const* extension = find_extension(info.extensions, extension_type::ratchet_tree);
    if (!extension && !given) return Errc::bad_tree;
    INTERLUDE_TRY(auto nodes, decode(extension ? extension->data : *given, read_node_list));
    INTERLUDE_TRY(auto tree, RatchetTree::from_nodes(suite, std::move(nodes)));
    if (tree.tree_hash() != info.group_context.tree_hash) return Errc::bad_tree;
    return tree;
}

Result<Welcome> make_welcome(crypto::Suite const& suite, GroupInfo const& info, ByteView joiner_secret,
                             ByteView psk_secret, std::vector<PreSharedKeyID> const& psks,
                             std::vector<WelcomedMember> const& members, crypto::Entropy& entropy) {
    auto const [key, nonce] = welcome_key(suite, welcome_secret(suite, joiner_secret, psk_secret).expose());
    Welcome welcome{suite.id, {}, crypto::aead_seal(suite.aead, key.expose(), nonce.expose(), {}, encode(info))};
    for (auto const& member : members) {
        GroupSecrets secrets{SecretBytes(joiner_secret), std::nullopt, psks};
        if (member.path_secret) secrets.path_secret = member.path_secret->clone();
        SecretBytes const plaintext(encode(secrets));
        INTERLUDE_TRY(auto sealed, encrypt_with_label(suite, member.key_package.init_key, "Welcome",
                                                      welcome.encrypted_group_info, plaintext.expose(), entropy));
        welcome.secrets.push_back({key_package_ref(suite, member.key_package), std::move(sealed)});
    }
    return welcome;
}

Result<GroupSecrets> open_group_secrets(crypto::Suite const& suite, Welcome const& welcome, KeyPackage const& own,
                                        crypto::HpkeKeyPair const& init_key) {
    if (welcome.cipher_suite != suite.id || own.cipher_suite != suite.id) return Errc::unsupported;
    auto const ref = key_package_ref(suite, own);
    auto const ours = std::find_if(welcome.secrets.begin(), welcome.secrets.end(),
                                   [&](auto const& secrets) { return secrets.new_member == ref; });
    if (ours == welcome.secrets.end()) return Errc::no_key;
    INTERLUDE_TRY(auto const plaintext, decrypt_with_label(suite, init_key, "Welcome", welcome.encrypted_group_info,
                                                           ours->encrypted_group_secrets));
    return decode(plaintext.expose(), read_group_secrets);
}

Result<GroupInfo> open_group_info(crypto::Suite const& suite, Welcome const& welcome, ByteView joiner_secret,
                                  ByteView psk_secret) {
    auto const [key, nonce] = welcome_key(suite, welcome_secret(suite, joiner_secret, psk_secret).expose());
    INTERLUDE_TRY(auto const plaintext,
                  crypto::aead_open(suite.aead, key.expose(), nonce.expose(), {}, welcome.encrypted_group_info));
    return decode(plaintext.expose(), read_group_info);
}

}  // namespace interlude::mls
