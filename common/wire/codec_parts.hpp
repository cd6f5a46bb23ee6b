// What both directions of the codec share: fields of fixed size, times, enumerations and the common parts of frames.
// Internal to wire/: includes the generated classes.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>

#include "common/base/result.hpp"
#include "common/wire/frames.hpp"
#include "interlude.pb.h"

namespace interlude::wire {

using base::Errc;
using base::Result;

inline constexpr int list_items_max = 4096;  // of any repeated field; a frame's size bounds the rest

inline bytes::ByteView view(std::string const& field) {
    return bytes::view(field);
}

template <class IdType>
Result<IdType> read_id(std::string const& field) {
    auto id = IdType::from(view(field));
    if (!id) return Errc::malformed;
    return *id;
}
template <class IdType>
void put_id(std::string& field, IdType const& id) {
    field.assign(reinterpret_cast<char const*>(id.bytes.data()), id.bytes.size());
}
template <class IdType>
std::string id_field(IdType const& id) {
    std::string field;
    put_id(field, id);
    return field;
}

inline Bytes read_bytes(std::string const& field) {
    return bytes::copy(view(field));
}
/// What was read as one kind of body, as the body of a frame.
template <class Body, class Typed>
Result<Body> as_body(Result<Typed> typed) {
    if (!typed) return typed.error();
    return Body(std::move(*typed));
}
/// Exactly `size` bytes, or malformed.
inline Result<Bytes> read_sized(std::string const& field, std::size_t size) {
    if (field.size() != size) return Errc::malformed;
    return read_bytes(field);
}
inline std::string bytes_field(bytes::ByteView from) {
    return std::string(reinterpret_cast<char const*>(from.data()), from.size());
}

inline Result<WallTime> read_time(std::uint64_t ms) {
    constexpr std::uint64_t year_10000_ms = 253'402'300'800'000;
    if (ms >= year_10000_ms) return Errc::malformed;
    return base::wall_ms(static_cast<std::int64_t>(ms));
}
inline std::uint64_t time_field(WallTime t) {
    return static_cast<std::uint64_t>(base::to_ms(t));
}

/// Enumerations of frames.hpp have the numbers of the .proto; 0 is "unspecified" there and refused here.
template <class Enum>
Result<Enum> read_enum(int number, Enum last) {
    if (number < 1 || number > static_cast<int>(last)) return Errc::malformed;
    return static_cast<Enum>(number);
}

template <class Item, class Fields, class Read>
Result<std::vector<Item>> read_list(Fields const& fields, Read read) {
    if (fields.size() > list_items_max) return Errc::too_long;
    std::vector<Item> items;
    items.reserve(static_cast<std::size_t>(fields.size()));
    for (auto const& field : fields) {
        INTERLUDE_TRY(auto item, read(field));
        items.push_back(std::move(item));
    }
    return items;
}
template <class IdType, class Fields>
Result<std::vector<IdType>> read_ids(Fields const& fields) {
    return read_list<IdType>(fields, read_id<IdType>);
}
template <class Fields>
Result<std::vector<Bytes>> read_bytes_list(Fields const& fields) {
    return read_list<Bytes>(fields, [](std::string const& field) -> Result<Bytes> { return read_bytes(field); });
}

Result<SignedDocument> read(v1::SignedDocument const& proto);
Result<PublishedDocument> read(v1::PublishedDocument const& proto);
Result<LogItem> read(v1::LogItem const& proto);
Result<Hold> read(v1::Hold const& proto);
Result<ConversationState> read(v1::ConversationState const& proto);
Result<SubjectState> read(v1::SubjectState const& proto);

void write(v1::SignedDocument& proto, SignedDocument const& from);
void write(v1::PublishedDocument& proto, PublishedDocument const& from);
void write(v1::LogItem& proto, LogItem const& from);
void write(v1::Hold& proto, Hold const& from);
void write(v1::ConversationState& proto, ConversationState const& from);
void write(v1::SubjectState& proto, SubjectState const& from);

}  // namespace interlude::wire
