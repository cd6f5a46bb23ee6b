// A small log in memory for the tests: entries go in, tiles, signed checkpoints and proofs come out.
#pragma once

#include <map>

#include "common/audit/proof.hpp"
#include "common/audit/tiles.hpp"

namespace interlude::audit {

inline bytes::Bytes numbered_entry(std::uint64_t number) {
    return bytes::copy(bytes::view("entry " + std::to_string(number)));
}

inline crypto::SigningKey key_of(std::uint64_t seed) {
    crypto::SeededEntropy entropy(seed);
    return crypto::SigningKey::generate(entropy);
}

class SampleLog {
  public:
    explicit SampleLog(std::uint64_t seed = 1, std::string origin = "clinic.example/log")
        : signing_key(key_of(seed)), key{std::move(origin), signing_key.public_key()} {}

    static SampleLog of(std::uint64_t size) {
        SampleLog log;
        log.grow_to(size);
        return log;
    }

    /// Appends and stores the changed tiles. Every size that was reached this way has its tiles.
    std::uint64_t append(bytes::Bytes const& entry) {
        auto const index = writer.append(entry);
        for (auto& [tile, content] : writer.flush()) tiles[tile] = std::move(content);
        return index;
    }
    void grow_to(std::uint64_t size) {
        while (writer.size() < size) append(numbered_entry(writer.size()));
    }

    std::uint64_t size() const { return writer.size(); }
    TileSource tile_source() const {
        return [this](Tile const& tile) -> std::optional<bytes::Bytes> {
            auto const found = tiles.find(tile);
            if (found == tiles.end()) return std::nullopt;
            return found->second;
        };
    }
    HashSource hashes(std::uint64_t at_size) const { return hashes_from_tiles(at_size, tile_source()); }

    Checkpoint checkpoint(std::uint64_t at_size) const {
        return {key.origin, at_size, *root_at(at_size, hashes(at_size)), {}};
    }
    std::string note(std::uint64_t at_size) const { return sign_checkpoint(checkpoint(at_size), signing_key); }
    Proof consistency(std::uint64_t from, std::uint64_t to) const { return *prove_consistency(from, to, hashes(to)); }
    LogProof proof(std::uint64_t index, std::uint64_t at_size) const {
        return {std::nullopt, index, *prove_inclusion(index, at_size, hashes(at_size)), note(at_size)};
    }

    crypto::SigningKey signing_key;
    LogKey key;
    TileWriter writer;
    std::map<Tile, bytes::Bytes> tiles;
};

}  // namespace interlude::audit
