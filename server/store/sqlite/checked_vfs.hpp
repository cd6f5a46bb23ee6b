// SQLite's files with every page checked as it is read: a disk that changed a bit is noticed, never served. Pages carry
// page_checksum, in the write-ahead log too, so that whoever copies them into the store copies it; there SQLite has
// sums of its own, which it looks at only when it recovers and which are compared at each read here.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

namespace interlude::store_sqlite {

/// A registered SQLite VFS over another one. Version 1: no shared memory, so its WAL needs locking_mode=EXCLUSIVE; a
/// frame is written once, so a connection that writes much in one transaction needs cache_spill=OFF.
/// A page that is not what was written fails with SQLITE_IOERR_DATA, and so does opening a damaged WAL.
class CheckedVfs {
  public:
    /// `base`: name of a registered VFS; empty: the system's. It must outlive this, and this every connection.
    explicit CheckedVfs(std::string const& base);
    ~CheckedVfs();
    CheckedVfs(CheckedVfs const&) = delete;
    CheckedVfs& operator=(CheckedVfs const&) = delete;

    std::string const& name() const { return name_; }

  private:
    std::string name_;
    std::unique_ptr<sqlite3_vfs> vfs_;
};

/// What the pages of this connection's main file have: checksums, or not yet (a new file, or one of before they were).
/// False too where there is no CheckedVfs.
bool pages_are_checked(sqlite3* handle);

}  // namespace interlude::store_sqlite
