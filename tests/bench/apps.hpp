// One end of a conversation, as an app is one: it writes, it acknowledges what arrives, it confirms what was answered.
// The other end of its link is Interlude or bench-relay; the run does not see which.
#pragma once

#include "tests/bench/load_options.hpp"
#include "tests/bench/session.hpp"
#include "tests/bench/world.hpp"

namespace interlude::bench {

/// What the run counts.
struct News {
    enum class Kind : std::uint8_t {
        stored,     // durable: the answer to one's own message
        delivered,  // somebody's message is here, and acknowledged
        refused,    // one's own message was not taken
    };
    Kind kind{};
    std::uint64_t number = 0;  // of the message
};

class App {
  public:
    virtual ~App() = default;
    /// Connects and logs in, also again after the link ended. False: why() says why not.
    virtual boost::asio::awaitable<bool> come() = 0;
    /// Sends message `number`, without waiting for anything.
    virtual void write(std::uint64_t number) = 0;
    /// nullopt: the link ended.
    virtual boost::asio::awaitable<std::optional<News>> next() = 0;
    /// One request beside messages, answered with Done. Interlude only.
    virtual boost::asio::awaitable<void> publish(wire::SignedDocument hours) = 0;
    /// Politely: what was sent arrives.
    virtual void leave() = 0;
    /// At once.
    virtual void vanish() = 0;
    virtual std::string why() const = 0;
};

/// Two apps of one conversation: he writes, she reads.
struct Pair {
    std::unique_ptr<App> client;
    std::unique_ptr<App> therapist;
};

/// Of conversation `index`: of the world, or channel `index` of a relay.
Pair make_pair_of_apps(Network& network, LoadOptions const& options, World const& world, std::size_t index);

}  // namespace interlude::bench
