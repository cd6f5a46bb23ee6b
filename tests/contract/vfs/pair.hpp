// A therapist and a client in one conversation of a store, with as little around them as the store asks for.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include "common/crypto/entropy.hpp"
#include "common/identity/redemption.hpp"
#include "common/mls_framing/outer.hpp"
#include "common/schedule/schedule_document.hpp"
#include "server/ports/store.hpp"

namespace interlude::test {

using base::Side;
using base::WallTime;
using bytes::Bytes;

inline WallTime const noon = base::wall_seconds(1'717'416'000);  // Monday 2024-06-03 12:00 UTC
inline constexpr auto server_name = "interlude.example";

/// Runs the verb to its end, and everything that it posts.
template <class T>
T wait(boost::asio::io_context& io, boost::asio::awaitable<T> verb) {
    std::exception_ptr failed;
    std::optional<T> outcome;
    auto done = [&](std::exception_ptr error, T value) {
        failed = error;
        outcome = std::move(value);
    };
    boost::asio::co_spawn(io, std::move(verb), done);
    io.restart();
    io.run();
    if (failed) std::rethrow_exception(failed);
    return std::move(*outcome);
}
inline void wait(boost::asio::io_context& io, boost::asio::awaitable<void> verb) {
    std::exception_ptr failed;
    auto done = [&](std::exception_ptr error) { failed = error; };
    boost::asio::co_spawn(io, std::move(verb), done);
    io.restart();
    io.run();
    if (failed) std::rethrow_exception(failed);
}

struct Device {
    crypto::SigningKey key;
    base::DeviceId id;
};

struct Person {
    Person(Side side, crypto::Entropy& entropy, WallTime now);
    base::AccountId account() const { return list.list().account(); }
    core::DeviceRef device(std::size_t which = 0) const { return {account(), devices.at(which).id}; }
    /// MLSMessage(KeyPackage).
    Bytes key_package(crypto::Entropy& entropy, WallTime now, std::size_t which = 0) const;
    /// A next list of these devices; `list` is it from now on.
    wire::SignedDocument next_list(std::vector<std::size_t> const& which, WallTime now);

    Side side;
    crypto::SigningKey list_key;
    std::vector<Device> devices;
    identity::VerifiedDeviceList list;
};

// What the server sees of MLS messages, around bytes that are none.
Bytes application_message(Bytes const& group_id, std::uint64_t epoch, Bytes ciphertext);
Bytes commit_message(Bytes const& group_id, Bytes const& declaration, Bytes ciphertext);
Bytes welcome_message(mls_framing::KeyPackageRef const& ref);

wire::SignedDocument signed_invitation(Person const& inviter, crypto::SigningKey const& invitation_key,
                                       WallTime expiry);
identity::Redemption therapists_redemption(Person const& therapist, crypto::SigningKey const& invitation_key);
/// Founds `conversation` with the inviter's devices whose packages were fetched.
identity::Redemption clients_redemption(Person const& client, Person const& inviter,
                                        crypto::SigningKey const& invitation_key,
                                        base::ConversationId const& conversation, Bytes const& group_id,
                                        wire::KeyPackages const& fetched);
core::RedeemRequest signed_redemption(crypto::SigningKey const& invitation_key, identity::Redemption const& redemption,
                                      core::Seed const& seed);

/// A therapist's chain of schedules: open every day between these hours (UTC).
class HoursChain {
  public:
    core::CalendarPutRequest next(Person const& therapist, std::uint16_t from_hour, std::uint16_t to_hour, WallTime now,
                                  core::Seed const& seed);
    /// An override for all during this span.
    core::CalendarPutRequest override_with(Person const& therapist, schedule::OverrideKind kind, base::Interval span,
                                           core::Seed const& seed);
    /// The last one was refused.
    void take_back() {
        --number_;
        last_ = before_;
    }

  private:
    std::uint64_t number_ = 0;
    base::Hash32 last_, before_;
};

/// Requests of the two; what they are answered is the tests' business.
class Pair {
  public:
    Pair(std::uint64_t seed, WallTime now);

    /// The operator's invitation, her account and key packages, her invitation, his account and the conversation.
    void meet(boost::asio::io_context& io, ports::Store& store, bool with_her_second_device = false);

    core::Submission message(Person const& from, std::uint64_t number, WallTime stamp, std::size_t size = 300);
    /// An empty commit by her that ends `epoch`.
    core::CommitSubmission healing(std::uint64_t epoch, WallTime stamp);
    /// Open every day of the week between these hours (UTC); the next of her chain.
    core::CalendarPutRequest hours(std::uint16_t from_hour, std::uint16_t to_hour, WallTime now) {
        return hours_.next(therapist, from_hour, to_hour, now, seed());
    }

    core::CalendarPutRequest override_with(schedule::OverrideKind kind, base::Interval span) {
        return hours_.override_with(therapist, kind, span, seed());
    }

    crypto::SeededEntropy entropy;
    Person therapist;
    Person client;
    base::ConversationId conversation;
    Bytes group_id;

  private:
    core::Seed seed() { return entropy.id<core::Seed>(); }

    WallTime now_;
    HoursChain hours_;
};

}  // namespace interlude::test
