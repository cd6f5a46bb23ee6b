#include "client-cli/vault/sealed_vault.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "client-cli/vault/seal.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/text.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/password.hpp"

namespace interlude::vault {

namespace {

using Kind = VaultError::Kind;
constexpr int schema_version = 3;
constexpr auto lock_wait_max = std::chrono::seconds{30};
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t key_file_bytes = 32;

constexpr int tables_max = 255;

/// Everything that the file's schema holds, as it was made; whoever edits the file can add nothing that answers for it.
constexpr char const* vault_table =
    "CREATE TABLE vault (one INTEGER PRIMARY KEY CHECK (one = 1), kind INTEGER NOT NULL, salt BLOB NOT NULL,"
    " wrapped BLOB NOT NULL) STRICT";
constexpr char const* record_table =
    "CREATE TABLE record (tbl INTEGER NOT NULL, slot BLOB NOT NULL, grp BLOB NOT NULL, version INTEGER NOT NULL,"
    " sealed BLOB NOT NULL, PRIMARY KEY (tbl, slot)) STRICT, WITHOUT ROWID";
constexpr char const* group_index = "CREATE INDEX record_group ON record (tbl, grp)";

std::filesystem::path vault_file(std::filesystem::path const& home) {
    return home / "vault.db";
}
/// Under this name until it is whole.
std::filesystem::path unfinished_file(std::filesystem::path const& home) {
    return home / "vault.db.new";
}
std::filesystem::path journal_of(std::filesystem::path file) {
    return file += "-journal";
}

/// What is in the file or the folder is durable.
void sync_to_disk(std::filesystem::path const& path, int flags) {
    int const fd = ::open(path.c_str(), flags | O_CLOEXEC);
    bool const synced = fd >= 0 && fsync(fd) == 0;
    auto const reason = std::string(std::strerror(errno));
    if (fd >= 0) close(fd);
    if (!synced) throw VaultError(Kind::disk, "cannot write " + path.string() + ": " + reason);
}

[[noreturn]] void fail(sqlite3* database, std::string const& doing) {
    auto const code = sqlite3_extended_errcode(database) & 0xff;
    auto const text = std::string(sqlite3_errmsg(database));
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        throw VaultError(Kind::damaged, "the vault is damaged (" + text + ")");
    if (code == SQLITE_FULL) throw VaultError(Kind::disk, "the disk is full; nothing was changed. Free some room");
    throw VaultError(Kind::disk, "the vault cannot be used while " + doing + " (" + text + ")");
}

/// A connection, and the statements that it prepared: each is one of a few literals, used again and again.
class Connection {
  public:
    Connection() = default;
    ~Connection() { close(); }
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;

    void open(std::filesystem::path const& file, int flags) {
        close();
        if (sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr) != SQLITE_OK)
            fail(handle_, "opening " + file.string());
    }
    operator sqlite3*() const { return handle_; }

    sqlite3_stmt* take(char const* sql) {
        if (auto const kept = idle_.find(sql); kept != idle_.end()) return idle_.extract(kept).mapped();
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
            fail(handle_, "preparing");
        return statement;
    }
    void give_back(char const* sql, sqlite3_stmt* statement) {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        idle_.emplace(sql, statement);
    }

  private:
    void close() {
        for (auto const& [sql, statement] : idle_) sqlite3_finalize(statement);
        idle_.clear();
        sqlite3_close(std::exchange(handle_, nullptr));
    }

    sqlite3* handle_ = nullptr;
    std::multimap<std::string_view, sqlite3_stmt*> idle_;
};

class Statement {
  public:
    Statement(Connection& database, char const* sql) : database_(database), sql_(sql), statement_(database.take(sql)) {}
    ~Statement() { database_.give_back(sql_, statement_); }
    Statement(Statement const&) = delete;
    Statement& operator=(Statement const&) = delete;

