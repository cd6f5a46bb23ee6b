// How a joiner is let in: GroupInfo and Welcome, made and opened (RFC 9420 §12.4.3, §12.4.3.1).
#pragma once

#include "common/mls/key_package.hpp"
#include "common/mls/psk.hpp"

namespace interlude::mls {

/// Signs in place.
void sign_group_info(GroupInfo& info, crypto::SigningKey const& key);
/// By the leaf `info.signer` of the tree: unknown_sender if it is blank, bad_signature.
Result<void> verify_group_info(GroupInfo const& info, RatchetTree const& tree);
/// The tree of the ratchet_tree extension, or else `given`; bad_tree if there is none or its hash is not the context's.
Result<RatchetTree> tree_for(crypto::Suite const& suite, GroupInfo const& info, std::optional<Bytes> const& given);

struct WelcomedMember {
    KeyPackage const& key_package;
    SecretBytes const* path_secret;  // of the lowest node above the committer and this leaf; null without a path
};
/// One Welcome for all. bad_key if an init key is not one of the KEM.
Result<Welcome> make_welcome(crypto::Suite const& suite, GroupInfo const& info, ByteView joiner_secret,
                             ByteView psk_secret, std::vector<PreSharedKeyID> const& psks,
                             std::vector<WelcomedMember> const& members, crypto::Entropy& entropy);

/// no_key if the Welcome is not for this package; unsupported if it is of another suite.
Result<GroupSecrets> open_group_secrets(crypto::Suite const& suite, Welcome const& welcome, KeyPackage const& own,
                                        crypto::HpkeKeyPair const& init_key);
Result<GroupInfo> open_group_info(crypto::Suite const& suite, Welcome const& welcome, ByteView joiner_secret,
                                  ByteView psk_secret);

}  // namespace interlude::mls
