// Credentials, capabilities and extensions (RFC 9420 §5.3, §7.2, §11.1, §12.1.8.1, §13). Unknown and GREASE ids (§13.5)
// are kept and written back, never refused.
#pragma once

#include <span>
#include <variant>

#include "common/mls/codec.hpp"

namespace interlude::mls {

using ProtocolVersion = std::uint16_t;
using CipherSuite = std::uint16_t;  // crypto::find_suite says whether we speak it
using CredentialType = std::uint16_t;
using ExtensionType = std::uint16_t;
using ProposalType = std::uint16_t;

inline constexpr ProtocolVersion mls10 = 1;

namespace credential_type {  // RFC 9420 §17.5
inline constexpr CredentialType basic = 1;
inline constexpr CredentialType x509 = 2;
}  // namespace credential_type

namespace extension_type {  // RFC 9420 §17.3
inline constexpr ExtensionType application_id = 1;
inline constexpr ExtensionType ratchet_tree = 2;
inline constexpr ExtensionType required_capabilities = 3;
inline constexpr ExtensionType external_pub = 4;
inline constexpr ExtensionType external_senders = 5;
}  // namespace extension_type

namespace proposal_type {  // RFC 9420 §17.4
inline constexpr ProposalType add = 1;
inline constexpr ProposalType update = 2;
inline constexpr ProposalType remove = 3;
inline constexpr ProposalType psk = 4;
inline constexpr ProposalType reinit = 5;
inline constexpr ProposalType external_init = 6;
inline constexpr ProposalType group_context_extensions = 7;
}  // namespace proposal_type

/// A type of the base protocol, which capabilities never list (RFC 9420 §7.2).
bool is_default_extension(ExtensionType type);
bool is_default_proposal(ProposalType type);

using HPKEPublicKey = Bytes;
using SignaturePublicKey = Bytes;

struct BasicCredential {
    Bytes identity;
    bool operator==(BasicCredential const&) const = default;
};
struct X509Credential {
    std::vector<Bytes> certificates;  // kept as bytes, never looked into
    bool operator==(X509Credential const&) const = default;
};
struct Credential {
    std::variant<BasicCredential, X509Credential> body;
    CredentialType type() const;
    static Credential basic(Bytes identity) { return {BasicCredential{std::move(identity)}}; }
    /// The identity of a basic credential, else nullptr.
    Bytes const* identity() const;
    bool operator==(Credential const&) const = default;
};

struct Extension {
    ExtensionType type = 0;
    Bytes data;
    bool operator==(Extension const&) const = default;
};
using Extensions = std::vector<Extension>;
Extension const* find_extension(Extensions const& extensions, ExtensionType type);

struct Capabilities {
    std::vector<ProtocolVersion> versions;
    std::vector<CipherSuite> cipher_suites;
    std::vector<ExtensionType> extensions;
    std::vector<ProposalType> proposals;
    std::vector<CredentialType> credentials;
    /// Defaults of the base protocol count as supported.
    bool supports_extension(ExtensionType type) const;
    bool supports_proposal(ProposalType type) const;
    bool supports_credential(CredentialType type) const;
    bool operator==(Capabilities const&) const = default;
};

/// The content of the extension of that name (RFC 9420 §11.1).
struct RequiredCapabilities {
    std::vector<ExtensionType> extension_types;
    std::vector<ProposalType> proposal_types;
    std::vector<CredentialType> credential_types;
    bool operator==(RequiredCapabilities const&) const = default;
};
bool satisfies(Capabilities const& capabilities, RequiredCapabilities const& required);

/// One element of the external_senders extension (RFC 9420 §12.1.8.1).
struct ExternalSender {
    SignaturePublicKey signature_key;
    Credential credential;
    bool operator==(ExternalSender const&) const = default;
};

void write(Writer& writer, Credential const& credential);
void write(Writer& writer, Extension const& extension);
void write(Writer& writer, Extensions const& extensions);
void write(Writer& writer, Capabilities const& capabilities);
void write(Writer& writer, RequiredCapabilities const& required);
void write(Writer& writer, ExternalSender const& sender);
void write(Writer& writer, std::vector<ExternalSender> const& senders);

/// unsupported for a credential type that cannot be skipped (all but basic and x509).
Result<Credential> read_credential(Reader& reader);
Result<Extension> read_extension(Reader& reader);
/// malformed if one type comes twice (RFC 9420 §13.4).
Result<Extensions> read_extensions(Reader& reader);
Result<Capabilities> read_capabilities(Reader& reader);
Result<RequiredCapabilities> read_required_capabilities(Reader& reader);
Result<ExternalSender> read_external_sender(Reader& reader);
Result<std::vector<ExternalSender>> read_external_senders(Reader& reader);

}  // namespace interlude::mls
