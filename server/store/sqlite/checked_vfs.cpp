#include "server/store/sqlite/checked_vfs.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

#include "server/store/sqlite/page_checksum.hpp"
#include "server/store/sqlite/wal_check.hpp"

namespace interlude::store_sqlite {
namespace {

constexpr int ask_whether_checked = 0x496e7401;  // a file control of our own
constexpr std::size_t reserved_at = 20;          // in the file's header: bytes that SQLite leaves free in each page
constexpr std::size_t smallest_page = 512;
constexpr auto frame_bytes = static_cast<sqlite3_int64>(wal_frame_header_bytes + page_bytes);

/// SQLite gives the memory, for this and the file below, which follows it.
struct CheckedFile {
    sqlite3_file base;
    bool is_main, is_wal;
    bool checked;  // the main file: its pages have checksums
    // The WAL: SQLite writes a page anew into a frame of a transaction that is not committed yet, and mends the
    // checksums before it commits. Frames from here on are not to be judged until the next sync.
    sqlite3_int64 mending_from;
    sqlite3_int64 header_written;  // offset of the frame whose header was written last
};
constexpr sqlite3_int64 nothing = INT64_MAX;

CheckedFile& as_checked(sqlite3_file* file) {
    return *reinterpret_cast<CheckedFile*>(file);
}
sqlite3_file* below(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<CheckedFile*>(file) + 1);
}

bool says_reserved(std::uint8_t const* first_page) {
    return first_page[reserved_at] == reserved_bytes;
}

/// A whole page at its place; 0: none (a part of a header).
std::uint64_t page_number(int amount, sqlite3_int64 offset) {
    constexpr auto size = static_cast<sqlite3_int64>(page_bytes);
    return amount == size && offset % size == 0 ? static_cast<std::uint64_t>(offset / size) + 1 : 0;
}

/// The frame whose page lies at this offset of the WAL.
sqlite3_int64 frame_of_page(sqlite3_int64 offset) {
    return offset - static_cast<sqlite3_int64>(wal_frame_header_bytes);
}
bool is_page_of_wal(int amount, sqlite3_int64 offset) {
    auto const in_frames = frame_of_page(offset) - static_cast<sqlite3_int64>(wal_header_bytes);
    return amount == static_cast<int>(page_bytes) && in_frames >= 0 && in_frames % frame_bytes == 0;
}

bool read_below(sqlite3_file* file, std::span<std::uint8_t> to, sqlite3_int64 offset) {
    auto* const base = below(file);
    return base->pMethods->xRead(base, to.data(), static_cast<int>(to.size()), offset) == SQLITE_OK;
}

/// The page that was just read is the one its frame was written with.
bool wal_page_is_whole(sqlite3_file* file, bytes::ByteView page, sqlite3_int64 offset) {
    auto const at = frame_of_page(offset);
    bool const first = at == static_cast<sqlite3_int64>(wal_header_bytes);
    std::array<std::uint8_t, wal_header_bytes> wal_header{};
    std::array<std::uint8_t, wal_frame_header_bytes> before{}, header{};
    if (!read_below(file, wal_header, 0) || !read_below(file, header, at)) return false;
    if (!first && !read_below(file, before, at - frame_bytes)) return false;
    bool const big_endian = (wal_header[3] & 1) != 0;
    auto sum = stored_checksum(first ? bytes::ByteView(wal_header) : bytes::ByteView(before));
    sum = wal_checksum(sum, bytes::ByteView(header).first(8), big_endian);
    return wal_checksum(sum, page, big_endian) == stored_checksum(header);
}

int read_file(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
    auto* const base = below(file);
    auto const code = base->pMethods->xRead(base, to, amount, offset);
    auto const& checked = as_checked(file);
    if (code != SQLITE_OK) return code;
    bytes::ByteView const page{static_cast<std::uint8_t const*>(to), static_cast<std::size_t>(amount)};
    if (checked.is_main && checked.checked && page.size() >= smallest_page) {
        auto const number = page_number(amount, offset);
        return number > 0 && page_is_whole(page, number) ? SQLITE_OK : SQLITE_IOERR_DATA;
    }
    if (checked.is_wal && is_page_of_wal(amount, offset) && frame_of_page(offset) < checked.mending_from)
        return wal_page_is_whole(file, page, offset) ? SQLITE_OK : SQLITE_IOERR_DATA;
    return SQLITE_OK;
}

void note_wal_write(CheckedFile& file, int amount, sqlite3_int64 offset) {
    if (amount == static_cast<int>(wal_frame_header_bytes))
        file.header_written = offset;
    else if (is_page_of_wal(amount, offset) && frame_of_page(offset) != file.header_written)
        file.mending_from = std::min(file.mending_from, frame_of_page(offset));
}

int write_file(sqlite3_file* file, void const* from, int amount, sqlite3_int64 offset) {
    auto* const base = below(file);
    auto& checked = as_checked(file);
    if (checked.is_wal) note_wal_write(checked, amount, offset);
    auto const number = checked.is_main ? page_number(amount, offset) : 0;
    if (number == 0) return base->pMethods->xWrite(base, from, amount, offset);
    std::array<std::uint8_t, page_bytes> page;
    std::copy_n(static_cast<std::uint8_t const*>(from), page.size(), page.begin());
    if (number == 1) checked.checked = says_reserved(page.data());
    if (checked.checked) seal_page(page, number);
    return base->pMethods->xWrite(base, page.data(), amount, offset);
}

int sync_file(sqlite3_file* file, int flags) {
    as_checked(file).mending_from = nothing;
    return below(file)->pMethods->xSync(below(file), flags);
}

int control_file(sqlite3_file* file, int operation, void* argument) {
    if (operation != ask_whether_checked) return below(file)->pMethods->xFileControl(below(file), operation, argument);
    *static_cast<bool*>(argument) = as_checked(file).checked;
    return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
    return below(file)->pMethods->xClose(below(file));
}

sqlite3_io_methods const methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;
    m.xClose = close_file;
    m.xRead = read_file;
    m.xWrite = write_file;
    m.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
        return below(file)->pMethods->xTruncate(below(file), size);
    };
    m.xSync = sync_file;
    m.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
        return below(file)->pMethods->xFileSize(below(file), size);
    };
    m.xLock = [](sqlite3_file* file, int lock) { return below(file)->pMethods->xLock(below(file), lock); };
    m.xUnlock = [](sqlite3_file* file, int lock) { return below(file)->pMethods->xUnlock(below(file), lock); };
    m.xCheckReservedLock = [](sqlite3_file* file, int* held) {
        return below(file)->pMethods->xCheckReservedLock(below(file), held);
    };
    m.xFileControl = control_file;
    m.xSectorSize = [](sqlite3_file* file) { return below(file)->pMethods->xSectorSize(below(file)); };
    m.xDeviceCharacteristics = [](sqlite3_file* file) {
        return below(file)->pMethods->xDeviceCharacteristics(below(file));
    };
    return m;
}();

