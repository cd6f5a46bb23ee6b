// The app's end of one link, sans I/O: frames of the server go in, encoded frames for the server and events come out.
// It remembers only what dies with the link; whatever must last is in the vault before a frame that depends on it is
// returned. One driver per link; never used again after a link ended.
#pragma once

#include <map>
#include <set>

#include "client-cli/engine/engine.hpp"

namespace interlude::engine {

struct Actions {
    std::vector<Bytes> frames;  // encoded ClientFrames, to be sent in this order
    std::vector<Event> events;
    bool close = false;  // after the frames were sent

    void append(Actions more);
};

class LinkDriver {
  public:
    /// What this link is: decided when the server's nonce comes.
    enum class State : std::uint8_t {
        waiting_for_nonce = 1,
        authenticating = 2,
        redeeming = 3,    // invited: list, key packages, founding, redeem
        catching_up = 4,  // ready; what waited on both sides is under way
        steady = 5,
        ended = 6,
    };

    /// `server_name`: the host that TLS verified.
    LinkDriver(Engine& engine, std::string server_name);

    /// One message of the link. Bad bytes end it (Alarm server_broke_protocol).
    Actions on_message(ByteView frame, WallTime now);
    Actions on_frame(wire::ServerFrame const& frame, WallTime now);
    /// Sends what waits in the vault, from whichever process. Call it after every local operation and every second.
    Actions poll(WallTime now);
    /// Asks for all entries of the own subjects that are not in the vault; LogFetched follows. Only when ready.
    Actions fetch_log(WallTime now);

    State state() const { return state_; }
    bool ready() const { return state_ == State::catching_up || state_ == State::steady; }
    bool caught_up() const { return state_ == State::steady; }

  private:
    Engine& engine_;
    std::string server_name_;
    State state_ = State::waiting_for_nonce;
};

}  // namespace interlude::engine
