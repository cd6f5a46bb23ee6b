#include "tests/contract/vfs/fault_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace interlude::test {
namespace {

constexpr std::size_t sector = 512;

struct OpenFile {
    sqlite3_file base;
    FaultVfs* vfs;
    std::string* path;
};
OpenFile& as_open(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file);
}

int close_file(sqlite3_file* file) {
    delete as_open(file).path;
    return SQLITE_OK;
}
int read_file(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
    return as_open(file).vfs->read(*as_open(file).path, to, amount, offset);
}
int write_file(sqlite3_file* file, void const* from, int amount, sqlite3_int64 offset) {
    return as_open(file).vfs->write(*as_open(file).path, from, amount, offset);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    return as_open(file).vfs->truncate(*as_open(file).path, size);
}
int sync_file(sqlite3_file* file, int) {
    return as_open(file).vfs->sync(*as_open(file).path);
}
int size_file(sqlite3_file* file, sqlite3_int64* size) {
    *size = as_open(file).vfs->size(*as_open(file).path);
    return SQLITE_OK;
}
int lock_file(sqlite3_file*, int) {
    return SQLITE_OK;
}
int check_lock(sqlite3_file*, int* held) {
    *held = 0;
    return SQLITE_OK;
}
int control_file(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
    return 4096;
}
// As the system's VFS says of itself: a write leaves the bytes beside it alone.
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// Version 1: no shared memory, so the store must lock exclusively before it touches its WAL.
sqlite3_io_methods const methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;
    m.xClose = close_file;
    m.xRead = read_file;
    m.xWrite = write_file;
    m.xTruncate = truncate_file;
    m.xSync = sync_file;
    m.xFileSize = size_file;
    m.xLock = lock_file;
    m.xUnlock = lock_file;
    m.xCheckReservedLock = check_lock;
    m.xFileControl = control_file;
    m.xSectorSize = sector_size;
    m.xDeviceCharacteristics = characteristics;
    return m;
}();

FaultVfs& owner(sqlite3_vfs* vfs) {
    return *static_cast<FaultVfs*>(vfs->pAppData);
}

int open_file(sqlite3_vfs* vfs, char const* path, sqlite3_file* file, int flags, int* flags_out) {
    auto& open = as_open(file);
    open.base.pMethods = nullptr;
    std::string const name = path ? path : "temporary";
    if (!owner(vfs).open(name, (flags & SQLITE_OPEN_CREATE) != 0)) return SQLITE_CANTOPEN;
    open.vfs = &owner(vfs);
    open.path = new std::string(name);
    open.base.pMethods = &methods;
    if (flags_out) *flags_out = flags;
    return SQLITE_OK;
}
int delete_file(sqlite3_vfs* vfs, char const* path, int) {
    return owner(vfs).remove(path);
}
int access_file(sqlite3_vfs* vfs, char const* path, int, int* result) {
    *result = owner(vfs).exists(path);
    return SQLITE_OK;
}
int full_path(sqlite3_vfs*, char const* path, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
}
int randomness(sqlite3_vfs*, int size, char* out) {  // the same in every run, so that steps are
    std::memset(out, 7, static_cast<std::size_t>(size));
    return size;
}
int sleep(sqlite3_vfs*, int microseconds) {
    return microseconds;
}
int current_time(sqlite3_vfs*, double* days) {
    *days = 2'460'000;
    return SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) {
    return 0;
}

