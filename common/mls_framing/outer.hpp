// All that the server may see of an MLS message (exact.md, Declaration): the outer envelope of a PrivateMessage
// (RFC 9420 §6.3), the refs in a Welcome (§12.4.3.1) and a KeyPackage (§10). Nothing here can open anything.
// Inputs are whole MLSMessage bytes; another wire format is malformed, trailing bytes are refused.
#pragma once

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::mls_framing {

/// RFC 9420 §5.2: the hash that names a KeyPackage in a Welcome. 32 bytes in every suite we speak.
using KeyPackageRef = base::Id<struct KeyPackageRefTag, 32>;

enum class ContentType : std::uint8_t { application = 1, proposal = 2, commit = 3 };  // RFC 9420 §6
std::string_view name(ContentType type) noexcept;

struct PrivateMessageOuter {
    bytes::Bytes group_id;
    std::uint64_t epoch = 0;
    ContentType content_type = ContentType::application;
    bytes::Bytes authenticated_data;
    bool operator==(PrivateMessageOuter const&) const = default;
};

struct WelcomeOuter {
    std::uint16_t suite = 0;
    std::vector<KeyPackageRef> refs;  ///< one per new member, in the message's order, none twice
    bool operator==(WelcomeOuter const&) const = default;
};

struct KeyPackageOuter {
    KeyPackageRef ref;
    std::uint16_t suite = 0;
    base::WallTime not_before;  ///< whole seconds; a time beyond year 9999 reads as its last second
    base::WallTime not_after;
    bytes::Bytes identity;            ///< of the leaf's basic credential
    bytes::Bytes leaf_signature_key;  ///< Ed25519, 32 bytes
    bool operator==(KeyPackageOuter const&) const = default;
};

base::Result<PrivateMessageOuter> read_private_message_outer(bytes::ByteView message);
base::Result<WelcomeOuter> read_welcome_outer(bytes::ByteView message);
/// Verifies both signatures (leaf and package): bad_signature. unsupported: another version, suite or credential type.
/// bad_leaf: a leaf that is not of a KeyPackage, an empty lifetime or an init key equal to the leaf's key. Whether the
/// lifetime covers now, and whose identity it is, is the caller's question.
base::Result<KeyPackageOuter> read_key_package_outer(bytes::ByteView message);

}  // namespace interlude::mls_framing
