#include "server/store/sqlite/sqlite_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "server/store/sqlite/checked_vfs.hpp"
#include "server/store/sqlite/page_checksum.hpp"
#include "server/store/sqlite/schema.hpp"
#include "server/store/sqlite/verbs.hpp"
#include "server/store/sqlite/worker.hpp"

namespace interlude::store_sqlite {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace ports;

namespace {

[[noreturn]] void fail(std::string const& what, bool locked = false, bool disk = false) {
    OpenError error(what);
    error.locked = locked;
    error.disk = disk;
    throw error;
}

// ---- One server per store ------------------------------------------------------------------------------------------

/// The lock that a server holds for its whole life: on FILE.lock, given back by the kernel however it ends.
class FileLock {
  public:
    explicit FileLock(fs::path const& file) {
        auto const path = file.string() + ".lock";
        handle_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (handle_ < 0)
            fail("cannot write " + path + " (" + std::strerror(errno) +
                 "): give the server's user write access to this folder");
        if (::flock(handle_, LOCK_EX | LOCK_NB) == 0) return;
        ::close(handle_);
        fail("another server uses the store " + file.string() + ": stop it first, or name another file", true);
    }
    ~FileLock() { ::close(handle_); }
    FileLock(FileLock const&) = delete;
    FileLock& operator=(FileLock const&) = delete;

