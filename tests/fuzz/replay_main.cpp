// Plays a fuzz target without libFuzzer: `fuzz_NAME CORPUS_DIR [MUTATIONS]` runs the empty input, every file of the
// folder, and of each file a fixed number of mutations (the same ones in every run). A crash names its input on stderr.
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
int current_mutation = 0;

void name_the_input(int signal) {
    std::fprintf(stderr, "fuzz target died by signal %d on %s, mutation %d (0 is the file itself)\n", signal,
                 current_file.c_str(), current_mutation);
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
    int const mutations = argc > 2 ? std::atoi(argv[2]) : 500;
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

    current_file = "the empty input";
    run({});
    for (auto const& file : files) {
        std::ifstream stream(file, std::ios::binary);
        Input const seed((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
        current_file = file.string();
        std::mt19937_64 dice(seed.size());
        for (current_mutation = 0; current_mutation <= mutations; ++current_mutation)
            run(current_mutation == 0 ? seed : mutate(seed, dice));
    }
    std::printf("%zu seeds, %d mutations of each\n", files.size(), mutations);
    return 0;
}