    Statement& bind(int at, std::int64_t value) {
        sqlite3_bind_int64(statement_, at, value);
        return *this;
    }
    Statement& bind(int at, ByteView value) {
        sqlite3_bind_blob(statement_, at, value.data() ? static_cast<void const*>(value.data()) : "",
                          static_cast<int>(value.size()), SQLITE_TRANSIENT);
        return *this;
    }
    /// true: a row.
    bool step() {
        switch (sqlite3_step(statement_)) {
            case SQLITE_ROW:
                return true;
            case SQLITE_DONE:
                return false;
            default:
                fail(database_, "reading or writing");
        }
    }
    std::int64_t integer(int at) { return sqlite3_column_int64(statement_, at); }
    ByteView blob(int at) {
        return {static_cast<std::uint8_t const*>(sqlite3_column_blob(statement_, at)),
                static_cast<std::size_t>(sqlite3_column_bytes(statement_, at))};
    }

  private:
    Connection& database_;
    char const* sql_;
    sqlite3_stmt* statement_;
};

/// Interrupts this thread's system calls again and again while it lives: a wait in the kernel, which has no deadline of
/// its own, gets occasions to look at one.
class Interruptions {
  public:
    Interruptions() {
        static bool const handled = [] {
            struct sigaction nothing {};
            nothing.sa_handler = [](int) {};
            return sigaction(SIGRTMIN, &nothing, nullptr) == 0;
        }();
        sigset_t ours;
        sigemptyset(&ours);
        sigaddset(&ours, SIGRTMIN);
        pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGRTMIN;
        event._sigev_un._tid = gettid();
        if (!handled || timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0)
            throw VaultError(Kind::disk, std::string("cannot wait for the home: ") + std::strerror(errno));
        timespec const often{0, 100'000'000};
        itimerspec const times{often, often};
        timer_settime(timer_, 0, &times, nullptr);
    }
    ~Interruptions() { timer_delete(timer_); }
    Interruptions(Interruptions const&) = delete;
    Interruptions& operator=(Interruptions const&) = delete;

  private:
    timer_t timer_{};
};

/// A lock file, waited for until a deadline.
class FileLock {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    FileLock(std::filesystem::path const& file, Deadline deadline) {
        fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd_ < 0) throw VaultError(Kind::disk, "cannot open " + file.string() + ": " + std::strerror(errno));
        if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
        try {
            wait(deadline);
        } catch (...) {
            close(fd_);
            throw;
        }
    }
    ~FileLock() { close(fd_); }
    FileLock(FileLock const&) = delete;
    FileLock& operator=(FileLock const&) = delete;

  private:
    void wait(Deadline deadline) const {
        Interruptions const interruptions;
        while (flock(fd_, LOCK_EX) != 0) {
            if (errno != EINTR) throw VaultError(Kind::disk, std::string("cannot lock: ") + std::strerror(errno));
            if (std::chrono::steady_clock::now() > deadline)
                throw VaultError(Kind::busy, "another interlude works with this home and does not end");
        }
    }

    int fd_ = -1;
};

/// An exclusive lock between all processes of one home. Whoever waits for it holds the place at the door meanwhile, so
/// that a process which comes back at once (a chat with much to send) finds somebody before it.
class HomeLock {
  public:
    explicit HomeLock(std::filesystem::path const& home) {
        auto const deadline = std::chrono::steady_clock::now() + lock_wait_max;
        FileLock const door(home / "lock.next", deadline);
        lock_.emplace(home / "lock", deadline);
    }

  private:
    std::optional<FileLock> lock_;
};

struct Head {
    std::uint64_t counter = 0;
    RowSum sum;
};

bytes::SecretBytes wrapping_key(VaultSecret const& secret, ByteView salt) {
    switch (secret.kind) {
        case VaultSecret::Kind::passphrase:
            return crypto::argon2id(secret.bytes.expose(), salt, master_key_bytes);
        case VaultSecret::Kind::key_file:
            return crypto::hkdf_expand(secret.bytes.expose(), bytes::labelled("vault key file", salt),
                                       master_key_bytes);
    }
    throw VaultError(Kind::wrong_key, "an unknown kind of secret");
}

}  // namespace

class SealedVault::Impl {
  public:
    Impl(std::filesystem::path home, crypto::Entropy& entropy) : home_(std::move(home)), entropy_(entropy) {
        open_file(vault_file(home_), 0);
    }

