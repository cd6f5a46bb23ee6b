// The file of the store: one server at a time, private, with checksums in all its pages; and why one cannot be opened,
// in words that say what to do. What fails is an OpenError.
#pragma once

#include <filesystem>

#include "server/store/sqlite/checked_vfs.hpp"
#include "server/store/sqlite/database.hpp"

namespace interlude::store_sqlite {

/// The lock that a server holds for its whole life: on FILE.lock, given back by the kernel however it ends.
class FileLock {
  public:
    explicit FileLock(std::filesystem::path const& file);
    ~FileLock();
    FileLock(FileLock const&) = delete;
    FileLock& operator=(FileLock const&) = delete;

  private:
    int handle_ = -1;
};

/// It may be a file, in a folder that is there, and has not lost what belongs to a log that is there.
void check_path(std::filesystem::path const& file);

/// Nobody else reads it: made before SQLite would, with our mode; WAL files get the same one.
void make_private_file(std::filesystem::path const& file);

/// It is empty or a store of ours, and not of a newer version.
void require_ours(Database& database, std::filesystem::path const& file);

/// The one connection, with all its settings. Ours, and not of a newer version; perhaps empty, or of before pages had
/// checksums.
Database connect_to(std::filesystem::path const& file, CheckedVfs const& vfs);

/// The same, once what a crash left in the log is in the file itself. One of before pages had checksums is written anew
/// first, which takes as much room on the disk again.
Database recover_and_open(std::filesystem::path const& file, CheckedVfs const& vfs);

/// Writes it anew with checksums in all its pages, beside it and then in its place. Nobody may have it open.
void write_anew(std::filesystem::path const& file);

/// All pages of a store of this schema have checksums.
void require_checksums(Database& database, std::filesystem::path const& file);

[[noreturn]] void throw_damaged_file(std::filesystem::path const& file, std::string const& what);
/// As an OpenError.
[[noreturn]] void throw_explained(std::filesystem::path const& file, DatabaseError const& error);

}  // namespace interlude::store_sqlite
