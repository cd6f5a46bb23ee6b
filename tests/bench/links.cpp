// Links that do nothing, links that come, and links that come back.
#include <iostream>

#include "client-cli/net/backoff.hpp"
#include "tests/bench/apps.hpp"
#include "tests/bench/process_meter.hpp"
#include "tests/bench/runs.hpp"
#include "tests/bench/stage.hpp"

namespace interlude::bench {

using boost::asio::awaitable;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr auto back_within = 300s;

/// So many apps, two of each conversation, on one stage. Handshakes need none.
struct Crowd {
    Crowd(Stage& stage, LoadOptions const& options, World const& world) {
        if (options.mode == Mode::handshake) return;
        for (std::size_t pair = 0; pair < pairs_needed(options.links); ++pair) {
            auto two = make_pair_of_apps(stage.network(), options, world, first_open(world) + pair);
            apps.push_back(std::move(two.client));
            if (apps.size() < options.links) apps.push_back(std::move(two.therapist));
        }
    }
    std::vector<std::unique_ptr<App>> apps;
};

/// All of them are there when it returns.
void let_come(Stage& stage, Crowd& crowd) {
    std::size_t up = 0;
    auto const one = [&](std::size_t number) -> awaitable<void> {
        auto& app = *crowd.apps[number];
        bool const came = co_await app.come();
        if (!came) throw Broken("link " + std::to_string(number + 1) + " does not come up: " + app.why());
        ++up;
    };
    stage.share(crowd.apps.size(), coming_at_once, one);
    stage.run_until([&] { return up == crowd.apps.size(); });
}

}  // namespace

json run_idle(LoadOptions const& options, World const& world) {
    Stage stage(options);
    Crowd crowd(stage, options, world);
    auto const before = private_memory(options.server_pid);
    auto const began = Clock::now();
    let_come(stage, crowd);
    auto const came_in = Clock::now() - began;

    std::size_t ended = 0;
    auto const listen = [&](App& app) -> awaitable<void> {
        for (bool on = true; on;) {
            auto const news = co_await app.next();
            on = news.has_value();
        }
        ++ended;
    };
    for (auto& app : crowd.apps) stage.spawn(listen(*app));
    auto const settled = Clock::now() + std::chrono::seconds{options.warm_up};
    stage.run_until([&] { return Clock::now() >= settled; });
    auto const processor = processor_time(options.server_pid);
    auto const until = settled + std::chrono::seconds{options.seconds};
    stage.run_until([&] { return Clock::now() >= until; });
    json out{{"links", crowd.apps.size()},
             {"ended", ended},
             {"seconds", options.seconds},
             {"came_in_seconds", std::chrono::duration<double>(came_in).count()}};
    if (options.server_pid != 0) {
        auto const after = private_memory(options.server_pid);
        auto const used = processor_time(options.server_pid) - processor;
        out["memory_before"] = before;
        out["memory_after"] = after;
        out["bytes_per_link"] = (static_cast<double>(after) - static_cast<double>(before)) / options.links;
        out["server_cores"] = std::chrono::duration<double>(used).count() / options.seconds;
    }
    for (auto& app : crowd.apps) app->leave();
    auto const gone = Clock::now() + leaving_takes;
    stage.run_until([&] { return ended == crowd.apps.size() || Clock::now() >= gone; });
    return out;
}

json run_logins(LoadOptions const& options, World const& world) {
    Stage stage(options);
    bool const bare = options.mode == Mode::handshake;
    Crowd crowd(stage, options, world);
    auto const from = Clock::now() + std::chrono::seconds{options.warm_up};
    auto const until = from + std::chrono::seconds{options.seconds};
    Latencies latencies;
    std::size_t busy = options.links;
    auto const repeat = [&](std::size_t number) -> awaitable<void> {
        while (Clock::now() < until) {
            auto const began = Clock::now();
            auto const link = bare ? stage.network().link() : nullptr;
            auto coming = bare ? link->shake_hands() : crowd.apps[number]->come();
            bool const came = co_await std::move(coming);
            if (!came) throw Broken("refused: " + (bare ? link->why() : crowd.apps[number]->why()));
            if (!bare) crowd.apps[number]->vanish();
            auto const now = Clock::now();
            if (from <= now && now < until) latencies.add(now - began);
        }
        --busy;
    };
    stage.share(options.links, options.links, repeat);
    stage.run_until([&] { return Clock::now() >= from; });
    auto processor = processor_time(options.server_pid);
    stage.run_until([&] { return Clock::now() >= until; });
    processor = processor_time(options.server_pid) - processor;
    stage.run_until([&] { return busy == 0; });
    json out{{"at_once", options.links},
             {"count", latencies.count()},
             {"per_second", static_cast<double>(latencies.count()) / options.seconds},
             {"ms", in_milliseconds(latencies)}};
    if (options.server_pid != 0 && processor.count() > 0)
        out["per_core_second"] =
            static_cast<double>(latencies.count()) / std::chrono::duration<double>(processor).count();
    return out;
}

json run_back(LoadOptions const& options, World const& world) {
    Stage stage(options);
    Crowd crowd(stage, options, world);
    let_come(stage, crowd);
    std::cout << json{{"type", "up"}, {"links", crowd.apps.size()}}.dump() << std::endl;

    crypto::SystemEntropy entropy;
    std::optional<Instant> lost;
    Instant last;
    Latencies away;
    std::size_t tries = 0;
    auto const come_back = [&](App& app) -> awaitable<void> {
        for (bool on = true; on;) {
            auto const news = co_await app.next();
            on = news.has_value();
        }
        auto const gone = Clock::now();
        if (!lost) lost = gone;
        client_net::Backoff backoff;
        for (bool here = false; !here;) {
            auto const pause = backoff.next(static_cast<std::uint32_t>(entropy.below(1 << 16)));
            co_await sleep_until(stage.io(), Clock::now() + pause);
            ++tries;
            here = co_await app.come();
        }
        last = Clock::now();
        away.add(last - gone);
    };
    for (auto& app : crowd.apps) stage.spawn(come_back(*app));
    auto const given_up = Clock::now() + back_within;
    stage.run_until([&] { return away.count() == crowd.apps.size() || Clock::now() > given_up; });
    if (!lost) throw Broken("nobody killed the server");
    return {{"links", crowd.apps.size()},
            {"back", away.count()},
            {"tries", tries},
            {"all_back_seconds", std::chrono::duration<double>(last - *lost).count()},
            {"away_ms", in_milliseconds(away)}};
}

}  // namespace interlude::bench
