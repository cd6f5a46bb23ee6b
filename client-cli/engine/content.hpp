// What an MLS application message holds, as a value (common/wire/content.proto).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::engine {

inline constexpr std::size_t text_bytes_max = 64 * 1024;
inline constexpr std::size_t name_bytes_max = 200;

struct LogSight {
    std::string checkpoint;
    std::uint64_t head_counter = 0;
    base::Hash32 head;
    bool operator==(LogSight const&) const = default;
};
struct ListHead {
    std::uint64_t generation = 0;
    std::uint64_t version = 0;
    base::Hash32 hash;
    bool operator==(ListHead const&) const = default;
};
struct SignedListBytes {
    bytes::Bytes bytes;
    bytes::Bytes signature;
    bool operator==(SignedListBytes const&) const = default;
};

struct Text {
    std::string text;
    bool operator==(Text const&) const = default;
};
struct Opened {
    std::vector<std::uint64_t> seqs;
    bool operator==(Opened const&) const = default;
};
struct Receipt {
    std::vector<std::uint64_t> seqs;
    bool operator==(Receipt const&) const = default;
};
struct Profile {
    std::string name;
    bool operator==(Profile const&) const = default;
};
struct CardContent {
    std::string text;
    base::WallTime dated{};
    bool operator==(CardContent const&) const = default;
};
struct EarlyDelivery {
    std::uint64_t seq = 0;
    base::WallTime came_at{};
    bool operator==(EarlyDelivery const&) const = default;
};
/// These came, and no key of the author's opens them.
struct CannotOpen {
    std::vector<std::uint64_t> seqs;
    bool operator==(CannotOpen const&) const = default;
};
/// A body of a later version.
struct UnknownBody {
    bool operator==(UnknownBody const&) const = default;
};

using ContentBody = std::variant<UnknownBody, Text, Opened, Receipt, Profile, CardContent, EarlyDelivery, CannotOpen>;

struct Content {
    base::MessageId id;
    base::WallTime sent_at{};
    LogSight log;
    ListHead own_list;
    std::vector<SignedListBytes> lists;
    std::string own_name;
    ContentBody body;
    bool operator==(Content const&) const = default;
};

/// What a person wrote in it, if anything, is UTF-8: other apps can show it. decode_content does not ask for that.
bool is_text(ContentBody const& body);

bytes::Bytes encode(Content const& content);
/// malformed, too_long (beyond the limits above and limits::devices and accounts).
base::Result<Content> decode_content(bytes::ByteView from);

}  // namespace interlude::engine
