#include "tests/contract/vfs/pair.hpp"

#include "common/crypto/hash.hpp"
#include "common/identity/invitation.hpp"
#include "common/identity/leaf_attestation.hpp"
#include "common/mls/framing_types.hpp"
#include "common/mls/key_package.hpp"
#include "common/mls_framing/declaration.hpp"

namespace interlude::test {
namespace {

identity::VerifiedDeviceList first_list(Side side, crypto::SigningKey const& list_key, Device const& device,
                                        crypto::Entropy& entropy, WallTime now) {
    auto const account_key = crypto::SigningKey::generate(entropy);
    auto const certificate = identity::certify_list_key(account_key, side, 1, list_key.public_key());
    return identity::verify_first(
               identity::sign_first(list_key, certificate, {{device.id, device.key.public_key(), now}}, now))
        .value();
}

std::vector<Device> two_devices(crypto::Entropy& entropy) {
    std::vector<Device> devices;
    for (int i = 0; i < 2; ++i)
        devices.push_back({crypto::SigningKey::generate(entropy), entropy.id<base::DeviceId>()});
    return devices;
}

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

}  // namespace

Bytes application_message(Bytes const& group_id, std::uint64_t epoch, Bytes ciphertext) {
    return private_message(group_id, epoch, mls::ContentType::application, {}, std::move(ciphertext));
}

Bytes commit_message(Bytes const& group_id, Bytes const& declaration, Bytes ciphertext) {
    auto const epoch = mls_framing::decode_declaration(declaration).value().epoch_before;
    auto const hash = mls_framing::declaration_hash(declaration);
    return private_message(group_id, epoch, mls::ContentType::commit, bytes::copy(hash.span()), std::move(ciphertext));
}

Bytes welcome_message(mls_framing::KeyPackageRef const& ref) {
    mls::Welcome message;
    message.cipher_suite = crypto::suite_x25519_chacha20poly1305;
    message.secrets.push_back({bytes::copy(ref.span()), {Bytes(32, 2), Bytes(80, 3)}});
    message.encrypted_group_info = Bytes(200, 4);
    return mls::encode(mls::MLSMessage{std::move(message)});
}

// ---- People --------------------------------------------------------------------------------------------------------

/// The second of the two devices is in no list yet.
Person::Person(Side which, crypto::Entropy& entropy, WallTime now)
    : side(which),
      list_key(crypto::SigningKey::generate(entropy)),
      devices(two_devices(entropy)),
      list(first_list(side, list_key, devices.front(), entropy, now)) {}

Bytes Person::key_package(crypto::Entropy& entropy, WallTime now, std::size_t which) const {
    auto key = crypto::SigningKey::generate(entropy);
    auto const& device = devices.at(which);
    auto const leaf =
        identity::attest_leaf(device.key, account(), device.id, list.list().position(), key.public_key().bytes);
    auto const suite = crypto::find_suite(crypto::suite_x25519_chacha20poly1305).value();
    mls::KeyPackageArgs args{*suite, mls::Credential::basic(identity::encode(leaf)), std::move(key),
                             mls::lifetime_from(now - std::chrono::hours{1}, std::chrono::days{20})};
    return mls::encode(mls::MLSMessage{mls::generate_key_package(std::move(args), entropy).key_package});
}

wire::SignedDocument Person::next_list(std::vector<std::size_t> const& which, WallTime now) {
    std::vector<identity::ListedDevice> listed;
    for (auto const i : which) {
        auto const* known = list.list().find(devices.at(i).id);
        listed.push_back(known ? *known
                               : identity::ListedDevice{devices.at(i).id, devices.at(i).key.public_key(), now});
    }
    auto const next = identity::sign_next(list_key, list, std::move(listed), now);
    list = identity::verify_next(list, next).value();
    return {wire::DocumentKind::device_list, next.bytes, bytes::copy(next.signature.span())};
}

wire::SignedDocument signed_invitation(Person const& inviter, crypto::SigningKey const& invitation_key,
                                       WallTime expiry) {
    identity::InvitationDocument document;
    document.invitation_key = invitation_key.public_key();
    document.kind = identity::InvitationKind::new_conversation;
    document.inviter = inviter.account();
    document.device = inviter.device().device;
    document.position = inviter.list.list().position();
    document.expiry = expiry;
    auto const invitation = identity::sign_invitation(inviter.devices.front().key, document);
    return {wire::DocumentKind::invitation, invitation.bytes, bytes::copy(invitation.signature.span())};
}

identity::Redemption therapists_redemption(Person const& therapist, crypto::SigningKey const& invitation_key) {
    identity::Redemption redemption;
    redemption.invitation = identity::invitation_id(invitation_key.public_key());
    redemption.server_name = server_name;
    redemption.kind = identity::InvitationKind::therapist;
    redemption.account = therapist.account();
    redemption.device_list = therapist.list.as_signed();
    redemption.device = therapist.device().device;
    return redemption;
}

identity::Redemption clients_redemption(Person const& client, Person const& inviter,
                                        crypto::SigningKey const& invitation_key,
                                        base::ConversationId const& conversation, Bytes const& group_id,
                                        wire::KeyPackages const& fetched) {
    mls_framing::Declaration declaration;
    declaration.conversation = conversation;
    std::vector<Bytes> welcomes;
    for (auto const& package : fetched.packages) {
        auto const ref = mls_framing::read_key_package_outer(package.key_package).value().ref;
        declaration.added.push_back({inviter.account(), inviter.side, package.device, ref});
        welcomes.push_back(welcome_message(ref));
    }
    identity::Redemption redemption;
    redemption.invitation = identity::invitation_id(invitation_key.public_key());
    redemption.server_name = server_name;
    redemption.kind = identity::InvitationKind::new_conversation;
    redemption.account = client.account();
    redemption.device_list = client.list.as_signed();
    redemption.device = client.device().device;
    redemption.founding = identity::Founding{conversation, 1, group_id, mls_framing::encode(declaration), welcomes};
    return redemption;
}

core::RedeemRequest signed_redemption(crypto::SigningKey const& invitation_key, identity::Redemption const& redemption,
                                      core::Seed const& seed) {
    auto const signed_one = identity::sign_redemption(invitation_key, redemption);
    return {server_name, redemption.invitation, signed_one.bytes, bytes::copy(signed_one.signature.span()), seed};
}

core::CalendarPutRequest HoursChain::next(Person const& therapist, std::uint16_t from_hour, std::uint16_t to_hour,
                                          WallTime now, core::Seed const& seed) {
    schedule::ScheduleDocument document;
    document.account = therapist.account();
    document.device = therapist.device().device;
    document.number = ++number_;
    document.previous = before_ = last_;
    document.rules.zone = "UTC";
    for (std::uint8_t day = 0; day < 7; ++day) {
        auto const start = static_cast<std::uint16_t>(from_hour * 60), end = static_cast<std::uint16_t>(to_hour * 60);
        document.rules.weekly.push_back({static_cast<schedule::Weekday>(day), start, end});
    }
    auto const span = schedule::zone_span(schedule::compiled_span(now));
    auto const zone = schedule::load_zone("UTC", span.start, span.end).value();
    auto const bytes = schedule::encode(schedule::compiled_document(std::move(document), zone, now)).value();
    last_ = crypto::labelled_hash(schedule::schedule_label, bytes);
    auto const signature = crypto::sign_labelled(therapist.devices.front().key, schedule::schedule_label, bytes);
    return {
        therapist.device(), {wire::DocumentKind::schedule, bytes, bytes::copy(signature.span())}, std::nullopt, seed};
}

core::CalendarPutRequest HoursChain::override_with(Person const& therapist, schedule::OverrideKind kind,
                                                   base::Interval span, core::Seed const& seed) {
    schedule::OverrideDocument document;
    document.kind = kind;
    document.account = therapist.account();
    document.device = therapist.device().device;
    document.number = ++number_;
    document.previous = before_ = last_;
    document.span = span;
    auto const bytes = schedule::encode(document);
    last_ = crypto::labelled_hash(schedule::override_label, bytes);
    auto const signature = crypto::sign_labelled(therapist.devices.front().key, schedule::override_label, bytes);
    return {therapist.device(),
            {wire::DocumentKind::override_all, bytes, bytes::copy(signature.span())},
            std::nullopt,
            seed};
}

// ---- Two of them ---------------------------------------------------------------------------------------------------

Pair::Pair(std::uint64_t seed, WallTime now)
    : entropy(seed),
      therapist(Side::therapist, entropy, now),
      client(Side::client, entropy, now),
      conversation(entropy.id<base::ConversationId>()),
      group_id(entropy.bytes(32)),
      now_(now) {}

void Pair::meet(boost::asio::io_context& io, ports::Store& store, bool with_her_second_device) {
    auto const expiry = now_ + std::chrono::days{7};
    auto const operators_key = crypto::SigningKey::generate(entropy);
    wait(io, store.put_operator_invitation(identity::operators_invitation(operators_key.public_key(), expiry), seed()));
    auto const joined = wait(
        io, store.redeem(signed_redemption(operators_key, therapists_redemption(therapist, operators_key), seed())));
    INTERLUDE_CHECK(std::holds_alternative<wire::Redeemed>(joined));

    if (with_her_second_device) {
        auto const listed =
            wait(io, store.put_device_list(therapist.device(), therapist.next_list({0, 1}, now_), seed()));
        INTERLUDE_CHECK(std::holds_alternative<wire::Done>(listed));
    }
    for (std::size_t device = 0; device < therapist.list.list().devices.size(); ++device) {
        wire::KeyPackagesPut put;
        for (int i = 0; i < 3; ++i) put.key_packages.push_back(therapist.key_package(entropy, now_, device));
        auto const stock = wait(io, store.put_key_packages(therapist.device(device), put));
        INTERLUDE_CHECK(std::holds_alternative<wire::KeyPackageStock>(stock));
    }

    auto const key = crypto::SigningKey::generate(entropy);
    auto const stored = wait(io, store.put_invitation(therapist.device(), signed_invitation(therapist, key, expiry)));
    INTERLUDE_CHECK(std::holds_alternative<wire::Done>(stored));
    auto const fetched =
        wait(io, store.fetch_key_packages(identity::invitation_id(key.public_key()), therapist.account()));
    auto const founding =
        clients_redemption(client, therapist, key, conversation, group_id, std::get<wire::KeyPackages>(fetched));
    auto const founded = wait(io, store.redeem(signed_redemption(key, founding, seed())));
    INTERLUDE_CHECK(std::holds_alternative<wire::Redeemed>(founded));
}

core::Submission Pair::message(Person const& from, std::uint64_t number, WallTime stamp, std::size_t size) {
    core::Submission submission;
    submission.sender = from.device();
    for (std::size_t i = 0; i < 8; ++i) submission.request.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    submission.send.conversation = conversation;
    submission.send.epoch = 1;
    submission.send.mls = application_message(group_id, 1, Bytes(size, static_cast<std::uint8_t>(number)));
    submission.stamp = stamp;
    submission.seed = seed();
    return submission;
}

core::CommitSubmission Pair::healing(std::uint64_t epoch, WallTime stamp) {
    mls_framing::Declaration declaration;
    declaration.conversation = conversation;
    declaration.epoch_before = epoch;
    core::CommitSubmission submission;
    submission.sender = therapist.device();
    submission.commit.conversation = conversation;
    submission.commit.epoch = epoch;
    submission.commit.declaration = mls_framing::encode(declaration);
    submission.commit.mls = commit_message(group_id, submission.commit.declaration, entropy.bytes(600));
    submission.stamp = stamp;
    submission.seed = seed();
    return submission;
}

}  // namespace interlude::test
