#include "server/core/key_directory.hpp"

#include <algorithm>
#include <set>

#include "common/identity/leaf_attestation.hpp"
#include "server/core/refusals.hpp"

namespace interlude::core {
namespace {

constexpr std::uint16_t conversation_suite = 0x0003;     // what conversations are founded with
constexpr std::size_t key_package_bytes_max = 4 * 1024;  // ours have some 400; eight go into one answer

/// Made by this device, for our suite, good now and not for longer than its kind may be.
std::optional<CheckedKeyPackage> check_one(Bytes const& package, bool last_resort, DeviceRef const& by,
                                           identity::DeviceList const& newest, WallTime now) {
    using namespace base::limits;
    auto const outer = mls_framing::read_key_package_outer(package);
    if (!outer || outer->suite != conversation_suite) return std::nullopt;
    auto const leaf = identity::decode_leaf_identity(outer->identity);
    if (!leaf || leaf->account != by.account || leaf->device != by.device ||
        !identity::verify_leaf(*leaf, outer->leaf_signature_key, newest))
        return std::nullopt;
    auto const life = last_resort ? Millis{last_resort_key_package_life} : Millis{key_package_life};
    bool const good_now = outer->not_before <= now + clock_tolerance && now < outer->not_after &&
                          outer->not_after <= now + life + clock_tolerance;
    if (!good_now) return std::nullopt;
    return CheckedKeyPackage{outer->ref, package, outer->not_after, last_resort};
}

}  // namespace

identity::SignedDeviceList as_signed_list(wire::SignedDocument const& document) {
    return {document.bytes, crypto::Signature::from(document.signature).value_or(crypto::Signature{})};
}

wire::SignedDocument as_document(identity::SignedDeviceList const& list) {
    return {wire::DocumentKind::device_list, list.bytes, bytes::copy(list.signature.span())};
}

EntryDraft entry_for(identity::VerifiedDeviceList const& list, WallTime now) {
    auto const position = list.list().position();
    audit::DeviceListPublished const body{list.list().account(), position.generation, position.version, list.hash()};
    return {audit::subject_of(list.list().account()), now, body, std::nullopt};
}

ListVerdict decide_device_list(identity::VerifiedDeviceList const& newest, AccountId const& account,
                               wire::SignedDocument const& document, WallTime now, int published_today,
                               Policy const& policy) {
    if (document.kind != wire::DocumentKind::device_list || newest.list().account() != account)
        return refused(wire::Rule::invalid);
    if (newest.as_signed().bytes == document.bytes) return wire::Done{};
    auto const list = identity::verify_next(newest, as_signed_list(document));
    if (!list) return refused(list.error() == base::Errc::stale ? wire::Rule::conflict : wire::Rule::invalid);
    if (published_today >= policy.lists_per_day_max) return too_fast(std::chrono::hours{1});
    ListChange change{*list, {}, entry_for(*list, now)};
    for (auto const& device : newest.list().devices)
        if (!list->list().find(device.id)) change.dropped.push_back({account, device.id});
    return change;
}

std::variant<std::vector<CheckedKeyPackage>, wire::Refused> check_key_packages(wire::KeyPackagesPut const& put,
                                                                               DeviceRef const& by,
                                                                               identity::DeviceList const& newest,
                                                                               int left, WallTime now,
                                                                               Policy const& policy) {
    if (left + static_cast<int>(put.key_packages.size()) > policy.key_packages_per_device)
        return refused(wire::Rule::quota);
    auto const too_big = [](Bytes const& package) { return package.size() > key_package_bytes_max; };
    if (std::any_of(put.key_packages.begin(), put.key_packages.end(), too_big) ||
        (put.last_resort && too_big(*put.last_resort)))
        return refused(wire::Rule::too_big);
    std::vector<CheckedKeyPackage> checked;
    std::set<mls_framing::KeyPackageRef> refs;
    auto const add = [&](Bytes const& package, bool last_resort) {
        auto one = check_one(package, last_resort, by, newest, now);
        if (!one || !refs.insert(one->ref).second) return false;
        checked.push_back(std::move(*one));
        return true;
    };
    for (auto const& package : put.key_packages)
        if (!add(package, false)) return refused(wire::Rule::invalid);
    if (put.last_resort && !add(*put.last_resort, true)) return refused(wire::Rule::invalid);
    return checked;
}

}  // namespace interlude::core
