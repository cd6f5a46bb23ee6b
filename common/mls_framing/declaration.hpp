// What a commit says openly about its membership changes (exact.md, Declaration). Its labelled SHA-256 is the commit's
// authenticated_data, so the server can check what it is told against what the members agreed on.
#pragma once

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/bytes/bytes.hpp"
#include "common/mls_framing/outer.hpp"

namespace interlude::mls_framing {

struct AddedDevice {
    base::AccountId account;
    base::Side side = base::Side::client;
    base::DeviceId device;
    KeyPackageRef ref;
    bool operator==(AddedDevice const&) const = default;
};

struct RemovedDevice {
    base::AccountId account;
    base::DeviceId device;
    bool operator==(RemovedDevice const&) const = default;
};

/// struct { conversation[16]; uint64 generation; uint64 epoch_before; AddedDevice added<V>; RemovedDevice removed<V>;
/// Consent reserved_consents<V> (empty in version 1) }; AddedDevice = { account[32]; uint8 side; device[16]; ref[32] }.
struct Declaration {
    base::ConversationId conversation;
    std::uint64_t generation = 1;
    std::uint64_t epoch_before = 0;
    std::vector<AddedDevice> added;
    std::vector<RemovedDevice> removed;
    bool operator==(Declaration const&) const = default;
};

bytes::Bytes encode(Declaration const& declaration);
/// malformed: generation 0, an unknown side, one device twice in a list, one ref twice, one account on two sides,
/// reserved consents that are not empty. too_long: more than the accounts and devices of a full conversation.
base::Result<Declaration> decode_declaration(bytes::ByteView bytes);
/// crypto::labelled_hash("declaration", encoded): over the bytes as received, never re-encoded.
base::Hash32 declaration_hash(bytes::ByteView encoded);

}  // namespace interlude::mls_framing
