#include "server/store/sqlite/store_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "server/store/sqlite/page_checksum.hpp"
#include "server/store/sqlite/schema.hpp"
#include "server/store/sqlite/sqlite_store.hpp"

namespace interlude::store_sqlite {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(std::string const& what, bool locked = false, bool disk = false) {
    OpenError error(what);
    error.locked = locked;
    error.disk = disk;
    throw error;
}

[[noreturn]] void fail_to_write(fs::path const& path) {
    fail("cannot write " + path.string() + " (" + std::strerror(errno) + ")", false, true);
}

class OwnFile {
  public:
    OwnFile(fs::path const& path, int flags) : path_(path), handle_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
        if (handle_ < 0) fail_to_write(path_);
    }
    ~OwnFile() { ::close(handle_); }
    OwnFile(OwnFile const&) = delete;
    OwnFile& operator=(OwnFile const&) = delete;

    /// False: the file ends here.
    bool read(std::span<std::uint8_t> to, std::uint64_t offset) const {
        auto const got = ::pread(handle_, to.data(), to.size(), static_cast<off_t>(offset));
        if (got < 0) fail_to_write(path_);
        return static_cast<std::size_t>(got) == to.size();
    }
    void write(std::span<std::uint8_t const> from, std::uint64_t offset) const {
        auto const put = ::pwrite(handle_, from.data(), from.size(), static_cast<off_t>(offset));
        if (put < 0 || static_cast<std::size_t>(put) != from.size()) fail_to_write(path_);
    }
    void sync() const {
        if (::fsync(handle_) != 0) fail_to_write(path_);
    }
    /// Whoever may read the other file may read this one.
    void belongs_like(fs::path const& other) const {
        struct stat facts {};
        bool const known = ::stat(other.c_str(), &facts) == 0;
        if (!known || ::fchown(handle_, facts.st_uid, facts.st_gid) != 0 ||
            ::fchmod(handle_, facts.st_mode & 07777) != 0)
            fail_to_write(path_);
    }

  private:
    fs::path path_;
    int handle_;
};

/// What a link leads to, though it may be gone: SQLite keeps the log there, too.
fs::path target_of(fs::path file) {
    std::error_code ignored;
    for (int links = 0; links < 40 && fs::is_symlink(file, ignored); ++links)
        file = file.parent_path() / fs::read_symlink(file, ignored);
    return file;
}

/// What must be said on every connection; auto_vacuum before the first table. A page that left the cache before its
/// transaction ended would be written twice into one frame of the log, or, once a verb is rolled back, leave a frame
/// there at which SQLite ends the log when it recovers: what was synced behind it would be gone.
constexpr char const* settings = R"sql(
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA secure_delete = ON;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 16777216;
PRAGMA cache_size = -16384;
PRAGMA cache_spill = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
PRAGMA trusted_schema = OFF;
PRAGMA foreign_keys = OFF;
)sql";

// ---- A store of before pages had checksums --------------------------------------------------------------------------

/// Gone again, unless it became the store.
struct Unfinished {
    fs::path path;
    ~Unfinished() {
        std::error_code ignored;
        fs::remove(path, ignored);
    }
};

void seal_all_pages(fs::path const& path) {
    OwnFile const file(path, O_RDWR);
    std::array<std::uint8_t, page_bytes> page;
    for (std::uint64_t number = 1; file.read(page, (number - 1) * page_bytes); ++number) {
        seal_page(page, number);
        file.write(page, (number - 1) * page_bytes);
    }
    file.sync();
}

