#include "server/service/audit_sequencer.hpp"

#include <map>
#include <set>
#include <stdexcept>

#include "common/audit/proof.hpp"
#include "server/ports/use_tuple.hpp"

namespace interlude::service {

namespace asio = boost::asio;

namespace {

using ports::use_tuple;
constexpr std::size_t batch_entries_max = 4096;

}  // namespace

AuditSequencer::AuditSequencer(asio::any_io_executor executor, ports::Store& store, ports::Timers& timers,
                               crypto::SigningKey log_key, std::string origin, ports::Diag& diag,
                               ports::Metrics& metrics)
    : store_(store),
      timers_(timers),
      log_key_(std::move(log_key)),
      origin_(std::move(origin)),
      diag_(diag),
      metrics_(metrics),
      wake_(executor),
      appended_(executor) {
    vkey_ = audit::LogKey{origin_, log_key_.public_key()}.vkey();
    wake_.expires_at(std::chrono::steady_clock::time_point::max());
    appended_.expires_at(std::chrono::steady_clock::time_point::max());
}

asio::awaitable<void> AuditSequencer::resume() {
    auto const head = co_await store_.log_head();
    auto edge = audit::right_edge_tiles(head.size);
    auto const contents = co_await store_.tiles(edge);
    audit::TileSource const source = [&edge, &contents](audit::Tile const& tile) -> std::optional<bytes::Bytes> {
        for (std::size_t i = 0; i < edge.size(); ++i)
            if (edge[i] == tile && !contents[i].empty()) return contents[i];
        return std::nullopt;
    };
    auto writer = audit::TileWriter::resume(head.size, source);
    if (!writer) throw std::runtime_error("the log's tiles are damaged: restore the store from a backup");
    if (head.size > 0) {
        auto const checkpoint = audit::open_checkpoint(head.note, {origin_, log_key_.public_key()});
        if (!checkpoint)
            throw std::runtime_error(
                "the log's checkpoint was not signed by log.key for this server_name: use the key and the name that "
                "this store was made with");
        if (checkpoint->checkpoint.size != head.size || checkpoint->checkpoint.root != writer->root())
            throw std::runtime_error("the log's checkpoint does not fit its tiles: restore the store from a backup");
    }
    writer_ = std::move(*writer);
    size_ = head.size;
    note_ = head.note;
    pending_ = head.entries > head.size;
}

asio::awaitable<void> AuditSequencer::run() {
    while (!stopped_) {
        while (!pending_ && !stopped_) co_await wake_.async_wait(use_tuple);
        if (stopped_) break;
        pending_ = false;
        bool failed = false;
        try {
            auto const appended = co_await append_batch();
            if (appended > 0) {
                pending_ = true;  // perhaps more came meanwhile
                outage_.worked();
            }
        } catch (std::exception const& error) {
            failed = true;
            outage_.failed(error);
        }
        if (overtaken_) throw std::runtime_error("another server writes this store's log; stop one of them");
        if (!failed) continue;
        pending_ = true;
        co_await timers_.sleep_until(timers_.mono_now() + try_again_after);
    }
    appended_.cancel();
}

asio::awaitable<std::size_t> AuditSequencer::append_batch() {
    auto const entries = co_await store_.entries_from(size_, batch_entries_max);
    if (entries.empty()) co_return 0;
    auto writer = writer_;  // a batch that the store does not take never was
    for (auto const& entry : entries) writer.append(entry);
    ports::CheckpointBatch batch;
    batch.from = size_;
    batch.size = writer.size();
    batch.note = audit::sign_checkpoint({origin_, writer.size(), writer.root(), {}}, log_key_);
    batch.tiles = writer.flush();
    auto const note = batch.note;
    auto const size = batch.size;
    bool const ours = co_await store_.append_checkpoint(std::move(batch));
    if (!ours) {  // another sequencer wrote: this process must not sign a second story
        overtaken_ = true;
        diag_.say(ports::Level::error, "another_sequencer_writes_this_log");
        co_return 0;
    }
    writer_ = std::move(writer);
    size_ = size;
    note_ = note;
    metrics_.add(ports::Counter::checkpoints);
    appended_.cancel();
    co_return entries.size();
}

void AuditSequencer::stop() {
    stopped_ = true;
    wake_.cancel();
    appended_.cancel();
}

void AuditSequencer::wake() {
    pending_ = true;
    wake_.cancel();
}

asio::awaitable<bool> AuditSequencer::covers(std::uint64_t index) {
    if (size_ <= index) wake();
    while (size_ <= index && !stopped_) co_await appended_.async_wait(use_tuple);
    co_return size_ > index;
}

asio::awaitable<audit::HashSource> AuditSequencer::hashes(std::vector<audit::Node> nodes, std::uint64_t size) {
    std::set<audit::Tile> unique;
    for (auto const& node : nodes) unique.insert(audit::tile_of(node, size));
    std::vector<audit::Tile> wanted(unique.begin(), unique.end());
    auto contents = co_await store_.tiles(wanted);
    std::map<audit::Tile, bytes::Bytes> found;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        // The store may have a wider one by now: another batch ended while this one was asked for.
        auto content = audit::narrowed(wanted[i], std::move(contents[i]));
        if (content) found.emplace(wanted[i], std::move(*content));
    }
    audit::TileSource source = [found = std::move(found)](audit::Tile const& tile) -> std::optional<bytes::Bytes> {
        auto const at = found.find(tile);
        if (at == found.end()) return std::nullopt;
        return at->second;
    };
    co_return audit::hashes_from_tiles(size, std::move(source));
}

asio::awaitable<std::optional<wire::LogItem>> AuditSequencer::prove(ports::LogRow row) {
    bool const covered = co_await covers(row.index);
    if (!covered) co_return std::nullopt;
    auto const size = size_;  // another batch may end while the tiles are read
    auto const note = note_;
    auto nodes = audit::nodes_of_inclusion(row.index, size);
    auto const source = co_await hashes(std::move(nodes), size);
    auto proof = audit::prove_inclusion(row.index, size, source);
    INTERLUDE_CHECK(proof.has_value());  // tiles of a durable checkpoint are all there
    wire::LogItem item;
    item.subject = row.subject;
    item.counter = row.counter;
    item.index = row.index;
    item.entry = std::move(row.entry);
    item.salt = std::move(row.salt);
    item.payload = std::move(row.payload);
    item.proof = audit::format_proof({std::nullopt, row.index, std::move(*proof), note});
    co_return item;
}

asio::awaitable<wire::Checkpoint> AuditSequencer::checkpoint_after(std::uint64_t from) {
    auto const size = size_;  // another batch may end while the tiles are read
    wire::Checkpoint out{note_, {}};
    if (from == 0 || from >= size) co_return out;
    auto nodes = audit::nodes_of_consistency(from, size);
    auto const source = co_await hashes(std::move(nodes), size);
    auto proof = audit::prove_consistency(from, size, source);
    INTERLUDE_CHECK(proof.has_value());
    out.consistency = std::move(*proof);
    co_return out;
}

}  // namespace interlude::service
