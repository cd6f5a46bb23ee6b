#include "common/mls_framing/outer.hpp"

#include <set>

#include "common/base/limits.hpp"
#include "common/bytes/reader.hpp"
#include "common/crypto/sign.hpp"
#include "common/crypto/suite.hpp"
#include "common/mls_framing/labelled.hpp"

namespace interlude::mls_framing {

using base::Errc;
using base::Result;
using bytes::ByteView;
using bytes::Reader;

namespace {

constexpr std::uint16_t mls10 = 1;
constexpr std::uint16_t basic_credential = 1;
constexpr std::uint8_t source_key_package = 1;
/// As many devices as a conversation may have.
constexpr std::size_t welcome_refs_max =
    base::limits::accounts_per_conversation_max * base::limits::devices_per_account_max;
enum class WireFormat : std::uint16_t { private_message = 2, welcome = 3, key_package = 5 };  // RFC 9420 §17.2

Result<void> read_header(Reader& reader, WireFormat expected) {
    INTERLUDE_TRY(auto version, reader.u16());
    if (version != mls10) return Errc::unsupported;
    INTERLUDE_TRY(auto format, reader.u16());
    if (WireFormat{format} != expected) return Errc::malformed;
    return {};
}

/// What lies between an earlier state of a reader and a later one.
ByteView between(Reader const& earlier, Reader const& later) {
    return earlier.rest().first(earlier.size() - later.size());
}

/// Refuses a type that comes twice, as the apps do: what is stored here must be usable there.
Result<void> skip_extensions(Reader& reader) {
    INTERLUDE_TRY(auto extensions, reader.vector());
    std::set<std::uint16_t> types;
    while (!extensions.empty()) {
        INTERLUDE_TRY(auto type, extensions.u16());
        if (!types.insert(type).second) return Errc::malformed;
        INTERLUDE_TRY_VOID(extensions.opaque());
    }
    return {};
}

Result<void> skip_capabilities(Reader& reader) {
    for (int list = 0; list < 5; ++list) {  // versions, cipher suites, extensions, proposals, credentials
        INTERLUDE_TRY(auto ids, reader.opaque());
        if (ids.size() % 2 != 0) return Errc::malformed;
    }
    return {};
}

base::WallTime whole_seconds(std::uint64_t seconds) {
    constexpr std::uint64_t last_second_of_9999 = 253'402'300'799;
    return base::wall_seconds(static_cast<std::int64_t>(std::min(seconds, last_second_of_9999)));
}

struct LeafOuter {
    ByteView encryption_key;
    ByteView signature_key;
    ByteView identity;
    std::uint64_t not_before = 0;
    std::uint64_t not_after = 0;
};

/// A LeafNode of a KeyPackage (RFC 9420 §7.2), its signature verified: its LeafNodeTBS is what stands before it.
Result<LeafOuter> read_leaf(Reader& reader) {
    LeafOuter leaf;
    auto const start = reader;
    INTERLUDE_TRY(leaf.encryption_key, reader.opaque());
    INTERLUDE_TRY(leaf.signature_key, reader.opaque());
    INTERLUDE_TRY(auto credential_type, reader.u16());
    if (credential_type != basic_credential) return Errc::unsupported;
    INTERLUDE_TRY(leaf.identity, reader.opaque());
    INTERLUDE_TRY_VOID(skip_capabilities(reader));
    INTERLUDE_TRY(auto source, reader.u8());
    if (source != source_key_package) return Errc::bad_leaf;
    INTERLUDE_TRY(leaf.not_before, reader.u64());
    INTERLUDE_TRY(leaf.not_after, reader.u64());
    INTERLUDE_TRY_VOID(skip_extensions(reader));
    auto const tbs = between(start, reader);
    INTERLUDE_TRY(auto signature, reader.opaque());
    INTERLUDE_TRY_VOID(crypto::verify(leaf.signature_key, sign_content(leaf_node_label, tbs), signature));
    return leaf;
}

}  // namespace

std::string_view name(ContentType type) noexcept {
    switch (type) {
        case ContentType::application:
            return "application";
        case ContentType::proposal:
            return "proposal";
        case ContentType::commit:
            return "commit";
    }
    return "?";
}

Result<PrivateMessageOuter> read_private_message_outer(ByteView message) {
    Reader reader(message);
    INTERLUDE_TRY_VOID(read_header(reader, WireFormat::private_message));
    PrivateMessageOuter outer;
    INTERLUDE_TRY(auto group_id, reader.opaque());
    INTERLUDE_TRY(outer.epoch, reader.u64());
    INTERLUDE_TRY(auto content_type, reader.u8());
    if (content_type < 1 || content_type > 3) return Errc::malformed;
    INTERLUDE_TRY(auto authenticated_data, reader.opaque());
    INTERLUDE_TRY_VOID(reader.opaque());  // encrypted sender data
    INTERLUDE_TRY_VOID(reader.opaque());  // ciphertext
    INTERLUDE_TRY_VOID(reader.finish());
    outer.group_id = bytes::copy(group_id);
    outer.content_type = ContentType{content_type};
    outer.authenticated_data = bytes::copy(authenticated_data);
    return outer;
}

Result<WelcomeOuter> read_welcome_outer(ByteView message) {
    Reader reader(message);
    INTERLUDE_TRY_VOID(read_header(reader, WireFormat::welcome));
    WelcomeOuter outer;
    INTERLUDE_TRY(outer.suite, reader.u16());
    INTERLUDE_TRY(auto secrets, reader.vector());
    std::set<KeyPackageRef> known;
    while (!secrets.empty()) {
        INTERLUDE_TRY(auto new_member, secrets.opaque());
        auto const ref = KeyPackageRef::from(new_member);
        if (!ref || outer.refs.size() == welcome_refs_max || !known.insert(*ref).second) return Errc::malformed;
        outer.refs.push_back(*ref);
        INTERLUDE_TRY_VOID(secrets.opaque());  // kem_output
        INTERLUDE_TRY_VOID(secrets.opaque());  // ciphertext
    }
    INTERLUDE_TRY_VOID(reader.opaque());  // encrypted group info
    INTERLUDE_TRY_VOID(reader.finish());
    return outer;
}

Result<KeyPackageOuter> read_key_package_outer(ByteView message) {
    Reader reader(message);
    INTERLUDE_TRY_VOID(read_header(reader, WireFormat::key_package));
    auto const start = reader;
    KeyPackageOuter outer;
    INTERLUDE_TRY(auto version, reader.u16());
    if (version != mls10) return Errc::unsupported;
    INTERLUDE_TRY(outer.suite, reader.u16());
    INTERLUDE_TRY_VOID(crypto::find_suite(outer.suite));
    INTERLUDE_TRY(auto init_key, reader.opaque());
    INTERLUDE_TRY(auto leaf, read_leaf(reader));
    INTERLUDE_TRY_VOID(skip_extensions(reader));
    auto const tbs = between(start, reader);
    INTERLUDE_TRY(auto signature, reader.opaque());
    INTERLUDE_TRY_VOID(reader.finish());
    INTERLUDE_TRY_VOID(crypto::verify(leaf.signature_key, sign_content(key_package_label, tbs), signature));
    if (bytes::equal(init_key, leaf.encryption_key)) return Errc::bad_leaf;
    if (leaf.not_after <= leaf.not_before) return Errc::bad_leaf;
    outer.ref.bytes = ref_hash(key_package_ref_label, start.rest()).bytes;
    outer.not_before = whole_seconds(leaf.not_before);
    outer.not_after = whole_seconds(leaf.not_after);
    outer.identity = bytes::copy(leaf.identity);
    outer.leaf_signature_key = bytes::copy(leaf.signature_key);
    return outer;
}

}  // namespace interlude::mls_framing
