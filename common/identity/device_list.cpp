#include "common/identity/device_list.hpp"

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/labels.hpp"

namespace interlude::identity {

using base::Errc;
using base::Result;
using crypto::SigningKey;

namespace {

constexpr std::size_t devices_max = base::limits::devices_per_account_max;
constexpr std::size_t device_bytes = 16 + 32 + 8;

Result<ListKeyCertificate> read_certificate(bytes::Reader& in) {
    ListKeyCertificate out;
    INTERLUDE_TRY(out.account, in.id<base::AccountId>());
    INTERLUDE_TRY(out.account_key, in.id<crypto::VerifyKey>());
    INTERLUDE_TRY(auto side, in.u8());
    if (side != static_cast<std::uint8_t>(base::Side::client) &&
        side != static_cast<std::uint8_t>(base::Side::therapist))
        return Errc::malformed;
    out.side = static_cast<base::Side>(side);
    INTERLUDE_TRY(out.generation, in.u64());
    INTERLUDE_TRY(out.list_key, in.id<crypto::VerifyKey>());
    INTERLUDE_TRY(out.signature, in.id<crypto::Signature>());
    return out;
}

Result<std::vector<ListedDevice>> read_devices(bytes::Reader& in) {
    INTERLUDE_TRY(auto items, in.vector(devices_max * device_bytes));
    std::vector<ListedDevice> out;
    while (!items.empty()) {
        ListedDevice device;
        INTERLUDE_TRY(device.id, items.id<base::DeviceId>());
        INTERLUDE_TRY(device.auth_key, items.id<crypto::VerifyKey>());
        INTERLUDE_TRY(device.added, items.time());
        for (auto const& other : out)
            if (other.id == device.id || other.auth_key == device.auth_key) return Errc::malformed;
        out.push_back(device);
    }
    if (out.empty()) return Errc::malformed;
    return out;
}

SignedDeviceList signed_by(SigningKey const& list_key, DeviceList const& list) {
    INTERLUDE_CHECK(list_key.public_key() == list.identity.list_key);
    auto bytes = encode(list);
    INTERLUDE_CHECK(decode_device_list(bytes).has_value());
    auto const signature = crypto::sign_labelled(list_key, labels::device_list, bytes);
    return {std::move(bytes), signature};
}

// The rules between two versions of one generation.
Result<void> check_same_chain(VerifiedDeviceList const& previous, DeviceList const& next) {
    auto const& before = previous.list();
    bool const same_identity = next.identity == before.identity;
    if (!same_identity || next.version != before.version + 1 || next.previous != previous.hash())
        return Errc::inconsistent;
    if (next.time + base::limits::chain_time_tolerance < before.time) return Errc::inconsistent;
    for (auto const& device : next.devices) {
        auto const* known = before.find(device.id);
        if (known != nullptr && *known != device) return Errc::inconsistent;
    }
    return {};
}

}  // namespace

ListedDevice const* DeviceList::find(base::DeviceId const& device) const {
    for (auto const& listed : devices)
        if (listed.id == device) return &listed;
    return nullptr;
}

bytes::Bytes encode(DeviceList const& list) {
    auto const& identity = list.identity;
    bytes::Writer out;
    out.id(identity.account).id(identity.account_key).u8(static_cast<std::uint8_t>(identity.side));
    out.u64(identity.generation).id(identity.list_key).id(identity.signature);
    out.u64(list.version).id(list.previous);
    out.vector_of(list.devices, [](bytes::Writer& to, ListedDevice const& device) {
        to.id(device.id).id(device.auth_key).time(device.added);
    });
    out.time(list.time);
    return std::move(out).take();
}

Result<DeviceList> decode_device_list(bytes::ByteView from) {
    bytes::Reader in(from);
    DeviceList out;
    INTERLUDE_TRY(out.identity, read_certificate(in));
    INTERLUDE_TRY(out.version, in.u64());
    INTERLUDE_TRY(out.previous, in.id<base::Hash32>());
    INTERLUDE_TRY(out.devices, read_devices(in));
    INTERLUDE_TRY(out.time, in.time());
    INTERLUDE_TRY_VOID(in.finish());
    if (out.identity.generation == 0 || out.version == 0) return Errc::malformed;
    // Stores keep them in signed integers, where a larger one would come before all others.
    if (out.identity.generation > INT64_MAX || out.version > INT64_MAX) return Errc::malformed;
    if ((out.version == 1) != out.previous.is_zero()) return Errc::malformed;
    return out;
}

base::Hash32 device_list_hash(bytes::ByteView list_bytes) {
    return crypto::labelled_hash(labels::device_list_hash, list_bytes);
}

Result<VerifiedDeviceList> VerifiedDeviceList::from_own_store(SignedDeviceList stored) {
    VerifiedDeviceList out;
    INTERLUDE_TRY(out.list_, decode_device_list(stored.bytes));
    out.signed_ = std::move(stored);
    return out;
}

Result<VerifiedDeviceList> verify_device_list(SignedDeviceList received) {
    INTERLUDE_TRY(auto out, VerifiedDeviceList::from_own_store(std::move(received)));
    INTERLUDE_TRY_VOID(verify_list_key(out.list().identity));
    INTERLUDE_TRY_VOID(crypto::verify_labelled(out.list().identity.list_key.bytes, labels::device_list,
                                               out.as_signed().bytes, out.as_signed().signature.bytes));
    return out;
}

Result<VerifiedDeviceList> verify_first(SignedDeviceList received) {
    INTERLUDE_TRY(auto out, verify_device_list(std::move(received)));
    if (out.list().position() != ListPosition{1, 1}) return Errc::inconsistent;
    return out;
}

Result<VerifiedDeviceList> verify_pinned(SignedDeviceList received, base::AccountId const& account,
                                         base::Hash32 const& hash) {
    INTERLUDE_TRY(auto out, verify_device_list(std::move(received)));
    if (out.list().account() != account || out.hash() != hash) return Errc::inconsistent;
    return out;
}

Result<VerifiedDeviceList> verify_next(VerifiedDeviceList const& previous, SignedDeviceList received) {
    INTERLUDE_TRY(auto next, verify_device_list(std::move(received)));
    auto const& before = previous.list();
    auto const& after = next.list();
    if (after.account() != before.account() || after.identity.side != before.identity.side) return Errc::inconsistent;
    if (after.position() <= before.position()) return Errc::stale;
    if (after.identity.generation > before.identity.generation) {
        // Taken back with the kit, perhaps without knowing the last lists: nothing of the old chain binds it.
        if (after.version != 1) return Errc::inconsistent;
        return next;
    }
    INTERLUDE_TRY_VOID(check_same_chain(previous, after));
    return next;
}

Result<VerifiedDeviceList> verify_chain(VerifiedDeviceList known, std::vector<SignedDeviceList> chain) {
    for (auto& received : chain) {
        auto next = verify_next(known, std::move(received));
        if (next)
            known = std::move(*next);
        else if (next.error() != Errc::stale)
            return next.error();
    }
    return known;
}

SignedDeviceList sign_first(SigningKey const& list_key, ListKeyCertificate const& identity,
                            std::vector<ListedDevice> devices, base::WallTime time) {
    return signed_by(list_key,
                     {.identity = identity, .version = 1, .previous = {}, .devices = std::move(devices), .time = time});
}

SignedDeviceList sign_next(SigningKey const& list_key, VerifiedDeviceList const& previous,
                           std::vector<ListedDevice> devices, base::WallTime time) {
    return signed_by(list_key, {.identity = previous.list().identity,
                                .version = previous.list().version + 1,
                                .previous = previous.hash(),
                                .devices = std::move(devices),
                                .time = std::max(time, previous.list().time)});
}

bool is_old(DeviceList const& list, base::WallTime now) {
    return now - list.time > base::limits::device_list_old;
}

}  // namespace interlude::identity
