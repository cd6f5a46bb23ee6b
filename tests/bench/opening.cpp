// An opening: many messages wait for one instant, and other people write meanwhile.
#include <array>

#include "tests/bench/apps.hpp"
#include "tests/bench/joining.hpp"
#include "tests/bench/runs.hpp"
#include "tests/bench/stage.hpp"

namespace interlude::bench {

using boost::asio::awaitable;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t window = 16;  // of each author before the opening
constexpr auto compared = 10s;      // after it, with the quiet time before it: other people's messages
constexpr auto least_quiet = 3s;    // between the last held message and the opening
constexpr auto delivered_within = 60s;

struct Opening {
    Opening(LoadOptions const& given, World const& world)
        : options(given), stage(given), waiting(given.closed_needed()) {
        for (std::size_t at = 0; at < waiting; ++at) {
            if (world.at(at).open) throw Broken("the world has too few conversations without hours");
            pairs.push_back(make_pair_of_apps(stage.network(), options, world, at));
        }
        for (std::size_t at = 0; at < options.open_needed(); ++at)
            pairs.push_back(make_pair_of_apps(stage.network(), options, world, first_open(world) + at));
        left.assign(waiting, options.due / waiting);
        for (std::size_t at = 0; at < options.due % waiting; ++at) ++left[at];
    }

    void come(World const& world) {
        auto const wall = std::chrono::ceil<std::chrono::seconds>(wall_now() + std::chrono::seconds{options.opens_in});
        opens = Clock::now() + (wall - wall_now());
        std::size_t up = 0;
        auto const one = [&](std::size_t number) -> awaitable<void> {
            auto& pair = pairs[number];
            std::array<App*, 2> const both{pair.therapist.get(), pair.client.get()};
            for (auto* app : both) {
                bool const came = co_await app->come();
                if (!came) throw Broken("no link to the server: " + app->why());
            }
            if (number < waiting) {
                auto hours = signed_hours(world[number].therapist, {{wall, wall + std::chrono::hours{1}}});
                co_await pair.therapist->publish(std::move(hours));
            }
            for (auto* app : both) stage.spawn(listen(number, *app));
            ++up;
        };
        stage.share(pairs.size(), coming_at_once, one);
        stage.run_until([&] { return up == pairs.size(); });
    }

    /// The held ones, all of them stored well before the opening.
    void fill() {
        for (std::size_t number = 0; number < waiting; ++number)
            for (std::size_t i = 0; i < window; ++i) write_held(number);
        stage.run_until([this] { return stored == options.due || Clock::now() > opens - least_quiet; });
        if (stored < options.due)
            throw Broken("only " + std::to_string(stored) +
                         " messages were held when the opening came: raise --opens-in");
    }

    void play() {
        quiet_from = Clock::now();
        auto const end = opens + compared;
        if (options.rate > 0) stage.spawn(write_others(end));
        auto const last = opens + delivered_within;
        stage.run_until([&] {
            return (delivered == options.due && Clock::now() > end && others_open == 0) || Clock::now() > last;
        });
        over = true;
        for (auto& pair : pairs) {
            pair.client->leave();
            pair.therapist->leave();
        }
        auto const gone = Clock::now() + leaving_takes;
        stage.run_until([&] { return listening == 0 || Clock::now() > gone; });
    }

    void write_held(std::size_t number) {
        if (left[number] == 0) return;
        --left[number];
        pairs[number].client->write(times_delivered.size());
        times_delivered.push_back(0);
        due.push_back(opens);
    }

    awaitable<void> write_others(Instant end) {
        auto const start = Clock::now();
        RateSchedule const schedule(options.rate, end - start);
        for (std::uint64_t message = 0; message < schedule.count(); ++message) {
            auto const at = start + schedule.due(message);
            if (Clock::now() < at) co_await sleep_until(stage.io(), at);
            pairs[waiting + message % options.conversations].client->write(times_delivered.size());
            times_delivered.push_back(0);
            due.push_back(at);
            ++others_open;
        }
    }

    awaitable<void> listen(std::size_t number, App& app) {
        ++listening;
        for (;;) {
            auto const news = co_await app.next();
            if (!news) break;
            take(number, *news);
        }
        if (!over) throw Broken("a link ended: " + app.why());
        --listening;
    }
    void take(std::size_t number, News const& news) {
        auto const now = Clock::now();
        bool const held = number < waiting;
        switch (news.kind) {
            case News::Kind::refused:
                throw Broken("the server refused a message");
            case News::Kind::stored:
                if (held) {
                    ++stored;
                    write_held(number);
                } else {
                    (due[news.number] < opens ? others_before : others_during).add(now - due[news.number]);
                    --others_open;
                }
                break;
            case News::Kind::delivered:
                if (held && now < opens) ++early;
                twice += ++times_delivered[news.number] == 2;
                if (held && times_delivered[news.number] == 1) {
                    lateness.add(now - opens);
                    ++delivered;
                }
                break;
        }
    }

    LoadOptions const& options;
    Stage stage;
    std::size_t waiting;  // the first so many pairs
    std::vector<Pair> pairs;
    std::vector<std::size_t> left;  // to be written, of each waiting pair
    std::vector<int> times_delivered;
    std::vector<Instant> due;
    Instant opens, quiet_from;
    std::size_t stored = 0, delivered = 0, early = 0, twice = 0, others_open = 0, listening = 0;
    Latencies lateness, others_before, others_during;
    bool over = false;
};

}  // namespace

json run_opening(LoadOptions const& options, World const& world) {
    Opening opening(options, world);
    opening.come(world);
    opening.fill();
    opening.play();
    json out{{"due", options.due},
             {"conversations", opening.waiting},
             {"delivered", opening.delivered},
             {"delivered_twice", opening.twice},
             {"early", opening.early},
             {"quiet_seconds", std::chrono::duration<double>(opening.opens - opening.quiet_from).count()},
             {"lateness_ms", in_milliseconds(opening.lateness)}};
    if (options.rate > 0) {
        out["others_per_second"] = options.rate;
        out["others_before_ms"] = in_milliseconds(opening.others_before);
        out["others_during_ms"] = in_milliseconds(opening.others_during);
    }
    return out;
}

}  // namespace interlude::bench
