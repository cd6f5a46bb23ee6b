// Structs as lists of their members: `static constexpr auto fields()` names them once, and encoding, decoding and the
// largest encoded size follow (presentation language of RFC 9420 §2.1).
#pragma once

#include <optional>
#include <tuple>
#include <type_traits>

#include "common/base/kinds.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::audit {

/// vector<V> of at most N items.
template <class T, std::size_t N>
struct Bounded : std::vector<T> {
    using std::vector<T>::vector;
    Bounded(std::vector<T> items) : std::vector<T>(std::move(items)) {}
};

namespace codec {

template <class T>
concept Struct = requires {
    T::fields();
};
/// An enum with u8 values whose `is_valid(E)` is found beside it.
template <class T>
concept Enum = std::is_enum_v<T> && sizeof(T) == 1;

/// Writes and reads itself: `max_encoded`, `write(Writer&)`, `read(Reader&)`.
template <class T>
concept Custom = requires {
    T::max_encoded;
};

template <class T>
struct IsBounded : std::false_type {};
template <class T, std::size_t N>
struct IsBounded<Bounded<T, N>> : std::true_type {
    using Item = T;
    static constexpr std::size_t max = N;
};
template <class Member>
struct MemberType;
template <class Class, class T>
struct MemberType<T Class::*> {
    using type = T;
};

constexpr std::size_t varint_size(std::size_t value) {
    return value < 64 ? 1 : value < 16384 ? 2 : 4;
}

/// The most bytes that a T can take.
template <class T>
constexpr std::size_t max_size() {
    if constexpr (Struct<T>) {
        return std::apply(
            [](auto... member) {
                return (std::size_t{0} + ... + max_size<typename MemberType<decltype(member)>::type>());
            },
            T::fields());
    } else if constexpr (Custom<T>) {
        return T::max_encoded;
    } else if constexpr (base::IsOptional<T>::value) {
        return 1 + max_size<typename T::value_type>();
    } else if constexpr (IsBounded<T>::value) {
        constexpr auto content = IsBounded<T>::max * max_size<typename IsBounded<T>::Item>();
        return varint_size(content) + content;
    } else if constexpr (base::IsId<T>::value) {
        return T::size;
    } else if constexpr (std::is_same_v<T, base::WallTime>) {
        return 8;
    } else {
        static_assert(std::is_same_v<T, bool> || Enum<T> || std::is_unsigned_v<T>);
        return sizeof(T);
    }
}

template <class T>
void write(bytes::Writer& to, T const& value) {
    if constexpr (Struct<T>) {
        std::apply([&](auto... member) { (write(to, value.*member), ...); }, T::fields());
    } else if constexpr (Custom<T>) {
        value.write(to);
    } else if constexpr (base::IsOptional<T>::value) {
        to.boolean(value.has_value());
        if (value) write(to, *value);
    } else if constexpr (IsBounded<T>::value) {
        INTERLUDE_CHECK(value.size() <= IsBounded<T>::max);
        to.vector_of(value, [](bytes::Writer& inner, auto const& item) { write(inner, item); });
    } else if constexpr (base::IsId<T>::value) {
        to.id(value);
    } else if constexpr (std::is_same_v<T, base::WallTime>) {
        to.time(value);
    } else if constexpr (Enum<T>) {
        INTERLUDE_CHECK(is_valid(value));
        to.u8(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_same_v<T, bool>) {
        to.boolean(value);
    } else if constexpr (sizeof(T) == 1) {
        to.u8(value);
    } else if constexpr (sizeof(T) == 2) {
        to.u16(value);
    } else {
        static_assert(sizeof(T) == 8 && std::is_unsigned_v<T>);
        to.u64(value);
    }
}

template <class T>
base::Result<T> read(bytes::Reader& from) {
    if constexpr (Struct<T>) {
        T value;
        base::Result<void> outcome;
        auto const read_member = [&](auto member) {
            auto part = read<std::remove_reference_t<decltype(value.*member)>>(from);
            if (part)
                value.*member = std::move(*part);
            else
                outcome = part.error();
            return part.has_value();
        };
        std::apply([&](auto... member) { (void)(read_member(member) && ...); }, T::fields());
        INTERLUDE_TRY_VOID(outcome);
        return value;
    } else if constexpr (Custom<T>) {
        return T::read(from);
    } else if constexpr (base::IsOptional<T>::value) {
        INTERLUDE_TRY(auto present, from.boolean());
        if (!present) return T{};
        INTERLUDE_TRY(auto value, read<typename T::value_type>(from));
        return T{std::move(value)};
    } else if constexpr (IsBounded<T>::value) {
        INTERLUDE_TRY(auto content, from.vector(IsBounded<T>::max * max_size<typename IsBounded<T>::Item>()));
        T items;
        while (!content.empty()) {
            if (items.size() == IsBounded<T>::max) return base::Errc::too_long;
            INTERLUDE_TRY(auto item, read<typename IsBounded<T>::Item>(content));
            items.push_back(std::move(item));
        }
        return items;
    } else if constexpr (base::IsId<T>::value) {
        return from.id<T>();
    } else if constexpr (std::is_same_v<T, base::WallTime>) {
        return from.time();
    } else if constexpr (Enum<T>) {
        INTERLUDE_TRY(auto number, from.u8());
        if (!is_valid(static_cast<T>(number))) return base::Errc::malformed;
        return static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, bool>) {
        return from.boolean();
    } else if constexpr (sizeof(T) == 1) {
        return from.u8();
    } else if constexpr (sizeof(T) == 2) {
        return from.u16();
    } else {
        static_assert(sizeof(T) == 8 && std::is_unsigned_v<T>);
        return from.u64();
    }
}

}  // namespace codec
}  // namespace interlude::audit
