// An SQLite VFS over memory that behaves like a disk with a volatile cache: what was not synced is kept apart, and at a
// chosen step is lost or torn; a write or a sync can fail, the disk can be full. It records every step.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace interlude::test {

class FaultVfs {
  public:
    using Bytes = std::vector<std::uint8_t>;

    enum class Op : std::uint8_t { write, truncate, sync, remove };
    /// What changes a file; `answered` is a mark of the test's own.
    struct Step {
        std::optional<Op> op;  // nullopt: a mark
        bool wal = false;
        std::uint64_t mark = 0;
    };
    enum class Fault : std::uint8_t {
        power_off,    // this step and all after it fail; restart() decides what survived
        write_fails,  // SQLITE_IOERR_WRITE, once
        sync_fails,   // SQLITE_IOERR_FSYNC, once
        disk_full,    // SQLITE_FULL for every write from here on, until room_again()
    };
    enum class Loss : std::uint8_t {
        all,   // everything unsynced
        none,  // the cache happened to be written
        some,  // any subset, in 512-byte sectors
    };
    struct File {
        Bytes current;  // as a reader sees it
        Bytes durable;  // as of its last sync
        struct Write {
            std::uint64_t offset = 0;
            Bytes bytes;
        };
        struct Truncate {
            std::uint64_t size = 0;
        };
        std::vector<std::variant<Write, Truncate>> unsynced;
    };
    using Disk = std::map<std::string, File>;

    explicit FaultVfs(std::string name);
    ~FaultVfs();
    FaultVfs(FaultVfs const&) = delete;
    FaultVfs& operator=(FaultVfs const&) = delete;
    std::string const& name() const { return name_; }

    /// Counts steps from here on, those that the fault can befall; it happens at step `at` (from 0), or never.
    void begin(std::optional<std::uint64_t> at = std::nullopt, Fault fault = Fault::power_off);
    bool fault_happened() const;
    /// Power is back: of what was unsynced some may have survived.
    void restart(Loss loss, std::uint64_t seed = 0);
    void room_again();
    /// Every sync takes this long, as on a disk.
    void set_sync_time(std::chrono::microseconds time) { sync_time_ = time; }
    /// Puts a mark between the steps.
    void mark(std::uint64_t number);

    std::vector<Step> steps() const;
    std::uint64_t count(Op op) const;
    /// Everything that is on it, synced or not.
    Disk disk() const;
    void set_disk(Disk disk);

    // For the methods of its files.
    int read(std::string const& path, void* to, int amount, std::int64_t offset);
    int write(std::string const& path, void const* from, int amount, std::int64_t offset);
    int truncate(std::string const& path, std::int64_t size);
    int sync(std::string const& path);
    int remove(std::string const& path);
    std::int64_t size(std::string const& path) const;
    bool exists(std::string const& path) const;
    bool open(std::string const& path, bool create);

  private:
    /// SQLITE_OK, or how this step fails. Called with the lock held.
    int step(Op op, std::string const& path);

    std::string name_;
    std::unique_ptr<sqlite3_vfs> vfs_;
    mutable std::mutex mutex_;
    Disk disk_;
    std::vector<Step> steps_;
    std::uint64_t step_ = 0;
    std::optional<std::uint64_t> fault_at_;
    Fault fault_ = Fault::power_off;
    bool happened_ = false;
    bool off_ = false;
    bool full_ = false;
    std::atomic<std::chrono::microseconds> sync_time_{};
};

}  // namespace interlude::test
