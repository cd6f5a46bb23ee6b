// Plays a fuzz target without libFuzzer: `fuzz_NAME CORPUS_DIR [MUTATIONS]` runs the empty input and every file of the
// folder; and, unless MUTATIONS is 0, all beginnings of each small file and that many mutations of it (the same ones in
// every run). A crash names its input on stderr.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

// What runs now, for the crash handler.
std::string current_file;
char const* current_change = "mutation";  // 0 is the file itself
int current_number = 0;

constexpr std::size_t cut_bytes_max = 1024;
constexpr std::size_t mutations_max = 500;        // of one seed
constexpr std::size_t mutations_in_all = 30'000;  // so that a large corpus takes no longer than a small one

void name_the_input(int signal) {
    std::fprintf(stderr, "fuzz target died by signal %d on %s, %s %d\n", signal, current_file.c_str(), current_change,
                 current_number);
    std::_Exit(128 + signal);
}

void run(Input const& input) {
    Input const copy(input);  // its own allocation of exactly this size, so that a sanitiser sees one byte too far
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

/// One to four small damages: a flipped bit, an interesting byte, a cut, a repetition, an insertion.
Input mutate(Input input, std::mt19937_64& dice) {
    auto const below = [&](std::size_t bound) {
        return static_cast<std::size_t>(dice() % std::max<std::size_t>(bound, 1));
    };
    constexpr std::uint8_t interesting[] = {0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff};
    for (std::size_t damage = below(4) + 1; damage > 0; --damage) {
        auto const at = below(input.size());
        switch (below(5)) {
            case 0:
                if (!input.empty()) input[at] ^= static_cast<std::uint8_t>(1U << below(8));
                break;
            case 1:
                if (!input.empty()) input[at] = interesting[below(std::size(interesting))];
                break;
            case 2:
                input.resize(at);
                break;
            case 3: {
                Input const part(
                    input.begin() + static_cast<std::ptrdiff_t>(at),
                    input.begin() + static_cast<std::ptrdiff_t>(std::min(input.size(), at + 1 + below(32))));
                input.insert(input.end(), part.begin(), part.end());
                break;
            }
            case 4:
                input.insert(input.begin() + static_cast<std::ptrdiff_t>(at),
                             interesting[below(std::size(interesting))]);
                break;
        }
    }
    return input;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s CORPUS_DIR [MUTATIONS]\n", argv[0]);
        return 2;
    }
    for (int const signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) std::signal(signal, name_the_input);

    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(argv[1]))
        for (auto const& entry : std::filesystem::directory_iterator(argv[1]))
            if (entry.is_regular_file()) files.push_back(entry.path());
    if (files.empty()) {
        std::fprintf(stderr, "%s has no seed: a target without a corpus tests nothing\n", argv[1]);
        return 1;
    }
    std::sort(files.begin(), files.end());
    auto const share = std::min<std::size_t>(mutations_max, mutations_in_all / files.size());
    int const mutations = argc > 2 ? std::atoi(argv[2]) : static_cast<int>(share);

    current_file = "the empty input";
    run({});
    for (auto const& file : files) {
        std::ifstream stream(file, std::ios::binary);
        Input const seed((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
        current_file = file.string();
        std::mt19937_64 dice(seed.size());
        current_change = "mutation";
        for (current_number = 0; current_number <= mutations; ++current_number)
            run(current_number == 0 ? seed : mutate(seed, dice));
        if (mutations == 0 || seed.size() > cut_bytes_max) continue;
        current_change = "length";
        for (current_number = 0; current_number < static_cast<int>(seed.size()); ++current_number)
            run(Input(seed.begin(), seed.begin() + current_number));
    }
    std::printf("%zu seeds, %d mutations of each\n", files.size(), mutations);
    return 0;
}
