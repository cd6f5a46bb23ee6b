// The app's end of one link, sans I/O: frames of the server go in, encoded frames for the server and events come out.
// It remembers only what dies with the link; whatever must last is in the vault before a frame that depends on it is
// returned. One driver per link; never used again after a link ended.
#pragma once

#include <deque>
#include <map>

#include "client-cli/engine/engine.hpp"
#include "client-cli/engine/in_flight.hpp"
#include "client-cli/engine/log_keeper.hpp"

namespace interlude::engine {

struct Turn;

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
    /// Sends what waits in the vault, from whichever process, and tells what other processes of the home took; the
    /// latter without a link too. Call it after every local operation and every second.
    Actions poll(WallTime now);
    /// Asks for all entries of the own subjects that are not in the vault; LogFetched follows. Only when ready.
    Actions fetch_log(WallTime now);

    State state() const { return state_; }
    bool ready() const { return state_ == State::catching_up || state_ == State::steady; }
    bool caught_up() const { return state_ == State::steady; }

  private:
    /// What a request of this link, not of the outbox, was for.
    enum class Asked : std::uint8_t { inviter_lists, inviter_packages, redeem, stock, caught_up, checkpoint, log };
    struct Question {
        Asked what{};
        std::uint64_t size = 0;  // of the checkpoint asked about; Asked::log: of the chain, as far as it was known
        std::uint64_t met = 0;   // LogKnown::met when it was asked
        SubjectId subject{};     // Asked::log, and the rest
        std::uint64_t from = 1;  // counter
        WallTime asked{};        // by the server's clock, when the whole chain began to be asked for; zero: a part is
        WallTime sent{};
    };
    class Handler;

    void ask(Turn& turn, wire::ClientBody body, Question question);
    void connect_checkpoints(Turn& turn);
    void ask_for_log(Turn& turn);
    /// The question in answered_ was not answered by what came: no more of that chain can be had now.
    void miss_log(Turn& turn);
    bool asks_log_of(SubjectId const& subject) const;
    void finish_log(Turn& turn);
    void go_on_with_log(Turn& turn);
    bool is_behind(Turn& turn);
    /// Not an answer, and not of what happens since the login: in a busy conversation that never ends.
    bool waited_for_this_link(wire::ServerFrame const& frame) const;
    void run_maintenance(Turn& turn);
    void do_what_is_due(Turn& turn);
    void end(Turn& turn, std::uint16_t code, std::uint32_t retry_after_seconds);
    void fail_join(Turn& turn, wire::Rule rule);
    bool must_confirm(WallTime now) const;
    Actions finish(Turn& turn);
    Actions look(WallTime now);

    Engine& engine_;
    std::string server_name_;
    State state_ = State::waiting_for_nonce;
    bool close_ = false;
    bool invited_ = false;              // logged in with an invitation's key
    std::optional<Question> answered_;  // what the frame being handled answers
    std::map<RequestId, Question> questions_;
    InFlight in_flight_;
    std::vector<RequestId> confirmed_;   // in the hello
    std::vector<RequestId> to_confirm_;  // answered on this link; told together
    WallTime confirms_since_{};          // the first of them
    LogKnown log_known_;                 // when it was said, and what this link told since
    std::vector<wire::Handshake> deferred_;
    std::set<ConversationId>
        unfollowed_;  // what came as their next handshake is none: nobody waits for it on this link
    WallTime next_maintenance_{};
    WallTime next_commits_{};
    std::set<ConversationId> awaited_;  // begun by others, their Welcome is on its way
    bool asked_back_ = false;           // the question after login was answered
    WallTime ready_time_{};             // of `ready`, by the server's clock
    WallTime ready_at_{};
    WallTime last_came_{};  // of what waited for this link
    bool fetching_log_ = false;
    std::deque<Question> log_wanted_;       // not asked yet
    std::ptrdiff_t log_questions_max_ = 4;  // at a time
    WallTime log_not_before_{};             // the server asked for patience
    int connect_rounds_left_ = 8;
};

}  // namespace interlude::engine
