// The random bytes of one transaction, drawn from its request's seed in a fixed order.
#pragma once

#include "server/core/types.hpp"

namespace interlude::core {

class Draws {
  public:
    explicit Draws(Seed const& seed) : seed_(seed) {}
    /// 32 bytes, never the same twice.
    Hash32 next();

  private:
    Seed seed_;
    std::uint64_t counter_ = 0;
};

}  // namespace interlude::core
