#include "client-cli/net/link_runner.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <random>

#include "client-cli/net/backoff.hpp"
#include "client-cli/net/use_tuple.hpp"

namespace interlude::client_net {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto poll_every = 250ms;
constexpr auto connect_time_max = 10s;
constexpr std::uint16_t close_malformed = 4400;
constexpr std::uint16_t close_not_authenticated = 4401;
constexpr std::uint16_t close_removed = 4403;
constexpr std::uint16_t close_version = 4426;

/// Another link would hear the same.
bool is_final(std::uint16_t close_code) {
    return close_code == close_malformed || close_code == close_not_authenticated || close_code == close_removed ||
           close_code == close_version;
}

base::WallTime wall_now() {
    return base::WallTime{
        std::chrono::duration_cast<base::Millis>(std::chrono::system_clock::now().time_since_epoch())};
}

struct Run {
    Run(engine::Engine& of, RunOptions const& with, OnEvent event, OnIdle idle)
        : engine(of), options(with), on_event(std::move(event)), on_idle(std::move(idle)), pause(io), ticker(io) {}

    engine::Engine& engine;
    RunOptions const& options;
    OnEvent on_event;
    OnIdle on_idle;
    RunResult result;
    bool over = false;    // enough, or out of time
    bool joined = false;  // the invited link has done its work: connect again at once
    bool log_asked = false;
    bool linked = false;  // once, in this run
    bool open = false;    // now
    bool final = false;   // the server said how it ended, and trying again is of no use
    Backoff backoff;
    asio::io_context io{1};
    asio::steady_timer pause;
    asio::steady_timer ticker;
    std::unique_ptr<ServerLink> link;
    std::unique_ptr<engine::LinkDriver> driver;
    std::exception_ptr broken;

    void carry_out(engine::Actions actions) {
        for (auto& frame : actions.frames) link->send(std::move(frame));
        for (auto const& event : actions.events) {
            if (std::holds_alternative<engine::LinkReady>(event)) {
                result.was_ready = true;
                backoff.worked();
            }
            if (auto const* ending = std::get_if<engine::LinkEnding>(&event)) {
                backoff.asked(std::chrono::seconds(ending->retry_after_seconds));
                final = is_final(ending->code);
            }
            if (std::holds_alternative<engine::Joined>(event)) joined = true;
            if (!result.enough && on_event(event)) enough();
        }
        if (actions.close || joined) link->finish();
    }

    void enough() {
        result.enough = true;
        over = true;
        if (link) link->finish();
        pause.cancel();
        ticker.cancel();
    }

    /// Once the link is caught up, which a quiet moment tells as well as a message.
    void fetch_log_once() {
        if (!options.fetch_log || log_asked || over || !driver->caught_up()) return;
        log_asked = true;
        carry_out(driver->fetch_log(wall_now()));
    }

    void out_of_time() {
        over = true;
        if (link) link->cut();
        pause.cancel();
        ticker.cancel();
    }
};

/// Looks at the vault for what other processes (or this one) put there, and at the clock.
asio::awaitable<void> tick_loop(Run& run, std::chrono::steady_clock::time_point deadline) {
    while (!run.over) {
        run.ticker.expires_after(poll_every);
        co_await run.ticker.async_wait(use_tuple);
        if (run.over) break;
        if (std::chrono::steady_clock::now() >= deadline) {
            run.out_of_time();
            break;
        }
        bool const up = run.open && run.driver->ready();
        if (run.driver) run.carry_out(run.driver->poll(wall_now()));
        if (up) run.fetch_log_once();
        if (!run.over && run.on_idle(up && run.driver->caught_up())) run.enough();
    }
}

asio::awaitable<void> one_link(Run& run) {
    auto const server = run.engine.server();
    INTERLUDE_CHECK(server.has_value());
    run.link = std::make_unique<ServerLink>(run.io, LinkTarget{server->host, server->port, run.options.ca_file});
    run.driver = std::make_unique<engine::LinkDriver>(run.engine, server->host);
    run.log_asked = false;
    run.result.failure = co_await run.link->connect(connect_time_max);
    if (run.result.failure) {
        run.link->cut();  // and its deadline, which would keep the loop alive
        co_return;
    }
    run.linked = run.open = true;
    while (!run.over) {
        auto const message = co_await run.link->next();
        if (!message) break;
        auto actions = run.driver->on_message(*message, wall_now());
        run.carry_out(std::move(actions));
        run.fetch_log_once();
    }
    run.open = false;
    // What was queued (acks, confirmations) leaves before the end, within a moment.
    for (int i = 0; i < 40 && run.result.enough && !run.link->flushed(); ++i) {
        run.pause.expires_after(25ms);
        co_await run.pause.async_wait(use_tuple);
    }
    run.link->finish();
    if (run.over) {
        bool more = true;
        while (more) {
            auto const rest = co_await run.link->next();
            more = rest.has_value();
        }
    }
    run.result.close_code = run.link->close_code();
}

asio::awaitable<void> connect_loop(Run& run) {
    std::random_device random;
    while (!run.over) {
        run.joined = false;
        run.final = false;
        co_await one_link(run);
        if (run.over) break;
        if (run.joined) continue;
        // A link that was cut in the middle is tried again whatever the caller thinks of a server that is not there.
        if (!run.options.reconnect && (!run.linked || run.final)) {
            run.over = true;
            run.ticker.cancel();
            break;
        }
        run.pause.expires_after(run.backoff.next(random()));
        co_await run.pause.async_wait(use_tuple);
    }
}

}  // namespace

RunResult run_link(engine::Engine& engine, RunOptions const& options, OnEvent on_event, OnIdle on_idle) {
    Run run(engine, options, std::move(on_event), std::move(on_idle));
    auto const deadline = options.within ? std::chrono::steady_clock::now() + *options.within
                                         : std::chrono::steady_clock::time_point::max();
    int going_on = 2;
    auto const done = [&run, &going_on](std::exception_ptr error) {
        if (error) {
            run.broken = error;
            run.out_of_time();
        }
        if (--going_on == 0) run.io.stop();  // a link that was cut leaves a timer behind: nobody waits for it
    };
    asio::co_spawn(run.io, connect_loop(run), done);
    asio::co_spawn(run.io, tick_loop(run, deadline), done);
    run.io.run();
    if (run.broken) std::rethrow_exception(run.broken);
    return run.result;
}

}  // namespace interlude::client_net
