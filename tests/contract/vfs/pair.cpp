#include "tests/contract/vfs/pair.hpp"

#include "common/crypto/hash.hpp"
#include "common/identity/invitation.hpp"
#include "common/identity/leaf_attestation.hpp"
#include "common/mls/framing_types.hpp"
#include "common/mls/key_package.hpp"
#include "common/mls_framing/declaration.hpp"

namespace interlude::test {
namespace {

identity::VerifiedDeviceList first_list(Side side, crypto::SigningKey const& list_key,
                                        crypto::SigningKey const& device_key, base::DeviceId const& id,
                                        crypto::Entropy& entropy, WallTime now) {
    auto const account_key = crypto::SigningKey::generate(entropy);
    auto const certificate = identity::certify_list_key(account_key, side, 1, list_key.public_key());
    return identity::verify_first(
               identity::sign_first(list_key, certificate, {{id, device_key.public_key(), now}}, now))
        .value();
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

Bytes welcome(mls_framing::KeyPackageRef const& ref) {
    mls::Welcome message;
    message.cipher_suite = crypto::suite_x25519_chacha20poly1305;
    message.secrets.push_back({bytes::copy(ref.span()), {Bytes(32, 2), Bytes(80, 3)}});
    message.encrypted_group_info = Bytes(200, 4);
    return mls::encode(mls::MLSMessage{std::move(message)});
}

}  // namespace

Person::Person(Side which, crypto::Entropy& entropy, WallTime now)
    : side(which),
      list_key(crypto::SigningKey::generate(entropy)),
      device_key(crypto::SigningKey::generate(entropy)),
      id(entropy.id<base::DeviceId>()),
      list(first_list(side, list_key, device_key, id, entropy, now)) {}

Bytes Person::key_package(crypto::Entropy& entropy, WallTime now) const {
    auto key = crypto::SigningKey::generate(entropy);
    auto const leaf =
        identity::attest_leaf(device_key, list.list().account(), id, list.list().position(), key.public_key().bytes);
    auto const suite = crypto::find_suite(crypto::suite_x25519_chacha20poly1305).value();
    mls::KeyPackageArgs args{*suite, mls::Credential::basic(identity::encode(leaf)), std::move(key),
                             mls::lifetime_from(now - std::chrono::hours{1}, std::chrono::days{20})};
    return mls::encode(mls::MLSMessage{mls::generate_key_package(std::move(args), entropy).key_package});
}

Pair::Pair(std::uint64_t seed, WallTime now)
    : entropy(seed),
      therapist(Side::therapist, entropy, now),
      client(Side::client, entropy, now),
      conversation(entropy.id<base::ConversationId>()),
      group_id(entropy.bytes(32)),
      now_(now) {}

core::RedeemRequest Pair::redeem(crypto::SigningKey const& key, identity::Redemption const& redemption) {
    auto const signed_redemption = identity::sign_redemption(key, redemption);
    return {server_name, redemption.invitation, signed_redemption.bytes,
            bytes::copy(signed_redemption.signature.span()), seed()};
}

void Pair::meet(boost::asio::io_context& io, ports::Store& store) {
    auto const expiry = now_ + std::chrono::days{7};
    auto const first_key = crypto::SigningKey::generate(entropy);
    wait(io, store.put_operator_invitation(identity::operators_invitation(first_key.public_key(), expiry), seed()));
    identity::Redemption joining;
    joining.invitation = identity::invitation_id(first_key.public_key());
    joining.server_name = server_name;
    joining.kind = identity::InvitationKind::therapist;
    joining.account = therapist.device().account;
    joining.device_list = therapist.list.as_signed();
    joining.device = therapist.id;
    auto const joined = wait(io, store.redeem(redeem(first_key, joining)));
    INTERLUDE_CHECK(std::holds_alternative<wire::Redeemed>(joined));

    wire::KeyPackagesPut put;
    for (int i = 0; i < 3; ++i) put.key_packages.push_back(therapist.key_package(entropy, now_));
    auto const stock = wait(io, store.put_key_packages(therapist.device(), put));
    INTERLUDE_CHECK(std::holds_alternative<wire::KeyPackageStock>(stock));

    auto const key = crypto::SigningKey::generate(entropy);
    identity::InvitationDocument document;
    document.invitation_key = key.public_key();
    document.kind = identity::InvitationKind::new_conversation;
    document.inviter = therapist.device().account;
    document.device = therapist.id;
    document.position = therapist.list.list().position();
    document.expiry = expiry;
    auto const invitation = identity::sign_invitation(therapist.device_key, document);
    auto const stored =
        wait(io, store.put_invitation(therapist.device(), {wire::DocumentKind::invitation, invitation.bytes,
                                                           bytes::copy(invitation.signature.span())}));
    INTERLUDE_CHECK(std::holds_alternative<wire::Done>(stored));
    auto const fetched = wait(io, store.fetch_key_packages(document.id(), document.inviter));
    auto const& package = std::get<wire::KeyPackages>(fetched).packages.at(0).key_package;
    auto const ref = mls_framing::read_key_package_outer(package).value().ref;

    mls_framing::Declaration declaration;
    declaration.conversation = conversation;
    declaration.added = {{document.inviter, Side::therapist, therapist.id, ref}};
    identity::Redemption founding;
    founding.invitation = document.id();
    founding.server_name = server_name;
    founding.kind = document.kind;
    founding.account = client.device().account;
    founding.device_list = client.list.as_signed();
    founding.device = client.id;
    founding.founding = identity::Founding{conversation, 1, group_id, mls_framing::encode(declaration), {welcome(ref)}};
    auto const founded = wait(io, store.redeem(redeem(key, founding)));
    INTERLUDE_CHECK(std::holds_alternative<wire::Redeemed>(founded));
}

core::Submission Pair::message(Person const& from, std::uint64_t number, WallTime stamp, std::size_t size) {
    core::Submission submission;
    submission.sender = from.device();
    for (std::size_t i = 0; i < 8; ++i) submission.request.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    submission.send.conversation = conversation;
    submission.send.epoch = 1;
    Bytes ciphertext(size, static_cast<std::uint8_t>(number));
    submission.send.mls = private_message(group_id, 1, mls::ContentType::application, {}, std::move(ciphertext));
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
    auto const hash = mls_framing::declaration_hash(submission.commit.declaration);
    submission.commit.mls =
        private_message(group_id, epoch, mls::ContentType::commit, bytes::copy(hash.span()), entropy.bytes(600));
    submission.stamp = stamp;
    submission.seed = seed();
    return submission;
}

core::SchedulePutRequest Pair::hours(std::uint16_t from_hour, std::uint16_t to_hour, WallTime now) {
    schedule::ScheduleDocument document;
    document.account = therapist.device().account;
    document.device = therapist.id;
    document.number = ++schedules_;
    document.previous = last_schedule_;
    document.rules.zone = "UTC";
    for (std::uint8_t day = 0; day < 7; ++day)
        document.rules.weekly.push_back({static_cast<schedule::Weekday>(day),
                                         static_cast<std::uint16_t>(from_hour * 60),
                                         static_cast<std::uint16_t>(to_hour * 60)});
    auto const span = schedule::zone_span(schedule::compiled_span(now));
    auto const zone = schedule::load_zone("UTC", span.start, span.end).value();
    auto const bytes = schedule::encode(schedule::compiled_document(std::move(document), zone, now)).value();
    last_schedule_ = crypto::labelled_hash(schedule::schedule_label, bytes);
    auto const signature = crypto::sign_labelled(therapist.device_key, schedule::schedule_label, bytes);
    return {
        therapist.device(), {wire::DocumentKind::schedule, bytes, bytes::copy(signature.span())}, std::nullopt, seed()};
}

}  // namespace interlude::test
