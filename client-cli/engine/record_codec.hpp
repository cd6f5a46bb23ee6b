// Records of the vault as structs that name their members once: `static constexpr auto fields()`. Encoded in the
// presentation language of RFC 9420 §2.1 behind a version number. What does not decode here was not written by us.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/secret.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::engine {

/// A record that the vault's seal accepted and that makes no sense: another version's home, or our own bug.
class BadRecord : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

namespace records {

/// The members of T in the order in which they are written. Specialised (records.hpp) for structs of other modules.
template <class T>
struct Members {
    static constexpr auto list() { return T::fields(); }
};

template <class T>
struct IsId : std::false_type {};
template <class Tag, std::size_t N>
struct IsId<base::Id<Tag, N>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
void write(bytes::Writer& to, T const& value) {
    if constexpr (std::is_same_v<T, bytes::Bytes>) {
        to.opaque(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
        to.opaque(bytes::view(value));
    } else if constexpr (std::is_same_v<T, bytes::SecretBytes>) {
        to.opaque(value.expose());
    } else if constexpr (IsOptional<T>::value) {
        to.boolean(value.has_value());
        if (value) write(to, *value);
    } else if constexpr (IsVector<T>::value) {
        to.vector_of(value, [](bytes::Writer& inner, auto const& item) { write(inner, item); });
    } else if constexpr (IsId<T>::value) {
        to.id(value);
    } else if constexpr (std::is_same_v<T, base::WallTime>) {
        to.time(value);
    } else if constexpr (std::is_same_v<T, bool>) {
        to.boolean(value);
    } else if constexpr (std::is_enum_v<T>) {
        to.u8(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
        to.u64(static_cast<std::uint64_t>(value));
    } else {
        std::apply([&](auto... member) { (write(to, value.*member), ...); }, Members<T>::list());
    }
}

template <class T>
T must(base::Result<T> result) {
    if (!result) throw BadRecord("a record of the vault does not decode");
    return std::move(*result);
}

template <class T>
T read(bytes::Reader& from) {
    if constexpr (std::is_same_v<T, bytes::Bytes>) {
        return bytes::copy(must(from.opaque()));
    } else if constexpr (std::is_same_v<T, std::string>) {
        return bytes::text(must(from.opaque()));
    } else if constexpr (std::is_same_v<T, bytes::SecretBytes>) {
        return bytes::SecretBytes(must(from.opaque()));
    } else if constexpr (IsOptional<T>::value) {
        if (!must(from.boolean())) return std::nullopt;
        return read<typename T::value_type>(from);
    } else if constexpr (IsVector<T>::value) {
        T items;
        for (auto content = must(from.vector()); !content.empty();)
            items.push_back(read<typename T::value_type>(content));
        return items;
    } else if constexpr (IsId<T>::value) {
        return must(from.id<T>());
    } else if constexpr (std::is_same_v<T, base::WallTime>) {
        return must(from.time());
    } else if constexpr (std::is_same_v<T, bool>) {
        return must(from.boolean());
    } else if constexpr (std::is_enum_v<T>) {
        return static_cast<T>(must(from.u8()));
    } else if constexpr (std::is_integral_v<T>) {
        auto const wide = must(from.u64());
        if (!std::in_range<T>(wide)) throw BadRecord("a number in a record of the vault is larger than it can be");
        return static_cast<T>(wide);
    } else {
        T value;
        std::apply([&](auto... member) { ((value.*member = read<std::decay_t<decltype(value.*member)>>(from)), ...); },
                   Members<T>::list());
        return value;
    }
}

inline constexpr std::uint16_t record_version = 1;

template <class T>
bytes::Bytes encode(T const& record) {
    bytes::Writer to;
    to.u16(record_version);
    write(to, record);
    return std::move(to).take();
}

template <class T>
T decode(bytes::ByteView from) {
    bytes::Reader reader(from);
    if (must(reader.u16()) != record_version) throw BadRecord("a record of the vault is of another version");
    auto record = read<T>(reader);
    if (!reader.empty()) throw BadRecord("a record of the vault is longer than it should be");
    return record;
}

}  // namespace records
}  // namespace interlude::engine
