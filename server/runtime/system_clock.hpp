// The only place that asks what time it is.
#pragma once

#include "common/base/time.hpp"

namespace interlude::runtime {

base::WallTime wall_now();
base::MonoTime mono_now();
/// The kernel says that a time service disciplines the clock.
bool clock_synchronised();

}  // namespace interlude::runtime
