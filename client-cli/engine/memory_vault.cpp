#include "client-cli/engine/memory_vault.hpp"

namespace interlude::engine {

class MemoryVault::Transaction final : public VaultTransaction {
  public:
    explicit Transaction(MemoryVault& vault) : vault_(vault) {
        INTERLUDE_CHECK(!vault_.open_);  // one at a time: a nested one would wait for itself in a real vault
        vault_.open_ = true;
    }
    ~Transaction() override { vault_.open_ = false; }

    std::optional<Bytes> get(Table table, ByteView key) override {
        auto const at = Key{table, bytes::copy(key)};
        if (auto changed = changes_.find(at); changed != changes_.end()) return changed->second;
        if (auto kept = vault_.rows_.find(at); kept != vault_.rows_.end()) return kept->second;
        return std::nullopt;
    }
    void put(Table table, ByteView key, ByteView value) override {
        changes_[Key{table, bytes::copy(key)}] = bytes::copy(value);
    }
    void erase(Table table, ByteView key) override { changes_[Key{table, bytes::copy(key)}] = std::nullopt; }
    std::vector<Row> scan(Table table, ByteView prefix) override {
        INTERLUDE_CHECK(prefix.empty() || prefix.size() >= 16);
        std::map<Bytes, Bytes> found;
        auto const first = Key{table, bytes::copy(prefix)};
        auto const belongs = [&](Key const& key) {
            return key.first == table && key.second.size() >= prefix.size() &&
                   std::equal(prefix.begin(), prefix.end(), key.second.begin());
        };
        for (auto row = vault_.rows_.lower_bound(first); row != vault_.rows_.end() && belongs(row->first); ++row)
            found[row->first.second] = row->second;
        for (auto row = changes_.lower_bound(first); row != changes_.end() && belongs(row->first); ++row) {
            if (row->second)
                found[row->first.second] = *row->second;
            else
                found.erase(row->first.second);
        }
        std::vector<Row> rows;
        for (auto& [key, value] : found) rows.push_back({key, std::move(value)});
        return rows;
    }
    void commit() override {
        for (auto& [key, value] : changes_) {
            if (value)
                vault_.rows_[key] = std::move(*value);
            else
                vault_.rows_.erase(key);
        }
        changes_.clear();
        ++vault_.commits_;
    }

  private:
    using Key = std::pair<Table, Bytes>;
    MemoryVault& vault_;
    std::map<Key, std::optional<Bytes>> changes_;
};

std::unique_ptr<VaultTransaction> MemoryVault::begin() {
    return std::make_unique<Transaction>(*this);
}

}  // namespace interlude::engine
