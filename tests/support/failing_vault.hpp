// A vault in memory whose machine fails at some commits; which, and how, is the Fates' to say.
#pragma once

#include "client-cli/engine/memory_vault.hpp"

namespace interlude::tests {

/// The process ends here, in the middle of whatever it did.
struct PowerFailure {};

enum class CommitFate {
    well,
    lost,         // nothing of the transaction happened
    unconfirmed,  // it is durable, and nobody learned of it
};

/// Fates has `CommitFate next_commit()`, and whatever a test sets it by.
template <class Fates>
class FailingVault final : public engine::Vault, public Fates {
  public:
    explicit FailingVault(Fates fates = {}) : Fates(std::move(fates)) {}

    std::unique_ptr<engine::VaultTransaction> begin() override {
        return std::make_unique<Transaction>(*this, rows_.begin());
    }

    /// How many rows were asked for and found: what a real vault would have decrypted.
    std::uint64_t rows_read() const { return rows_read_; }

  private:
    class Transaction final : public engine::VaultTransaction {
      public:
        Transaction(FailingVault& vault, std::unique_ptr<engine::VaultTransaction> inner)
            : vault_(vault), inner_(std::move(inner)) {}
        std::optional<bytes::Bytes> get(engine::Table table, bytes::ByteView key) override {
            auto found = inner_->get(table, key);
            vault_.rows_read_ += found.has_value();
            return found;
        }
        void put(engine::Table table, bytes::ByteView key, bytes::ByteView value) override {
            inner_->put(table, key, value);
        }
        void erase(engine::Table table, bytes::ByteView key) override { inner_->erase(table, key); }
        std::vector<engine::Row> scan(engine::Table table, bytes::ByteView prefix) override {
            auto found = inner_->scan(table, prefix);
            vault_.rows_read_ += found.size();
            return found;
        }
        void commit() override {
            auto const fate = vault_.next_commit();
            if (fate == CommitFate::lost) throw PowerFailure{};
            inner_->commit();
            if (fate == CommitFate::unconfirmed) throw PowerFailure{};
        }

      private:
        FailingVault& vault_;
        std::unique_ptr<engine::VaultTransaction> inner_;
    };
    engine::MemoryVault rows_;
    std::uint64_t rows_read_ = 0;
};

}  // namespace interlude::tests
