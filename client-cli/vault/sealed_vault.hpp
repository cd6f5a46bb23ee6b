// The home's vault: a SQLite file in which every record is sealed. A stolen copy shows sizes and counts, no text, name,
// key or conversation id; swapped, older, missing and flipped records are noticed.
//
// A row is (table, slot, group, version, sealed). slot = HMAC(table, key) is where a record lives, group = HMAC of the
// key's first 16 bytes serves scans. sealed = nonce ‖ XChaCha20-Poly1305 of (key ‖ value) with (table, slot, version)
// as associated data. One sealed head record holds a counter and the sum, modulo 2^256, of SHA-256(table, slot, group,
// version, tag) over all rows; it changes in the same transaction and is compared when the vault is opened. Then also
// the schema must be the one that was made, and the index must hold what the table holds.
#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "client-cli/engine/vault_port.hpp"
#include "common/crypto/entropy.hpp"

namespace interlude::vault {

struct VaultError : std::runtime_error {
    enum class Kind : std::uint8_t {
        wrong_key = 1,  // passphrase or key file do not open it
        damaged = 2,    // a record was changed, swapped, dropped or rolled back
        busy = 3,       // another program holds it for too long
        disk = 4,       // full, read-only, or broken
        newer = 5,      // written by a later version
        older = 7,      // written by a build before the first release
        missing = 6,    // there is no vault here
    };
    VaultError(Kind of, std::string const& text) : std::runtime_error(text), kind(of) {}
    Kind kind;
};

/// What opens a vault: a passphrase, or the 32 bytes of HOME/key.
struct VaultSecret {
    enum class Kind : std::uint8_t { passphrase = 1, key_file = 2 };
    Kind kind{};
    bytes::SecretBytes bytes;
};

class SealedVault final : public engine::Vault {
  public:
    static bool exists(std::filesystem::path const& home);
    /// Which secret the vault of this home wants. VaultError missing.
    static VaultSecret::Kind wants(std::filesystem::path const& home);
    /// Makes HOME (0700) and the vault. VaultError disk.
    static std::unique_ptr<SealedVault> create(std::filesystem::path const& home, VaultSecret const& secret,
                                               crypto::Entropy& entropy);
    /// Opens and compares the head with all rows. VaultError.
    static std::unique_ptr<SealedVault> open(std::filesystem::path const& home, VaultSecret const& secret,
                                             crypto::Entropy& entropy);
    ~SealedVault() override;

    std::unique_ptr<engine::VaultTransaction> begin() override;

    class Impl;

  private:
    explicit SealedVault(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// HOME/key: 64 hex digits, mode 0600. VaultError disk; wrong_key if it is there and not a key, or readable by others.
VaultSecret make_key_file(std::filesystem::path const& home, crypto::Entropy& entropy);
VaultSecret read_key_file(std::filesystem::path const& home);

}  // namespace interlude::vault
