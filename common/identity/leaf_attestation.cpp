#include "common/identity/leaf_attestation.hpp"

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/identity/labels.hpp"

namespace interlude::identity {

using base::Errc;
using base::Result;

namespace {

constexpr std::uint8_t leaf_identity_version = 1;

bytes::Bytes attested(LeafIdentity const& leaf, bytes::ByteView leaf_signature_key) {
    bytes::Writer out;
    out.id(leaf.account).id(leaf.device).u64(leaf.floor.generation).u64(leaf.floor.version).opaque(leaf_signature_key);
    return std::move(out).take();
}

}  // namespace

bytes::Bytes encode(LeafIdentity const& leaf) {
    bytes::Writer out;
    out.u8(leaf_identity_version).id(leaf.account).id(leaf.device);
    out.u64(leaf.floor.generation).u64(leaf.floor.version).id(leaf.signature);
    return std::move(out).take();
}

Result<LeafIdentity> decode_leaf_identity(bytes::ByteView from) {
    bytes::Reader in(from);
    INTERLUDE_TRY(auto version, in.u8());
    if (version != leaf_identity_version) return Errc::unsupported;
    LeafIdentity out;
    INTERLUDE_TRY(out.account, in.id<base::AccountId>());
    INTERLUDE_TRY(out.device, in.id<base::DeviceId>());
    INTERLUDE_TRY(out.floor.generation, in.u64());
    INTERLUDE_TRY(out.floor.version, in.u64());
    INTERLUDE_TRY(out.signature, in.id<crypto::Signature>());
    INTERLUDE_TRY_VOID(in.finish());
    if (out.floor.generation == 0 || out.floor.version == 0) return Errc::malformed;
    return out;
}

LeafIdentity attest_leaf(crypto::SigningKey const& device_key, base::AccountId const& account,
                         base::DeviceId const& device, ListPosition floor, bytes::ByteView leaf_signature_key) {
    LeafIdentity leaf{.account = account, .device = device, .floor = floor, .signature = {}};
    leaf.signature = crypto::sign_labelled(device_key, labels::leaf, attested(leaf, leaf_signature_key));
    return leaf;
}

Result<void> verify_leaf(LeafIdentity const& leaf, bytes::ByteView leaf_signature_key, DeviceList const& newest) {
    if (leaf.account != newest.account()) return Errc::not_listed;
    if (leaf.floor > newest.position()) return Errc::stale;
    auto const* listed = newest.find(leaf.device);
    if (listed == nullptr) return Errc::not_listed;
    return crypto::verify_labelled(listed->auth_key.bytes, labels::leaf, attested(leaf, leaf_signature_key),
                                   leaf.signature.bytes);
}

}  // namespace interlude::identity