    void open_file(std::filesystem::path const& file, int flags) {
        database_.open(file, SQLITE_OPEN_READWRITE | flags);
        chmod(file.c_str(), 0600);
        sqlite3_extended_result_codes(database_, 1);
        sqlite3_busy_timeout(database_, 5000);
        // No WAL: several processes write, and SQLite before 3.51.3 can corrupt a WAL with two writers.
        run("PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON; PRAGMA "
            "temp_store=MEMORY;");
    }

    void run(char const* sql) {
        if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(database_, "working");
    }

    /// Written under another name and given its own once it is whole: an interruption leaves no vault, or this one.
    static void create(std::filesystem::path const& home, VaultSecret const& secret, crypto::Entropy& entropy) {
        auto const master = entropy.secret(master_key_bytes);
        auto const salt = entropy.bytes(salt_bytes);
        auto const wrapped = wrap_master_key(master.expose(), wrapping_key(secret, salt).expose(), entropy);
        HomeLock const lock(home);
        if (exists(home)) throw VaultError(Kind::busy, "another interlude made this home meanwhile; run it again");
        auto const file = unfinished_file(home);
        for (auto const& old : {file, journal_of(file)}) std::filesystem::remove(old);
        Impl(home, entropy, file).fill(secret.kind, master.expose(), salt, wrapped);
        std::filesystem::remove(journal_of(file));
        std::filesystem::remove(journal_of(vault_file(home)));  // of one that never was finished
        sync_to_disk(file, O_RDONLY);
        std::filesystem::rename(file, vault_file(home));
        sync_to_disk(home, O_RDONLY | O_DIRECTORY);
    }

    void fill(VaultSecret::Kind kind, ByteView master, ByteView salt, ByteView wrapped) {
        run("PRAGMA auto_vacuum=INCREMENTAL; BEGIN IMMEDIATE;");
        for (auto const* object : {vault_table, record_table, group_index}) run(object);
        Statement insert(database_, "INSERT INTO vault VALUES (1, ?, ?, ?)");
        insert.bind(1, static_cast<std::int64_t>(kind)).bind(2, salt).bind(3, wrapped).step();
        sealer_.emplace(master);
        write_head({1, RowSum{}});
        run(("PRAGMA user_version=" + std::to_string(schema_version) + "; COMMIT;").c_str());
    }

    /// A file that an interruption left without a vault in it is none.
    static bool exists(std::filesystem::path const& home) {
        auto const file = vault_file(home);
        std::error_code error;
        if (!std::filesystem::exists(file, error)) return false;
        if (std::filesystem::file_size(file, error) == 0 && !error) return false;
        sqlite3* database = nullptr;
        int objects = 1;  // what is no database is a damaged vault, not a missing one
        if (sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
            sqlite3_busy_timeout(database, 5000);
            auto const count = [](void* to, int, char** values, char**) {
                *static_cast<int*>(to) = values[0] && std::strcmp(values[0], "0") == 0 ? 0 : 1;
                return 0;
            };
            sqlite3_exec(database, "SELECT count(*) FROM sqlite_schema", count, &objects, nullptr);
        }
        sqlite3_close(database);
        return objects != 0;
    }

    int version() {
        Statement statement(database_, "PRAGMA user_version");
        statement.step();
        return static_cast<int>(statement.integer(0));
    }

    VaultSecret::Kind kind() {
        Statement row(database_, "SELECT kind FROM vault");
        if (!row.step()) throw VaultError(Kind::damaged, "the vault is damaged: it does not say what opens it");
        return static_cast<VaultSecret::Kind>(row.integer(0));
    }

