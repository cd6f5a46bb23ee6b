#include "common/mls/proposals.hpp"

namespace interlude::mls {

namespace {

enum class PSKType : std::uint8_t { external = 1, resumption = 2 };           // RFC 9420 §8.4
enum class ProposalOrRefType : std::uint8_t { proposal = 1, reference = 2 };  // RFC 9420 §12.4

void write_unsigned(Writer& writer, KeyPackage const& key_package) {
    writer.u16(key_package.version).u16(key_package.cipher_suite).opaque(key_package.init_key);
    write(writer, key_package.leaf_node);
    write(writer, key_package.extensions);
}

/// The body that `read` reads, as a Proposal.
template <class Read>
Result<Proposal> read_as_proposal(Reader& reader, Read&& read) {
    INTERLUDE_TRY(auto body, read(reader));
    return Proposal{std::move(body)};
}

}  // namespace

Bytes key_package_tbs(KeyPackage const& key_package) {
    Writer writer;
    write_unsigned(writer, key_package);
    return std::move(writer).take();
}

ProposalType Proposal::type() const {
    return std::visit(
        Overloaded{[](Add const&) { return proposal_type::add; }, [](Update const&) { return proposal_type::update; },
                   [](Remove const&) { return proposal_type::remove; },
                   [](PreSharedKey const&) { return proposal_type::psk; },
                   [](ReInit const&) { return proposal_type::reinit; },
                   [](ExternalInit const&) { return proposal_type::external_init; },
                   [](GroupContextExtensions const&) { return proposal_type::group_context_extensions; }},
        body);
}

void write(Writer& writer, KeyPackage const& key_package) {
    write_unsigned(writer, key_package);
    writer.opaque(key_package.signature);
}

void write(Writer& writer, PreSharedKeyID const& id) {
    std::visit(Overloaded{[&](ExternalPSK const& psk) {
                              writer.u8(static_cast<std::uint8_t>(PSKType::external)).opaque(psk.psk_id);
                          },
                          [&](ResumptionPSK const& psk) {
                              writer.u8(static_cast<std::uint8_t>(PSKType::resumption));
                              writer.u8(static_cast<std::uint8_t>(psk.usage));
                              writer.opaque(psk.psk_group_id).u64(psk.psk_epoch);
                          }},
               id.body);
    writer.opaque(id.psk_nonce);
}

void write(Writer& writer, Add const& add) {
    write(writer, add.key_package);
}
void write(Writer& writer, Update const& update) {
    write(writer, update.leaf_node);
}
void write(Writer& writer, Remove const& remove) {
    write(writer, remove.removed);
}
void write(Writer& writer, PreSharedKey const& psk) {
    write(writer, psk.psk);
}
void write(Writer& writer, ReInit const& reinit) {
    writer.opaque(reinit.group_id).u16(reinit.version).u16(reinit.cipher_suite);
    write(writer, reinit.extensions);
}
void write(Writer& writer, ExternalInit const& external_init) {
    writer.opaque(external_init.kem_output);
}
void write(Writer& writer, GroupContextExtensions const& extensions) {
    write(writer, extensions.extensions);
}

void write(Writer& writer, Proposal const& proposal) {
    writer.u16(proposal.type());
    std::visit([&](auto const& body) { write(writer, body); }, proposal.body);
}

void write(Writer& writer, ProposalOrRef const& proposal) {
    std::visit(Overloaded{[&](Proposal const& by_value) {
                              writer.u8(static_cast<std::uint8_t>(ProposalOrRefType::proposal));
                              write(writer, by_value);
                          },
                          [&](ProposalRef const& reference) {
                              writer.u8(static_cast<std::uint8_t>(ProposalOrRefType::reference)).opaque(reference);
                          }},
               proposal);
}

void write(Writer& writer, HPKECiphertext const& ciphertext) {
    writer.opaque(ciphertext.kem_output).opaque(ciphertext.ciphertext);
}

void write(Writer& writer, UpdatePathNode const& node) {
    writer.opaque(node.encryption_key);
    write_vector(writer, node.encrypted_path_secret);
}

void write(Writer& writer, UpdatePath const& path) {
    write(writer, path.leaf_node);
    write_vector(writer, path.nodes);
}

void write(Writer& writer, Commit const& commit) {
    write_vector(writer, commit.proposals);
    write_optional(writer, commit.path);
}

Result<KeyPackage> read_key_package(Reader& reader) {
    KeyPackage key_package;
    INTERLUDE_TRY(key_package.version, reader.u16());
    if (key_package.version != mls10) return Errc::unsupported;
    INTERLUDE_TRY(key_package.cipher_suite, reader.u16());
    INTERLUDE_TRY(key_package.init_key, read_bytes(reader));
    INTERLUDE_TRY(key_package.leaf_node, read_leaf_node(reader));
    INTERLUDE_TRY(key_package.extensions, read_extensions(reader));
    INTERLUDE_TRY(key_package.signature, read_bytes(reader));
    return key_package;
}

Result<PreSharedKeyID> read_pre_shared_key_id(Reader& reader) {
    PreSharedKeyID id;
    INTERLUDE_TRY(auto type, reader.u8());
    if (PSKType{type} == PSKType::external) {
        INTERLUDE_TRY(auto psk_id, read_bytes(reader));
        id.body = ExternalPSK{std::move(psk_id)};
    } else if (PSKType{type} == PSKType::resumption) {
        ResumptionPSK psk;
        INTERLUDE_TRY(auto usage, reader.u8());
        if (usage < 1 || usage > 3) return Errc::malformed;
        psk.usage = ResumptionPSKUsage{usage};
        INTERLUDE_TRY(psk.psk_group_id, read_bytes(reader));
        INTERLUDE_TRY(psk.psk_epoch, reader.u64());
        id.body = std::move(psk);
    } else {
        return Errc::malformed;
    }
    INTERLUDE_TRY(id.psk_nonce, read_bytes(reader));
    return id;
}

Result<Add> read_add(Reader& reader) {
    INTERLUDE_TRY(auto key_package, read_key_package(reader));
    return Add{std::move(key_package)};
}

Result<Update> read_update(Reader& reader) {
    INTERLUDE_TRY(auto leaf_node, read_leaf_node(reader));
    return Update{std::move(leaf_node)};
}

Result<Remove> read_remove(Reader& reader) {
    INTERLUDE_TRY(auto removed, read_leaf_index(reader));
    return Remove{removed};
}

Result<PreSharedKey> read_pre_shared_key(Reader& reader) {
    INTERLUDE_TRY(auto psk, read_pre_shared_key_id(reader));
    return PreSharedKey{std::move(psk)};
}

Result<ReInit> read_reinit(Reader& reader) {
    ReInit reinit;
    INTERLUDE_TRY(reinit.group_id, read_bytes(reader));
    INTERLUDE_TRY(reinit.version, reader.u16());
    INTERLUDE_TRY(reinit.cipher_suite, reader.u16());
    INTERLUDE_TRY(reinit.extensions, read_extensions(reader));
    return reinit;
}

Result<ExternalInit> read_external_init(Reader& reader) {
    INTERLUDE_TRY(auto kem_output, read_bytes(reader));
    return ExternalInit{std::move(kem_output)};
}

Result<GroupContextExtensions> read_group_context_extensions(Reader& reader) {
    INTERLUDE_TRY(auto extensions, read_extensions(reader));
    return GroupContextExtensions{std::move(extensions)};
}

Result<Proposal> read_proposal(Reader& reader) {
    INTERLUDE_TRY(auto type, reader.u16());
    switch (type) {
        case proposal_type::add:
            return read_as_proposal(reader, read_add);
        case proposal_type::update:
            return read_as_proposal(reader, read_update);
        case proposal_type::remove:
            return read_as_proposal(reader, read_remove);
        case proposal_type::psk:
            return read_as_proposal(reader, read_pre_shared_key);
        case proposal_type::reinit:
            return read_as_proposal(reader, read_reinit);
        case proposal_type::external_init:
            return read_as_proposal(reader, read_external_init);
        case proposal_type::group_context_extensions:
            return read_as_proposal(reader, read_group_context_extensions);
    }
    return Errc::unsupported;
}

Result<ProposalOrRef> read_proposal_or_ref(Reader& reader) {
    INTERLUDE_TRY(auto type, reader.u8());
    switch (ProposalOrRefType{type}) {
        case ProposalOrRefType::proposal: {
            INTERLUDE_TRY(auto proposal, read_proposal(reader));
            return ProposalOrRef(std::move(proposal));
        }
        case ProposalOrRefType::reference: {
            INTERLUDE_TRY(auto reference, read_bytes(reader));
            return ProposalOrRef(std::move(reference));
        }
    }
    return Errc::malformed;
}

Result<HPKECiphertext> read_hpke_ciphertext(Reader& reader) {
    HPKECiphertext ciphertext;
    INTERLUDE_TRY(ciphertext.kem_output, read_bytes(reader));
    INTERLUDE_TRY(ciphertext.ciphertext, read_bytes(reader));
    return ciphertext;
}

Result<UpdatePathNode> read_update_path_node(Reader& reader) {
    UpdatePathNode node;
    INTERLUDE_TRY(node.encryption_key, read_bytes(reader));
    INTERLUDE_TRY(node.encrypted_path_secret, read_vector(reader, read_hpke_ciphertext));
    return node;
}

Result<UpdatePath> read_update_path(Reader& reader) {
    UpdatePath path;
    INTERLUDE_TRY(path.leaf_node, read_leaf_node(reader));
    INTERLUDE_TRY(path.nodes, read_vector(reader, read_update_path_node));
    return path;
}

Result<Commit> read_commit(Reader& reader) {
    Commit commit;
    INTERLUDE_TRY(commit.proposals, read_vector(reader, read_proposal_or_ref));
    INTERLUDE_TRY(commit.path, read_optional(reader, read_update_path));
    return commit;
}

}  // namespace interlude::mls
