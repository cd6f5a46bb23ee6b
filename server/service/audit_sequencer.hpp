// Turns accepted entries into a tree: appends them in the order of their transactions, makes tiles and a signed
// checkpoint durable, then lets everybody who waits have the proof. Whatever piled up while one batch was written is
// the next batch, so an entry alone waits for no timer and many share one checkpoint.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "common/audit/checkpoint.hpp"
#include "common/audit/tiles.hpp"
#include "server/ports/diag.hpp"
#include "server/ports/metrics.hpp"
#include "server/ports/store.hpp"
#include "server/ports/timers.hpp"
#include "server/service/outage.hpp"

namespace interlude::service {

class AuditSequencer {
  public:
    AuditSequencer(boost::asio::any_io_executor executor, ports::Store& store, ports::Timers& timers,
                   crypto::SigningKey log_key, std::string origin, ports::Diag& diag, ports::Metrics& metrics);

    /// Resumes the tree from the store. Throws std::runtime_error if tiles and checkpoint do not belong together.
    boost::asio::awaitable<void> resume();
    /// Appends until stop(). Where the store fails it tries again; that another sequencer wrote ends it (and the
    /// process).
    boost::asio::awaitable<void> run();
    void stop();

    /// There are entries without a checkpoint.
    void wake();
    /// True when entry `index` is under a durable checkpoint, false when stopped before.
    boost::asio::awaitable<bool> covers(std::uint64_t index);

    std::uint64_t size() const { return size_; }
    /// The newest durable checkpoint; empty before the first.
    std::string const& note() const { return note_; }
    std::string const& vkey() const { return vkey_; }
    crypto::SigningKey const& log_key() const { return log_key_; }
    /// False while the store takes no batch: entries wait for their proof.
    bool writing() const { return !overtaken_ && !outage_.lasting(); }

    /// The row with its tlog-proof under the newest checkpoint; waits for that. nullopt when stopped.
    boost::asio::awaitable<std::optional<wire::LogItem>> prove(ports::LogRow row);
    /// The newest checkpoint with the proof that it continues the tree of `from` entries (none for 0 and its own size).
    boost::asio::awaitable<wire::Checkpoint> checkpoint_after(std::uint64_t from);

  private:
    /// The next batch, durable; 0: there was nothing to append.
    boost::asio::awaitable<std::size_t> append_batch();
    /// Reads the tiles that hold `nodes`, as a source for the proof functions.
    boost::asio::awaitable<audit::HashSource> hashes(std::vector<audit::Node> nodes, std::uint64_t size);

    ports::Store& store_;
    ports::Timers& timers_;
    crypto::SigningKey log_key_;
    std::string origin_;
    std::string vkey_;
    ports::Diag& diag_;
    ports::Metrics& metrics_;
    audit::TileWriter writer_;
    std::uint64_t size_ = 0;
    std::string note_;
    bool pending_ = false;
    bool stopped_ = false;
    bool overtaken_ = false;
    Outage outage_{diag_, metrics_, "the_log_cannot_be_written_trying_again", "the_log_is_written_again"};
    boost::asio::steady_timer wake_;      // cancelled when there is something to append
    boost::asio::steady_timer appended_;  // cancelled when a checkpoint became durable
};

}  // namespace interlude::service
