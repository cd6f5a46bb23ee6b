// Other people's verifier: Go's sumdb note and tlog (Debian's golang-golang-x-mod-dev) check what we write, and we
// check what Go signs. Skips visibly where Go is not installed.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/bytes/text.hpp"
#include "tests/unit/audit/sample_log.hpp"

namespace interlude::audit {
namespace {

namespace fs = std::filesystem;

constexpr auto gopath = "/usr/share/gocode";

struct Ran {
    int status;
    std::string output;
};

Ran run(std::string const& command) {
    Ran ran{-1, {}};
    auto* const pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return ran;
    char buffer[4096];
    while (auto const count = std::fread(buffer, 1, sizeof buffer, pipe)) ran.output.append(buffer, count);
    ran.status = pclose(pipe);
    return ran;
}

/// Builds go_check once for all tests here, in a temporary folder that goes with them.
class GoInterop : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (run("command -v go").status != 0 || !fs::exists(fs::path(gopath) / "src/golang.org/x/mod/sumdb")) return;
        auto pattern = (fs::temp_directory_path() / "go_check_XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) return;
        folder_ = pattern;
        build_ =
            run("cd " INTERLUDE_SOURCE_DIR "/tests/unit/audit/go_check && HOME=" + folder_.string() +
                " GOCACHE=" + folder_.string() + "/cache GOTMPDIR=" + folder_.string() +
                " GO111MODULE=off GOFLAGS= GOPATH=" + std::string(gopath) + " go build -o " + program() + " main.go");
    }
    static void TearDownTestSuite() {
        if (!folder_.empty()) fs::remove_all(folder_);
    }
    void SetUp() override {
        if (folder_.empty())
            GTEST_SKIP() << "go or golang.org/x/mod is not installed (golang-go, golang-golang-x-mod-dev)";
        ASSERT_EQ(build_.status, 0) << build_.output;
    }
    static std::string program() { return (folder_ / "check").string(); }

    inline static fs::path folder_;
    inline static Ran build_;
};

nlohmann::json base64_of(Proof const& proof) {
    auto out = nlohmann::json::array();
    for (auto const& hash : proof) out.push_back(bytes::to_base64(hash.bytes));
    return out;
}

/// A log of 600 entries: its checkpoints at some sizes, proofs between and in all of them.
nlohmann::json case_of(SampleLog const& log, std::vector<std::uint64_t> const& sizes) {
    nlohmann::json c = {{"Vkey", log.key.vkey()}, {"TiledSize", log.size()}};
    for (auto const size : sizes) {
        c["Checkpoints"][std::to_string(size)] = log.note(size);
        for (std::uint64_t index : {std::uint64_t{0}, size / 3, size - 1})
            c["Inclusion"].push_back({{"Index", index},
                                      {"Size", size},
                                      {"Entry", bytes::to_base64(numbered_entry(index))},
                                      {"Hashes", base64_of(log.proof(index, size).hashes)}});
        for (auto const from : sizes)
            if (from <= size)
                c["Consistency"].push_back(
                    {{"From", from}, {"To", size}, {"Hashes", base64_of(log.consistency(from, size))}});
    }
    return c;
}

void write(fs::path const& file, std::string_view content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
}

TEST_F(GoInterop, go_verifies_our_checkpoints_proofs_and_tiles) {
    auto const log = SampleLog::of(600);
    std::vector<std::uint64_t> const sizes = {1, 2, 7, 8, 255, 256, 257, 511, 512, 600};
    auto const sound = case_of(log, sizes);
    for (auto const& [tile, content] : log.tiles) write(folder_ / tile_path(tile).substr(1), bytes::text(content));

    auto const verdict_on = [&](nlohmann::json const& c) {
        write(folder_ / "case.json", c.dump());
        return run(program() + " verify " + folder_.string());
    };
    auto const ran = verdict_on(sound);
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_EQ(ran.output, "checkpoints 10, inclusion 30, consistency 55, tiled entries 600\n");

    // And it does look: each changed piece is refused.
    auto const other_hash = bytes::to_base64(leaf_hash({}).bytes);
    auto changed = sound;
    changed["Inclusion"][29]["Hashes"][0] = other_hash;
    EXPECT_NE(verdict_on(changed).status, 0);
    changed = sound;
    changed["Consistency"][50]["Hashes"][0] = other_hash;
    EXPECT_NE(verdict_on(changed).status, 0);
    changed = sound;
    changed["Checkpoints"]["600"] = sign_checkpoint(log.checkpoint(600), key_of(2));
    EXPECT_NE(verdict_on(changed).status, 0);
    for (Tile const tile : {Tile{0, 1, 256}, Tile{0, 2, 88}, Tile{1, 0, 2}, Tile{Tile::entries_level, 1, 256}}) {
        auto content = log.tiles.at(tile);
        content.back() ^= 1;
        write(folder_ / tile_path(tile).substr(1), bytes::text(content));
        EXPECT_NE(verdict_on(sound).status, 0) << tile_path(tile);
        write(folder_ / tile_path(tile).substr(1), bytes::text(log.tiles.at(tile)));
    }
    EXPECT_EQ(verdict_on(sound).status, 0);
}

TEST_F(GoInterop, we_verify_what_go_signs) {
    auto const ran = run(program() + " sign");
    ASSERT_EQ(ran.status, 0) << ran.output;
    auto const line_end = ran.output.find('\n');
    auto const key = parse_vkey(ran.output.substr(0, line_end));
    ASSERT_TRUE(key) << ran.output;
    auto const signed_note = ran.output.substr(line_end + 1);
    auto const opened = open_note(signed_note, std::span(&*key, 1));
    ASSERT_TRUE(opened) << signed_note;
    EXPECT_EQ(format_note(*opened), signed_note);
    EXPECT_EQ(parse_checkpoint(opened->text)->root, empty_root());
    auto changed = signed_note;
    changed[0] = 'C';
    EXPECT_EQ(open_note(changed, std::span(&*key, 1)).error(), base::Errc::bad_signature);
}

}  // namespace
}  // namespace interlude::audit
