// Device lists and key packages: what may be published, and which package is handed out (protocol.md, Identity and MLS
// profile).
#pragma once

#include <variant>

#include "common/identity/device_list.hpp"
#include "common/mls_framing/outer.hpp"
#include "common/wire/frames.hpp"
#include "server/core/audit_events.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

// ---- Device lists --------------------------------------------------------------------------------------------------

struct ListChange {
    identity::VerifiedDeviceList list;
    std::vector<DeviceRef> dropped;  // lose cursors, key packages and links at once
    EntryDraft entry;                // `device_list`
};
/// wire::Done: exactly this list is the newest already.
using ListVerdict = std::variant<ListChange, wire::Done, wire::Refused>;
/// `published_today`: lists of the account in the last 24 hours.
ListVerdict decide_device_list(identity::VerifiedDeviceList const& newest, AccountId const& account,
                               wire::SignedDocument const& document, WallTime now, int published_today,
                               Policy const& policy);

identity::SignedDeviceList as_signed_list(wire::SignedDocument const& document);
wire::SignedDocument as_document(identity::SignedDeviceList const& list);
EntryDraft entry_for(identity::VerifiedDeviceList const& list, WallTime now);

// ---- Key packages --------------------------------------------------------------------------------------------------

struct CheckedKeyPackage {
    mls_framing::KeyPackageRef ref;
    Bytes bytes;
    WallTime not_after{};
    bool last_resort = false;
};
/// `left`: how many of the device's ordinary packages are stored and not handed out. Refs already known are the store's
/// to skip. All are good, or nothing is stored.
std::variant<std::vector<CheckedKeyPackage>, wire::Refused> check_key_packages(wire::KeyPackagesPut const& put,
                                                                               DeviceRef const& by,
                                                                               identity::DeviceList const& newest,
                                                                               int left, WallTime now,
                                                                               Policy const& policy);

}  // namespace interlude::core
