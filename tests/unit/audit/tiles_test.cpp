// Tiles: their paths, which ones a growing tree changes, and that the tree can be read back from them.
#include "common/audit/tiles.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/unit/audit/sample_log.hpp"

namespace interlude::audit {
namespace {

using base::Errc;

constexpr auto entries = Tile::entries_level;

TEST(TilePath, spells_what_tlog_tiles_says) {
    std::vector<std::pair<Tile, std::string>> const cases = {
        {{0, 0, 256}, "/tile/0/000"},
        {{0, 0, 1}, "/tile/0/000.p/1"},
        {{1, 999, 255}, "/tile/1/999.p/255"},
        {{2, 1000, 256}, "/tile/2/x001/000"},
        {{3, 1234067, 256}, "/tile/3/x001/x234/067"},
        {{entries, 5, 256}, "/tile/entries/005"},
        {{entries, 1234067, 8}, "/tile/entries/x001/x234/067.p/8"},
        {{0, ~std::uint64_t{0} >> 8, 256}, "/tile/0/x072/x057/x594/x037/x927/935"},
    };
    for (auto const& [tile, path] : cases) {
        EXPECT_EQ(tile_path(tile), path);
        auto const parsed = parse_tile_path(path);
        ASSERT_TRUE(parsed) << path;
        EXPECT_EQ(*parsed, tile) << path;
    }
}

TEST(TilePath, refuses_every_other_spelling) {
    for (auto const* path : {"",
                             "/",
                             "/tile",
                             "/tile/",
                             "/tile/0",
                             "/tile/0/",
                             "/tile/0/0",
                             "/tile/0/00",
                             "/tile/0/0000",
                             "/tile/00/000",
                             "/tile/8/000",
                             "/tile/-1/000",
                             "/tile/0/x000/001",
                             "/tile/0/x001",
                             "/tile/0/001/000",
                             "/tile/0/x001/x000",
                             "/tile/0/000.p/0",
                             "/tile/0/000.p/256",
                             "/tile/0/000.p/01",
                             "/tile/0/000.p/",
                             "/tile/0/000.p",
                             "tile/0/000",
                             "/tile/0/000/",
                             "/tile/data/000",
                             "/tile/entries/x00a/000",
                             "/tile/0/../000",
                             "/tile/0/000.p/1.p/1",
                             "/tile/0/x184/x467/x440/x737/x095/x516/x160/000",
                             "/tile/0/+00"})
        EXPECT_EQ(parse_tile_path(path).error(), Errc::malformed) << path;
}

TEST(Tiles, of_a_tree_of_70000_are_those_of_the_specification) {
    std::map<int, std::pair<int, std::vector<unsigned>>> by_level;  // full tiles, widths of partial ones
    for (auto const& tile : tiles_between(0, 70'000)) {
        if (tile.is_full())
            ++by_level[tile.level].first;
        else
            by_level[tile.level].second.push_back(tile.width);
    }
    std::map<int, std::pair<int, std::vector<unsigned>>> const expected = {
        {entries, {273, {112}}}, {0, {273, {112}}}, {1, {1, {17}}}, {2, {0, {1}}}};
    EXPECT_EQ(by_level, expected);
    std::vector<Tile> const at_256 = {{entries, 0, 256}, {0, 0, 256}, {1, 0, 1}};
    EXPECT_EQ(tiles_between(0, 256), at_256);
}

TEST(Tiles, between_equal_sizes_there_are_none) {
    EXPECT_TRUE(tiles_between(300, 300).empty());
}

TEST(Tiles, right_edge_holds_every_node_of_the_root) {
    for (std::uint64_t size : {1u, 255u, 256u, 257u, 511u, 65535u, 65536u, 65537u, 70000u, 16777216u}) {
        auto const edge = right_edge_tiles(size);
        for (auto const& node : nodes_of_root(size))
            EXPECT_NE(std::find(edge.begin(), edge.end(), tile_of(node, size)), edge.end()) << size;
    }
}

TEST(Bundle, comes_back_and_refuses_what_is_cut_or_too_long) {
    std::vector<bytes::Bytes> const items = {numbered_entry(0), {}, bytes::Bytes(65535, 7)};
    auto const content = encode_bundle(items);
    EXPECT_EQ(*decode_bundle(content), items);
    for (std::size_t length : {std::size_t{1}, std::size_t{8}, content.size() - 1})
        EXPECT_EQ(decode_bundle(bytes::ByteView(content).first(length)).error(), Errc::truncated);
    EXPECT_EQ(decode_bundle({}).error(), Errc::truncated);
    EXPECT_EQ(decode_bundle(bytes::Bytes(2 * 257)).error(), Errc::too_long);
}

TEST(HashTile, comes_back_and_refuses_odd_sizes) {
    auto const tree = SampleLog::of(3);
    auto const content = *tile_content({0, 0, 3}, tree.hashes(3));
    EXPECT_EQ(content, tree.tiles.at({0, 0, 3}));
    EXPECT_EQ(decode_hash_tile(content)->size(), 3u);
    EXPECT_EQ(decode_hash_tile(bytes::ByteView(content).first(33)).error(), Errc::malformed);
    EXPECT_EQ(decode_hash_tile({}).error(), Errc::malformed);
    EXPECT_EQ(decode_hash_tile(bytes::Bytes(257 * 32)).error(), Errc::too_long);
}

TEST(TileWriter, tiles_give_back_the_same_tree_at_every_size) {
    auto log = SampleLog();
    std::vector<Hash32> leaves;
    for (std::uint64_t size = 1; size <= 600; ++size) {
        leaves.push_back(leaf_hash(numbered_entry(size - 1)));
        log.grow_to(size);
        ASSERT_EQ(log.writer.root(), root_of(leaves)) << size;
        ASSERT_EQ(*root_at(size, log.hashes(size)), log.writer.root()) << size;
    }
    for (std::uint64_t size : {255, 256, 257, 511, 512, 513, 600}) {
        auto const root = *root_at(size, log.hashes(size));
        for (std::uint64_t index = 0; index < size; index += 37) {
            auto const proof = prove_inclusion(index, size, log.hashes(size));
            ASSERT_TRUE(proof);
            EXPECT_TRUE(verify_inclusion(index, size, leaves[index], *proof, root));
        }
        auto const grown = prove_consistency(size, 600, log.hashes(600));
        ASSERT_TRUE(grown);
        EXPECT_TRUE(verify_consistency(size, 600, root, log.writer.root(), *grown));
    }
}

TEST(TileWriter, bundles_hold_the_entries_in_order) {
    auto const log = SampleLog::of(300);
    auto first = *decode_bundle(log.tiles.at({entries, 0, 256}));
    auto const rest = *decode_bundle(log.tiles.at({entries, 1, 44}));
    first.insert(first.end(), rest.begin(), rest.end());
    ASSERT_EQ(first.size(), 300u);
    for (std::uint64_t i = 0; i < 300; ++i) EXPECT_EQ(first[i], numbered_entry(i));
}

RC_GTEST_PROP(TileWriter, batches_and_restarts_do_not_change_a_byte, ()) {
    auto const one_by_one = SampleLog::of(700);
    std::map<Tile, bytes::Bytes> stored;
    TileSource const source = [&](Tile const& tile) -> std::optional<bytes::Bytes> {
        auto const found = stored.find(tile);
        if (found == stored.end()) return std::nullopt;
        return found->second;
    };
    TileWriter writer;
    while (writer.size() < 700) {
        auto const batch = *rc::gen::inRange<std::uint64_t>(1, 300);
        auto const before = writer.size();
        for (std::uint64_t i = 0; i < batch && writer.size() < 700; ++i) writer.append(numbered_entry(writer.size()));
        auto const outputs = writer.flush();
        auto const expected = tiles_between(before, writer.size());
        RC_ASSERT(outputs.size() == expected.size());
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            RC_ASSERT(outputs[i].tile == expected[i]);
            RC_ASSERT(outputs[i].content == one_by_one.tiles.at(outputs[i].tile));
            stored[outputs[i].tile] = outputs[i].content;
        }
        auto resumed = TileWriter::resume(writer.size(), source);
        RC_ASSERT(resumed.has_value());
        RC_ASSERT(resumed->root() == writer.root());
        writer = std::move(*resumed);
    }
    RC_ASSERT(writer.root() == one_by_one.writer.root());
}

TEST(HashTile, of_another_width_than_asked_for_is_a_missing_one) {
    auto log = SampleLog::of(5);
    for (std::size_t hashes : {4u, 6u}) {
        log.tiles[{0, 0, 5}].resize(hashes * Hash32::size);
        EXPECT_EQ(root_at(5, log.hashes(5)).error(), Errc::unknown);
    }
}

TEST(Tiles, are_the_first_parts_of_wider_ones) {
    auto const narrow = SampleLog::of(5), wide = SampleLog::of(9);
    for (int level : {0, entries}) {
        Tile const five{level, 0, 5}, nine{level, 0, 9};
        EXPECT_EQ(narrowed(five, wide.tiles.at(nine)), narrow.tiles.at(five));
        EXPECT_EQ(narrowed(nine, wide.tiles.at(nine)), wide.tiles.at(nine));
        EXPECT_EQ(narrowed(nine, narrow.tiles.at(five)), std::nullopt);
    }
    EXPECT_EQ(narrowed({entries, 0, 1}, bytes::Bytes(1)), std::nullopt);
}

TEST(TileWriter, resuming_notices_missing_and_broken_tiles) {
    auto log = SampleLog::of(300);
    auto const whole = log.tiles;
    for (auto const& tile : right_edge_tiles(300)) {
        log.tiles.erase(tile);
        EXPECT_EQ(TileWriter::resume(300, log.tile_source()).error(), Errc::unknown) << tile_path(tile);
        log.tiles = whole;
    }
    log.tiles[{entries, 1, 44}][5] ^= 1;
    EXPECT_EQ(TileWriter::resume(300, log.tile_source()).error(), Errc::inconsistent);
    log.tiles = whole;
    log.tiles[{entries, 1, 44}] = encode_bundle(std::vector<bytes::Bytes>(43));
    EXPECT_EQ(TileWriter::resume(300, log.tile_source()).error(), Errc::malformed);
}

}  // namespace
}  // namespace interlude::audit
