#include "common/audit/tiles.hpp"

#include <algorithm>
#include <utility>

#include "common/audit/text_lines.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::audit {

using base::Errc;
using base::Result;

namespace {

constexpr int highest_tile_level = 64 / tile_levels - 1;
constexpr std::string_view prefix = "/tile/";
constexpr std::string_view entries_name = "entries";

/// How many hashes (entries) the tiles of `level` hold together, in a tree of `size` entries.
std::uint64_t count_at(int level, std::uint64_t size) {
    return level == Tile::entries_level ? size : size >> (tile_levels * static_cast<unsigned>(level));
}

std::optional<Tile> partial_tile(int level, std::uint64_t size) {
    auto const count = count_at(level, size);
    if (count % tile_width == 0) return std::nullopt;
    return Tile{level, count / tile_width, static_cast<unsigned>(count % tile_width)};
}

bytes::Bytes encode_hashes(std::vector<Hash32> const& hashes) {
    bytes::Bytes content;
    for (auto const& hash : hashes) bytes::append(content, hash.bytes);
    return content;
}

/// The bundle or tile, if it has at least as many items as its width says.
Result<std::vector<Hash32>> read_hashes(TileSource const& source, Tile const& tile) {
    auto const content = source(tile);
    if (!content) return Errc::unknown;
    INTERLUDE_TRY(auto hashes, decode_hash_tile(*content));
    if (hashes.size() != tile.width) return Errc::malformed;
    return hashes;
}

}  // namespace

std::string tile_path(Tile const& tile) {
    auto path = std::string(prefix) + (tile.is_entries() ? std::string(entries_name) : std::to_string(tile.level));
    auto number = std::to_string(tile.index);
    number.insert(0, (3 - number.size() % 3) % 3, '0');
    for (std::size_t at = 0; at < number.size(); at += 3) {
        path += at + 3 < number.size() ? "/x" : "/";
        path += number.substr(at, 3);
    }
    if (!tile.is_full()) path += ".p/" + std::to_string(tile.width);
    return path;
}

Result<Tile> parse_tile_path(std::string_view path) {
    if (path.size() > 64 || !path.starts_with(prefix)) return Errc::malformed;
    auto rest = path.substr(prefix.size());
    Tile tile;

    auto const slash = rest.find('/');
    if (slash == std::string_view::npos) return Errc::malformed;
    if (auto const level = rest.substr(0, slash); level == entries_name) {
        tile.level = Tile::entries_level;
    } else {
        auto const number = parse_decimal(level);
        if (!number || *number > highest_tile_level) return Errc::malformed;
        tile.level = static_cast<int>(*number);
    }
    rest.remove_prefix(slash + 1);

    if (auto const partial = rest.find(".p/"); partial != std::string_view::npos) {
        auto const width = parse_decimal(rest.substr(partial + 3));
        if (!width || *width == 0 || *width >= tile_width) return Errc::malformed;
        tile.width = static_cast<unsigned>(*width);
        rest = rest.substr(0, partial);
    }

    std::string digits;
    for (auto const c : rest)
        if (c >= '0' && c <= '9') digits += c;
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    auto const index = parse_decimal(digits.empty() ? "0" : digits);
    if (!index) return Errc::malformed;
    tile.index = *index;
    if (tile_path(tile) != path) return Errc::malformed;  // there is one spelling only
    return tile;
}

std::vector<Tile> tiles_between(std::uint64_t from, std::uint64_t to) {
    INTERLUDE_CHECK(from <= to);
    std::vector<Tile> tiles;
    for (int level = Tile::entries_level; level <= highest_tile_level; ++level) {
        auto const before = count_at(level, from);
        auto const after = count_at(level, to);
        if (before == after) break;
        for (auto index = before / tile_width; index < after / tile_width; ++index) tiles.push_back({level, index});
        if (auto const partial = partial_tile(level, to)) tiles.push_back(*partial);
    }
    return tiles;
}

Tile tile_of(Node node, std::uint64_t size) {
    auto const level = static_cast<int>(node.level / tile_levels);
    auto const index = (node.index << (node.level % tile_levels)) / tile_width;
    auto const count = count_at(level, size);
    INTERLUDE_CHECK(index * tile_width < count);
    return {level, index, static_cast<unsigned>(std::min<std::uint64_t>(count - index * tile_width, tile_width))};
}

std::vector<Tile> right_edge_tiles(std::uint64_t size) {
    std::vector<Tile> tiles;
    for (int level = Tile::entries_level; level <= highest_tile_level; ++level)
        if (auto const partial = partial_tile(level, size)) tiles.push_back(*partial);
    return tiles;
}

Result<bytes::Bytes> tile_content(Tile const& tile, HashSource const& source) {
    INTERLUDE_CHECK(!tile.is_entries());
    bytes::Bytes content;
    for (unsigned i = 0; i < tile.width; ++i) {
        auto const hash = source({static_cast<unsigned>(tile.level) * tile_levels, tile.index * tile_width + i});
        if (!hash) return Errc::unknown;
        bytes::append(content, hash->bytes);
    }
    return content;
}

