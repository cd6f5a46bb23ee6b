// interlude-sim: plays seeds, and says what happened in them. Exits 1 if anything was not as it must be, or if some
// kind of accident never happened and so was not tested.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/crypto/entropy.hpp"
#include "tests/sim/world.hpp"

namespace {

using namespace interlude;

struct Options {
    std::uint64_t seeds = 200;     // 1, 2, ...
    std::uint64_t new_seeds = 50;  // never seen before
    std::uint64_t first = 1;
    std::uint64_t jobs = 0;  // 0: one for each core
    bool few = false;        // too few seeds for everything to happen in them
    bool one = false;
    bool verbose = false;
};

constexpr char const* usage =
    "interlude-sim [--seeds N] [--new-seeds K] [--first F] [--jobs J] [--few]   play seeds F..F+N-1 and K new ones\n"
    "interlude-sim --seed S [--verbose]                                           play one, and tell it\n";

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
        } else if (option == "--few") {
            options.few = true;
        } else if (option == "--jobs") {
            options.jobs = number(i, argc, argv);
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
    auto const number = std::to_string(seed);
    auto report = "seed " + number + " failed; replay it with ./dev sim --seed " + number + " --verbose\n";
    for (auto const& failure : story.failures()) report += "  " + failure + '\n';
    if (!verbose) {
        report += "  the last that happened:\n";
        for (auto const& line : story.last()) report += "    " + line + '\n';
    }
    std::fputs(report.c_str(), stdout);
    std::fflush(stdout);  // other processes write here too
    return false;
}

struct Played {
    sim::Counts counts{};
    std::uint64_t seeds = 0;
    std::uint64_t failures = 0;
};

/// Each process plays every jobs-th seed: a run shares nothing with another one.
Played play_all(std::vector<std::uint64_t> const& seeds, std::size_t jobs) {
    std::vector<int> results;
    std::fflush(stdout);
    for (std::size_t job = 0; job < jobs; ++job) {
        int ends[2];
        if (pipe(ends) != 0) throw std::runtime_error("no pipe");
        auto const child = fork();
        if (child < 0) throw std::runtime_error("no process");
        if (child == 0) {
            Played mine;
            for (auto i = job; i < seeds.size(); i += jobs, ++mine.seeds)
                mine.failures += play(seeds[i], false, mine.counts) ? 0 : 1;
            auto const written = write(ends[1], &mine, sizeof mine);
            _exit(written == sizeof mine ? 0 : 1);
        }
        close(ends[1]);
        results.push_back(ends[0]);
    }
    Played all;
    for (auto const from : results) {
        Played part;
        if (read(from, &part, sizeof part) == sizeof part) {
            for (std::size_t i = 0; i < sim::happenings; ++i) all.counts[i] += part.counts[i];
            all.seeds += part.seeds;
            all.failures += part.failures;
        }  // else it crashed: its seeds are missing
        close(from);
    }
    while (wait(nullptr) > 0) {
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    auto const options = parse(argc, argv);
    if (options.one) {
        sim::Counts counts{};
        bool const well = play(options.first, options.verbose, counts);
        if (well) std::printf("seed %" PRIu64 ": all well\n", options.first);
        return well ? 0 : 1;
    }
    crypto::SystemEntropy entropy;
    std::vector<std::uint64_t> seeds;
    for (std::uint64_t i = 0; i < options.seeds; ++i) seeds.push_back(options.first + i);
    for (std::uint64_t i = 0; i < options.new_seeds; ++i) seeds.push_back(entropy.below(UINT64_C(1) << 48));
    auto const jobs = options.jobs > 0 ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
    auto const started = std::chrono::steady_clock::now();
    auto const played = play_all(seeds, jobs);
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - started;

    bool complete = true;
    for (std::size_t i = 0; i < sim::happenings; ++i) {
        std::printf("%10" PRIu64 "  %s\n", played.counts[i],
                    std::string(sim::name(static_cast<sim::Happening>(i))).c_str());
        complete = complete && (options.few || played.counts[i] > 0);
    }
    if (!complete) std::puts("something of this never happened: these seeds do not test it");
    if (played.seeds < seeds.size())
        std::printf("%zu seeds were not played to their end: a process crashed\n", seeds.size() - played.seeds);
    std::printf("%" PRIu64 " seeds, %" PRIu64 " failed, %.1f s, %.0f seeds per minute\n", played.seeds, played.failures,
                took.count(), static_cast<double>(played.seeds) * 60.0 / std::max(took.count(), 0.001));
    return played.failures == 0 && complete && played.seeds == seeds.size() ? 0 : 1;
}
