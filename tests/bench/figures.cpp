#include "tests/bench/figures.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/check.hpp"

namespace interlude::bench {

RateSchedule::RateSchedule(double per_second, Nanos length) : per_second_(per_second) {
    INTERLUDE_CHECK(per_second > 0);
    count_ = static_cast<std::uint64_t>(std::ceil(static_cast<double>(length.count()) * per_second / 1e9));
    while (count_ > 0 && due(count_ - 1) >= length) --count_;  // what rounding added
}

Nanos RateSchedule::due(std::uint64_t message) const {
    return Nanos{static_cast<std::int64_t>(static_cast<double>(message) * 1e9 / per_second_)};
}

void Latencies::add(Latencies const& others) {
    values_.insert(values_.end(), others.values_.begin(), others.values_.end());
}

Percentiles Latencies::percentiles() const {
    if (values_.empty()) return {};
    auto sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    auto const at = [&](std::size_t per_mille) { return sorted[(sorted.size() * per_mille + 999) / 1000 - 1]; };
    return {sorted.size(), at(500), at(990), at(999), sorted.back()};
}

}  // namespace interlude::bench