Result<std::vector<Hash32>> decode_hash_tile(bytes::ByteView content) {
    if (content.empty() || content.size() % Hash32::size != 0) return Errc::malformed;
    if (content.size() > tile_width * Hash32::size) return Errc::too_long;
    std::vector<Hash32> hashes;
    hashes.reserve(content.size() / Hash32::size);
    for (std::size_t at = 0; at < content.size(); at += Hash32::size)
        hashes.push_back(*Hash32::from(content.subspan(at, Hash32::size)));
    return hashes;
}

bytes::Bytes encode_bundle(std::span<bytes::Bytes const> entries) {
    INTERLUDE_CHECK(entries.size() <= tile_width);
    bytes::Writer content;
    for (auto const& entry : entries) {
        INTERLUDE_CHECK(entry.size() <= bundle_entry_bytes_max);
        content.u16(static_cast<std::uint16_t>(entry.size())).raw(entry);
    }
    return content.take();
}

Result<std::vector<bytes::Bytes>> decode_bundle(bytes::ByteView content) {
    bytes::Reader rest(content);
    std::vector<bytes::Bytes> entries;
    do {
        if (entries.size() == tile_width) return Errc::too_long;
        INTERLUDE_TRY(auto length, rest.u16());
        INTERLUDE_TRY(auto entry, rest.raw(length));
        entries.push_back(bytes::copy(entry));
    } while (!rest.empty());
    return entries;
}

std::optional<bytes::Bytes> narrowed(Tile const& tile, bytes::Bytes content) {
    if (!tile.is_entries()) {
        if (content.size() < tile.width * Hash32::size) return std::nullopt;
        content.resize(tile.width * Hash32::size);
        return content;
    }
    auto entries = decode_bundle(content);
    if (!entries || entries->size() < tile.width) return std::nullopt;
    entries->resize(tile.width);
    return encode_bundle(*entries);
}

HashSource hashes_from_tiles(std::uint64_t size, TileSource source) {
    return [size, source = std::move(source)](Node node) -> std::optional<Hash32> {
        if (node.level > 63 || node.index >= size >> node.level) return std::nullopt;
        auto const tile = tile_of(node, size);
        auto const content = source(tile);
        if (!content || content->size() != tile.width * Hash32::size) return std::nullopt;
        auto const within = node.level % tile_levels;
        auto const first = (node.index << within) % tile_width;
        auto const leaves = std::span(*content).subspan(first * Hash32::size, Hash32::size << within);
        auto const hashes = decode_hash_tile(leaves);
        if (!hashes) return std::nullopt;
        return root_of(*hashes);
    };
}

Result<TileWriter> TileWriter::resume(std::uint64_t size, TileSource const& source) {
    TileWriter writer;
    INTERLUDE_TRY(writer.tree_, Tree::resume(size, hashes_from_tiles(size, source)));
    writer.flushed_ = size;
    for (auto const& tile : right_edge_tiles(size)) {
        if (tile.is_entries()) {
            auto const content = source(tile);
            if (!content) return Errc::unknown;
            INTERLUDE_TRY(writer.bundle_, decode_bundle(*content));
            if (writer.bundle_.size() != tile.width) return Errc::malformed;
        } else {
            INTERLUDE_TRY(auto hashes, read_hashes(source, tile));
            writer.hashes_.resize(static_cast<std::size_t>(tile.level) + 1);
            writer.hashes_.back() = std::move(hashes);
        }
    }
    for (std::size_t i = 0; i < writer.bundle_.size(); ++i)
        if (leaf_hash(writer.bundle_[i]) != writer.hashes_.front()[i]) return Errc::inconsistent;
    return writer;
}

std::uint64_t TileWriter::append(bytes::ByteView entry) {
    INTERLUDE_CHECK(entry.size() <= bundle_entry_bytes_max);
    auto const index = size();
    auto const completed = tree_.append(leaf_hash(entry));
    bundle_.push_back(bytes::copy(entry));
    if (bundle_.size() == tile_width) {
        full_.emplace(Tile{Tile::entries_level, index / tile_width}, encode_bundle(bundle_));
        bundle_.clear();
    }
    for (auto const& [node, hash] : completed) {
        if (node.level % tile_levels != 0) continue;
        auto const level = node.level / tile_levels;
        if (hashes_.size() <= level) hashes_.resize(level + 1);
        hashes_[level].push_back(hash);
        if (hashes_[level].size() < tile_width) continue;
        full_.emplace(Tile{static_cast<int>(level), node.index / tile_width}, encode_hashes(hashes_[level]));
        hashes_[level].clear();
    }
    return index;
}

std::vector<TileWriter::Output> TileWriter::flush() {
    std::vector<Output> outputs;
    for (auto const& tile : tiles_between(flushed_, size())) {
        if (tile.is_full())
            outputs.push_back({tile, std::move(full_.extract(tile).mapped())});
        else if (tile.is_entries())
            outputs.push_back({tile, encode_bundle(bundle_)});
        else
            outputs.push_back({tile, encode_hashes(hashes_[static_cast<std::size_t>(tile.level)])});
    }
    INTERLUDE_CHECK(full_.empty());
    flushed_ = size();
    return outputs;
}

}  // namespace interlude::audit
