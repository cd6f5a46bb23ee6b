// The vault of an app whose machine can fail at any commit: just before it, or just after, when nobody learns of it.
#pragma once

#include "tests/sim/happening.hpp"
#include "tests/support/failing_vault.hpp"

namespace interlude::sim {

using tests::PowerFailure;

class Accidents {
  public:
    explicit Accidents(Dice dice = Dice{0}) : dice_(dice) {}
    /// Fails at some commit within the next `commits`.
    void fail_within(std::uint64_t commits) { left_ = dice_.between(1, commits); }
    void fail_no_more() { left_ = 0; }

    tests::CommitFate next_commit() {
        if (left_ == 0 || --left_ > 0) return tests::CommitFate::well;
        return dice_.one_in(2) ? tests::CommitFate::lost : tests::CommitFate::unconfirmed;
    }

  private:
    Dice dice_;
    std::uint64_t left_ = 0;  // commits to the failure; 0: none
};

using Vault = tests::FailingVault<Accidents>;

}  // namespace interlude::sim
