// Messages over many conversations: at a stated rate whatever is answered (an open loop), or with a full window in
// each.
#include <array>
#include <future>
#include <thread>

#include "tests/bench/apps.hpp"
#include "tests/bench/process_meter.hpp"
#include "tests/bench/runs.hpp"
#include "tests/bench/stage.hpp"

namespace interlude::bench {

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

constexpr auto last_answers_within = 60s;

struct Message {
    Instant due;  // in a full window: when it was sent
    Instant stored{};
    Instant delivered{};
    int times_delivered = 0;
    bool refused = false;
};

/// The conversations of one thread: every so many-th of all.
class Part {
  public:
    Part(LoadOptions const& options, World const& world, std::size_t number)
        : options_(options), number_(number), stage_(options) {
        for (auto at = number; at < options.conversations; at += options.threads)
            pairs_.push_back(make_pair_of_apps(stage_.network(), options, world, first_open(world) + at));
    }

    void come() {
        std::size_t up = 0;
        auto const one = [this, &up](std::size_t pair) -> awaitable<void> {
            std::array<App*, 2> const both{pairs_[pair].therapist.get(), pairs_[pair].client.get()};
            for (auto* app : both) {
                bool const came = co_await app->come();
                if (!came) throw Broken("no link to the server: " + app->why());
                stage_.spawn(listen(pair, *app));
                ++up;
            }
        };
        stage_.share(pairs_.size(), coming_at_once, one);
        stage_.run_until([&] { return up == 2 * pairs_.size(); });
    }

    void play(Instant start) {
        end_ = start + std::chrono::seconds{options_.warm_up + options_.seconds};
        if (options_.mode == Mode::rate) {
            stage_.spawn(write_at_rate(start));
        } else {
            for (std::size_t pair = 0; pair < pairs_.size(); ++pair)
                for (std::size_t i = 0; i < options_.window; ++i) write(pair, Clock::now());
            stage_.spawn(wait_for_end());
        }
        stage_.run_until([this] { return all_written_ && (open_ == 0 || Clock::now() > end_ + last_answers_within); });
        over_ = true;
        for (auto& pair : pairs_) {
            pair.client->leave();
            pair.therapist->leave();
        }
        auto const gone = Clock::now() + leaving_takes;
        stage_.run_until([&] { return listening_ == 0 || Clock::now() > gone; });
    }

    std::vector<Message> const& messages() const { return messages_; }

  private:
    void write(std::size_t pair, Instant due) {
        pairs_[pair].client->write(messages_.size());
        messages_.push_back({due});
        ++open_;
    }

    awaitable<void> write_at_rate(Instant start) {
        RateSchedule const schedule(options_.rate, end_ - start);
        for (std::uint64_t message = 0; message < schedule.count(); ++message) {
            auto const conversation = message % options_.conversations;
            if (conversation % options_.threads != number_) continue;
            auto const due = start + schedule.due(message);
            if (Clock::now() < due) co_await sleep_until(stage_.io(), due);
            write(conversation / options_.threads, due);
        }
        all_written_ = true;
    }
    awaitable<void> wait_for_end() {
        co_await sleep_until(stage_.io(), end_);
        all_written_ = true;
    }

    awaitable<void> listen(std::size_t pair, App& app) {
        ++listening_;
        for (;;) {
            auto const news = co_await app.next();
            if (!news) break;
            take(pair, *news);
        }
        if (!over_) throw Broken("a link ended: " + app.why());
        --listening_;
    }
    void take(std::size_t pair, News const& news) {
        auto& message = messages_.at(news.number);
        auto const now = Clock::now();
        switch (news.kind) {
            case News::Kind::stored:
                message.stored = now;
                if (message.times_delivered > 0) --open_;
                if (options_.mode == Mode::max && now < end_) write(pair, now);
                break;
            case News::Kind::delivered:
                message.delivered = now;
                if (++message.times_delivered == 1 && message.stored != Instant{}) --open_;
                break;
            case News::Kind::refused:
                message.refused = true;
                --open_;
                break;
        }
    }

    LoadOptions const& options_;
    std::size_t number_;
    Stage stage_;
    std::vector<Pair> pairs_;
    std::vector<Message> messages_;
    std::size_t listening_ = 0;
    std::size_t open_ = 0;  // messages that are not yet both stored and delivered
    Instant end_;
    bool all_written_ = false;
    bool over_ = false;
};

/// All parts at once, each in its thread; the first failure is thrown.
template <class Do>
void in_threads(std::vector<std::unique_ptr<Part>>& parts, Do const& do_it, std::function<void()> const& meanwhile) {
    std::vector<std::future<void>> running;
    for (auto& part : parts) running.push_back(std::async(std::launch::async, [&do_it, &part] { do_it(*part); }));
    meanwhile();
    for (auto& one : running) one.get();
}

struct Tally {
    std::uint64_t sent = 0, stored = 0, delivered = 0, twice = 0, refused = 0;
    std::uint64_t stored_in_window = 0;
    Latencies to_stored, to_delivered;

    void add(Message const& message, Instant from, Instant until) {
        auto const in_window = [&](Instant at) { return from <= at && at < until; };
        ++sent;
        refused += message.refused;
        twice += message.times_delivered > 1;
        if (message.stored != Instant{}) {
            ++stored;
            stored_in_window += in_window(message.stored);
            if (in_window(message.due)) to_stored.add(message.stored - message.due);
        }
        if (message.times_delivered > 0) {
            ++delivered;
            if (in_window(message.due)) to_delivered.add(message.delivered - message.due);
        }
    }
};

}  // namespace

nlohmann::json run_messages(LoadOptions const& options, World const& world) {
    std::vector<std::unique_ptr<Part>> parts;
    for (std::size_t number = 0; number < std::min(options.threads, options.conversations); ++number)
        parts.push_back(std::make_unique<Part>(options, world, number));
    in_threads(
        parts, [](Part& part) { part.come(); }, [] {});

    auto const start = Clock::now() + 100ms;
    auto const from = start + std::chrono::seconds{options.warm_up};
    auto const until = from + std::chrono::seconds{options.seconds};
    Nanos processor{0};
    auto const measure = [&] {
        std::this_thread::sleep_until(from);
        processor -= processor_time(options.server_pid);
        std::this_thread::sleep_until(until);
        processor += processor_time(options.server_pid);
    };
    in_threads(
        parts, [&](Part& part) { part.play(start); }, measure);

    Tally tally;
    for (auto const& part : parts)
        for (auto const& message : part->messages()) tally.add(message, from, until);
    nlohmann::json out{{"conversations", options.conversations},
                       {"size", options.size},
                       {"seconds", options.seconds},
                       {"sent", tally.sent},
                       {"stored", tally.stored},
                       {"delivered", tally.delivered},
                       {"delivered_twice", tally.twice},
                       {"refused", tally.refused},
                       {"messages_per_second", static_cast<double>(tally.stored_in_window) / options.seconds},
                       {"stored_ms", in_milliseconds(tally.to_stored)},
                       {"delivered_ms", in_milliseconds(tally.to_delivered)}};
    if (options.server_pid != 0 && tally.stored_in_window > 0) {
        auto const used = static_cast<double>(processor.count());
        out["cpu_us_per_message"] = used / 1e3 / static_cast<double>(tally.stored_in_window);
        out["server_cores"] = used / 1e9 / options.seconds;
    }
    return out;
}

}  // namespace interlude::bench
