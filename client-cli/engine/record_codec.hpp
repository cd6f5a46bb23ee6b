// Records of the vault as structs that name their members once: `static constexpr auto fields()`. Encoded in the
// presentation language of RFC 9420 §2.1 behind a version number. What does not decode here was not written by us.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "common/bytes/bytes.hpp"

namespace interlude::engine {

/// A record that the vault's seal accepted and that makes no sense: another version's home, or our own bug.
class BadRecord : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

namespace records {

inline constexpr std::uint16_t record_version = 1;

// Both are made for every record of the vault in record_codec.cpp; a new record is added there.
template <class Record>
bytes::Bytes encode(Record const& record);
/// Throws BadRecord.
template <class Record>
Record decode(bytes::ByteView from);

}  // namespace records
}  // namespace interlude::engine