    void unlock(VaultSecret const& secret) {
        if (version() > schema_version)
            throw VaultError(Kind::newer, "this vault was written by a newer interlude; use that version");
        if (version() < schema_version)
            throw VaultError(Kind::older,
                             "this vault was written by an interlude from before its first release, which this "
                             "one cannot read; use that build, or join again with another home");
        check_schema();
        {
            Statement row(database_, "SELECT salt, wrapped FROM vault");
            if (!row.step()) throw VaultError(Kind::damaged, "the vault is damaged: its key is gone");
            auto const master = unwrap_master_key(row.blob(1), wrapping_key(secret, row.blob(0)).expose());
            if (!master)
                throw VaultError(Kind::wrong_key, secret.kind == VaultSecret::Kind::passphrase
                                                      ? "the passphrase does not open this home"
                                                      : "the key file does not open this home");
            sealer_.emplace(master->expose());
        }
        HomeLock const lock(home_);
        check_schema();
        check_structure();
        auto const head = read_head();
        RowSum sum;
        Statement rows(database_, "SELECT tbl, slot, grp, version, sealed FROM record NOT INDEXED");
        while (rows.step()) {
            auto const table = rows.integer(0);
            auto const slot = Slot::from(rows.blob(1));
            auto const group = Slot::from(rows.blob(2));
            bool const is_head = table == 0 && slot && *slot == Slot{};
            if (!slot || !group || table < 0 || table > tables_max || (table == 0 && !is_head))
                throw VaultError(Kind::damaged, "the vault is damaged: a record has no place");
            if (is_head) continue;
            sum.add(static_cast<std::uint8_t>(table), *slot, *group, static_cast<std::uint64_t>(rows.integer(3)),
                    rows.blob(4));
        }
        if (sum != head.sum)
            throw VaultError(
                Kind::damaged,
                "the vault is damaged: records were changed, exchanged, dropped or are older than the rest");
    }

    /// Nothing but what create made: no trigger, no view, no index or statistics that choose what a question finds.
    void check_schema() {
        std::size_t known = 0;
        Statement objects(database_, "SELECT sql FROM sqlite_schema");
        while (objects.step()) {
            auto const sql = bytes::text(objects.blob(0));
            if (sql != vault_table && sql != record_table && sql != group_index)
                throw VaultError(Kind::damaged, "the vault is damaged: something was added to it");
            ++known;
        }
        if (known != 3) throw VaultError(Kind::damaged, "the vault is damaged: a part of it is gone");
    }

    /// Rows are found by their place and by their group: both trees hold all of them, in order.
    void check_structure() {
        Statement check(database_, "PRAGMA integrity_check(1)");
        if (!check.step() || bytes::text(check.blob(0)) != "ok")
            throw VaultError(Kind::damaged, "the vault is damaged: its rows and its index differ");
    }

    Head read_head() {
        Slot const slot{};
        Statement row(database_, "SELECT version, sealed FROM record WHERE tbl = 0 AND slot = ?");
        if (!row.bind(1, slot.span()).step()) throw VaultError(Kind::damaged, "the vault is damaged: its head is gone");
        auto const version_of_row = static_cast<std::uint64_t>(row.integer(0));
        auto const opened = open_head(version_of_row, row.blob(1));
        if (!opened) throw VaultError(Kind::damaged, "the vault is damaged: its head does not open");
        return *opened;
    }

    /// The head lives in slot zero: it is sealed like a record, under a key that no table uses.
    void write_head(Head const& head) {
        bytes::Writer value;
        value.u64(head.counter).id(head.sum.value());
        Slot const slot{};
        auto const sealed =
            sealer_->seal(head_table, sealer_->slot(head_table, {}), head.counter, {}, value.bytes(), entropy_);
        Statement write(database_, "INSERT OR REPLACE INTO record VALUES (0, ?, ?, ?, ?)");
        write.bind(1, slot.span())
            .bind(2, slot.span())
            .bind(3, static_cast<std::int64_t>(head.counter))
            .bind(4, sealed)
            .step();
    }

    std::optional<Head> open_head(std::uint64_t version_of_row, ByteView sealed) {
        auto const record = sealer_->open(head_table, sealer_->slot(head_table, {}), version_of_row, sealed);
        if (!record) return std::nullopt;
        bytes::Reader reader(record->value);
        auto const counter = reader.u64();
        auto const sum = reader.id<base::Hash32>();
        if (!counter || !sum || *counter != version_of_row) return std::nullopt;
        return Head{*counter, RowSum::from(*sum)};
    }

    std::filesystem::path home_;
    crypto::Entropy& entropy_;
    Connection database_;
    std::optional<Sealer> sealer_;

