// The two labelled inputs that RFC 9420 needs outside a group: what is signed (§5.1.2) and what names a KeyPackage or
// proposal (§5.2).
#pragma once

#include "common/base/ids.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::mls_framing {

/// SignContent: the bytes under a SignWithLabel signature.
bytes::Bytes sign_content(std::string_view label, bytes::ByteView content);
/// RefHash(label, value); SHA-256 in every suite we speak.
base::Hash32 ref_hash(std::string_view label, bytes::ByteView value);

inline constexpr std::string_view leaf_node_label = "LeafNodeTBS";
inline constexpr std::string_view key_package_label = "KeyPackageTBS";
inline constexpr std::string_view key_package_ref_label = "MLS 1.0 KeyPackage Reference";
inline constexpr std::string_view proposal_ref_label = "MLS 1.0 Proposal Reference";

}  // namespace interlude::mls_framing
