// The embedded store: one SQLite file, one connection on one thread that writes, reads and checkpoints, group commit.
// Every change is durable (WAL, synchronous=FULL) before its awaitable completes.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "common/crypto/entropy.hpp"
#include "server/ports/store.hpp"

namespace interlude::store_sqlite {

struct Options {
    std::filesystem::path file;
    core::Policy policy;

    // For tests.
    std::string vfs;  // name of a registered SQLite VFS; empty: the system's
    /// Called when the disk failed and nothing may be answered any more. Default: one line on stderr and _exit(74).
    std::function<void(std::string const& what)> disk_failed;
};

/// The store cannot be opened; what() says why and what to do.
struct OpenError : std::runtime_error {
    explicit OpenError(std::string const& what) : std::runtime_error(what) {}
    bool locked = false;  // another server has it
    bool disk = false;    // the disk fails or is full
};

/// Creates the file, or brings its schema up to date. Results complete on the callers' executors; `executor` serves
/// callers that have none. `entropy` is only used while opening.
std::unique_ptr<ports::Store> open(boost::asio::any_io_executor executor, Options options, ports::Hooks hooks,
                                   crypto::Entropy& entropy);

/// Opens and validates without serving; a missing file is not made. One line for people.
std::string check(std::filesystem::path const& file);

/// Takes over what another program wrote, a copy by SQLite's own tools, say: rows and structure are looked through, and
/// it is written anew with checksums. Whether a disk changed it before, nobody can tell any more. One line for people.
std::string seal(std::filesystem::path const& file);

}  // namespace interlude::store_sqlite
