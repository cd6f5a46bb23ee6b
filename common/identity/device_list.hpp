// Device lists: which devices an account has, signed by its list key and chained (exact.md, Identity). A list of a
// newer generation begins a chain of its own and beats every list of an older one.
#pragma once

#include <compare>

#include "common/base/time.hpp"
#include "common/identity/account_key.hpp"

namespace interlude::identity {

struct ListedDevice {
    base::DeviceId id;
    crypto::VerifyKey auth_key;
    base::WallTime added{};
    bool operator==(ListedDevice const&) const = default;
};

/// Where a list stands among the lists of its account; what floors compare.
struct ListPosition {
    std::uint64_t generation = 0;
    std::uint64_t version = 0;
    auto operator<=>(ListPosition const&) const = default;
};

struct DeviceList {
    ListKeyCertificate identity;
    std::uint64_t version = 0;  // from 1 in each generation
    base::Hash32 previous;      // zeros in version 1, else the hash of the version before
    std::vector<ListedDevice> devices;
    base::WallTime time{};

    base::AccountId const& account() const { return identity.account; }
    ListPosition position() const { return {identity.generation, version}; }
    /// nullptr if the device is not listed.
    ListedDevice const* find(base::DeviceId const& device) const;
    bool operator==(DeviceList const&) const = default;
};

bytes::Bytes encode(DeviceList const& list);
/// 1 to limits::devices_per_account_max devices with distinct ids and keys; no signature is looked at.
base::Result<DeviceList> decode_device_list(bytes::ByteView from);

/// A list as its author signed it. Verified, hashed and passed on as these bytes, never re-encoded.
struct SignedDeviceList {
    bytes::Bytes bytes;
    crypto::Signature signature;  // by the list key
    bool operator==(SignedDeviceList const&) const = default;
};

base::Hash32 device_list_hash(bytes::ByteView list_bytes);

/// A list that was verified, with its bytes. Only the functions below make one.
class VerifiedDeviceList {
  public:
    DeviceList const& list() const { return list_; }
    SignedDeviceList const& as_signed() const { return signed_; }
    base::Hash32 hash() const { return device_list_hash(signed_.bytes); }

    /// For bytes that were verified before they were stored: decodes, and checks no signature.
    static base::Result<VerifiedDeviceList> from_own_store(SignedDeviceList stored);

  private:
    friend base::Result<VerifiedDeviceList> verify_device_list(SignedDeviceList received);
    VerifiedDeviceList() = default;
    DeviceList list_;
    SignedDeviceList signed_;
};

/// Certificate and list signature of one list; says nothing about what came before it.
base::Result<VerifiedDeviceList> verify_device_list(SignedDeviceList received);
/// An account's very first list: generation 1, version 1.
base::Result<VerifiedDeviceList> verify_first(SignedDeviceList received);
/// The list that an invitation's fragment pins: any version of `account` with this hash. inconsistent otherwise.
base::Result<VerifiedDeviceList> verify_pinned(SignedDeviceList received, base::AccountId const& account,
                                               base::Hash32 const& hash);
/// The successor of `previous`: the next version of its chain, or version 1 of a newer generation. stale if it is not
/// newer; inconsistent if it skips or forks, changes the side, or gives a listed device another key.
base::Result<VerifiedDeviceList> verify_next(VerifiedDeviceList const& previous, SignedDeviceList received);
/// verify_next over a chain, oldest first; lists that `known` already covers are skipped. The newest.
base::Result<VerifiedDeviceList> verify_chain(VerifiedDeviceList known, std::vector<SignedDeviceList> chain);

/// Version 1 of the certificate's generation. The list key must be the certified one (checked).
SignedDeviceList sign_first(crypto::SigningKey const& list_key, ListKeyCertificate const& identity,
                            std::vector<ListedDevice> devices, base::WallTime time);
/// The next version of the same generation.
SignedDeviceList sign_next(crypto::SigningKey const& list_key, VerifiedDeviceList const& previous,
                           std::vector<ListedDevice> devices, base::WallTime time);

/// Older than limits::device_list_old: shown as *old*.
bool is_old(DeviceList const& list, base::WallTime now);

}  // namespace interlude::identity
