#include "server/store/sqlite/database.hpp"

namespace interlude::store_sqlite {

namespace {
/// SQLite counts no memory: under a lock, at each allocation. It must be told before its first use.
[[maybe_unused]] int const memory_is_not_counted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}  // namespace

void throw_database_error(sqlite3* handle, int code) {
    if (!handle) throw DatabaseError(code, sqlite3_errstr(code));
    auto const extended = sqlite3_extended_errcode(handle);
    if (extended == SQLITE_IOERR_DATA)
        throw DatabaseError(extended, "the store is damaged: a page is not what was written; restore it from a backup");
    throw DatabaseError(extended, sqlite3_errmsg(handle));
}

void throw_damaged(char const* what) {
    throw DatabaseError(SQLITE_CORRUPT, std::string("the store is damaged: ") + what + "; restore it from a backup");
}

Rows::~Rows() {
    if (!statement_) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

bool Rows::next() {
    auto const code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) throw_database_error(sqlite3_db_handle(statement_), code);
    return false;
}

Database::Database(std::string const& path, int flags, std::string const& vfs) {
    sqlite3* handle = nullptr;
    auto const code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                      vfs.empty() ? nullptr : vfs.c_str());
    handle_.reset(handle);
    if (code != SQLITE_OK) throw_database_error(handle, code);
}

void Database::execute(std::string const& sql) {
    check(sqlite3_exec(raw(), sql.c_str(), nullptr, nullptr, nullptr));
}

sqlite3_stmt* Database::prepared(char const* sql) {
    auto& statement = statements_[sql];
    if (!statement) {
        sqlite3_stmt* made = nullptr;
        check(sqlite3_prepare_v3(raw(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr));
        statement.reset(made);
    }
    INTERLUDE_CHECK(!sqlite3_stmt_busy(statement.get()));  // its rows are still being read
    return statement.get();
}

void Database::bind_integer(sqlite3_stmt* statement, int place, std::int64_t value) {
    check(sqlite3_bind_int64(statement, place, value));
}

void Database::bind_blob(sqlite3_stmt* statement, int place, bytes::ByteView value, sqlite3_destructor_type life) {
    static std::uint8_t const nothing = 0;  // a null pointer would bind NULL
    auto const* const from = value.empty() ? &nothing : value.data();
    check(sqlite3_bind_blob64(statement, place, from, value.size(), life));
}

void Database::bind_text(sqlite3_stmt* statement, int place, std::string_view value, sqlite3_destructor_type life) {
    auto const* const from = value.empty() ? "" : value.data();
    check(sqlite3_bind_text64(statement, place, from, value.size(), life, SQLITE_UTF8));
}

void Database::bind_null(sqlite3_stmt* statement, int place) {
    check(sqlite3_bind_null(statement, place));
}

void Database::check(int code) {
    if (code != SQLITE_OK) throw_database_error(raw(), code);
}

namespace column {

std::int64_t integer(sqlite3_stmt* statement, int at) {
    return sqlite3_column_int64(statement, at);
}

bytes::ByteView blob(sqlite3_stmt* statement, int at) {
    auto const* const from = static_cast<std::uint8_t const*>(sqlite3_column_blob(statement, at));
    return {from, static_cast<std::size_t>(sqlite3_column_bytes(statement, at))};
}

bool is_null(sqlite3_stmt* statement, int at) {
    return sqlite3_column_type(statement, at) == SQLITE_NULL;
}

}  // namespace column
}  // namespace interlude::store_sqlite
