// GroupContext, GroupInfo and Welcome as bytes (RFC 9420 §8.1, §12.4.3, §12.4.3.1, §12.4.3.2).
#pragma once

#include "common/mls/proposals.hpp"

namespace interlude::mls {

using MAC = Bytes;

struct GroupContext {
    CipherSuite cipher_suite = 0;
    Bytes group_id;
    std::uint64_t epoch = 0;
    Bytes tree_hash;
    Bytes confirmed_transcript_hash;
    Extensions extensions;
    bool operator==(GroupContext const&) const = default;
};

struct GroupInfo {
    GroupContext group_context;
    Extensions extensions;
    MAC confirmation_tag;
    LeafIndex signer;
    Bytes signature;
    bool operator==(GroupInfo const&) const = default;
};
/// GroupInfoTBS: everything but the signature.
Bytes group_info_tbs(GroupInfo const& info);

/// Secret, so without ==.
struct GroupSecrets {
    SecretBytes joiner_secret;
    std::optional<SecretBytes> path_secret;
    std::vector<PreSharedKeyID> psks;
};

struct EncryptedGroupSecrets {
    KeyPackageRef new_member;
    HPKECiphertext encrypted_group_secrets;
    bool operator==(EncryptedGroupSecrets const&) const = default;
};

struct Welcome {
    CipherSuite cipher_suite = 0;
    std::vector<EncryptedGroupSecrets> secrets;
    Bytes encrypted_group_info;
    bool operator==(Welcome const&) const = default;
};

void write(Writer& writer, GroupContext const& context);
void write(Writer& writer, GroupInfo const& info);
void write(Writer& writer, GroupSecrets const& secrets);
void write(Writer& writer, EncryptedGroupSecrets const& secrets);
void write(Writer& writer, Welcome const& welcome);

/// unsupported for another protocol version; any suite is kept.
Result<GroupContext> read_group_context(Reader& reader);
Result<GroupInfo> read_group_info(Reader& reader);
Result<GroupSecrets> read_group_secrets(Reader& reader);
Result<EncryptedGroupSecrets> read_encrypted_group_secrets(Reader& reader);
Result<Welcome> read_welcome(Reader& reader);

}  // namespace interlude::mls
