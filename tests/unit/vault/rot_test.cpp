// A disk that turns one bit of a vault: the home says that it is damaged, or everything in it is as it was.
// INTERLUDE_FLIPS: how many (./dev faults).
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <random>

#include "client-cli/vault/sealed_vault.hpp"
#include "common/bytes/writer.hpp"
#include "tests/support/how_often.hpp"
#include "tests/support/scratch_folder.hpp"

namespace interlude::vault {
namespace {

using bytes::Bytes;
using engine::Table;

int flips() {
    return test::how_often("INTERLUDE_FLIPS", 100);
}

class VaultRot : public testing::Test {
  protected:
    VaultRot() {
        auto const vault = SealedVault::create(home, secret(), entropy);
        for (std::uint8_t round = 0; round < 12; ++round) {  // several versions, and rows that are gone again
            auto transaction = vault->begin();
            for (std::uint8_t number = 0; number < 6; ++number)
                transaction->put(Table::messages, key(number), Bytes(200 + 400 * number, round));
            transaction->put(Table::groups, key(round), entropy.bytes(3000));
            if (round > 3) transaction->erase(Table::groups, key(round - 3));
            transaction->commit();
        }
    }

    static VaultSecret secret() { return {VaultSecret::Kind::key_file, bytes::SecretBytes(Bytes(32, 1))}; }
    static Bytes key(int number) {
        return bytes::Writer().raw(Bytes(16, 9)).u8(static_cast<std::uint8_t>(number)).take();
    }

    std::filesystem::path file() const { return home / "vault.db"; }
    Bytes content() const {
        std::ifstream in(file(), std::ios::binary);
        return Bytes(std::istreambuf_iterator<char>(in), {});
    }
    void write(Bytes const& bytes) const {
        std::ofstream(file(), std::ios::binary)
            .write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    /// Every row, as an app that opens this home has them. Throws what it notices.
    Bytes everything() {
        auto const vault = SealedVault::open(home, secret(), entropy);
        bytes::Writer all;
        for (auto const table : {Table::messages, Table::groups, Table::home, Table::outgoing})
            for (auto const& row : vault->begin()->scan(table, {})) all.opaque(row.key).opaque(row.value);
        return std::move(all).take();
    }

    crypto::SystemEntropy entropy;
    test::ScratchFolder folder;
    std::filesystem::path home = folder.path();
};

TEST_F(VaultRot, is_noticed_or_harmless) {
    auto const said = everything();
    auto const whole = content();
    std::mt19937_64 random(7);
    int noticed = 0, harmless = 0;
    for (int i = 0; i < flips(); ++i) {
        auto turned = whole;
        auto const bit = random() % (turned.size() * 8);
        turned[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        write(turned);
        try {
            ASSERT_EQ(everything(), said)
                << "bit " << bit % 8 << " of byte " << bit / 8 << " was turned, and nobody noticed";
            ++harmless;
        } catch (VaultError const&) {
            ++noticed;
        }
    }
    EXPECT_GT(noticed, 0);
    std::cout << flips() << " bits turned in a vault of " << whole.size() << " bytes: " << noticed << " noticed, "
              << harmless << " harmless\n";
}

}  // namespace
}  // namespace interlude::vault
