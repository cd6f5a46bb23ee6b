#include "server/store/sqlite/checked_vfs.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <utility>

#include "server/store/sqlite/page_checksum.hpp"
#include "server/store/sqlite/wal_check.hpp"

namespace interlude::store_sqlite {
namespace {

constexpr int ask_whether_checked = 0x496e7401;  // a file control of our own
constexpr std::size_t reserved_at = 20;          // in the file's header: bytes that SQLite leaves free in each page
constexpr std::size_t smallest_page = 512;
constexpr sqlite3_int64 frame_bytes = wal_frame_header_bytes + page_bytes;

/// What a file of SQLite's is to us.
enum class Kind : std::uint8_t { main, wal, other };

/// A WAL, as it is written. SQLite hands over a frame's header and then its page; with the page's checksum in its last
/// bytes the sum in the header is another one, and so are those of all frames behind it. SQLite reads sums only when it
/// recovers a log, and then goes on from what is there.
struct Wal {
    std::array<std::uint8_t, wal_header_bytes> file_header;  // as it was read or written last
    WalChecksum sum;                                         // up to `sum_ends`
    sqlite3_int64 sum_ends;                                  // an offset; nothing: not known
    sqlite3_int64 header_at;                                 // of the frame that begins: its header waits for its page
    std::array<std::uint8_t, wal_frame_header_bytes> header;

