#include "tests/unit/core/parts.hpp"

#include "common/crypto/hash.hpp"
#include "common/identity/leaf_attestation.hpp"
#include "common/mls/framing_types.hpp"
#include "common/mls/key_package.hpp"

namespace interlude::test {
namespace {

Bytes private_message(Bytes const& group_id, std::uint64_t epoch, mls::ContentType type, Bytes authenticated_data,
                      Bytes ciphertext) {
    mls::PrivateMessage message;
    message.group_id = group_id;
    message.epoch = epoch;
    message.content_type = type;
    message.authenticated_data = std::move(authenticated_data);
    message.encrypted_sender_data = Bytes(28, 1);
    message.ciphertext = std::move(ciphertext);
    return mls::encode(mls::MLSMessage{std::move(message)});
}

identity::VerifiedDeviceList first_list(Side side, crypto::SigningKey const& list_key,
                                        std::vector<identity::ListedDevice> devices, crypto::Entropy& entropy,
                                        WallTime now) {
    auto const account_key = crypto::SigningKey::generate(entropy);
    auto const certificate = identity::certify_list_key(account_key, side, 1, list_key.public_key());
    return identity::verify_first(identity::sign_first(list_key, certificate, std::move(devices), now)).value();
}

}  // namespace

Bytes application_message(Bytes const& group_id, std::uint64_t epoch, std::size_t size, std::uint8_t fill,
                          Bytes authenticated_data) {
    return private_message(group_id, epoch, mls::ContentType::application, std::move(authenticated_data),
                           Bytes(size, fill));
}

Bytes commit_message(Bytes const& group_id, std::uint64_t epoch, Bytes const& declaration, std::uint8_t fill,
                     std::size_t size) {
    auto const hash = mls_framing::declaration_hash(declaration);
    return private_message(group_id, epoch, mls::ContentType::commit, bytes::copy(hash.span()), Bytes(size, fill));
}

Bytes welcome_message(std::vector<KeyPackageRef> const& refs) {
    mls::Welcome message;
    message.cipher_suite = crypto::suite_x25519_chacha20poly1305;
    for (auto const& ref : refs) message.secrets.push_back({bytes::copy(ref.span()), {Bytes(32, 2), Bytes(80, 3)}});
    message.encrypted_group_info = Bytes(200, 4);
    return mls::encode(mls::MLSMessage{std::move(message)});
}

Human::Human(Side side, crypto::Entropy& entropy, WallTime now, std::size_t devices)
    : side_(side),
      list_key_(crypto::SigningKey::generate(entropy)),
      devices_([&] {
          std::vector<Device> made;
          for (std::size_t i = 0; i < devices; ++i)
              made.push_back({entropy.id<DeviceId>(), crypto::SigningKey::generate(entropy), now});
          return made;
      }()),
      list_(first_list(side, list_key_, listed(), entropy, now)) {}

std::vector<identity::ListedDevice> Human::listed() const {
    std::vector<identity::ListedDevice> listed;
    for (auto const& device : devices_) listed.push_back({device.id, device.key.public_key(), device.added});
    return listed;
}

wire::SignedDocument Human::add_device(crypto::Entropy& entropy, WallTime now) {
    devices_.push_back({entropy.id<DeviceId>(), crypto::SigningKey::generate(entropy), now});
    list_ = identity::verify_next(list_, identity::sign_next(list_key_, list_, listed(), now)).value();
    return list_document();
}

wire::SignedDocument Human::drop_device(std::size_t number, WallTime now) {
    devices_.erase(devices_.begin() + static_cast<std::ptrdiff_t>(number));
    list_ = identity::verify_next(list_, identity::sign_next(list_key_, list_, listed(), now)).value();
    return list_document();
}

Bytes Human::key_package(crypto::Entropy& entropy, WallTime now, std::size_t number, Millis life) const {
    auto key = crypto::SigningKey::generate(entropy);
    auto const& device = devices_.at(number);
    auto const leaf =
        identity::attest_leaf(device.key, account(), device.id, list_.list().position(), key.public_key().bytes);
    auto const* suite = crypto::find_suite(crypto::suite_x25519_chacha20poly1305).value();
    mls::KeyPackageArgs args{*suite, mls::Credential::basic(identity::encode(leaf)), std::move(key),
                             mls::lifetime_from(now - 1h, std::chrono::duration_cast<std::chrono::seconds>(life))};
    return mls::encode(mls::MLSMessage{mls::generate_key_package(std::move(args), entropy).key_package});
}

KeyPackageRef ref_of(Bytes const& key_package) {
    return mls_framing::read_key_package_outer(key_package).value().ref;
}

base::Interval span(WallTime start, Millis length) {
    return {start, start + length};
}

core::CalendarPtr open_in(std::vector<base::Interval> windows) {
    schedule::PublishedSchedule schedule;
    schedule.number = 1;
    schedule.span = {WallTime{}, base::wall_seconds(4'000'000'000)};
    schedule.compiled = schedule::normalise(std::move(windows));
    return std::make_shared<schedule::Calendar const>(std::vector{schedule});
}

wire::SignedDocument schedule_by(Human const& therapist, ScheduleParts const& parts, WallTime now, std::size_t device) {
    schedule::ScheduleDocument document;
    document.account = therapist.account();
    document.device = therapist.device(device).device;
    document.number = parts.number;
    document.previous = parts.previous;
    document.rules.zone = "UTC";
    document.rules.openings = schedule::normalise(parts.openings);
    document.rules.closures = schedule::normalise(parts.closures);
    document.effective_from = parts.effective_from;
    auto const bytes =
        schedule::encode(schedule::compiled_document(std::move(document), schedule::ZoneRules::utc(), now)).value();
    auto const signature = crypto::sign_labelled(therapist.device_key(device), schedule::schedule_label, bytes);
    return {wire::DocumentKind::schedule, bytes, bytes::copy(signature.span())};
}

base::Hash32 schedule_hash(wire::SignedDocument const& document) {
    return crypto::labelled_hash(schedule::schedule_label, document.bytes);
}

wire::SignedDocument override_by(Human const& therapist, OverrideParts const& parts, std::size_t device) {
    schedule::OverrideDocument const document{parts.kind,         therapist.account(), therapist.device(device).device,
                                              parts.conversation, parts.number,        parts.previous,
                                              parts.span,         parts.reason,        std::nullopt};
    auto const bytes = schedule::encode(document);
    auto const signature = crypto::sign_labelled(therapist.device_key(device), schedule::override_label, bytes);
    auto const kind = parts.conversation ? wire::DocumentKind::override_conversation : wire::DocumentKind::override_all;
    return {kind, bytes, bytes::copy(signature.span())};
}

base::Hash32 override_hash(wire::SignedDocument const& document) {
    return crypto::labelled_hash(schedule::override_label, document.bytes);
}

identity::InvitationDocument invitation_by(Human const& therapist, crypto::SigningKey const& key, WallTime expiry) {
    identity::InvitationDocument document;
    document.invitation_key = key.public_key();
    document.kind = identity::InvitationKind::new_conversation;
    document.inviter = therapist.account();
    document.device = therapist.device().device;
    document.position = therapist.list().list().position();
    document.expiry = expiry;
    return document;
}

}  // namespace interlude::test
