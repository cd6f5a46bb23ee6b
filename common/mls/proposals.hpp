// KeyPackages, proposals and commits as bytes (RFC 9420 §7.6, §8.4, §10, §12.1, §12.4).
#pragma once

#include "common/mls/leaf_node.hpp"

namespace interlude::mls {

using KeyPackageRef = Bytes;  // RFC 9420 §5.2, Nh bytes
using ProposalRef = Bytes;

struct KeyPackage {
    ProtocolVersion version = mls10;
    CipherSuite cipher_suite = 0;
    HPKEPublicKey init_key;
    LeafNode leaf_node;
    Extensions extensions;
    Bytes signature;
    bool operator==(KeyPackage const&) const = default;
};
/// KeyPackageTBS: everything but the signature.
Bytes key_package_tbs(KeyPackage const& key_package);

enum class ResumptionPSKUsage : std::uint8_t { application = 1, reinit = 2, branch = 3 };
struct ExternalPSK {
    Bytes psk_id;
    bool operator==(ExternalPSK const&) const = default;
};
struct ResumptionPSK {
    ResumptionPSKUsage usage = ResumptionPSKUsage::application;
    Bytes psk_group_id;
    std::uint64_t psk_epoch = 0;
    bool operator==(ResumptionPSK const&) const = default;
};
struct PreSharedKeyID {
    std::variant<ExternalPSK, ResumptionPSK> body;
    Bytes psk_nonce;
    bool operator==(PreSharedKeyID const&) const = default;
};

struct Add {
    KeyPackage key_package;
    bool operator==(Add const&) const = default;
};
struct Update {
    LeafNode leaf_node;
    bool operator==(Update const&) const = default;
};
struct Remove {
    LeafIndex removed;
    bool operator==(Remove const&) const = default;
};
struct PreSharedKey {
    PreSharedKeyID psk;
    bool operator==(PreSharedKey const&) const = default;
};
struct ReInit {
    Bytes group_id;
    ProtocolVersion version = mls10;
    CipherSuite cipher_suite = 0;
    Extensions extensions;
    bool operator==(ReInit const&) const = default;
};
struct ExternalInit {
    Bytes kem_output;
    bool operator==(ExternalInit const&) const = default;
};
struct GroupContextExtensions {
    Extensions extensions;
    bool operator==(GroupContextExtensions const&) const = default;
};

struct Proposal {
    std::variant<Add, Update, Remove, PreSharedKey, ReInit, ExternalInit, GroupContextExtensions> body;
    ProposalType type() const;
    template <class T>
    T const* as() const {
        return std::get_if<T>(&body);
    }
    bool operator==(Proposal const&) const = default;
};

/// A proposal by value, or the reference of one sent before.
using ProposalOrRef = std::variant<Proposal, ProposalRef>;

struct HPKECiphertext {
    Bytes kem_output;
    Bytes ciphertext;
    bool operator==(HPKECiphertext const&) const = default;
};
struct UpdatePathNode {
    HPKEPublicKey encryption_key;
    std::vector<HPKECiphertext> encrypted_path_secret;
    bool operator==(UpdatePathNode const&) const = default;
};
struct UpdatePath {
    LeafNode leaf_node;
    std::vector<UpdatePathNode> nodes;
    bool operator==(UpdatePath const&) const = default;
};

struct Commit {
    std::vector<ProposalOrRef> proposals;
    std::optional<UpdatePath> path;
    bool operator==(Commit const&) const = default;
};

void write(Writer& writer, KeyPackage const& key_package);
void write(Writer& writer, PreSharedKeyID const& id);
void write(Writer& writer, Add const& add);
void write(Writer& writer, Update const& update);
void write(Writer& writer, Remove const& remove);
void write(Writer& writer, PreSharedKey const& psk);
void write(Writer& writer, ReInit const& reinit);
void write(Writer& writer, ExternalInit const& external_init);
void write(Writer& writer, GroupContextExtensions const& extensions);
void write(Writer& writer, Proposal const& proposal);
void write(Writer& writer, ProposalOrRef const& proposal);
void write(Writer& writer, HPKECiphertext const& ciphertext);
void write(Writer& writer, UpdatePathNode const& node);
void write(Writer& writer, UpdatePath const& path);
void write(Writer& writer, Commit const& commit);

/// unsupported for another protocol version; any suite is kept.
Result<KeyPackage> read_key_package(Reader& reader);
Result<PreSharedKeyID> read_pre_shared_key_id(Reader& reader);
Result<Add> read_add(Reader& reader);
Result<Update> read_update(Reader& reader);
Result<Remove> read_remove(Reader& reader);
Result<PreSharedKey> read_pre_shared_key(Reader& reader);
Result<ReInit> read_reinit(Reader& reader);
Result<ExternalInit> read_external_init(Reader& reader);
Result<GroupContextExtensions> read_group_context_extensions(Reader& reader);
/// unsupported for a proposal type that cannot be skipped.
Result<Proposal> read_proposal(Reader& reader);
Result<ProposalOrRef> read_proposal_or_ref(Reader& reader);
Result<HPKECiphertext> read_hpke_ciphertext(Reader& reader);
Result<UpdatePathNode> read_update_path_node(Reader& reader);
Result<UpdatePath> read_update_path(Reader& reader);
Result<Commit> read_commit(Reader& reader);

}  // namespace interlude::mls
