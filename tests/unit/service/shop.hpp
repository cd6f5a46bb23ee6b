// Services over a memory store with two people in it, a clock that is moved by hand, and links that keep what they get.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/ports/delivery_sink.hpp"
#include "server/ports/diag.hpp"
#include "server/ports/metrics.hpp"
#include "server/ports/timers.hpp"
#include "server/store/memory/memory_store.hpp"
#include "tests/contract/vfs/pair.hpp"

namespace interlude::test {

using namespace std::chrono_literals;

/// A link as the services see it.
class KeptFrames final : public ports::DeliverySink {
  public:
    bool push(wire::ServerFrame frame) override {
        if (!open()) return false;
        frames.push_back(std::move(frame));
        return true;
    }
    void finish(std::uint16_t code, std::uint32_t) override {
        if (!closed_with) closed_with = code;
    }
    bool open() const override { return !closed_with; }
    void when_drained(std::function<void()> drained) override {
        if (room)
            drained();
        else
            waiting = std::move(drained);
    }
    template <class Body>
    std::vector<Body> bodies() const {
        std::vector<Body> found;
        for (auto const& frame : frames)
            if (auto const* body = std::get_if<Body>(&frame.body)) found.push_back(*body);
        return found;
    }

    std::vector<wire::ServerFrame> frames;
    std::optional<std::uint16_t> closed_with;
    bool room = true;
    std::function<void()> waiting;
};

/// What the operator is told.
class KeptDiag final : public ports::Diag {
  public:
    void say(ports::Level, base::LogLiteral event, std::initializer_list<Field>) override {
        said.push_back(event.view());
    }
    std::vector<std::string_view> said;
};

/// On a disk that is full at will: what writes throws then, and did nothing. Or it is rotten where one conversation is,
/// or slow: what was done is answered later.
class FullDiskStore final : public store_memory::MemoryStore {
  public:
    using MemoryStore::MemoryStore;
    Awaitable<ports::AcceptOutcome> accept(core::Submission submission) override {
        need_room();
        return MemoryStore::accept(std::move(submission));
    }
    Awaitable<void> ack(core::DeviceRef device, base::ConversationId conversation,
                        std::vector<std::uint64_t> seqs) override {
        need_room();
        acks.push_back(seqs);
        co_await MemoryStore::ack(device, conversation, std::move(seqs));
        co_await disk();
    }
    Awaitable<ports::Offer> offer_from(ports::OfferRequest request) override {
        ++offers;
        if (request.conversation == rotten) {
            ++not_read;
            throw std::runtime_error("a page is not what was written");
        }
        auto offer = co_await MemoryStore::offer_from(std::move(request));
        if (auto const hook = after_reading) hook();
        co_await disk();
        co_return offer;
    }
    Awaitable<void> confirm(core::DeviceRef by, std::vector<base::RequestId> ids) override {
        need_room();
        return MemoryStore::confirm(by, std::move(ids));
    }
    Awaitable<std::uint64_t> note_windows(base::AccountId account, core::Seed seed) override {
        need_room();
        return MemoryStore::note_windows(account, seed);
    }
    Awaitable<bool> append_checkpoint(ports::CheckpointBatch batch) override {
        need_room();
        return MemoryStore::append_checkpoint(std::move(batch));
    }
    Awaitable<ports::Swept> expire(std::size_t max, core::Seed seed) override {
        need_room();
        return MemoryStore::expire(max, seed);
    }

    /// The disk has done what waits for it; the rest is quick again, or not.
    void answer(bool still_slow = false) {
        slow = still_slow;
        for (auto& one : std::exchange(waiting_, {})) one->cancel();
    }

    bool full = false;
    bool slow = false;
    int refused = 0;
    int offers = 0;
    std::vector<std::vector<std::uint64_t>> acks;  // seqs of each visit
    std::optional<base::ConversationId> rotten;
    int not_read = 0;
    std::function<void()> after_reading;

