// interlude-load: load over the real protocol. One run, one JSON object.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "tests/bench/joining.hpp"
#include "tests/bench/runs.hpp"

namespace interlude::bench {

using nlohmann::json;

json in_milliseconds(Latencies const& latencies) {
    auto const all = latencies.percentiles();
    auto const ms = [](Nanos latency) { return static_cast<double>(latency.count() / 1000) / 1000; };
    return {{"count", all.count},
            {"p50", ms(all.p50)},
            {"p99", ms(all.p99)},
            {"p99.9", ms(all.p999)},
            {"max", ms(all.most)}};
}

namespace {

World people_for(LoadOptions const& options) {
    if (!options.needs_people()) return {};
    auto const open = options.open_needed(), closed = options.closed_needed();
    if (options.world_file.empty()) return make_world(options, open, closed);
    auto world = read_world(options.world_file);
    auto const has_closed = first_open(world), has_open = world.size() - has_closed;
    if (has_open < open || has_closed < closed)
        throw Broken(options.world_file + " has " + std::to_string(has_open) + " conversations with hours and " +
                     std::to_string(has_closed) + " without; this run needs " + std::to_string(open) + " and " +
                     std::to_string(closed));
    return world;
}

json prepare(LoadOptions const& options) {
    write_world(make_world(options, options.conversations, options.closed), options.world_file);
    return {{"conversations", options.conversations}, {"closed", options.closed}};
}

struct Run {
    char const* name;
    json (*play)(LoadOptions const&, World const&);
};

Run run_of(Mode mode) {
    switch (mode) {
        case Mode::prepare:
            break;
        case Mode::rate:
            return {"rate", run_messages};
        case Mode::max:
            return {"max", run_messages};
        case Mode::idle:
            return {"idle", run_idle};
        case Mode::login:
            return {"login", run_logins};
        case Mode::handshake:
            return {"handshake", run_logins};
        case Mode::opening:
            return {"opening", run_opening};
        case Mode::back:
            return {"back", run_back};
    }
    return {"prepare", [](LoadOptions const& options, World const&) { return prepare(options); }};
}

/// Each link is a descriptor.
void need_descriptors(std::size_t links) {
    constexpr rlim_t others = 100;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < links + others)
        throw Broken(std::to_string(links) + " links need as many descriptors, and this process may have " +
                     std::to_string(limit.rlim_max) + ": raise ulimit -Hn");
}

int run(std::vector<std::string> const& arguments) {
    auto const options = parse_load_options(arguments);
    auto const conversations = options.open_needed() + options.closed_needed();
    need_descriptors(options.mode == Mode::prepare ? 0 : std::max(options.links, 2 * conversations));
    auto const [name, play] = run_of(options.mode);
    auto const world = options.mode == Mode::prepare ? World{} : people_for(options);
    auto out = play(options, world);
    out["type"] = "load";
    out["mode"] = name;
    out["server"] = options.plain_relay ? "relay" : "interlude";
    std::cout << out.dump(options.json ? -1 : 2) << '\n';
    return 0;
}

}  // namespace
}  // namespace interlude::bench

int main(int argc, char** argv) {
    using namespace interlude::bench;
    std::signal(SIGPIPE, SIG_IGN);
    std::vector<std::string> const arguments(argv + 1, argv + argc);
    if (arguments == std::vector<std::string>{"--version"}) {
        std::cout << "interlude-load " INTERLUDE_VERSION "\n";
        return 0;
    }
    if (arguments == std::vector<std::string>{"--help"}) {
        std::cout << load_usage();
        return 0;
    }
    try {
        return run(arguments);
    } catch (UsageError const& error) {
        std::cerr << "interlude-load: " << error.what() << "; --help lists the options\n";
        return 2;
    } catch (std::exception const& error) {
        std::cerr << "interlude-load: " << error.what() << '\n';
        return 1;
    }
}
