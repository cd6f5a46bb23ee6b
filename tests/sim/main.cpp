// interlude-sim: plays seeds, and says what happened in them. Exits 1 if anything was not as it must be, or if some
// kind of accident never happened and so was not tested.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/crypto/entropy.hpp"
#include "tests/sim/world.hpp"

namespace {

using namespace interlude;

struct Options {
    std::uint64_t seeds = 200;     // 1, 2, ...
    std::uint64_t new_seeds = 50;  // never seen before
    std::uint64_t first = 1;
    bool one = false;
    bool verbose = false;
};

constexpr char const* usage =
    "interlude-sim [--seeds N] [--new-seeds K] [--first F]   play seeds F..F+N-1 and K new ones\n"
    "interlude-sim --seed S [--verbose]                      play one, and tell it\n";

[[noreturn]] void wrong(std::string const& why) {
    std::fprintf(stderr, "interlude-sim: %s\n%s", why.c_str(), usage);
    std::exit(2);
}

std::uint64_t number(int& i, int argc, char** argv) {
    std::string const option = argv[i];
    if (++i >= argc) wrong(option + " needs a number");
    char* end = nullptr;
    auto const value = std::strtoull(argv[i], &end, 10);
    if (end == argv[i] || *end != '\0' || argv[i][0] == '-') wrong(option + " needs a number, not " + argv[i]);
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        std::string_view const option = argv[i];
        if (option == "--seeds") {
            options.seeds = number(i, argc, argv);
        } else if (option == "--new-seeds") {
            options.new_seeds = number(i, argc, argv);
        } else if (option == "--first") {
            options.first = number(i, argc, argv);
        } else if (option == "--seed") {
            options.first = number(i, argc, argv);
            options.one = true;
        } else if (option == "--verbose") {
            options.verbose = true;
        } else if (option == "--help") {
            std::fputs(usage, stdout);
            std::exit(0);
        } else {
            wrong("there is no option " + std::string(option));
        }
    }
    return options;
}

/// True if all was well.
bool play(std::uint64_t seed, bool verbose, sim::Counts& counts) {
    sim::Story story(verbose);
    try {
        sim::World(seed, story).play();
    } catch (std::exception const& error) {
        story.fail(std::string("an exception: ") + error.what());
    }
    for (std::size_t i = 0; i < sim::happenings; ++i) counts[i] += story.counts()[i];
    if (!story.failed()) return true;
    std::printf("seed %" PRIu64 " failed; replay it with ./dev sim --seed %" PRIu64 " --verbose\n", seed, seed);
    for (auto const& failure : story.failures()) std::printf("  %s\n", failure.c_str());
    if (!verbose) {
        std::puts("  the last that happened:");
        for (auto const& line : story.last()) std::printf("    %s\n", line.c_str());
    }
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    auto const options = parse(argc, argv);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    sim::Counts counts{};
    if (options.one) {
        bool const well = play(options.first, options.verbose, counts);
        if (well) std::printf("seed %" PRIu64 ": all well\n", options.first);
        return well ? 0 : 1;
    }
    crypto::SystemEntropy entropy;
    auto const started = std::chrono::steady_clock::now();
    std::uint64_t failures = 0;
    for (std::uint64_t i = 0; i < options.seeds; ++i) failures += play(options.first + i, false, counts) ? 0 : 1;
    for (std::uint64_t i = 0; i < options.new_seeds; ++i)
        failures += play(entropy.below(UINT64_C(1) << 48), false, counts) ? 0 : 1;
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - started;

    auto const played = options.seeds + options.new_seeds;
    bool complete = true;
    for (std::size_t i = 0; i < sim::happenings; ++i) {
        std::printf("%10" PRIu64 "  %s\n", counts[i], std::string(sim::name(static_cast<sim::Happening>(i))).c_str());
        complete = complete && counts[i] > 0;
    }
    if (!complete) std::puts("something of this never happened: these seeds do not test it");
    std::printf("%" PRIu64 " seeds, %" PRIu64 " failed, %.1f s, %.0f seeds per minute\n", played, failures,
                took.count(), static_cast<double>(played) * 60.0 / std::max(took.count(), 0.001));
    return failures == 0 && complete ? 0 : 1;
}