  private:
    Awaitable<void> disk() {
        if (!slow) co_return;
        auto const executor = co_await boost::asio::this_coro::executor;
        auto const done = std::make_shared<boost::asio::steady_timer>(executor, 1h);
        waiting_.push_back(done);
        co_await done->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    void need_room() {
        if (!full) return;
        ++refused;
        throw std::runtime_error("database or disk is full");
    }

    std::vector<std::shared_ptr<boost::asio::steady_timer>> waiting_;
};

class HandMovedTimers final : public ports::Timers {
  public:
    explicit HandMovedTimers(boost::asio::io_context& io) : wake_(io) {
        wake_.expires_at(std::chrono::steady_clock::time_point::max());
    }
    base::MonoTime mono_now() const override { return base::mono_ms(base::to_ms(now) - base::to_ms(noon)); }
    core::TimeReading time() const override { return {now, believed}; }
    boost::asio::awaitable<bool> sleep_until(base::MonoTime deadline) override {
        while (mono_now() < deadline && !stopped) co_await wait();
        co_return !stopped;
    }
    boost::asio::awaitable<bool> sleep_until_wall(WallTime deadline) override {
        while (now < deadline && !stopped) co_await wait();
        co_return !stopped;
    }
    void moved() { wake_.cancel(); }

    WallTime now = noon;
    bool believed = true;
    bool stopped = false;

  private:
    boost::asio::awaitable<void> wait() {
        co_await wake_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    boost::asio::steady_timer wake_;
};

class Shop : public testing::Test {
  protected:
    Shop() {
        ports::Hooks hooks;
        hooks.now = [this] { return timers.time(); };
        hooks.changed = [this](core::Changed changed) { changes.push_back(std::move(changed)); };
        store = std::make_unique<FullDiskStore>(disk, core::Policy{}, std::move(hooks), seed());
    }
    core::Seed seed() { return pair.entropy.id<core::Seed>(); }
    template <class T>
    T run(boost::asio::awaitable<T> verb) {
        std::optional<T> outcome;
        auto const note = [&outcome](std::exception_ptr error, T value) {
            if (error) std::rethrow_exception(error);
            outcome = std::move(value);
        };
        boost::asio::co_spawn(io, std::move(verb), note);
        settle();
        return std::move(outcome).value();
    }
    void run(boost::asio::awaitable<void> verb) {
        auto const note = [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        };
        boost::asio::co_spawn(io, std::move(verb), note);
        settle();
    }
    /// Goes on by itself until it ends.
    void begin(boost::asio::awaitable<void> service) {
        auto const note = [this](std::exception_ptr error) {
            ++ended;
            failed = failed || error;
        };
        boost::asio::co_spawn(io, std::move(service), note);
        settle();
    }
    /// Until everything waits.
    void settle() {
        io.restart();
        while (io.poll() > 0) {
        }
    }
    void move_to(WallTime time) {
        timers.now = time;
        timers.moved();
        settle();
    }
    void meet_with_hours(std::uint16_t from, std::uint16_t to) {
        timers.now = noon - 1s;
        pair.meet(io, *store);
        run(store->put_calendar(pair.hours(from, to, timers.now)));
        timers.now = noon;
        changes.clear();
    }
    ports::AcceptOutcome send(Person const& from, std::uint64_t number) {
        return run(store->accept(pair.message(from, number, timers.now)));
    }
    /// Tried again several times, in seconds that pass.
    void let_seconds_pass(int seconds) {
        for (int i = 0; i < seconds; ++i) move_to(timers.now + 1s);
    }
    std::uint64_t entries() { return run(store->log_head()).entries; }

    boost::asio::io_context io;
    HandMovedTimers timers{io};
    Pair pair{51, noon};
    std::shared_ptr<store_memory::Disk> disk = std::make_shared<store_memory::Disk>();
    std::vector<core::Changed> changes;
    std::unique_ptr<FullDiskStore> store;
    KeptDiag diag;
    ports::NoMetrics metrics;
    int ended = 0;
    bool failed = false;
};

}  // namespace interlude::test