sqlite3_vfs* base_of(sqlite3_vfs* vfs) {
    return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

bool damaged_wal(sqlite3_file* file) {
    sqlite3_int64 size = 0;
    if (below(file)->pMethods->xFileSize(below(file), &size) != SQLITE_OK) return false;
    ReadAt const read = [file](std::uint64_t offset, std::span<std::uint8_t> to) {
        return read_below(file, to, static_cast<sqlite3_int64>(offset));
    };
    return wal_is_damaged(read, static_cast<std::uint64_t>(size));
}

int open_file(sqlite3_vfs* vfs, char const* path, sqlite3_file* file, int flags, int* flags_out) {
    auto& checked = as_checked(file);
    checked = {{nullptr}, (flags & SQLITE_OPEN_MAIN_DB) != 0, (flags & SQLITE_OPEN_WAL) != 0, false, nothing, nothing};
    below(file)->pMethods = nullptr;
    auto const code = base_of(vfs)->xOpen(base_of(vfs), path, below(file), flags, flags_out);
    if (!below(file)->pMethods) return code;
    checked.base.pMethods = &methods;  // from here on SQLite closes it, whatever is returned
    if (code != SQLITE_OK) return code;
    if (checked.is_wal && damaged_wal(file)) return SQLITE_IOERR_DATA;
    std::array<std::uint8_t, reserved_at + 1> header{};
    if (checked.is_main && read_below(file, header, 0)) checked.checked = says_reserved(header.data());
    return SQLITE_OK;
}

}  // namespace

CheckedVfs::CheckedVfs(std::string const& base) {
    static std::atomic<int> made = 0;
    auto* const under = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
    if (!under) throw std::runtime_error("there is no SQLite VFS called " + base);
    name_ = "interlude-checked-" + std::to_string(++made);
    vfs_ = std::make_unique<sqlite3_vfs>(*under);  // all but opening files is the base's
    vfs_->iVersion = 1;
    vfs_->szOsFile = static_cast<int>(sizeof(CheckedFile)) + under->szOsFile;
    vfs_->pNext = nullptr;
    vfs_->zName = name_.c_str();
    vfs_->pAppData = under;
    vfs_->xOpen = open_file;
    vfs_->xDelete = [](sqlite3_vfs* vfs, char const* path, int sync) {
        return base_of(vfs)->xDelete(base_of(vfs), path, sync);
    };
    vfs_->xAccess = [](sqlite3_vfs* vfs, char const* path, int flags, int* out) {
        return base_of(vfs)->xAccess(base_of(vfs), path, flags, out);
    };
    vfs_->xFullPathname = [](sqlite3_vfs* vfs, char const* path, int size, char* out) {
        return base_of(vfs)->xFullPathname(base_of(vfs), path, size, out);
    };
    vfs_->xRandomness = [](sqlite3_vfs* vfs, int size, char* out) {
        return base_of(vfs)->xRandomness(base_of(vfs), size, out);
    };
    vfs_->xSleep = [](sqlite3_vfs* vfs, int microseconds) { return base_of(vfs)->xSleep(base_of(vfs), microseconds); };
    vfs_->xCurrentTime = [](sqlite3_vfs* vfs, double* now) { return base_of(vfs)->xCurrentTime(base_of(vfs), now); };
    vfs_->xGetLastError = [](sqlite3_vfs* vfs, int size, char* out) {
        return base_of(vfs)->xGetLastError(base_of(vfs), size, out);
    };
    if (sqlite3_vfs_register(vfs_.get(), 0) != SQLITE_OK) throw std::runtime_error("SQLite takes no further VFS");
}

CheckedVfs::~CheckedVfs() {
    sqlite3_vfs_unregister(vfs_.get());
}

bool pages_are_checked(sqlite3* handle) {
    bool checked = false;
    return sqlite3_file_control(handle, "main", ask_whether_checked, &checked) == SQLITE_OK && checked;
}

}  // namespace interlude::store_sqlite
