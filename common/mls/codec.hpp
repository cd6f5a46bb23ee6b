// The shapes that every chapter of the MLS codec shares: opaque fields, vectors, optionals, whole-buffer decoding.
// Per type T there are `void write(bytes::Writer&, T const&)` and `base::Result<T> read_t(bytes::Reader&)`.
#pragma once

#include <optional>
#include <type_traits>

#include "common/base/result.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/secret.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::mls {

using base::Errc;
using base::Result;
using bytes::Bytes;
using bytes::ByteView;
using bytes::Reader;
using bytes::SecretBytes;
using bytes::Writer;

/// The bytes of one value.
template <class T>
Bytes encode(T const& value) {
    Writer writer;
    write(writer, value);
    return std::move(writer).take();
}

/// One value from a whole buffer: `decode(bytes, read_key_package)`; trailing bytes are refused.
template <class Read>
auto decode(ByteView from, Read&& read) -> std::invoke_result_t<Read, Reader&> {
    Reader reader(from);
    auto value = read(reader);
    if (!value) return value;
    INTERLUDE_TRY_VOID(reader.finish());
    return value;
}

/// opaque<V>, copied.
Result<Bytes> read_bytes(Reader& reader);
Result<SecretBytes> read_secret(Reader& reader);

/// T items<V>. An item takes at least one byte, so the count is bounded by the input; `max` bounds it further.
template <class Read>
auto read_vector(Reader& reader, Read&& read, std::size_t max = SIZE_MAX)
    -> Result<std::vector<typename std::invoke_result_t<Read, Reader&>::value_type>> {
    std::vector<typename std::invoke_result_t<Read, Reader&>::value_type> items;
    INTERLUDE_TRY(auto content, reader.vector());
    while (!content.empty()) {
        if (items.size() == max) return Errc::too_long;
        INTERLUDE_TRY(auto item, read(content));
        items.push_back(std::move(item));
    }
    return items;
}

template <class Items>
void write_vector(Writer& writer, Items const& items) {
    writer.vector_of(items, [](Writer& inner, auto const& item) { write(inner, item); });
}

/// optional<T> (RFC 9420 §2.1.1).
template <class Read>
auto read_optional(Reader& reader, Read&& read)
    -> Result<std::optional<typename std::invoke_result_t<Read, Reader&>::value_type>> {
    std::optional<typename std::invoke_result_t<Read, Reader&>::value_type> value;
    INTERLUDE_TRY(bool present, reader.boolean());
    if (present) {
        INTERLUDE_TRY(value, read(reader));
    }
    return value;
}

template <class T>
void write_optional(Writer& writer, std::optional<T> const& value) {
    writer.boolean(value.has_value());
    if (value) write(writer, *value);
}

/// Calls the one of `cases` that takes the variant's alternative.
template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace interlude::mls
