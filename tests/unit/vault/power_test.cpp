// Power is cut, a write or an fsync fails, or the disk is full, at each step of a vault's life in turn. The home opens
// again, whole, with exactly the transactions whose commit() returned, or one more: the one that was under way.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <map>

#include "client-cli/vault/sealed_vault.hpp"
#include "common/bytes/writer.hpp"
#include "tests/contract/vfs/sweep.hpp"
#include "tests/support/scratch_folder.hpp"

namespace interlude::vault {
namespace {

using bytes::Bytes;
using engine::Table;
using test::FaultVfs;
using Fault = FaultVfs::Fault;
using Loss = FaultVfs::Loss;

/// What a vault asks SQLite for goes to a disk with faults while this lives.
class FaultyByDefault {
  public:
    FaultyByDefault() : usual_(sqlite3_vfs_find(nullptr)) {
        sqlite3_vfs_register(sqlite3_vfs_find(disk.name().c_str()), 1);
    }
    ~FaultyByDefault() { sqlite3_vfs_register(usual_, 1); }
    FaultyByDefault(FaultyByDefault const&) = delete;
    FaultyByDefault& operator=(FaultyByDefault const&) = delete;

    FaultVfs disk{"vault-power"};

  private:
    sqlite3_vfs* usual_;
};

class VaultPower : public testing::Test {
  protected:
    using Content = std::map<std::pair<Table, Bytes>, Bytes>;

    VaultPower() {
        SealedVault::create(home, secret(), entropy);  // on the usual disk; its file stands for the one below
        std::ifstream in(home / "vault.db", std::ios::binary);
        Bytes const made(std::istreambuf_iterator<char>(in), {});
        faulty.emplace();
        begun[(home / "vault.db").string()] = {made, made, {}};
    }

    static VaultSecret secret() { return {VaultSecret::Kind::key_file, bytes::SecretBytes(Bytes(32, 1))}; }
    static Bytes key(std::size_t number) {
        return bytes::Writer().raw(Bytes(16, 9)).u8(static_cast<std::uint8_t>(number)).take();
    }
    static Content everything(SealedVault& vault) {
        Content content;
        auto const transaction = vault.begin();
        for (auto const table : {Table::messages, Table::groups, Table::outgoing})
            for (auto& row : transaction->scan(table, {})) content[{table, row.key}] = std::move(row.value);
        return content;
    }

    /// As an app's turn changes it: a message comes, a group moves on, what was sent is forgotten.
    static void change(std::size_t turn, engine::VaultTransaction& transaction, Content& content) {
        auto const put = [&](Table table, std::size_t number, Bytes const& value) {
            transaction.put(table, key(number), value);
            content[{table, key(number)}] = value;
        };
        auto const fill = static_cast<std::uint8_t>(turn);
        put(Table::messages, turn, Bytes(turn == 3 ? 40'000 : 300, fill));
        put(Table::groups, 0, Bytes(3'000, fill));
        if (turn % 2 == 0) put(Table::outgoing, turn, Bytes(500, fill));
        if (turn % 2 == 1 && turn > 1) {
            transaction.erase(Table::outgoing, key(turn - 1));
            content.erase({Table::outgoing, key(turn - 1)});
        }
    }

    void live(SealedVault& vault, std::size_t turn) {
        auto content = after.back();
        auto transaction = vault.begin();
        change(turn, *transaction, content);
        after.push_back(content);
        transaction->commit();
        ++committed;
    }

    void live_through(SealedVault& vault, std::size_t turn, Fault fault) {
        try {
            return live(vault, turn);
        } catch (VaultError const&) {
            if (fault != Fault::write_fails && fault != Fault::disk_full) throw;
        }
        faulty->disk.room_again();
        EXPECT_EQ(everything(vault), after.at(committed));  // nothing was changed
        after.resize(committed + 1);
        live(vault, turn);
    }

    /// From the beginning, with a fault at this step; where a disk takes writes again, the same app goes on. False: it
    /// ended before.
    bool live_until(std::uint64_t step, Fault fault) {
        faulty->disk.set_disk(begun);
        faulty->disk.begin(step, fault);
        committed = 0;
        after = {{}};
        try {
            auto const vault = SealedVault::open(home, secret(), entropy);
            for (std::size_t turn = 1; turn <= turns; ++turn) live_through(*vault, turn, fault);
        } catch (VaultError const& error) {
            EXPECT_EQ(error.kind, VaultError::Kind::disk) << error.what();
        }
        bool const happened = faulty->disk.fault_happened();
        EXPECT_TRUE(happened || committed == turns);
        return happened;
    }

    void expect_whole(std::string const& where) {
        SCOPED_TRACE(where);
        try {
            auto const vault = SealedVault::open(home, secret(), entropy);
            auto const content = everything(*vault);
            bool const as_answered = content == after.at(committed);
            bool const one_more = committed + 1 < after.size() && content == after.at(committed + 1);
            EXPECT_TRUE(as_answered || one_more) << committed << " were committed, " << content.size() << " rows";
            auto next = content;  // and life goes on
            auto transaction = vault->begin();
            change(turns + 1, *transaction, next);
            transaction->commit();
            transaction.reset();
            EXPECT_EQ(everything(*vault), next);
        } catch (VaultError const& error) {
            ADD_FAILURE() << error.what();
        }
    }

    std::uint64_t sweep(Fault fault, Loss loss) {
        auto const live = [this](std::uint64_t step, Fault with) { return live_until(step, with); };
        return test::sweep(faulty->disk, fault, loss, live, [this](std::string const& where) { expect_whole(where); });
    }

    static constexpr std::size_t turns = 7;
    crypto::SeededEntropy entropy{23};
    test::ScratchFolder folder;
    std::filesystem::path home = folder / "home";
    std::optional<FaultyByDefault> faulty;
    FaultVfs::Disk begun;
    std::size_t committed = 0;
    std::vector<Content> after;  // so many transactions
};

TEST_F(VaultPower, without_a_fault_every_transaction_is_there) {
    EXPECT_FALSE(live_until(UINT64_MAX, Fault::power_off));
    EXPECT_EQ(committed, turns);
    faulty->disk.restart(Loss::all);
    expect_whole("no fault");
}

TEST_F(VaultPower, cut_at_any_step_with_all_unsynced_writes_lost) {
    EXPECT_GT(sweep(Fault::power_off, Loss::all), 100u);
}

TEST_F(VaultPower, cut_at_any_step_with_all_unsynced_writes_kept) {
    EXPECT_GT(sweep(Fault::power_off, Loss::none), 100u);
}

TEST_F(VaultPower, cut_at_any_step_with_unsynced_writes_torn) {
    EXPECT_GT(sweep(Fault::power_off, Loss::some), 100u);
}

TEST_F(VaultPower, an_fsync_that_fails_at_any_step) {
    EXPECT_GT(sweep(Fault::sync_fails, Loss::some), 20u);
}

TEST_F(VaultPower, a_write_that_fails_at_any_step) {
    EXPECT_GT(sweep(Fault::write_fails, Loss::some), 80u);
}

TEST_F(VaultPower, a_disk_that_is_full_from_any_step_on) {
    EXPECT_GT(sweep(Fault::disk_full, Loss::none), 80u);
}

}  // namespace
}  // namespace interlude::vault
