#include "common/mls/credential.hpp"

namespace interlude::mls {

namespace {

void write_ids(Writer& writer, std::vector<std::uint16_t> const& ids) {
    writer.vector_of(ids, [](Writer& inner, std::uint16_t id) { inner.u16(id); });
}

Result<std::vector<std::uint16_t>> read_ids(Reader& reader) {
    return read_vector(reader, [](Reader& inner) { return inner.u16(); });
}

bool contains(std::vector<std::uint16_t> const& ids, std::uint16_t id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

bool is_default_extension(ExtensionType type) {
    return type >= extension_type::application_id && type <= extension_type::external_senders;
}

bool is_default_proposal(ProposalType type) {
    return type >= proposal_type::add && type <= proposal_type::group_context_extensions;
}

CredentialType Credential::type() const {
    return std::visit(Overloaded{[](BasicCredential const&) { return credential_type::basic; },
                                 [](X509Credential const&) { return credential_type::x509; }},
                      body);
}

Bytes const* Credential::identity() const {
    auto const* basic = std::get_if<BasicCredential>(&body);
    return basic ? &basic->identity : nullptr;
}

Extension const* find_extension(Extensions const& extensions, ExtensionType type) {
    auto found = std::find_if(extensions.begin(), extensions.end(), [&](auto const& e) { return e.type == type; });
    return found == extensions.end() ? nullptr : &*found;
}

bool Capabilities::supports_extension(ExtensionType type) const {
    return is_default_extension(type) || contains(extensions, type);
}
bool Capabilities::supports_proposal(ProposalType type) const {
    return is_default_proposal(type) || contains(proposals, type);
}
bool Capabilities::supports_credential(CredentialType type) const {
    return contains(credentials, type);
}

bool satisfies(Capabilities const& capabilities, RequiredCapabilities const& required) {
    auto all = [](auto const& ids, auto&& supported) { return std::all_of(ids.begin(), ids.end(), supported); };
    return all(required.extension_types, [&](auto id) { return capabilities.supports_extension(id); }) &&
           all(required.proposal_types, [&](auto id) { return capabilities.supports_proposal(id); }) &&
           all(required.credential_types, [&](auto id) { return capabilities.supports_credential(id); });
}

void write(Writer& writer, Credential const& credential) {
    writer.u16(credential.type());
    std::visit(Overloaded{[&](BasicCredential const& basic) { writer.opaque(basic.identity); },
                          [&](X509Credential const& x509) {
                              writer.vector_of(x509.certificates,
                                               [](Writer& inner, Bytes const& der) { inner.opaque(der); });
                          }},
               credential.body);
}

void write(Writer& writer, Extension const& extension) {
    writer.u16(extension.type).opaque(extension.data);
}

void write(Writer& writer, Extensions const& extensions) {
    write_vector(writer, extensions);
}

void write(Writer& writer, Capabilities const& capabilities) {
    write_ids(writer, capabilities.versions);
    write_ids(writer, capabilities.cipher_suites);
    write_ids(writer, capabilities.extensions);
    write_ids(writer, capabilities.proposals);
    write_ids(writer, capabilities.credentials);
}

void write(Writer& writer, RequiredCapabilities const& required) {
    write_ids(writer, required.extension_types);
    write_ids(writer, required.proposal_types);
    write_ids(writer, required.credential_types);
}

void write(Writer& writer, ExternalSender const& sender) {
    writer.opaque(sender.signature_key);
    write(writer, sender.credential);
}

void write(Writer& writer, std::vector<ExternalSender> const& senders) {
    write_vector(writer, senders);
}

Result<Credential> read_credential(Reader& reader) {
    INTERLUDE_TRY(auto type, reader.u16());
    if (type == credential_type::basic) {
        INTERLUDE_TRY(auto identity, read_bytes(reader));
        return Credential::basic(std::move(identity));
    }
    if (type == credential_type::x509) {
        INTERLUDE_TRY(auto certificates, read_vector(reader, read_bytes));
        return Credential{X509Credential{std::move(certificates)}};
    }
    return Errc::unsupported;
}

Result<Extension> read_extension(Reader& reader) {
    Extension extension;
    INTERLUDE_TRY(extension.type, reader.u16());
    INTERLUDE_TRY(extension.data, read_bytes(reader));
    return extension;
}

Result<Extensions> read_extensions(Reader& reader) {
    INTERLUDE_TRY(auto extensions, read_vector(reader, read_extension));
    std::vector<ExtensionType> types;
    for (auto const& extension : extensions) types.push_back(extension.type);
    std::sort(types.begin(), types.end());
    if (std::adjacent_find(types.begin(), types.end()) != types.end()) return Errc::malformed;
    return extensions;
}

Result<Capabilities> read_capabilities(Reader& reader) {
    Capabilities capabilities;
    INTERLUDE_TRY(capabilities.versions, read_ids(reader));
    INTERLUDE_TRY(capabilities.cipher_suites, read_ids(reader));
    INTERLUDE_TRY(capabilities.extensions, read_ids(reader));
    INTERLUDE_TRY(capabilities.proposals, read_ids(reader));
    INTERLUDE_TRY(capabilities.credentials, read_ids(reader));
    return capabilities;
}

Result<RequiredCapabilities> read_required_capabilities(Reader& reader) {
    RequiredCapabilities required;
    INTERLUDE_TRY(required.extension_types, read_ids(reader));
    INTERLUDE_TRY(required.proposal_types, read_ids(reader));
    INTERLUDE_TRY(required.credential_types, read_ids(reader));
    return required;
}

Result<ExternalSender> read_external_sender(Reader& reader) {
    ExternalSender sender;
    INTERLUDE_TRY(sender.signature_key, read_bytes(reader));
    INTERLUDE_TRY(sender.credential, read_credential(reader));
    return sender;
}

Result<std::vector<ExternalSender>> read_external_senders(Reader& reader) {
    return read_vector(reader, read_external_sender);
}

}  // namespace interlude::mls
