// A moment that the tests of this folder reckon from.
#pragma once

#include "common/base/time.hpp"

namespace interlude::ui {

inline constexpr auto monday_ten = base::wall_seconds(1'799'056'800);

}  // namespace interlude::ui
