#include "server/store/sqlite/worker.hpp"

namespace interlude::store_sqlite {

namespace asio = boost::asio;

namespace {

/// A caller's handler, kept alive with the work it promises to its executor.
template <class Handler>
struct Caller {
    Handler handler;
    asio::executor_work_guard<asio::any_io_executor> guard;
};

/// What callers of one executor are told.
struct Outcomes {
    struct One {
        std::function<void(std::exception_ptr)> finish;
        std::exception_ptr error;
    };
    std::vector<One> all;

    /// Each is told, even where another one's handler throws.
    void operator()() {
        std::exception_ptr thrown;
        for (auto& one : all) {
            try {
                one.finish(std::move(one.error));
            } catch (...) {
                thrown = std::current_exception();
            }
        }
        if (thrown) std::rethrow_exception(thrown);
    }
};

void move_first(std::deque<JobPtr>& queue, std::size_t max, std::vector<JobPtr>& into) {
    auto const end = queue.begin() + static_cast<std::ptrdiff_t>(std::min(queue.size(), max));
    into.insert(into.end(), std::make_move_iterator(queue.begin()), std::make_move_iterator(end));
    queue.erase(queue.begin(), end);
}

}  // namespace

Worker::Worker(asio::any_io_executor executor, Database& database, WorkerEvents& events)
    : executor_(std::move(executor)), database_(database), events_(events) {
    // Checkpoints are ours, on this connection, between batches (SQLite's WAL bug needs two connections).
    sqlite3_wal_hook(
        database_.raw(),
        [](void* self, sqlite3*, char const*, int pages) {
            static_cast<Worker*>(self)->wal_pages_ = pages;
            return SQLITE_OK;
        },
        this);
    thread_ = std::thread([this] { loop(); });
}

Worker::~Worker() {
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
    }
    queued_.notify_one();
    thread_.join();
    sqlite3_wal_hook(database_.raw(), nullptr, nullptr);
}

asio::awaitable<void> Worker::perform(JobPtr job) {
    auto initiate = [this](auto handler, JobPtr initiated) {
        using Handler = std::decay_t<decltype(handler)>;
        initiated->executor = asio::get_associated_executor(handler, executor_);
        auto const caller = std::make_shared<Caller<Handler>>(
            Caller<Handler>{std::move(handler), asio::executor_work_guard<asio::any_io_executor>(initiated->executor)});
        initiated->finish = [caller](std::exception_ptr error) {
            auto then = std::move(caller->handler);
            caller->guard.reset();
            then(std::move(error));
        };
        enqueue(std::move(initiated));
    };
    return asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr)>(
        std::move(initiate), asio::use_awaitable, std::move(job));
}

void Worker::enqueue(JobPtr job) {
    {
        std::lock_guard const lock(mutex_);
        auto& queue = job->urgency == Urgency::answer ? answers_ : job->urgency == Urgency::soon ? soon_ : later_;
        if (queue.size() < queue_max) {
            if (&queue == &later_ && later_.empty()) later_due_ = std::chrono::steady_clock::now() + later_at_most;
            queue.push_back(std::move(job));
            job = nullptr;
        }
    }
    if (job) {
        job->error = std::make_exception_ptr(DatabaseError(SQLITE_BUSY, "the store has too much to do: try later"));
        return hand_back({std::move(job)});
    }
    queued_.notify_one();
}

bool Worker::later_is_due() const {
    return later_.size() >= later_together || (!later_.empty() && std::chrono::steady_clock::now() >= later_due_);
}

void Worker::await_work(std::unique_lock<std::mutex>& lock) {
    while (!stopping_ && answers_.empty() && soon_.empty() && !later_is_due()) {
        if (later_.empty())
            queued_.wait(lock);
        else
            queued_.wait_until(lock, later_due_);
    }
}

std::vector<JobPtr> Worker::next_batch() {
    std::unique_lock lock(mutex_);
    await_work(lock);
    std::vector<JobPtr> batch;
    if (stopping_ || !answers_.empty() || later_is_due()) {
        // First: an answer about devices or calendars counts what was acked before it was asked for.
        bool const alone = answers_.empty() && soon_.empty();
        move_first(later_, alone ? batch_max : later_together, batch);
        later_due_ = std::chrono::steady_clock::now() + later_at_most;
    }
    auto const room = batch_max - batch.size();
    move_first(answers_, room - std::min(room, soon_least), batch);
    // Few beside few, so that what is waited for meanwhile is soon next.
    move_first(soon_, std::min(std::max(soon_least, 2 * batch.size()), batch_max - batch.size()), batch);
    return batch;
}

