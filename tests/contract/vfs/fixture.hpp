// One SQLite store on a fault VFS, opened and closed at will, with a clock that stands still until it is set.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "server/store/sqlite/checked_vfs.hpp"
#include "server/store/sqlite/sqlite_store.hpp"
#include "tests/contract/vfs/fault_vfs.hpp"
#include "tests/contract/vfs/pair.hpp"
#include "tests/support/scratch_folder.hpp"

namespace interlude::test {

class StoreOnVfs {
  public:
    explicit StoreOnVfs(std::string vfs_name) : vfs(std::move(vfs_name)), file(folder / "store.db") {}

    /// Throws store_sqlite::OpenError.
    void open(bool end_process_on_disk_failure = false) {
        store_sqlite::Options options;
        options.file = file;
        options.vfs = vfs.name();
        if (!end_process_on_disk_failure) options.disk_failed = [this](std::string const&) { ++disk_failures; };
        ports::Hooks hooks;
        hooks.now = [this] { return core::TimeReading{now.load(), believed.load()}; };
        hooks.changed = [this](core::Changed const&) { ++announced; };
        store = store_sqlite::open(io.get_executor(), std::move(options), std::move(hooks), entropy);
    }
    void close() { store.reset(); }
    template <class T>
    T run(boost::asio::awaitable<T> verb) {
        return wait(io, std::move(verb));
    }

    FaultVfs vfs;
    store_sqlite::CheckedVfs checked{vfs.name()};  // for the tests' own connections
    ScratchFolder folder;
    std::filesystem::path file;
    boost::asio::io_context io;
    crypto::SeededEntropy entropy{11};
    std::atomic<WallTime> now{noon};
    std::atomic<bool> believed{true};
    std::atomic<int> disk_failures{0};
    std::atomic<int> announced{0};
    std::unique_ptr<ports::Store> store;  // ends before what it uses
};

inline core::Acceptance const& accepted(ports::AcceptOutcome const& outcome) {
    EXPECT_TRUE(std::holds_alternative<core::Acceptance>(outcome.verdict));
    return std::get<core::Acceptance>(outcome.verdict);
}

}  // namespace interlude::test
