// Two kinds of time that never convert into each other, and no way to ask for either: time is a parameter.
#pragma once

#include <chrono>
#include <cstdint>

namespace interlude::base {

using Millis = std::chrono::milliseconds;

struct WallClock {  // a tag: milliseconds since 1970-01-01T00:00Z, no leap seconds
    using rep = std::int64_t;
    using period = std::milli;
    using duration = Millis;
    using time_point = std::chrono::time_point<WallClock, Millis>;
    static constexpr bool is_steady = false;
};
struct MonoClock {  // a tag: milliseconds since an arbitrary start, never goes back
    using rep = std::int64_t;
    using period = std::milli;
    using duration = Millis;
    using time_point = std::chrono::time_point<MonoClock, Millis>;
    static constexpr bool is_steady = true;
};

using WallTime = WallClock::time_point;
using MonoTime = MonoClock::time_point;

constexpr WallTime wall_ms(std::int64_t ms) {
    return WallTime{Millis{ms}};
}
constexpr WallTime wall_seconds(std::int64_t s) {
    return WallTime{Millis{s * 1000}};
}
constexpr std::int64_t to_ms(WallTime t) {
    return t.time_since_epoch().count();
}
constexpr std::int64_t to_ms(MonoTime t) {
    return t.time_since_epoch().count();
}
constexpr MonoTime mono_ms(std::int64_t ms) {
    return MonoTime{Millis{ms}};
}

/// Half-open span of wall time: start inclusive, end exclusive. Window bounds are whole seconds.
struct Interval {
    WallTime start;
    WallTime end;
    bool contains(WallTime t) const { return start <= t && t < end; }
    bool operator==(Interval const&) const = default;
};

}  // namespace interlude::base
