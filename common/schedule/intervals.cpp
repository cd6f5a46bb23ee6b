#include "common/schedule/intervals.hpp"

#include <algorithm>
#include <iterator>

namespace interlude::schedule {

namespace {

bool starts_earlier(Interval const& a, Interval const& b) {
    return a.start < b.start;
}

}  // namespace

bool is_normal(std::span<Interval const> set) {
    for (std::size_t i = 0; i < set.size(); ++i) {
        if (set[i].end <= set[i].start) return false;
        if (i > 0 && set[i].start <= set[i - 1].end) return false;
    }
    return true;
}

Intervals normalise(Intervals any) {
    std::erase_if(any, [](Interval const& i) { return i.end <= i.start; });
    if (!std::is_sorted(any.begin(), any.end(), starts_earlier)) std::sort(any.begin(), any.end(), starts_earlier);
    std::size_t normal = 0;  // how many of the first are
    for (auto const next : any) {
        if (normal > 0 && next.start <= any[normal - 1].end)
            any[normal - 1].end = std::max(any[normal - 1].end, next.end);
        else
            any[normal++] = next;
    }
    any.resize(normal);
    return any;
}

Intervals unite(std::span<Interval const> a, std::span<Interval const> b) {
    Intervals all;
    all.reserve(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all), starts_earlier);
    return normalise(std::move(all));
}

Intervals subtract(std::span<Interval const> from, std::span<Interval const> what) {
    Intervals rest;
    auto cut = what.begin();
    for (auto piece : from) {
        while (cut != what.end() && cut->end <= piece.start) ++cut;
        // A cut can reach into the next piece too, so `cut` itself stays on it.
        for (auto c = cut; c != what.end() && c->start < piece.end; ++c) {
            if (piece.start < c->start) rest.push_back({piece.start, c->start});
            piece.start = std::max(piece.start, c->end);
        }
        if (piece.start < piece.end) rest.push_back(piece);
    }
    return rest;
}

Intervals intersect(std::span<Interval const> a, std::span<Interval const> b) {
    Intervals both;
    for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
        Interval const common{std::max(i->start, j->start), std::min(i->end, j->end)};
        if (common.start < common.end) both.push_back(common);
        i->end < j->end ? ++i : ++j;
    }
    return both;
}

Intervals clip(std::span<Interval const> set, Interval span) {
    if (span.end <= span.start) return {};
    auto const first =
        std::partition_point(set.begin(), set.end(), [&](Interval const& i) { return i.end <= span.start; });
    auto const last = std::partition_point(first, set.end(), [&](Interval const& i) { return i.start < span.end; });
    Intervals inside(first, last);
    if (!inside.empty()) {
        inside.front().start = std::max(inside.front().start, span.start);
        inside.back().end = std::min(inside.back().end, span.end);
    }
    return inside;
}

Interval const* last_started(std::span<Interval const> set, WallTime t) {
    auto const next =
        std::upper_bound(set.begin(), set.end(), t, [](WallTime at, Interval const& i) { return at < i.start; });
    return next == set.begin() ? nullptr : &*(next - 1);
}

Interval const* first_after(std::span<Interval const> set, WallTime t) {
    auto const next =
        std::upper_bound(set.begin(), set.end(), t, [](WallTime at, Interval const& i) { return at < i.start; });
    return next == set.end() ? nullptr : &*next;
}

bool contains(std::span<Interval const> set, WallTime t) {
    auto const* last = last_started(set, t);
    return last && last->contains(t);
}

bool contains_all(std::span<Interval const> set, std::span<Interval const> other) {
    return subtract(other, set).empty();
}

}  // namespace interlude::schedule
