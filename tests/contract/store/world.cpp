#include "tests/contract/store/world.hpp"

#include "common/crypto/hash.hpp"
#include "common/identity/invitation.hpp"
#include "common/mls_framing/outer.hpp"

namespace interlude::test {

World::World(core::Policy const& chosen) : policy(chosen) {
    open();
}

World::~World() {
    store.reset();
}

void World::open() {
    store.reset();
    ports::Hooks hooks;
    hooks.now = [this] { return core::TimeReading{now.load(), believed.load()}; };
    hooks.changed = [this](core::Changed changed) {
        std::lock_guard const lock(mutex_);
        announced_.push_back(std::move(changed));
    };
    if (GetParam() == Kind::memory) {
        store = std::make_unique<store_memory::MemoryStore>(disk_, policy, std::move(hooks), seed());
        return;
    }
    store_sqlite::Options options;
    options.file = folder_ / "store.db";
    options.policy = policy;
    options.vfs = vfs_.name();
    store = store_sqlite::open(io.get_executor(), std::move(options), std::move(hooks), pair.entropy);
}

std::vector<core::Changed> World::announced() {
    std::lock_guard const lock(mutex_);
    return std::exchange(announced_, {});
}

// ---- How things begin ----------------------------------------------------------------------------------------------

void World::meet(bool with_her_second_device) {
    pair.meet(io, *store, with_her_second_device);
    announced();
}

void World::meet_with_hours(std::uint16_t from, std::uint16_t to, bool with_her_second_device) {
    now = noon - 1s;
    meet(with_her_second_device);
    put_hours(from, to);
    announced();
    now = noon;
}

ports::RedeemAnswer World::join(Person const& person) {
    auto const key = crypto::SigningKey::generate(pair.entropy);
    auto const document = identity::operators_invitation(key.public_key(), now.load() + std::chrono::days{7});
    run(store->put_operator_invitation(document, seed()));
    return run(store->redeem(signed_redemption(key, therapists_redemption(person, key), seed())));
}

std::vector<Bytes> World::stock(Person const& person, int count, std::size_t device) {
    wire::KeyPackagesPut put;
    for (int i = 0; i < count; ++i) put.key_packages.push_back(person.key_package(pair.entropy, now.load(), device));
    auto const answer = run(store->put_key_packages(person.device(device), put));
    EXPECT_TRUE(std::holds_alternative<wire::KeyPackageStock>(answer));
    return put.key_packages;
}

crypto::SigningKey World::invite(Person const& inviter, WallTime expiry) {
    auto key = crypto::SigningKey::generate(pair.entropy);
    EXPECT_TRUE(done(run(store->put_invitation(inviter.device(), signed_invitation(inviter, key, expiry)))));
    return key;
}

wire::KeyPackages World::fetched(crypto::SigningKey const& invitation, Person const& inviter) {
    auto const id = identity::invitation_id(invitation.public_key());
    auto const answer = run(store->fetch_key_packages(id, inviter.account()));
    EXPECT_TRUE(std::holds_alternative<wire::KeyPackages>(answer));
    return std::get<wire::KeyPackages>(answer);
}

core::RedeemRequest World::founding(crypto::SigningKey const& invitation, Person const& person,
                                    ConversationId const& conversation, wire::KeyPackages const& packages) {
    return signed_redemption(
        invitation, clients_redemption(person, therapist, invitation, conversation, pair.group_id, packages), seed());
}

void World::put_hours(std::uint16_t from, std::uint16_t to) {
    EXPECT_TRUE(done(run(store->put_calendar(pair.hours(from, to, now.load())))));
}

// ---- What people do ------------------------------------------------------------------------------------------------

core::Submission World::message(Person const& from, std::uint64_t number, WallTime stamp, std::size_t size,
                                std::uint64_t epoch) {
    auto submission = pair.message(from, number, stamp, size);
    return epoch == 1 ? submission : of_epoch(std::move(submission), epoch, size);
}

core::Submission World::of_epoch(core::Submission submission, std::uint64_t epoch, std::size_t size) {
    submission.send.epoch = epoch;
    submission.send.mls = application_message(pair.group_id, epoch, Bytes(size, submission.request.bytes[0]));
    return submission;
}

std::uint64_t World::send(Person const& from, std::uint64_t number) {
    return accepted(run(store->accept(message(from, number, now.load())))).seq;
}

core::CommitSubmission World::commit(DeviceRef const& sender, std::uint64_t epoch, mls_framing::Declaration declaration,
                                     std::vector<Bytes> welcomes) {
    declaration.conversation = pair.conversation;
    declaration.epoch_before = epoch;
    core::CommitSubmission submission;
    submission.sender = sender;
    submission.commit.conversation = pair.conversation;
    submission.commit.epoch = epoch;
    submission.commit.declaration = mls_framing::encode(declaration);
    submission.commit.mls = commit_message(pair.group_id, submission.commit.declaration, pair.entropy.bytes(600));
    submission.commit.welcomes = std::move(welcomes);
    submission.stamp = now.load();
    submission.seed = seed();
    return submission;
}

void World::add_second_device(Person& person, std::uint64_t epoch) {
    auto const list = person.next_list({0, 1}, now.load());
    ASSERT_TRUE(done(run(store->put_device_list(person.device(), list, seed()))));
    auto const package = stock(person, 1, 1).front();
    auto const ref = mls_framing::read_key_package_outer(package).value().ref;
    mls_framing::Declaration declaration;
    declaration.added = {{person.account(), person.side, person.device(1).device, ref}};
    auto const submission = commit(person.device(), epoch, declaration, {welcome_message(ref)});
    auto const outcome = run(store->accept_commit(submission));
    ASSERT_TRUE(std::holds_alternative<wire::Accepted>(outcome.answer));
}

// ---- What they see -------------------------------------------------------------------------------------------------

ports::Offer World::offer(DeviceRef const& device, core::ConversationSeen seen) {
    ports::OfferRequest request;
    request.device = device;
    request.conversation = pair.conversation;
    request.seen = std::move(seen);
    return run(store->offer_from(request));
}

std::vector<std::uint64_t> World::seqs_offered(DeviceRef const& device, core::ConversationSeen seen) {
    std::vector<std::uint64_t> seqs;
    for (auto const& envelope : items<wire::Envelope>(offer(device, std::move(seen)))) seqs.push_back(envelope.seq);
    return seqs;
}

std::vector<audit::Payload> World::opened(DeviceRef const& reader, SubjectId const& about) {
    std::vector<audit::Payload> payloads;
    auto const page = run(store->log_entries(reader, about, 1, 1000));
    if (!page) return payloads;
    for (auto const& row : page->rows)
        if (!row.payload.empty()) payloads.push_back(audit::decode_payload(row.payload).value());
    return payloads;
}

}  // namespace interlude::test
