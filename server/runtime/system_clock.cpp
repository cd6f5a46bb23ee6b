#include "server/runtime/system_clock.hpp"

#include <sys/timex.h>

namespace interlude::runtime {

base::WallTime wall_now() {
    auto const since = std::chrono::system_clock::now().time_since_epoch();
    return base::WallTime{std::chrono::duration_cast<base::Millis>(since)};
}

base::MonoTime mono_now() {
    auto const since = std::chrono::steady_clock::now().time_since_epoch();
    return base::MonoTime{std::chrono::duration_cast<base::Millis>(since)};
}

bool clock_synchronised() {
    timex status{};
    int const state = adjtimex(&status);
    return state >= 0 && state != TIME_ERROR && (status.status & STA_UNSYNC) == 0;
}

}  // namespace interlude::runtime
