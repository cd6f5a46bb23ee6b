// The store's thread: takes every job that is queued, runs all in one transaction, commits once (one fsync) and only
// then completes them: group commit. A job that somebody waits for waits for nobody. What nobody waits for comes after
// those, a few of it in each batch, and what may come later keeps them company, so that it costs no commit of its own.
// Where a job fails the batch is repeated, each job with a savepoint of its own: these
// copy every page that is changed, and failures are rare.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "server/store/sqlite/database.hpp"

namespace interlude::store_sqlite {

enum class Urgency : std::uint8_t {
    answer = 1,  // a person or an app waits for it
    soon = 2,    // nobody does, and it goes after those
    later = 3,   // it waits a few milliseconds for the next answer, and then goes before it, in the same batch
};

/// One verb of one caller.
class Job {
  public:
    virtual ~Job() = default;
    /// Inside the transaction; again when the batch is repeated.
    virtual void run() = 0;

    std::exception_ptr error;  // why it did not happen
    Urgency urgency = Urgency::answer;

    // The caller's: `finish` hands over the outcome, on this executor.
    boost::asio::any_io_executor executor;
    std::function<void(std::exception_ptr)> finish;
};
using JobPtr = std::shared_ptr<Job>;

/// What the worker tells its owner, on its thread.
class WorkerEvents {
  public:
    virtual ~WorkerEvents() = default;
    virtual void verb_begins() = 0;
    virtual void verb_undone() = 0;   // since verb_begins: what it left in memory must go
    virtual void batch_undone() = 0;  // likewise, since the last call of durable
    virtual void durable() = 0;       // all verbs since the last call
    virtual void disk_failed(std::string const& what) = 0;
};

class Worker {
  public:
    Worker(boost::asio::any_io_executor executor, Database& database, WorkerEvents& events);
    /// Ends after what is queued was done.
    ~Worker();
    Worker(Worker const&) = delete;
    Worker& operator=(Worker const&) = delete;

    /// Completes once the job is durable; throws what it threw, or why the batch could not be committed.
    boost::asio::awaitable<void> perform(JobPtr job);

  private:
    static constexpr std::size_t queue_max = 100'000;  // far beyond what links may have in flight
    static constexpr std::size_t batch_max = 256;      // what it writes stays in memory until its commit
    static constexpr std::size_t soon_least = 64;      // in a batch, if there are so many
    static constexpr std::size_t later_together = 64;  // likewise; so many are a batch of their own
    static constexpr std::chrono::milliseconds later_at_most{5};
    static constexpr std::size_t handed_back_max = 32;
    static constexpr int wal_pages_max = 2000;  // then it is checkpointed

    void enqueue(JobPtr job);
    void loop();
    std::vector<JobPtr> next_batch();
    bool later_is_due() const;
    void await_work(std::unique_lock<std::mutex>& lock);
    void run_batch(std::vector<JobPtr> const& batch);
    enum class Undo : std::uint8_t { batch, verb };  // what a verb that fails takes with it
    enum class Tried : std::uint8_t {
        done,         // or the disk failed
        verb_failed,  // and with it the batch
        lost,         // the transaction is gone, through no verb
    };
    /// `lost`: why it is not done.
    Tried try_batch(std::vector<JobPtr> const& batch, Undo undo, std::exception_ptr& lost);
    void run_apart(Job& job);
    /// Many at a time, so that a batch wakes its callers once; not so many that nobody else gets a turn.
    void hand_back(std::vector<JobPtr> batch);
    void checkpoint();
    void on_disk_failure(DatabaseError const& error);

    boost::asio::any_io_executor executor_;
    Database& database_;
    WorkerEvents& events_;
    int wal_pages_ = 0;  // at the last commit
    int checkpoint_at_ = wal_pages_max;
    std::exception_ptr dead_;  // set once the disk failed: nothing is believed any more

    std::mutex mutex_;
    std::condition_variable queued_;
    std::deque<JobPtr> answers_;
    std::deque<JobPtr> soon_;
    std::deque<JobPtr> later_;
    std::chrono::steady_clock::time_point later_due_;  // while there are any
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace interlude::store_sqlite
