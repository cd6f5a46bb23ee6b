// What can happen in a run. Each kind is counted; a kind that never happened in all seeds of a run fails it, or the
// simulation would slowly stop testing what it claims.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace interlude::sim {

enum class Happening : std::uint8_t {
    written,               // a person wrote a message
    send_arrived,          // a `send` frame reached the server
    send_repeated,         // again, with a request id that it had seen
    stored,                // a message was accepted
    held,                  // and something holds it back
    late_reply,            // a therapist's, written in a closed window
    proof_given,           // `held` with its proof left for its author
    delivered_in_window,   // first offered to somebody for whom it was not held
    delivered_at_opening,  // first offered within moments of the instant at which it passes
    offered_again,         // the same envelope to the same device on another link
    opened_reported,       // an author's app learned that everybody opened it
    epoch_stale,           // a message came with an old epoch
    commit_sent,
    commit_lost,     // somebody else's was first
    commit_refused,  // for now
    epoch_changed,
    joined,
    hours_published,
    hours_overridden,
    taken_back,
    replaced,
    hours_refused,
    window_opened,
    window_closed,
    link_opened,
    link_refused,   // the server was down
    two_processes,  // links of one device at the same time
    cut,
    frames_lost,    // by cuts, both directions
    frame_delayed,  // by seconds
    server_killed,  // at a moment when it had nothing to do
    server_killed_midway,
    app_crash,  // at a commit of its vault
    audited,    // an app verified the log
    count_,
};
inline constexpr std::size_t happenings = static_cast<std::size_t>(Happening::count_);
std::string_view name(Happening happening) noexcept;

using Counts = std::array<std::uint64_t, happenings>;

/// Tells what happens: counts it, keeps the last of it for a failure's report, prints it when asked to.
class Story {
  public:
    explicit Story(bool verbose) : verbose_(verbose) {}
    void count(Happening happening, std::uint64_t times = 1) { counts_[static_cast<std::size_t>(happening)] += times; }
    void tell(std::string line);
    /// The run is over.
    void fail(std::string why) {
        tell("FAILED: " + why);
        failures_.push_back(std::move(why));
    }
    bool failed() const { return !failures_.empty(); }
    std::deque<std::string> const& failures() const { return failures_; }
    std::deque<std::string> const& last() const { return last_; }
    Counts const& counts() const { return counts_; }

  private:
    bool verbose_;
    Counts counts_{};
    std::deque<std::string> last_;
    std::deque<std::string> failures_;
};

/// Where all that is random in a run comes from, besides the keys.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    std::uint64_t next();

  private:
    std::uint64_t state_;
};

}  // namespace interlude::sim
