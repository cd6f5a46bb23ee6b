// Sets of instants as sorted, disjoint, non-touching half-open intervals: a small pure algebra.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/base/time.hpp"

namespace interlude::schedule {

using base::Interval;
using base::Millis;
using base::WallTime;

/// Sorted by start, no interval empty, none touching the next one. Every function here takes and gives this form,
/// except normalise(), which makes it.
using Intervals = std::vector<Interval>;

bool is_normal(std::span<Interval const> set);
/// From any order, with overlaps; empty and backward intervals vanish.
Intervals normalise(Intervals any);
Intervals unite(std::span<Interval const> a, std::span<Interval const> b);
Intervals subtract(std::span<Interval const> from, std::span<Interval const> what);
Intervals intersect(std::span<Interval const> a, std::span<Interval const> b);
/// The part inside `span`.
Intervals clip(std::span<Interval const> set, Interval span);

bool contains(std::span<Interval const> set, WallTime t);
bool contains_all(std::span<Interval const> set, std::span<Interval const> other);
/// The last interval that starts at or before t, or nullptr.
Interval const* last_started(std::span<Interval const> set, WallTime t);
/// The first interval that starts after t, or nullptr.
Interval const* first_after(std::span<Interval const> set, WallTime t);

}  // namespace interlude::schedule