  private:
    int handle_ = -1;
};

// ---- Opening -------------------------------------------------------------------------------------------------------

void check_path(fs::path const& file) {
    std::error_code ignored;
    if (fs::is_directory(file, ignored)) fail(file.string() + " is a folder: name a file for the store");
    auto const folder = fs::absolute(file).parent_path();
    if (!fs::is_directory(folder, ignored))
        fail("the folder " + folder.string() + " does not exist: create it, writable for the server's user");
}

/// Nobody else reads it: made before SQLite would, with our mode; WAL files get the same one.
void make_private_file(fs::path const& file) {
    auto const handle = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (handle < 0) fail("cannot write " + file.string() + " (" + std::strerror(errno) + ")");
    ::close(handle);
}

/// Ours, and not of a newer version. The schema's number; 0: empty.
std::uint32_t check_schema(Database& database, fs::path const& file) {
    auto const schema = schema_of(database);
    bool const empty = !database.exists("SELECT 1 FROM sqlite_schema LIMIT 1");
    auto const owner = database.value<std::int32_t>("PRAGMA application_id").value_or(0);
    if (!empty && owner != application_id)
        fail(file.string() + " is a database of another program: name another file for the store");
    if (schema > schema_newest)
        fail(file.string() + " was written by a newer version (its schema is " + std::to_string(schema) +
             ", this one knows up to " + std::to_string(schema_newest) +
             "): start that version, or restore the backup from before the upgrade");
    return schema;
}

/// What must be said on every connection; auto_vacuum before the first table.
constexpr char const* settings = R"sql(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA secure_delete = ON;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 16777216;
PRAGMA cache_size = -16384;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
PRAGMA trusted_schema = OFF;
PRAGMA foreign_keys = OFF;
)sql";

Database open_database(fs::path const& file, CheckedVfs const& vfs) {
    Database database(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name());
    database.execute("PRAGMA locking_mode = EXCLUSIVE");  // before anything is read: no shared memory is made then
    int reserved = reserved_bytes;                        // of a file that is new, or made anew as a whole
    sqlite3_file_control(database.raw(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    check_schema(database, file);
    database.execute(settings);
    if (database.value<std::string>("PRAGMA journal_mode") != "wal")
        fail("the store " + file.string() + " is on a file system where SQLite cannot keep a write-ahead log");
    return database;
}

/// All pages of a store of this schema have checksums; those of the first pages may still be in the log only.
void require_checksums(Database& database, fs::path const& file) {
    if (pages_are_checked(database.raw())) return;
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!pages_are_checked(database.raw()))
        fail("the store " + file.string() + " is damaged (its header): restore it from a backup");
}

/// Runs `open`; what SQLite could not do becomes an OpenError that says what to do.
template <class Open>
auto explained(fs::path const& file, Open open) {
    try {
        return open();
    } catch (DatabaseError const& error) {
        auto const where = "the store " + file.string();
        switch (error.code & 0xff) {
            case SQLITE_NOTADB:
                fail(file.string() + " is not an SQLite database: name another file for the store");
            case SQLITE_CORRUPT:
                fail(where + " is damaged (" + error.what() + "): restore it from a backup");
            case SQLITE_BUSY:
            case SQLITE_LOCKED:
                fail(where + " is open in another program: close it there", true);
            case SQLITE_FULL:
                fail("no room on the disk for " + where + ": free some and start again", false, true);
            case SQLITE_IOERR:
                if (error.page_damaged())
                    fail(where + " is damaged (a page is not what was written): restore it from a backup");
                fail("the disk fails under " + where + " (" + error.what() + "): look at the system's log", false,
                     true);
            default:
                fail("cannot open " + where + " (" + error.what() + "): is it writable for the server's user?");
        }
    }
}

void end_process(std::string const& what) {
    std::fprintf(stderr,
                 "interluded: the disk failed under the store (%s): ending. What was answered is kept; apps send the "
                 "rest again after the next start\n",
                 what.c_str());
    ::_exit(74);
}

// ---- The store -----------------------------------------------------------------------------------------------------

/// A verb with its outcome.
template <class T, class Verb>
class VerbJob final : public Job {
  public:
    VerbJob(Verbs& verbs, Verb verb) : verbs_(verbs), verb_(std::move(verb)) {}
    void run() override {
        if constexpr (std::is_void_v<T>)
            verb_(verbs_);
        else
            outcome_.emplace(verb_(verbs_));
    }
    T take() {
        if constexpr (!std::is_void_v<T>) return std::move(*outcome_);
    }

  private:
    Verbs& verbs_;
    Verb verb_;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> outcome_;
};

class SqliteStore final : public Store {
  public:
    SqliteStore(asio::any_io_executor executor, Options options, Hooks hooks, std::unique_ptr<FileLock> lock,
                std::unique_ptr<CheckedVfs> vfs, Database database)
        : lock_(std::move(lock)),
          vfs_(std::move(vfs)),
          database_(std::move(database)),
          verbs_(database_, options.policy, std::move(hooks),
                 options.disk_failed ? std::move(options.disk_failed) : end_process),
          worker_(std::move(executor), database_, verbs_) {}

    Awaitable<OpenInfo> open_info() override {
        return perform([](Verbs& verbs) { return verbs.open_info(); });
    }
    Awaitable<void> mark_time(WallTime time) override {
        return perform([time](Verbs& verbs) { verbs.mark_time(time); });
    }
    Awaitable<bool> acquire_lease(std::string name, std::string holder, base::Millis term) override {
        return perform([name = std::move(name), holder = std::move(holder), term](Verbs& verbs) {
            return verbs.acquire_lease(name, holder, term);
        });
    }
    Awaitable<Counts> counts() override {
        return perform([](Verbs& verbs) { return verbs.counts(); });
    }

    Awaitable<std::optional<LoginFacts>> login_facts(DeviceRef device) override {
        return perform([device](Verbs& verbs) { return verbs.login_facts(device); });
    }
    Awaitable<std::optional<core::InvitationRow>> invitation(InvitationId id) override {
        return perform([id](Verbs& verbs) { return verbs.invitation(id); });
    }
    Awaitable<Snapshot> snapshot(DeviceRef device) override {
        return perform([device](Verbs& verbs) { return verbs.snapshot(device); });
    }

    Awaitable<PutAnswer> put_device_list(DeviceRef by, wire::SignedDocument document, core::Seed seed) override {
        return perform([by, document = std::move(document), seed](Verbs& verbs) {
            return verbs.put_device_list(by, document, seed);
        });
    }
    Awaitable<std::optional<wire::Documents>> device_lists_after(Fetcher reader, AccountId account,
                                                                 identity::ListPosition after) override {
        return perform(
            [reader, account, after](Verbs& verbs) { return verbs.device_lists_after(reader, account, after); });
    }
    Awaitable<StockAnswer> put_key_packages(DeviceRef by, wire::KeyPackagesPut put) override {
        return perform([by, put = std::move(put)](Verbs& verbs) { return verbs.put_key_packages(by, put); });
    }
    Awaitable<KeyPackagesAnswer> fetch_key_packages(Fetcher fetcher, AccountId account) override {
        return perform([fetcher, account](Verbs& verbs) { return verbs.fetch_key_packages(fetcher, account); });
    }

    Awaitable<PutAnswer> put_invitation(DeviceRef by, wire::SignedDocument document) override {
        return perform(
            [by, document = std::move(document)](Verbs& verbs) { return verbs.put_invitation(by, document); });
    }
    Awaitable<void> put_operator_invitation(identity::InvitationDocument document, core::Seed seed) override {
        return perform([document, seed](Verbs& verbs) { verbs.put_operator_invitation(document, seed); });
    }
    Awaitable<PutAnswer> revoke_invitation(DeviceRef by, InvitationId id) override {
        return perform([by, id](Verbs& verbs) { return verbs.revoke_invitation(by, id); });
    }
    Awaitable<wire::Invitations> list_invitations(DeviceRef by) override {
        return perform([by](Verbs& verbs) { return verbs.list_invitations(by); });
    }
    Awaitable<RedeemAnswer> redeem(core::RedeemRequest request) override {
        return perform([request = std::move(request)](Verbs& verbs) { return verbs.redeem(request); });
    }

    Awaitable<CommitOutcome> accept_commit(core::CommitSubmission submission) override {
        return perform([submission = std::move(submission)](Verbs& verbs) { return verbs.accept_commit(submission); });
    }
    Awaitable<AcceptOutcome> accept(core::Submission submission) override {
        return perform([submission = std::move(submission)](Verbs& verbs) { return verbs.accept(submission); });
    }
    Awaitable<RecallAnswer> recall(DeviceRef by, ConversationId id, std::uint64_t seq, core::Seed seed) override {
        return perform([by, id, seq, seed](Verbs& verbs) { return verbs.recall(by, id, seq, seed); });
    }
    Awaitable<PutAnswer> close_conversation(DeviceRef by, ConversationId id) override {
        return perform([by, id](Verbs& verbs) { return verbs.close_conversation(by, id); });
    }
    Awaitable<void> confirm(DeviceRef by, std::vector<RequestId> ids) override {
        return perform([by, ids = std::move(ids)](Verbs& verbs) { verbs.confirm(by, ids); });
    }

    Awaitable<Offer> offer_from(OfferRequest request) override {
        return perform([request = std::move(request)](Verbs& verbs) { return verbs.offer_from(request); });
    }
    Awaitable<void> ack(DeviceRef device, ConversationId id, std::vector<std::uint64_t> seqs) override {
        return perform([device, id, seqs = std::move(seqs)](Verbs& verbs) { verbs.ack(device, id, seqs); });
    }
    Awaitable<void> ack_handshake(DeviceRef device, ConversationId id, std::uint32_t generation,
                                  std::uint64_t epoch) override {
        return perform(
            [device, id, generation, epoch](Verbs& verbs) { verbs.ack_handshake(device, id, generation, epoch); });
    }

    Awaitable<PutAnswer> put_schedule(core::SchedulePutRequest request) override {
        return perform([request = std::move(request)](Verbs& verbs) { return verbs.put_schedule(request); });
    }
    Awaitable<std::vector<AccountCalendar>> calendars() override {
        return perform([](Verbs& verbs) { return verbs.calendars(); });
    }
    Awaitable<std::uint64_t> note_windows(AccountId account, core::Seed seed) override {
        return perform([account, seed](Verbs& verbs) { return verbs.note_windows(account, seed); });
    }

    Awaitable<LogHead> log_head() override {
        return perform([](Verbs& verbs) { return verbs.log_head(); });
    }
    Awaitable<std::vector<Bytes>> entries_from(std::uint64_t from, std::size_t max) override {
        return perform([from, max](Verbs& verbs) { return verbs.entries_from(from, max); });
    }
    Awaitable<bool> append_checkpoint(CheckpointBatch batch) override {
        return perform([batch = std::move(batch)](Verbs& verbs) { return verbs.append_checkpoint(batch); });
    }
    Awaitable<std::vector<Bytes>> tiles(std::vector<audit::Tile> wanted) override {
        return perform([wanted = std::move(wanted)](Verbs& verbs) { return verbs.tiles(wanted); });
    }
    Awaitable<std::optional<LogPage>> log_entries(DeviceRef reader, SubjectId subject, std::uint64_t from,
                                                  std::size_t max) override {
        return perform(
            [reader, subject, from, max](Verbs& verbs) { return verbs.log_entries(reader, subject, from, max); });
    }
    Awaitable<void> ack_log(DeviceRef reader, SubjectId subject, std::uint64_t counter) override {
        return perform([reader, subject, counter](Verbs& verbs) { verbs.ack_log(reader, subject, counter); });
    }
    Awaitable<void> record(audit::OperatorAction action, core::Seed seed) override {
        return perform([action, seed](Verbs& verbs) { verbs.record(action, seed); });
    }

    Awaitable<Swept> expire(std::size_t max, core::Seed seed) override {
        return perform([max, seed](Verbs& verbs) { return verbs.expire(max, seed); });
    }
    Awaitable<Swept> purge(std::size_t max, core::Seed seed) override {
        return perform([max, seed](Verbs& verbs) { return verbs.purge(max, seed); });
    }

  private:
    /// Not a coroutine: the verb is a job before anything is awaited, so no closure lives in a coroutine's frame.
    template <class Verb, class T = std::invoke_result_t<Verb&, Verbs&>>
    Awaitable<T> perform(Verb verb) {
        return outcome_of<T>(std::make_shared<VerbJob<T, Verb>>(verbs_, std::move(verb)));
    }
    template <class T, class JobType>
    Awaitable<T> outcome_of(std::shared_ptr<JobType> job) {
        auto performed = worker_.perform(job);
        co_await std::move(performed);
        co_return job->take();
    }

    std::unique_ptr<FileLock> lock_;
    std::unique_ptr<CheckedVfs> vfs_;
    Database database_;
    Verbs verbs_;
    Worker worker_;  // ends first
};

}  // namespace

std::unique_ptr<Store> open(asio::any_io_executor executor, Options options, Hooks hooks, crypto::Entropy& entropy) {
    auto const file = options.file;
    if (options.vfs.empty()) check_path(file);
    auto lock = std::make_unique<FileLock>(file);
    if (options.vfs.empty()) make_private_file(file);
    return explained(file, [&]() -> std::unique_ptr<Store> {
        auto vfs = std::make_unique<CheckedVfs>(options.vfs);
        auto database = open_database(file, *vfs);
        migrate(database, entropy);
        require_checksums(database, file);
        return std::make_unique<SqliteStore>(std::move(executor), std::move(options), std::move(hooks), std::move(lock),
                                             std::move(vfs), std::move(database));
    });
}

std::string check(fs::path const& file) {
    check_path(file);
    if (!fs::exists(file)) return file.string() + " will be made at the first start";
    std::optional<FileLock> lock;
    try {
        lock.emplace(file);
    } catch (OpenError const& error) {
        if (!error.locked) throw;
        return file.string() + " is in use by a running server";
    }
    return explained(file, [&] {
        CheckedVfs const vfs({});
        auto database = open_database(file, vfs);
        auto const schema = check_schema(database, file);
        if (schema == 0) return file.string() + " is empty, and will be made at the first start";
        if (schema == schema_newest) require_checksums(database, file);
        auto const verdict = database.value<std::string>("PRAGMA quick_check(1)").value_or("no answer");
        if (verdict != "ok") fail(file.string() + " is damaged (" + verdict + "): restore it from a backup");
        auto const accounts = database.value<std::uint64_t>("SELECT count(*) FROM accounts").value();
        return file.string() + ": schema " + std::to_string(schema) + ", " + std::to_string(accounts) + " accounts";
    });
}

}  // namespace interlude::store_sqlite
