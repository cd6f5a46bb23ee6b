// How long to wait before the next link: longer after every failure, short again after a link that worked.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace interlude::client_net {

class Backoff {
  public:
    using Millis = std::chrono::milliseconds;
    static constexpr Millis first{200};
    static constexpr Millis most{30'000};

    /// A login succeeded: what was wrong is over.
    void worked() { pause_ = first; }
    /// The server asked for so long, in its goodbye.
    void asked(Millis at_least) { asked_ = std::min(at_least, most); }
    /// The next pause; `random` is any number, so that the apps of a server that comes back do not come at once.
    Millis next(std::uint32_t random) {
        auto const jittered = pause_ / 2 + pause_ * (random % 1024) / 2048;
        pause_ = std::min(pause_ * 2, most);
        return std::max(jittered, std::exchange(asked_, Millis{0}));
    }

  private:
    Millis pause_ = first;
    Millis asked_{0};
};

}  // namespace interlude::client_net
