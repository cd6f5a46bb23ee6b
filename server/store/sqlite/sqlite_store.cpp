#include "server/store/sqlite/sqlite_store.hpp"

#include <unistd.h>

#include <cstdio>

#include "server/store/sqlite/schema.hpp"
#include "server/store/sqlite/store_file.hpp"
#include "server/store/sqlite/verbs.hpp"
#include "server/store/sqlite/worker.hpp"

namespace interlude::store_sqlite {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace ports;

namespace {

/// Runs `open`; what SQLite could not do becomes an OpenError that says what to do.
template <class Open>
auto explained(fs::path const& file, Open open) {
    try {
        return open();
    } catch (DatabaseError const& error) {
        throw_explained(file, error);
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
        return perform([by, ids = std::move(ids)](Verbs& verbs) { verbs.confirm(by, ids); }, Urgency::later);
    }

    Awaitable<Offer> offer_from(OfferRequest request) override {
        return perform([request = std::move(request)](Verbs& verbs) { return verbs.offer_from(request); },
                       Urgency::soon);
    }
    Awaitable<void> ack(DeviceRef device, ConversationId id, std::vector<std::uint64_t> seqs) override {
        return perform([device, id, seqs = std::move(seqs)](Verbs& verbs) { verbs.ack(device, id, seqs); },
                       Urgency::later);
    }
    Awaitable<void> ack_handshake(DeviceRef device, ConversationId id, std::uint32_t generation,
                                  std::uint64_t epoch) override {
        return perform(
            [device, id, generation, epoch](Verbs& verbs) { verbs.ack_handshake(device, id, generation, epoch); },
            Urgency::later);
    }

    Awaitable<PutAnswer> put_calendar(core::CalendarPutRequest request) override {
        return perform([request = std::move(request)](Verbs& verbs) { return verbs.put_calendar(request); });
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
        return perform([reader, subject, counter](Verbs& verbs) { verbs.ack_log(reader, subject, counter); },
                       Urgency::later);
    }
    Awaitable<void> record(audit::OperatorAction action, core::Seed seed) override {
        return perform([action, seed](Verbs& verbs) { verbs.record(action, seed); });
    }

    Awaitable<Swept> expire(std::size_t max, core::Seed seed) override {
        return perform([max, seed](Verbs& verbs) { return verbs.expire(max, seed); }, Urgency::soon);
    }
    Awaitable<Swept> purge(std::size_t max, core::Seed seed) override {
        return perform([max, seed](Verbs& verbs) { return verbs.purge(max, seed); }, Urgency::soon);
    }

  private:
    /// Not a coroutine: the verb is a job before anything is awaited, so no closure lives in a coroutine's frame.
    template <class Verb, class T = std::invoke_result_t<Verb&, Verbs&>>
    Awaitable<T> perform(Verb verb) {
        return outcome_of<T>(std::make_shared<VerbJob<T, Verb>>(verbs_, std::move(verb)));
    }
    template <class Verb, class T = std::invoke_result_t<Verb&, Verbs&>>
    Awaitable<T> perform(Verb verb, Urgency urgency) {
        auto job = std::make_shared<VerbJob<T, Verb>>(verbs_, std::move(verb));
        job->urgency = urgency;
        return outcome_of<T>(std::move(job));
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
        auto database = recover_and_open(file, *vfs);
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
        auto database = connect_to(file, vfs);
        auto const schema = schema_of(database);
        if (schema == 0) return file.string() + " is empty, and will be made at the first start";
        if (schema >= schema_with_checksums) require_checksums(database, file);
        auto const verdict = database.value<std::string>("PRAGMA quick_check(1)").value_or("no answer");
        if (verdict != "ok") throw_damaged_file(file, verdict);
        auto const accounts = database.value<std::uint64_t>("SELECT count(*) FROM accounts").value();
        return file.string() + ": schema " + std::to_string(schema) + ", " + std::to_string(accounts) + " accounts";
    });
}

std::string seal(fs::path const& file) {
    check_path(file);
    if (!fs::exists(file)) throw OpenError("there is no store " + file.string() + ": is [store] file right?");
    FileLock const lock(file);
    return explained(file, [&] {
        {
            Database database(file.string(), SQLITE_OPEN_READWRITE, {});
            require_ours(database, file);
            if (schema_of(database) == 0) throw OpenError(file.string() + " is empty: there is nothing to seal");
            auto const verdict = database.value<std::string>("PRAGMA integrity_check(1)").value_or("no answer");
            if (verdict != "ok") throw_damaged_file(file, verdict);
        }
        write_anew(file);
        return file.string() + ": every page has its checksum now";
    });
}

}  // namespace interlude::store_sqlite
