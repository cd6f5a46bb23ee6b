// A therapist and a client in one conversation of a store, with as little around them as the store asks for.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include "common/crypto/entropy.hpp"
#include "common/identity/redemption.hpp"
#include "common/schedule/schedule_document.hpp"
#include "server/ports/store.hpp"

namespace interlude::test {

using base::Side;
using base::WallTime;
using bytes::Bytes;

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

struct Person {
    Person(Side side, crypto::Entropy& entropy, WallTime now);
    core::DeviceRef device() const { return {list.list().account(), id}; }
    /// MLSMessage(KeyPackage).
    Bytes key_package(crypto::Entropy& entropy, WallTime now) const;

    Side side;
    crypto::SigningKey list_key;
    crypto::SigningKey device_key;
    base::DeviceId id;
    identity::VerifiedDeviceList list;
};

/// Requests of the two; what they are answered is the tests' business.
class Pair {
  public:
    Pair(std::uint64_t seed, WallTime now);

    /// The operator's invitation, her account and key packages, her invitation, his account and the conversation.
    void meet(boost::asio::io_context& io, ports::Store& store);

    core::Submission message(Person const& from, std::uint64_t number, WallTime stamp, std::size_t size = 300);
    /// An empty commit by her that ends `epoch`.
    core::CommitSubmission healing(std::uint64_t epoch, WallTime stamp);
    /// Open every day of the week between these hours (UTC); the next of her chain.
    core::SchedulePutRequest hours(std::uint16_t from_hour, std::uint16_t to_hour, WallTime now);

    crypto::SeededEntropy entropy;
    Person therapist;
    Person client;
    base::ConversationId conversation;
    Bytes group_id;

  private:
    core::Seed seed() { return entropy.id<core::Seed>(); }
    core::RedeemRequest redeem(crypto::SigningKey const& key, identity::Redemption const& redemption);

    WallTime now_;
    std::uint64_t schedules_ = 0;
    base::Hash32 last_schedule_;
};

}  // namespace interlude::test
