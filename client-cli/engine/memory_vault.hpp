// A vault in memory, for tests, the simulation and the benchmark. One transaction at a time; a crash is the end of a
// transaction without commit.
#pragma once

#include <map>

#include "client-cli/engine/vault_port.hpp"
#include "common/base/check.hpp"

namespace interlude::engine {

class MemoryVault final : public Vault {
  public:
    std::unique_ptr<VaultTransaction> begin() override;
    /// How many transactions were committed: lets a test cut the power after each of them.
    std::uint64_t commits() const { return commits_; }

  private:
    using Rows = std::map<std::pair<Table, Bytes>, Bytes>;
    class Transaction;
    Rows rows_;
    bool open_ = false;
    std::uint64_t commits_ = 0;
};

}  // namespace interlude::engine
