#include "server/core/server_time.hpp"

#include <algorithm>

namespace interlude::core {

ServerTime::ServerTime(Start const& start) : base_mono_(start.mono) {
    bool const new_store = start.mark == WallTime{};
    bool const plausible = new_store || start.synchronised || start.wall <= start.mark + start_ahead_max;
    believed_ = plausible;
    base_wall_ = plausible ? std::max(start.wall, start.mark) : start.mark;
    skew_ = start.wall - base_wall_;
}

TimeReading ServerTime::at(base::MonoTime mono) const {
    return {base_wall_ + std::max(Millis{0}, mono - base_mono_), believed_};
}

ServerTime::Event ServerTime::observe(WallTime wall, base::MonoTime mono) {
    auto const elapsed = std::max(Millis{0}, mono - base_mono_);
    auto const now = base_wall_ + elapsed;
    skew_ = wall - now;
    auto const slew_max = Millis{elapsed.count() / slew_divisor};
    bool const ahead = skew_ > followed_max;

    base_wall_ = ahead ? now : now + std::clamp(skew_, -slew_max, slew_max);
    base_mono_ = std::max(mono, base_mono_);

    if (ahead) {
        bool const news = believed_;
        believed_ = false;
        return news ? Event::step_ignored : Event::none;
    }
    if (!believed_) {
        believed_ = true;
        behind_ = skew_ < -followed_max;
        return Event::came_back;
    }
    bool const behind = skew_ < -followed_max;
    bool const news = behind && !behind_;
    behind_ = behind;
    return news ? Event::behind : Event::none;
}

void ServerTime::confirm(WallTime wall, base::MonoTime mono) {
    base_wall_ = std::max(wall, at(mono).now);
    base_mono_ = std::max(mono, base_mono_);
    skew_ = wall - base_wall_;
    believed_ = true;
    behind_ = skew_ < -followed_max;
}

}  // namespace interlude::core
