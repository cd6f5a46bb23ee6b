// The log as files that anybody may cache: C2SP tlog-tiles. A tile is up to 256 hashes of one level, an entry bundle up
// to 256 entries, each behind a uint16 length.
#pragma once

#include <map>
#include <string>

#include "common/audit/merkle.hpp"

namespace interlude::audit {

inline constexpr unsigned tile_width = 256;
inline constexpr unsigned tile_levels = 8;  // Merkle levels in one tile
inline constexpr std::size_t bundle_entry_bytes_max = 65535;

struct Tile {
    static constexpr int entries_level = -1;
    int level = 0;                // entries_level: an entry bundle; else 0..7, hashes of Merkle level 8 * level
    std::uint64_t index = 0;      // within its level
    unsigned width = tile_width;  // 1..256; less than 256 is a partial tile
    bool is_entries() const { return level == entries_level; }
    bool is_full() const { return width == tile_width; }
    auto operator<=>(Tile const&) const = default;
};

/// `/tile/<L>/<N>[.p/<W>]` or `/tile/entries/<N>[.p/<W>]`.
std::string tile_path(Tile const& tile);
/// The strict counterpart: malformed for every other spelling.
base::Result<Tile> parse_tile_path(std::string_view path);

/// The tiles and bundles that a tree of `to` entries has and a tree of `from` entries had not, in the order in which
/// they may be written: bundles, then hashes, levels upwards; full ones and, of each level, the last partial one.
std::vector<Tile> tiles_between(std::uint64_t from, std::uint64_t to);
/// The tile of a tree with `size` entries that holds `node`, as wide as that tree makes it.
Tile tile_of(Node node, std::uint64_t size);
/// The partial tiles at the right edge (and the partial bundle): what a TileWriter resumes from.
std::vector<Tile> right_edge_tiles(std::uint64_t size);

/// Content of a hash tile from single hashes; unknown if the source lacks one.
base::Result<bytes::Bytes> tile_content(Tile const& tile, HashSource const& source);
base::Result<std::vector<Hash32>> decode_hash_tile(bytes::ByteView content);

bytes::Bytes encode_bundle(std::span<bytes::Bytes const> entries);
base::Result<std::vector<bytes::Bytes>> decode_bundle(bytes::ByteView content);

/// The first tile.width parts of the content of a tile as wide or wider (a store keeps the widest of each place);
/// nullopt if it has fewer.
std::optional<bytes::Bytes> narrowed(Tile const& tile, bytes::Bytes content);

/// Reads a tile's content; nullopt where it is not stored.
using TileSource = std::function<std::optional<bytes::Bytes>(Tile const&)>;
/// Hashes of a tree with `size` entries, read back from its tiles (a missing or short tile is a missing hash).
HashSource hashes_from_tiles(std::uint64_t size, TileSource source);

/// The writing side: the tree plus its unfinished tiles. Append a batch, then store what flush() gives, then publish.
class TileWriter {
  public:
    struct Output {
        Tile tile;
        bytes::Bytes content;
    };

    TileWriter() = default;
    /// Goes on after `size` entries from right_edge_tiles(size); unknown if one is missing, malformed or inconsistent
    /// if one is broken.
    static base::Result<TileWriter> resume(std::uint64_t size, TileSource const& source);

    std::uint64_t size() const { return tree_.size(); }
    Hash32 root() const { return tree_.root(); }
    /// Adds an entry and returns its index. At most 65,535 bytes (more is our own bug).
    std::uint64_t append(bytes::ByteView entry);
    /// All tiles that are new since the last flush, in the order of tiles_between.
    std::vector<Output> flush();

  private:
    Tree tree_;
    std::vector<bytes::Bytes> bundle_;         // entries of the unfinished bundle
    std::vector<std::vector<Hash32>> hashes_;  // of the unfinished tile of each level
    std::map<Tile, bytes::Bytes> full_;        // finished since the last flush
    std::uint64_t flushed_ = 0;
};

}  // namespace interlude::audit