void reserve_room_for_checksums(Database& database) {
    int reserved = reserved_bytes;  // of a file that is new, or made anew as a whole
    sqlite3_file_control(database.raw(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
}

/// What a crash left in the log is in the file itself from here on, and cut pages are zeros there, which nothing passes
/// for. Without room for that the log stays, and is as good.
void empty_log(Database& database) {
    try {
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (DatabaseError const& error) {
        if ((error.code & 0xff) != SQLITE_FULL) throw;
    }
}

bool is_of_before_checksums(Database& database) {
    auto const schema = schema_of(database);
    return schema > 0 && schema < schema_with_checksums && !pages_are_checked(database.raw());
}

}  // namespace

// ---- One server per store ------------------------------------------------------------------------------------------

FileLock::FileLock(fs::path const& file) {
    auto const path = target_of(file).string() + ".lock";
    handle_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (handle_ < 0)
        fail("cannot write " + path + " (" + std::strerror(errno) +
             "): give the server's user write access to this folder");
    if (::flock(handle_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(handle_);
    fail("another server uses the store " + file.string() + ": stop it first, or name another file", true);
}

FileLock::~FileLock() {
    ::close(handle_);
}

// ---- Opening -------------------------------------------------------------------------------------------------------

void check_path(fs::path const& file) {
    std::error_code ignored;
    if (fs::is_directory(file, ignored)) fail(file.string() + " is a folder: name a file for the store");
    auto const folder = fs::absolute(file).parent_path();
    if (!fs::is_directory(folder, ignored))
        fail("the folder " + folder.string() + " does not exist: create it, writable for the server's user");
    // The first page is synced before there is a log, and SQLite would throw the log away.
    auto const size = [&](fs::path const& path) {
        return fs::exists(path, ignored) ? fs::file_size(path, ignored) : 0;
    };
    auto const target = target_of(file);
    if (size(target) == 0 && size(target.string() + "-wal") > 0) throw_damaged_file(file, "only its log is left");
}

void make_private_file(fs::path const& file) {
    OwnFile(file, O_RDWR | O_CREAT);
}

void require_ours(Database& database, fs::path const& file) {
    auto const schema = schema_of(database);
    bool const empty = !database.exists("SELECT 1 FROM sqlite_schema LIMIT 1");
    auto const owner = database.value<std::int32_t>("PRAGMA application_id").value_or(0);
    if (!empty && owner != application_id)
        fail(file.string() + " is a database of another program: name another file for the store");
    if (schema > schema_newest)
        fail(file.string() + " was written by a newer version (its schema is " + std::to_string(schema) +
             ", this one knows up to " + std::to_string(schema_newest) +
             "): start that version, or restore the backup from before the upgrade");
}

Database connect_to(fs::path const& file, CheckedVfs const& vfs) {
    Database database(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name());
    database.execute("PRAGMA locking_mode = EXCLUSIVE");  // before anything is read: no shared memory is made then
    reserve_room_for_checksums(database);
    require_ours(database, file);
    database.execute(settings);
    if (database.value<std::string>("PRAGMA journal_mode") != "wal")
        fail("the store " + file.string() + " is on a file system where SQLite cannot keep a write-ahead log");
    return database;
}

Database recover_and_open(fs::path const& file, CheckedVfs const& vfs) {
    bool of_before = false;
    {
        auto database = connect_to(file, vfs);
        empty_log(database);
        of_before = is_of_before_checksums(database);
    }
    if (of_before) write_anew(file);
    return connect_to(file, vfs);
}

void write_anew(fs::path const& named) {
    auto const file = fs::canonical(named);  // not in the place of a link to it
    fs::path const anew = file.string() + ".anew";
    Unfinished const unfinished{anew};
    OwnFile(anew, O_RDWR | O_CREAT | O_TRUNC).belongs_like(file);  // SQLite would make it for everybody to read
    {
        Database old(file.string(), SQLITE_OPEN_READWRITE, {});
        old.execute("PRAGMA locking_mode = EXCLUSIVE");
        reserve_room_for_checksums(old);
        old.run("VACUUM INTO ?", anew.string());
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)");  // it leaves no log that would be taken for the new one's
    }
    seal_all_pages(anew);
    if (::rename(anew.c_str(), file.c_str()) != 0) fail_to_write(file);
    OwnFile(file.parent_path(), O_RDONLY | O_DIRECTORY).sync();
}

void require_checksums(Database& database, fs::path const& file) {
    if (!pages_are_checked(database.raw())) throw_damaged_file(file, "its header");
}

void throw_damaged_file(fs::path const& file, std::string const& what) {
    fail("the store " + file.string() + " is damaged (" + what +
         "): restore it from a backup. If a program other than the server wrote it, a copy by SQLite's own tools, say: "
         "interluded --config FILE --seal-store");
}

void throw_explained(fs::path const& file, DatabaseError const& error) {
    auto const where = "the store " + file.string();
    switch (error.code & 0xff) {
        case SQLITE_NOTADB:
            fail(file.string() + " is not an SQLite database: name another file for the store");
        case SQLITE_CORRUPT:
            throw_damaged_file(file, error.what());
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            fail(where + " is open in another program: close it there", true);
        case SQLITE_FULL:
            fail("no room on the disk for " + where + ": free some and start again", false, true);
        case SQLITE_IOERR:
            if (error.page_damaged()) throw_damaged_file(file, "a page is not what was written");
            fail("the disk fails under " + where + " (" + error.what() + "): look at the system's log", false, true);
        default:
            fail("cannot open " + where + " (" + error.what() + "): is it writable for the server's user?");
    }
}

}  // namespace interlude::store_sqlite
