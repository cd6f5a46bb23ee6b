// The tables, as numbered migrations that each run once, in one transaction. user_version is the schema's number.
#pragma once

#include "common/crypto/entropy.hpp"
#include "server/store/sqlite/database.hpp"

namespace interlude::store_sqlite {

inline constexpr std::uint32_t schema_newest = 6;
inline constexpr std::uint32_t schema_with_checksums = 4;   // as 3, in pages that have them
inline constexpr std::int32_t application_id = 0x496e7465;  // "Inte": tells our files from other databases

/// 0: an empty database.
std::uint32_t schema_of(Database& database);
/// Brings `database` to schema_newest. Checked before: it is ours, and not newer.
void migrate(Database& database, crypto::Entropy& entropy);

}  // namespace interlude::store_sqlite
