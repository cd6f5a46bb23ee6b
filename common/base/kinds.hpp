// What a codec asks of the type of a member: is it an id, an optional, a vector?
#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <vector>

#include "common/base/ids.hpp"

namespace interlude::base {

template <class T>
struct IsId : std::false_type {};
template <class Tag, std::size_t N>
struct IsId<Id<Tag, N>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

}  // namespace interlude::base
