// The vault of an app whose machine can fail at any commit: just before it, or just after, when nobody learns of it.
#pragma once

#include "client-cli/engine/memory_vault.hpp"
#include "tests/sim/happening.hpp"

namespace interlude::sim {

/// The process ends here, in the middle of whatever it did.
struct PowerFailure {};

class Vault final : public engine::Vault {
  public:
    explicit Vault(Dice dice) : dice_(dice) {}

    std::unique_ptr<engine::VaultTransaction> begin() override {
        return std::make_unique<Transaction>(*this, rows_.begin());
    }
    /// Fails at some commit within the next `commits`.
    void fail_within(std::uint64_t commits) { left_ = dice_.between(1, commits); }
    void fail_no_more() { left_ = 0; }

  private:
    class Transaction final : public engine::VaultTransaction {
      public:
        Transaction(Vault& vault, std::unique_ptr<engine::VaultTransaction> inner)
            : vault_(vault), inner_(std::move(inner)) {}
        std::optional<bytes::Bytes> get(engine::Table table, bytes::ByteView key) override {
            return inner_->get(table, key);
        }
        void put(engine::Table table, bytes::ByteView key, bytes::ByteView value) override {
            inner_->put(table, key, value);
        }
        void erase(engine::Table table, bytes::ByteView key) override { inner_->erase(table, key); }
        std::vector<engine::Row> scan(engine::Table table, bytes::ByteView prefix) override {
            return inner_->scan(table, prefix);
        }
        void commit() override {
            bool const fails = vault_.left_ > 0 && --vault_.left_ == 0;
            if (fails && vault_.dice_.one_in(2)) throw PowerFailure{};
            inner_->commit();
            if (fails) throw PowerFailure{};
        }

      private:
        Vault& vault_;
        std::unique_ptr<engine::VaultTransaction> inner_;
    };

    engine::MemoryVault rows_;
    Dice dice_;
    std::uint64_t left_ = 0;  // commits to the failure; 0: none
};

}  // namespace interlude::sim