  private:
    Impl(std::filesystem::path home, crypto::Entropy& entropy, std::filesystem::path const& unfinished)
        : home_(std::move(home)), entropy_(entropy) {
        open_file(unfinished, SQLITE_OPEN_CREATE);
    }
};

namespace {

class Transaction final : public engine::VaultTransaction {
  public:
    explicit Transaction(SealedVault::Impl& vault) : vault_(vault), lock_(vault.home_) {
        vault_.run("BEGIN IMMEDIATE");
        try {
            head_ = vault_.read_head();
        } catch (...) {
            sqlite3_exec(vault_.database_, "ROLLBACK", nullptr, nullptr, nullptr);
            throw;
        }
    }
    ~Transaction() override {
        if (!ended_) sqlite3_exec(vault_.database_, "ROLLBACK", nullptr, nullptr, nullptr);
    }

    std::optional<Bytes> get(engine::Table table, ByteView key) override {
        auto const number = static_cast<std::uint8_t>(table);
        auto const slot = vault_.sealer_->slot(number, key);
        Statement row(vault_.database_, "SELECT version, sealed FROM record WHERE tbl = ? AND slot = ?");
        if (!row.bind(1, number).bind(2, slot.span()).step()) return std::nullopt;
        return open(number, slot, static_cast<std::uint64_t>(row.integer(0)), row.blob(1)).value;
    }

    void put(engine::Table table, ByteView key, ByteView value) override {
        auto const number = static_cast<std::uint8_t>(table);
        auto const slot = vault_.sealer_->slot(number, key);
        auto const group = vault_.sealer_->group(number, key);
        take_old(number, slot, group);
        change();
        auto const sealed = vault_.sealer_->seal(number, slot, head_.counter, key, value, vault_.entropy_);
        head_.sum.add(number, slot, group, head_.counter, sealed);
        Statement write(vault_.database_, "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)");
        write.bind(1, number)
            .bind(2, slot.span())
            .bind(3, group.span())
            .bind(4, static_cast<std::int64_t>(head_.counter))
            .bind(5, sealed)
            .step();
    }

    void erase(engine::Table table, ByteView key) override {
        auto const number = static_cast<std::uint8_t>(table);
        auto const slot = vault_.sealer_->slot(number, key);
        if (!take_old(number, slot, vault_.sealer_->group(number, key))) return;
        change();
        Statement write(vault_.database_, "DELETE FROM record WHERE tbl = ? AND slot = ?");
        write.bind(1, number).bind(2, slot.span()).step();
    }

    std::vector<engine::Row> scan(engine::Table table, ByteView prefix) override {
        INTERLUDE_CHECK(prefix.empty() || prefix.size() >= group_prefix_bytes);
        auto const number = static_cast<std::uint8_t>(table);
        Statement rows(vault_.database_, prefix.empty()
                                             ? "SELECT slot, version, sealed FROM record WHERE tbl = ?"
                                             : "SELECT slot, version, sealed FROM record WHERE tbl = ? AND grp = ?");
        rows.bind(1, number);
        if (!prefix.empty()) rows.bind(2, vault_.sealer_->group(number, prefix).span());
        std::vector<engine::Row> found;
        while (rows.step()) {
            auto const slot = Slot::from(rows.blob(0));
            if (!slot) throw VaultError(Kind::damaged, "the vault is damaged: a record has no place");
            auto record = open(number, *slot, static_cast<std::uint64_t>(rows.integer(1)), rows.blob(2));
            if (record.key.size() >= prefix.size() && bytes::equal(ByteView(record.key).first(prefix.size()), prefix))
                found.push_back({std::move(record.key), std::move(record.value)});
        }
        std::sort(found.begin(), found.end(), [](engine::Row const& a, engine::Row const& b) { return a.key < b.key; });
        return found;
    }

    void commit() override {
        if (changed_) vault_.write_head(head_);
        vault_.run("COMMIT");
        ended_ = true;
    }

  private:
    OpenedRecord open(std::uint8_t table, Slot const& slot, std::uint64_t version, ByteView sealed) {
        auto record = vault_.sealer_->open(table, slot, version, sealed);
        if (!record) throw VaultError(Kind::damaged, "the vault is damaged: a record does not open");
        return std::move(*record);
    }

