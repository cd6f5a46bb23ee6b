// A thin layer over SQLite's C API: typed binding and reading, cached statements, errors as exceptions.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/ids.hpp"
#include "common/base/kinds.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::store_sqlite {

/// What SQLite could not do: the environment is broken, or the file is.
struct DatabaseError : std::runtime_error {
    DatabaseError(int extended, std::string const& what) : std::runtime_error(what), code(extended) {}
    int code;  // extended
    /// A page is not what was written there (CheckedVfs): what needs it fails, all else goes on.
    bool page_damaged() const { return code == SQLITE_IOERR_DATA; }
    /// Nobody knows what is on the disk. A write that was not taken (no room, a quota, a limit) is another matter: it
    /// is rolled back, and what was synced before is as it was.
    bool disk_failed() const { return (code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_WRITE && !page_damaged(); }
};

template <class T>
struct Column;

/// The rows of one query, read in order; the statement goes back to the cache at the end.
class Rows {
  public:
    explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
    Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Rows& operator=(Rows&&) = delete;
    ~Rows();

    bool next();
    template <class T>
    T get(int column) const {
        return Column<T>::read(statement_, column);
    }
    /// All columns of the row, in the query's order.
    template <class... T>
    std::tuple<T...> as() const {
        return as_from<T...>(std::index_sequence_for<T...>{});
    }

  private:
    template <class... T, std::size_t... I>
    std::tuple<T...> as_from(std::index_sequence<I...>) const {
        return {get<T>(static_cast<int>(I))...};
    }
    sqlite3_stmt* statement_;
};

class Database {
  public:
    Database() = default;
    /// `flags` as for sqlite3_open_v2.
    Database(std::string const& path, int flags, std::string const& vfs);

    sqlite3* raw() const { return handle_.get(); }
    /// Statements without parameters, as many as the text has.
    void execute(std::string const& sql);
    /// `sql` must outlive the database (a literal): statements are kept by its address.
    template <class... Args>
    Rows query(char const* sql, Args const&... args) {
        return bound(SQLITE_TRANSIENT, sql, args...);  // copied: arguments may end before the rows are read
    }
    /// The rows that it changed.
    template <class... Args>
    std::int64_t run(char const* sql, Args const&... args) {
        auto rows = bound(SQLITE_STATIC, sql, args...);
        INTERLUDE_CHECK(!rows.next());
        return sqlite3_changes64(raw());
    }
    /// The first row's columns; nullopt: no row.
    template <class... T, class... Args>
    std::optional<std::tuple<T...>> first(char const* sql, Args const&... args) {
        auto rows = bound(SQLITE_STATIC, sql, args...);
        if (!rows.next()) return std::nullopt;
        return rows.template as<T...>();
    }
    template <class T, class... Args>
    std::optional<T> value(char const* sql, Args const&... args) {
        auto rows = bound(SQLITE_STATIC, sql, args...);
        if (!rows.next()) return std::nullopt;
        return rows.template get<T>(0);
    }
    template <class... Args>
    bool exists(char const* sql, Args const&... args) {
        return bound(SQLITE_STATIC, sql, args...).next();
    }
    bool in_transaction() const { return sqlite3_get_autocommit(raw()) == 0; }

  private:
    struct Closer {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };
    struct Finalizer {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    sqlite3_stmt* prepared(char const* sql);
    /// `life`: of the arguments' bytes, as SQLite names it.
    template <class... Args>
    Rows bound([[maybe_unused]] sqlite3_destructor_type life, char const* sql, Args const&... args) {
        auto* const statement = prepared(sql);
        Rows rows(statement);
        int place = 0;
        (bind(statement, ++place, args, life), ...);
        INTERLUDE_CHECK(place == sqlite3_bind_parameter_count(statement));
        return rows;
    }

    template <class T>
    void bind(sqlite3_stmt* statement, int place, T const& value, sqlite3_destructor_type life);
    void bind_integer(sqlite3_stmt* statement, int place, std::int64_t value);
    void bind_blob(sqlite3_stmt* statement, int place, bytes::ByteView value, sqlite3_destructor_type life);
    void bind_text(sqlite3_stmt* statement, int place, std::string_view value, sqlite3_destructor_type life);
    void bind_null(sqlite3_stmt* statement, int place);
    void check(int code);

    std::unique_ptr<sqlite3, Closer> handle_;
    std::unordered_map<char const*, std::unique_ptr<sqlite3_stmt, Finalizer>> statements_;
};

[[noreturn]] void throw_database_error(sqlite3* handle, int code);
/// A stored value that our own code cannot have written.
[[noreturn]] void throw_damaged(char const* what);

// ---- Values of columns ---------------------------------------------------------------------------------------------

namespace column {
std::int64_t integer(sqlite3_stmt* statement, int at);
bytes::ByteView blob(sqlite3_stmt* statement, int at);
bool is_null(sqlite3_stmt* statement, int at);
}  // namespace column

template <class T>
requires std::is_integral_v<T> || std::is_enum_v<T>
struct Column<T> {
    static T read(sqlite3_stmt* statement, int at) { return static_cast<T>(column::integer(statement, at)); }
};
template <>
struct Column<base::WallTime> {
    static base::WallTime read(sqlite3_stmt* statement, int at) {
        return base::wall_ms(column::integer(statement, at));
    }
};
template <>
struct Column<bytes::Bytes> {
    static bytes::Bytes read(sqlite3_stmt* statement, int at) { return bytes::copy(column::blob(statement, at)); }
};
template <>
struct Column<std::string> {
    static std::string read(sqlite3_stmt* statement, int at) { return bytes::text(column::blob(statement, at)); }
};
template <class Tag, std::size_t N>
struct Column<base::Id<Tag, N>> {
    static base::Id<Tag, N> read(sqlite3_stmt* statement, int at) {
        auto const id = base::Id<Tag, N>::from(column::blob(statement, at));
        if (!id) throw_damaged("an id has a wrong length");
        return *id;
    }
};
template <class T>
struct Column<std::optional<T>> {
    static std::optional<T> read(sqlite3_stmt* statement, int at) {
        if (column::is_null(statement, at)) return std::nullopt;
        return Column<T>::read(statement, at);
    }
};

template <class T>
void Database::bind(sqlite3_stmt* statement, int place, T const& value, sqlite3_destructor_type life) {
    if constexpr (std::is_same_v<T, std::nullopt_t>)
        bind_null(statement, place);
    else if constexpr (base::IsOptional<T>::value)
        value ? bind(statement, place, *value, life) : bind_null(statement, place);
    else if constexpr (base::IsId<T>::value)
        bind_blob(statement, place, value.span(), life);
    else if constexpr (std::is_same_v<T, base::WallTime>)
        bind_integer(statement, place, base::to_ms(value));
    else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
        bind_integer(statement, place, static_cast<std::int64_t>(value));
    else if constexpr (std::is_same_v<T, std::string>)
        bind_text(statement, place, value, life);
    else
        bind_blob(statement, place, bytes::ByteView(value), life);
}

}  // namespace interlude::store_sqlite