void put(FaultVfs::Bytes& bytes, std::uint64_t offset, std::uint8_t const* from, std::size_t amount) {
    if (bytes.size() < offset + amount) bytes.resize(offset + amount);
    std::copy_n(from, amount, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// The durable bytes, and of each later change what the cache happened to write.
FaultVfs::Bytes survived(FaultVfs::File const& file, FaultVfs::Loss loss, std::mt19937_64& random) {
    if (loss == FaultVfs::Loss::all) return file.durable;
    if (loss == FaultVfs::Loss::none) return file.current;
    auto bytes = file.durable;
    for (auto const& change : file.unsynced) {
        if (auto const* write = std::get_if<FaultVfs::File::Write>(&change)) {
            for (std::size_t at = 0; at < write->bytes.size(); at += sector)
                if (random() % 2)
                    put(bytes, write->offset + at, write->bytes.data() + at,
                        std::min(sector, write->bytes.size() - at));
        } else if (random() % 2) {
            bytes.resize(std::get<FaultVfs::File::Truncate>(change).size);
        }
    }
    return bytes;
}

}  // namespace

FaultVfs::FaultVfs(std::string name) : name_(std::move(name)), vfs_(std::make_unique<sqlite3_vfs>()) {
    *vfs_ = {};
    vfs_->iVersion = 1;
    vfs_->szOsFile = sizeof(OpenFile);
    vfs_->mxPathname = 512;
    vfs_->zName = name_.c_str();
    vfs_->pAppData = this;
    vfs_->xOpen = open_file;
    vfs_->xDelete = delete_file;
    vfs_->xAccess = access_file;
    vfs_->xFullPathname = full_path;
    vfs_->xRandomness = randomness;
    vfs_->xSleep = sleep;
    vfs_->xCurrentTime = current_time;
    vfs_->xGetLastError = last_error;
    sqlite3_vfs_register(vfs_.get(), 0);
}

FaultVfs::~FaultVfs() {
    sqlite3_vfs_unregister(vfs_.get());
}

void FaultVfs::begin(std::optional<std::uint64_t> at, Fault fault) {
    std::lock_guard const lock(mutex_);
    steps_.clear();
    step_ = 0;
    fault_at_ = at;
    fault_ = fault;
    happened_ = off_ = full_ = false;
}

bool FaultVfs::fault_happened() const {
    std::lock_guard const lock(mutex_);
    return happened_;
}

void FaultVfs::restart(Loss loss, std::uint64_t seed) {
    std::lock_guard const lock(mutex_);
    std::mt19937_64 random(seed);
    for (auto& [path, file] : disk_) {
        file.current = file.durable = survived(file, loss, random);
        file.unsynced.clear();
    }
    off_ = full_ = false;
    fault_at_.reset();
}

void FaultVfs::room_again() {
    std::lock_guard const lock(mutex_);
    full_ = false;
    fault_at_.reset();
}

void FaultVfs::mark(std::uint64_t number) {
    std::lock_guard const lock(mutex_);
    steps_.push_back({std::nullopt, false, number});
}

std::vector<FaultVfs::Step> FaultVfs::steps() const {
    std::lock_guard const lock(mutex_);
    return steps_;
}

std::uint64_t FaultVfs::count(Op op) const {
    std::lock_guard const lock(mutex_);
    return static_cast<std::uint64_t>(
        std::count_if(steps_.begin(), steps_.end(), [op](Step const& step) { return step.op == op; }));
}

FaultVfs::Disk FaultVfs::disk() const {
    std::lock_guard const lock(mutex_);
    return disk_;
}

void FaultVfs::set_disk(Disk disk) {
    std::lock_guard const lock(mutex_);
    disk_ = std::move(disk);
    for (auto& [path, file] : disk_) {
        file.durable = file.current;
        file.unsynced.clear();
    }
}

int FaultVfs::step(Op op, std::string const& path) {
    if (off_) return SQLITE_IOERR;
    steps_.push_back({op, path.ends_with("-wal"), 0});
    bool const counts = fault_ == Fault::power_off || op == (fault_ == Fault::sync_fails ? Op::sync : Op::write);
    bool const now = counts && fault_at_ && step_++ == *fault_at_;
    auto const happens = [&] {
        happened_ = true;
        return true;
    };
    switch (fault_) {
        case Fault::power_off:
            if (now && happens()) off_ = true;
            if (off_) return SQLITE_IOERR;
            break;
        case Fault::write_fails:
            if (now && happens()) return SQLITE_IOERR_WRITE;
            break;
        case Fault::sync_fails:
            if (now && happens()) return SQLITE_IOERR_FSYNC;
            break;
        case Fault::disk_full:
            if (now && happens()) full_ = true;
            if (full_ && op == Op::write) return SQLITE_FULL;
            break;
    }
    return SQLITE_OK;
}

int FaultVfs::read(std::string const& path, void* to, int amount, std::int64_t offset) {
    std::lock_guard const lock(mutex_);
    if (off_) return SQLITE_IOERR_READ;
    auto const& bytes = disk_.at(path).current;
    auto const from = std::min<std::uint64_t>(static_cast<std::uint64_t>(offset), bytes.size());
    auto const there = std::min<std::uint64_t>(static_cast<std::uint64_t>(amount), bytes.size() - from);
    std::memset(to, 0, static_cast<std::size_t>(amount));
    std::copy_n(bytes.data() + from, there, static_cast<std::uint8_t*>(to));
    return there == static_cast<std::uint64_t>(amount) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int FaultVfs::write(std::string const& path, void const* from, int amount, std::int64_t offset) {
    std::lock_guard const lock(mutex_);
    bool const was_on = !off_;
    auto const outcome = step(Op::write, path);
    bool const cut_short = was_on && off_;  // by the power: it may be torn
    if (outcome != SQLITE_OK && !cut_short) return outcome;
    auto& file = disk_.at(path);
    auto const* const data = static_cast<std::uint8_t const*>(from);
    auto const at = static_cast<std::uint64_t>(offset);
    put(file.current, at, data, static_cast<std::size_t>(amount));
    file.unsynced.push_back(File::Write{at, Bytes(data, data + amount)});
    return outcome;
}

int FaultVfs::truncate(std::string const& path, std::int64_t size) {
    std::lock_guard const lock(mutex_);
    auto const outcome = step(Op::truncate, path);
    if (outcome != SQLITE_OK) return outcome;
    auto& file = disk_.at(path);
    file.current.resize(static_cast<std::size_t>(size));
    file.unsynced.push_back(File::Truncate{static_cast<std::uint64_t>(size)});
    return SQLITE_OK;
}

int FaultVfs::sync(std::string const& path) {
    std::this_thread::sleep_for(sync_time_.load());
    std::lock_guard const lock(mutex_);
    auto const outcome = step(Op::sync, path);
    if (outcome != SQLITE_OK) return outcome;
    auto& file = disk_.at(path);
    file.durable = file.current;
    file.unsynced.clear();
    return SQLITE_OK;
}

int FaultVfs::remove(std::string const& path) {
    std::lock_guard const lock(mutex_);
    auto const outcome = step(Op::remove, path);
    if (outcome != SQLITE_OK) return outcome;
    return disk_.erase(path) ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

std::int64_t FaultVfs::size(std::string const& path) const {
    std::lock_guard const lock(mutex_);
    return static_cast<std::int64_t>(disk_.at(path).current.size());
}

bool FaultVfs::exists(std::string const& path) const {
    std::lock_guard const lock(mutex_);
    return disk_.contains(path);
}

bool FaultVfs::open(std::string const& path, bool create) {
    std::lock_guard const lock(mutex_);
    if (off_ || (!create && !disk_.contains(path))) return false;
    disk_[path];
    return true;
}

}  // namespace interlude::test