    /// The row that is there leaves the sum.
    bool take_old(std::uint8_t table, Slot const& slot, Slot const& group) {
        Statement old(vault_.database_, "SELECT version, sealed FROM record WHERE tbl = ? AND slot = ?");
        if (!old.bind(1, table).bind(2, slot.span()).step()) return false;
        head_.sum.take(table, slot, group, static_cast<std::uint64_t>(old.integer(0)), old.blob(1));
        return true;
    }

    /// One number for all rows of a transaction: versions only grow.
    void change() {
        if (!changed_) ++head_.counter;
        changed_ = true;
    }

    SealedVault::Impl& vault_;
    HomeLock lock_;
    Head head_;
    bool changed_ = false;
    bool ended_ = false;
};

}  // namespace

SealedVault::SealedVault(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SealedVault::~SealedVault() = default;

bool SealedVault::exists(std::filesystem::path const& home) {
    return Impl::exists(home);
}

namespace {

void require_vault(std::filesystem::path const& home) {
    if (!SealedVault::exists(home))
        throw VaultError(Kind::missing, "there is no Interlude home in " + home.string() +
                                            " yet. Begin with an invitation: interlude join LINK");
}

}  // namespace

VaultSecret::Kind SealedVault::wants(std::filesystem::path const& home) {
    require_vault(home);
    crypto::SystemEntropy entropy;
    return Impl(home, entropy).kind();
}

std::unique_ptr<SealedVault> SealedVault::create(std::filesystem::path const& home, VaultSecret const& secret,
                                                 crypto::Entropy& entropy) {
    std::error_code error;
    std::filesystem::create_directories(home, error);
    if (error) throw VaultError(Kind::disk, "cannot make " + home.string() + ": " + error.message());
    std::filesystem::permissions(home, std::filesystem::perms::owner_all, error);
    Impl::create(home, secret, entropy);
    return open(home, secret, entropy);
}

std::unique_ptr<SealedVault> SealedVault::open(std::filesystem::path const& home, VaultSecret const& secret,
                                               crypto::Entropy& entropy) {
    require_vault(home);
    auto impl = std::make_unique<Impl>(home, entropy);
    impl->unlock(secret);
    return std::unique_ptr<SealedVault>(new SealedVault(std::move(impl)));
}

std::unique_ptr<engine::VaultTransaction> SealedVault::begin() {
    return std::make_unique<Transaction>(*impl_);
}

VaultSecret make_key_file(std::filesystem::path const& home, crypto::Entropy& entropy) {
    std::error_code ignored;
    std::filesystem::create_directories(home, ignored);
    std::filesystem::permissions(home, std::filesystem::perms::owner_all, ignored);
    auto key = entropy.secret(key_file_bytes);
    auto text = bytes::to_hex(key.expose()) + "\n";
    auto const file = home / "key";
    int const fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool const written =
        fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
    auto const reason = std::string(std::strerror(errno));
    if (fd >= 0) close(fd);
    explicit_bzero(text.data(), text.size());
    if (!written) throw VaultError(Kind::disk, "cannot write " + file.string() + ": " + reason);
    return {VaultSecret::Kind::key_file, std::move(key)};
}

VaultSecret read_key_file(std::filesystem::path const& home) {
    auto const file = home / "key";
    struct stat status {};
    if (stat(file.c_str(), &status) != 0)
        throw VaultError(Kind::wrong_key,
                         "this home opens with the key file " + file.string() + ", which is not there");
    if ((status.st_mode & 077) != 0)
        throw VaultError(Kind::wrong_key, file.string() + " can be read by others. Run: chmod 600 " + file.string());
    std::ifstream in(file);
    std::string text;
    in >> text;
    auto key = bytes::from_hex(text);
    explicit_bzero(text.data(), text.size());
    if (!key || key->size() != key_file_bytes)
        throw VaultError(Kind::wrong_key, file.string() + " does not hold a key");
    return {VaultSecret::Kind::key_file, bytes::SecretBytes(std::move(*key))};
}

}  // namespace interlude::vault
