// What every client of the load program does on a link: log in, ask and wait for the answer.
#pragma once

#include <stdexcept>
#include <variant>

#include "common/crypto/sign.hpp"
#include "common/wire/frames.hpp"
#include "tests/bench/network.hpp"

namespace interlude::bench {

/// The run cannot go on, and why.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

base::WallTime wall_now();

/// A device, or whoever holds an invitation's key.
struct Login {
    std::variant<wire::DeviceLogin, base::InvitationId> who;
    crypto::SigningKey const& key;
};

/// Connects and logs in. False: the link says why not.
boost::asio::awaitable<bool> come(std::shared_ptr<Link> link, Login login);

/// The answer to a request; what comes by itself meanwhile is left aside. Throws Broken if the link ends.
boost::asio::awaitable<wire::ServerBody> ask(std::shared_ptr<Link> link, wire::ClientBody body);

[[noreturn]] void throw_unexpected(wire::ServerBody const& body);

template <class Body>
Body expect(wire::ServerBody body) {
    if (auto* typed = std::get_if<Body>(&body)) return std::move(*typed);
    throw_unexpected(body);
}

}  // namespace interlude::bench
