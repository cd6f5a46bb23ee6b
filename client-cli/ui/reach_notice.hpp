// When a running chat says that the server is not reached, or reached again.
#pragma once

#include <chrono>
#include <optional>

namespace interlude::ui {

class ReachNotice {
  public:
    using Moment = std::chrono::steady_clock::time_point;
    /// Short breaks are nobody's business.
    static constexpr auto patience = std::chrono::seconds{5};

    /// At every look at the link: true or false when the person should be told so, once each time it changes.
    std::optional<bool> look(bool reached, Moment now) {
        if (reached) {
            missing_since_.reset();
            if (!told_missing_) return std::nullopt;
            told_missing_ = false;
            return true;
        }
        if (!missing_since_) missing_since_ = now;
        if (told_missing_ || now - *missing_since_ < patience) return std::nullopt;
        told_missing_ = true;
        return false;
    }

  private:
    std::optional<Moment> missing_since_;
    bool told_missing_ = false;
};

}  // namespace interlude::ui