    bool big_endian() const { return (file_header[3] & 1) != 0; }
    bytes::ByteView salts() const { return bytes::ByteView(file_header).subspan(16, 8); }
};

/// SQLite gives the memory, for this and the file below, which follows it.
struct CheckedFile {
    sqlite3_file base;
    Kind kind;
    bool sealed;  // its pages have checksums; of a WAL: those that are written from here on
    Wal wal;
};
constexpr sqlite3_int64 nothing = -1;

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

/// Frames of a WAL, by the offset of their page.
sqlite3_int64 frame_of_page(sqlite3_int64 offset) {
    return offset - static_cast<sqlite3_int64>(wal_frame_header_bytes);
}
bool is_frame(sqlite3_int64 offset) {
    auto const in_frames = offset - static_cast<sqlite3_int64>(wal_header_bytes);
    return in_frames >= 0 && in_frames % frame_bytes == 0;
}
bool is_page_of_wal(int amount, sqlite3_int64 offset) {
    return amount == static_cast<int>(page_bytes) && is_frame(frame_of_page(offset));
}

bool read_below(sqlite3_file* file, std::span<std::uint8_t> to, sqlite3_int64 offset) {
    auto* const base = below(file);
    return base->pMethods->xRead(base, to.data(), static_cast<int>(to.size()), offset) == SQLITE_OK;
}

// ---- Reading -------------------------------------------------------------------------------------------------------

/// The sum of the WAL up to this frame.
std::optional<WalChecksum> sum_before(sqlite3_file* file, sqlite3_int64 frame) {
    if (frame == static_cast<sqlite3_int64>(wal_header_bytes)) return stored_checksum(as_checked(file).wal.file_header);
    std::array<std::uint8_t, wal_frame_header_bytes> header{};
    if (!read_below(file, header, frame - frame_bytes)) return std::nullopt;
    return stored_checksum(header);
}

/// Of this generation of the log, and what was written in this place of it. (The checksum of the page alone would let
/// another page pass, where a write was lost and the one of before stands.)
bool frame_is_whole(sqlite3_file* file, bytes::ByteView frame, sqlite3_int64 offset) {
    auto const& wal = as_checked(file).wal;
    auto const before = sum_before(file, offset);
    if (!before || !bytes::equal(frame.subspan(8, 8), wal.salts())) return false;
    auto const with_header = wal_checksum(*before, frame.first(8), wal.big_endian());
    auto const sum = wal_checksum(with_header, frame.subspan(wal_frame_header_bytes), wal.big_endian());
    return sum == stored_checksum(frame.first(wal_frame_header_bytes));
}

/// With its header. Page 1 says what all pages have.
int read_page_of_wal(sqlite3_file* file, std::uint8_t* to, sqlite3_int64 offset) {
    std::array<std::uint8_t, frame_bytes> frame;
    auto* const base = below(file);
    auto const code = base->pMethods->xRead(base, frame.data(), static_cast<int>(frame.size()), offset);
    if (code != SQLITE_OK) return code;
    if (!frame_is_whole(file, frame, offset)) return SQLITE_IOERR_DATA;
    auto const page = bytes::ByteView(frame).subspan(wal_frame_header_bytes);
    if (page_of_frame(frame) == 1) as_checked(file).sealed = says_reserved(page.data());
    std::copy(page.begin(), page.end(), to);
    return SQLITE_OK;
}

/// What could not be read as a whole begins in the file: it was cut. (SQLite takes what is missing for zeros.)
bool begins_within(sqlite3_file* file, sqlite3_int64 offset) {
    sqlite3_int64 size = 0;
    return below(file)->pMethods->xFileSize(below(file), &size) != SQLITE_OK || offset < size;
}

int read_file(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
    auto* const base = below(file);
    auto const& checked = as_checked(file);
    auto* const data = static_cast<std::uint8_t*>(to);
    if (checked.kind == Kind::wal && is_page_of_wal(amount, offset))
        return read_page_of_wal(file, data, frame_of_page(offset));
    auto const code = base->pMethods->xRead(base, to, amount, offset);
    bytes::ByteView const page{data, static_cast<std::size_t>(amount)};
    if (checked.kind != Kind::main || !checked.sealed || page.size() < smallest_page) return code;
    if (code == SQLITE_IOERR_SHORT_READ) return begins_within(file, offset) ? SQLITE_IOERR_DATA : code;
    if (code != SQLITE_OK) return code;
    auto const number = page_number(amount, offset);
    return number > 0 && page_is_whole(page, number) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

// ---- Writing -------------------------------------------------------------------------------------------------------

int write_below(sqlite3_file* file, std::span<std::uint8_t const> from, sqlite3_int64 offset) {
    auto* const base = below(file);
    return base->pMethods->xWrite(base, from.data(), static_cast<int>(from.size()), offset);
}

int write_main(sqlite3_file* file, std::span<std::uint8_t const> from, sqlite3_int64 offset) {
    auto const number = page_number(static_cast<int>(from.size()), offset);
    if (number == 0) return write_below(file, from, offset);
    std::array<std::uint8_t, page_bytes> page;
    std::copy_n(from.begin(), page.size(), page.begin());
    auto& checked = as_checked(file);
    if (number == 1) checked.sealed = says_reserved(page.data());
    if (checked.sealed) seal_page(page, number);
    return write_below(file, page, offset);
}

/// A frame in one write: the header that waits, and its page.
int write_frame(sqlite3_file* file, std::span<std::uint8_t const> page, sqlite3_int64 offset) {
    auto& checked = as_checked(file);
    auto& wal = checked.wal;
    std::array<std::uint8_t, frame_bytes> frame;
    std::copy(wal.header.begin(), wal.header.end(), frame.begin());
    std::copy(page.begin(), page.end(), frame.begin() + wal_frame_header_bytes);
    auto const of_page = std::span(frame).subspan<wal_frame_header_bytes>();
    auto const number = page_of_frame(wal.header);
    if (number == 1) checked.sealed = says_reserved(of_page.data());
    if (checked.sealed) seal_page(of_page, number);

    auto const before = wal.sum_ends == offset ? std::optional(wal.sum) : sum_before(file, offset);
    if (!before) return SQLITE_IOERR_READ;
    auto const with_header = wal_checksum(*before, bytes::ByteView(frame).first(8), wal.big_endian());
    auto const sum = wal_checksum(with_header, of_page, wal.big_endian());
    store_checksum(std::span(frame).first<wal_frame_header_bytes>(), sum);
    wal.sum_ends = nothing;
    auto const code = write_below(file, frame, offset);
    if (code != SQLITE_OK) return code;
    wal.sum = sum;
    wal.sum_ends = offset + static_cast<sqlite3_int64>(frame_bytes);
    return SQLITE_OK;
}

int write_wal(sqlite3_file* file, std::span<std::uint8_t const> from, sqlite3_int64 offset) {
    auto& wal = as_checked(file).wal;
    auto const header_at = std::exchange(wal.header_at, nothing);
    if (from.size() == wal_header_bytes && offset == 0) {
        std::copy(from.begin(), from.end(), wal.file_header.begin());
        wal.sum = stored_checksum(from);
        wal.sum_ends = wal_header_bytes;
        return write_below(file, from, offset);
    }
    if (from.size() == wal_frame_header_bytes && is_frame(offset) && header_at == nothing) {
        std::copy(from.begin(), from.end(), wal.header.begin());
        wal.header_at = offset;
        return SQLITE_OK;
    }
    if (from.size() == page_bytes && header_at != nothing && frame_of_page(offset) == header_at)
        return write_frame(file, from, header_at);
    return SQLITE_IOERR_WRITE;  // a frame rewritten in its place: only where pages may spill
}

int write_file(sqlite3_file* file, void const* data, int amount, sqlite3_int64 offset) {
    std::span const from{static_cast<std::uint8_t const*>(data), static_cast<std::size_t>(amount)};
    switch (as_checked(file).kind) {
        case Kind::main:
            return write_main(file, from, offset);
        case Kind::wal:
            return write_wal(file, from, offset);
        case Kind::other:
            return write_below(file, from, offset);
    }
    return SQLITE_IOERR_WRITE;
}

int control_file(sqlite3_file* file, int operation, void* argument) {
    if (operation != ask_whether_checked) return below(file)->pMethods->xFileControl(below(file), operation, argument);
    *static_cast<bool*>(argument) = as_checked(file).sealed;
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
    m.xSync = [](sqlite3_file* file, int flags) { return below(file)->pMethods->xSync(below(file), flags); };
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

Kind kind_of(int flags) {
    if (flags & SQLITE_OPEN_MAIN_DB) return Kind::main;
    return flags & SQLITE_OPEN_WAL ? Kind::wal : Kind::other;
}

/// What its pages have so far: those of its main file, until page 1 is met in it.
void begin_wal(sqlite3_file* file, char const* path) {
    auto& checked = as_checked(file);
    checked.sealed = as_checked(sqlite3_database_file_object(path)).sealed;
    read_below(file, checked.wal.file_header, 0);
}

int open_file(sqlite3_vfs* vfs, char const* path, sqlite3_file* file, int flags, int* flags_out) {
    auto& checked = as_checked(file);
    checked = {{nullptr}, kind_of(flags), false, {{}, {}, nothing, nothing, {}}};
    below(file)->pMethods = nullptr;
    auto const code = base_of(vfs)->xOpen(base_of(vfs), path, below(file), flags, flags_out);
    if (!below(file)->pMethods) return code;
    checked.base.pMethods = &methods;  // from here on SQLite closes it, whatever is returned
    if (code != SQLITE_OK) return code;
    if (checked.kind == Kind::wal) {
        if (damaged_wal(file)) return SQLITE_IOERR_DATA;
        begin_wal(file, path);
    }
    std::array<std::uint8_t, reserved_at + 1> header{};
    if (checked.kind == Kind::main && read_below(file, header, 0)) checked.sealed = says_reserved(header.data());
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