void Worker::loop() {
    for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) {
        if (!dead_) run_batch(batch);
        for (auto const& job : batch)
            if (dead_) job->error = dead_;
        hand_back(std::exchange(batch, {}));
        if (!dead_ && wal_pages_ >= checkpoint_at_) checkpoint();
    }
}

void Worker::hand_back(std::vector<JobPtr> batch) {
    for (auto next = batch.begin(); next != batch.end();) {
        auto const executor = (*next)->executor;
        Outcomes outcomes;
        while (next != batch.end() && outcomes.all.size() < handed_back_max && (*next)->executor == executor) {
            outcomes.all.push_back({std::move((*next)->finish), (*next)->error});
            *next++ = nullptr;  // the caller's now
        }
        asio::post(executor, std::move(outcomes));
    }
}

void Worker::run_batch(std::vector<JobPtr> const& batch) {
    std::exception_ptr lost;
    auto tried = try_batch(batch, Undo::batch, lost);
    if (tried == Tried::verb_failed && batch.size() > 1) tried = try_batch(batch, Undo::verb, lost);
    if (tried == Tried::done) {
        if (!dead_) events_.durable();
        return;
    }
    // A full disk or the like: nothing of the batch happened. Alone, what only reads or frees still succeeds.
    for (auto const& job : batch) {
        if (dead_) return;
        std::exception_ptr again;
        job->error = nullptr;
        if (batch.size() == 1 || try_batch({job}, Undo::verb, again) != Tried::done)
            job->error = batch.size() == 1 ? lost : again;
        else if (!dead_)
            events_.durable();
    }
}

Worker::Tried Worker::try_batch(std::vector<JobPtr> const& batch, Undo undo, std::exception_ptr& lost) {
    bool in_verb = false;
    try {
        database_.run("BEGIN IMMEDIATE");
        for (auto const& job : batch) {
            events_.verb_begins();
            in_verb = true;
            undo == Undo::verb ? run_apart(*job) : job->run();
            in_verb = false;
        }
        database_.run("COMMIT");
        return Tried::done;
    } catch (DatabaseError const& error) {
        lost = std::current_exception();
        if (error.disk_failed()) {
            on_disk_failure(error);
            return Tried::done;
        }
    } catch (std::exception const&) {
        lost = std::current_exception();
    }
    events_.batch_undone();
    try {
        if (database_.in_transaction()) database_.run("ROLLBACK");
    } catch (DatabaseError const& error) {
        on_disk_failure(error);
        return Tried::done;
    }
    return in_verb ? Tried::verb_failed : Tried::lost;
}

void Worker::run_apart(Job& job) {
    database_.run("SAVEPOINT verb");
    try {
        job.run();
    } catch (DatabaseError const& error) {
        if (error.disk_failed() || !database_.in_transaction()) throw;
        job.error = std::current_exception();
    } catch (std::exception const&) {
        job.error = std::current_exception();
    }
    if (job.error) {
        events_.verb_undone();
        database_.run("ROLLBACK TO verb");
    }
    database_.run("RELEASE verb");
}

void Worker::checkpoint() {
    int wal_pages = 0, copied = 0;
    auto const code =
        sqlite3_wal_checkpoint_v2(database_.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &wal_pages, &copied);
    if (code == SQLITE_OK) {
        checkpoint_at_ = wal_pages_max;
        wal_pages_ = 0;
        return;
    }
    DatabaseError const error(sqlite3_extended_errcode(database_.raw()), sqlite3_errmsg(database_.raw()));
    if (error.disk_failed() || error.page_damaged()) return on_disk_failure(error);  // nothing could follow it
    checkpoint_at_ = wal_pages_ + wal_pages_max;  // a full disk: everything is safe in the WAL, try again later
}

void Worker::on_disk_failure(DatabaseError const& error) {
    // After a failed fsync nobody knows what is on the disk: never again through this process.
    events_.disk_failed(error.what());
    dead_ = std::make_exception_ptr(error);
}

}  // namespace interlude::store_sqlite
