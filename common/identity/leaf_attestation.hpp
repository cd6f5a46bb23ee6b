// The identity inside an MLS leaf's basic credential: which device of which account a fresh leaf key belongs to, by
// that device's signature. No conversation id: the key package that carries it is used once (protocol.md, Identity).
#pragma once

#include "common/identity/device_list.hpp"

namespace interlude::identity {

struct LeafIdentity {
    base::AccountId account;
    base::DeviceId device;
    ListPosition floor;  // the newest list of its account that the device knew
    crypto::Signature signature;
    bool operator==(LeafIdentity const&) const = default;
};

/// {u8 version = 1, account, device, generation, version, signature}: what goes into the credential.
bytes::Bytes encode(LeafIdentity const& leaf);
base::Result<LeafIdentity> decode_leaf_identity(bytes::ByteView from);

/// The device key signs (account, device, generation, version, leaf signature key).
LeafIdentity attest_leaf(crypto::SigningKey const& device_key, base::AccountId const& account,
                         base::DeviceId const& device, ListPosition floor, bytes::ByteView leaf_signature_key);

/// `newest` is the newest list known of the leaf's account. stale if the leaf knew a newer one (fetch it and ask
/// again), not_listed if the device is not (or no longer) in it or it is another account's, bad_signature otherwise.
base::Result<void> verify_leaf(LeafIdentity const& leaf, bytes::ByteView leaf_signature_key, DeviceList const& newest);

}  // namespace interlude::identity
