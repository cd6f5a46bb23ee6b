// When a running chat says that the server is not reached, or reached again.
#pragma once

#include <chrono>
#include <optional>

namespace interlude::ui {

class ReachNotice {
  public:
    using Moment = std::chrono::steady_clock::time_point;
    /// Short breaks are nobody's business.
    static constexpr auto patience = std::chrono::seconds{2};

    /// `away`: the person was told already.
    explicit ReachNotice(bool away = false) : told_missing_(away) {}

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

    /// The person was told so, and not yet that it is over.
    bool away() const { return told_missing_; }

  private:
    std::optional<Moment> missing_since_;
    bool told_missing_;
};

}  // namespace interlude::ui
