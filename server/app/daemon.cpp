#include "server/app/daemon.hpp"

#include <systemd/sd-daemon.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/bytes/text.hpp"
#include "common/identity/invitation.hpp"
#include "common/identity/invitation_link.hpp"
#include "server/app/admin_socket.hpp"
#include "server/app/log_key.hpp"
#include "server/net/server.hpp"
#include "server/ports/use_tuple.hpp"
#include "server/runtime/asio_timers.hpp"
#include "server/runtime/counters.hpp"
#include "server/runtime/system_clock.hpp"
#include "server/runtime/text_diag.hpp"
#include "server/service/janitor.hpp"
#include "server/service/link_service.hpp"
#include "server/service/public_log.hpp"
#include "server/service/window_ticker.hpp"
#include "server/store/sqlite/sqlite_store.hpp"

namespace interlude::app {

namespace asio = boost::asio;
using asio::awaitable;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

using ports::use_tuple;
constexpr auto drain_time_max = 10s;

std::string rfc3339(base::WallTime time) {
    auto const ms = base::to_ms(time);
    std::time_t const seconds = ms / 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                  utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(ms % 1000));
    return text;
}

std::int64_t wall_seconds_now() {
    return base::to_ms(runtime::wall_now()) / 1000;
}

core::Policy policy_of(LimitValues const& limits) {
    core::Policy policy;
    policy.hold_life = std::chrono::days{limits.hold_life_days};
    policy.commits_per_hour_max = static_cast<int>(limits.commits_per_hour);
    policy.undelivered_messages_max = static_cast<std::uint64_t>(limits.undelivered_messages);
    policy.undelivered_bytes_max = static_cast<std::uint64_t>(limits.undelivered_bytes);
    policy.undelivered_messages_per_conversation_max =
        static_cast<std::uint64_t>(limits.undelivered_messages_per_conversation);
    policy.undelivered_bytes_per_conversation_max =
        static_cast<std::uint64_t>(limits.undelivered_bytes_per_conversation);
    policy.message_bytes_max = static_cast<std::size_t>(limits.frame_bytes) - 4 * 1024;
    policy.key_packages_per_device = static_cast<int>(limits.key_packages_per_device);
    policy.open_invitations_max = static_cast<int>(limits.invitations_open);
    // An app counts the days by its own clock.
    policy.invitation_life_max = std::chrono::days{limits.invitation_days} + 10min;
    return policy;
}

core::LinkSettings link_settings(Config const& config) {
    auto const& limits = config.limits;
    core::LinkSettings settings;
    settings.server_name = config.server_name;
    settings.in_flight_max = static_cast<int>(limits.in_flight);
    core::allow_messages(settings.device_rates, static_cast<int>(limits.messages_burst), limits.messages_per_second);
    auto& fetches = settings.device_rates[static_cast<std::size_t>(core::RateKind::key_package_fetches)];
    fetches.burst = static_cast<int>(limits.key_package_fetches_burst);
    auto& redemptions = settings.invited_rates[static_cast<std::size_t>(core::RateKind::redemptions)];
    redemptions.burst = static_cast<int>(limits.redeem_tries_per_hour);
    redemptions.interval = core::Millis{3'600'000 / limits.redeem_tries_per_hour};
    return settings;
}

net::ServerOptions net_options(Config const& config) {
    auto const& limits = config.limits;
    net::ServerOptions options;
    options.server_name = config.server_name;
    options.listen = config.listen;
    options.certificate = config.tls_certificate;
    options.key = config.tls_key;
    options.key_is_credential = config.tls_key_is_credential;
    options.tls_1_2 = config.tls_1_2;
    options.origins = config.web_origins;
    options.handshake_time_max = std::chrono::seconds{limits.handshake_seconds};
    options.idle_time_max = std::chrono::seconds{limits.idle_seconds};
    options.frame_bytes_max = static_cast<std::size_t>(limits.frame_bytes);
    options.outbox_bytes_max = static_cast<std::size_t>(limits.outbox_bytes);
    options.connections_max = static_cast<std::size_t>(limits.connections);
    options.connections_per_address_max = static_cast<std::size_t>(limits.connections_per_address);
    return options;
}

[[noreturn]] void throw_start_error(store_sqlite::OpenError const& error) {
    throw StartError(error.locked ? exit_locked : error.disk ? exit_disk : exit_configuration, error.what());
}

class Daemon {
  public:
    explicit Daemon(Config const& config) : config_(config), signals_(io_, SIGTERM, SIGINT, SIGHUP) {}

    int run() {
        auto log_key = load_or_make_log_key(config_.log_key, config_.store_file, entropy_);
        open_store();
        ports::OpenInfo info;
        await([&]() -> awaitable<void> { info = co_await store_->open_info(); });
        timers_.emplace(io_.get_executor(), info.high_water);
        sequencer_.emplace(io_.get_executor(), *store_, *timers_, std::move(log_key),
                           audit::log_origin(config_.server_name, info.restore_count), diag_, counters_);
        await([&]() -> awaitable<void> { co_await sequencer_->resume(); });

        ticker_.emplace(*store_, *timers_, entropy_, diag_, counters_);
        janitor_.emplace(*store_, *timers_, entropy_, diag_, counters_);
        public_log_.emplace(*store_, *timers_, *sequencer_);
        public_log_->store_answered();
        shared_.emplace(service::Shared{io_.get_executor(),
                                        *store_,
                                        *timers_,
                                        entropy_,
                                        *sequencer_,
                                        registry_,
                                        diag_,
                                        counters_,
                                        link_options(info),
                                        [this] { ticker_->calendars_changed(); },
                                        false,
                                        {}});
        links_.emplace(*shared_);
        try {
            server_.emplace(io_, net_options(config_), *links_, *public_log_);
        } catch (net::SetupError const& error) {
            throw StartError(exit_configuration, error.what());
        }
        public_log_->set_certificate_expiry(base::wall_seconds(server_->certificate().expires));
        // Not a reason to stay down: a renewed one is taken by a reload.
        if (auto const problem = why_not_now(server_->certificate(), config_.tls_certificate, wall_seconds_now()))
            diag_.say(ports::Level::error, "certificate_is_refused_by_apps",
                      {{"reason", base::LogSafe::operator_text(*problem)}});
        try {
            admin_.emplace(io_, config_.admin_socket, [this](std::string request) { return administer(request); });
        } catch (std::exception const& error) {
            throw StartError(exit_configuration, error.what());
        }

        spawn(sequencer_->run());
        spawn(ticker_->run());
        spawn(janitor_->run());
        spawn(every_second());
        asio::co_spawn(io_, handle_signals(), asio::detached);
        server_->start();
        admin_->start();
        std::cout << "interluded ready " << url() << std::endl;
        sd_notify(0, "READY=1");
        io_.run();
        if (failure_) {
            std::cerr << "interluded: " << *failure_ << '\n';
            return exit_software;
        }
        return 0;
    }

  private:
    void open_store() {
        store_sqlite::Options options;
        options.file = config_.store_file;
        options.policy = policy_of(config_.limits);
        ports::Hooks hooks;
        hooks.now = [this] {
            // Before the mark of the store is known there is no server time yet; nothing is decided then.
            return timers_ ? timers_->time() : core::TimeReading{runtime::wall_now(), false};
        };
        hooks.changed = [this](core::Changed changed) {
            asio::post(io_, [this, changed = std::move(changed)] {
                registry_.changed(changed);
                sequencer_->wake();
            });
        };
        try {
            store_ = store_sqlite::open(io_.get_executor(), std::move(options), std::move(hooks), entropy_);
        } catch (store_sqlite::OpenError const& error) {
            throw_start_error(error);
        }
    }

    service::LinkServiceOptions link_options(ports::OpenInfo const& info) const {
        service::LinkServiceOptions options;
        options.link = link_settings(config_);
        auto const& limits = config_.limits;
        options.limits.frame_bytes_max = static_cast<std::uint32_t>(limits.frame_bytes);
        options.limits.idle_seconds_max = static_cast<std::uint32_t>(limits.idle_seconds);
        options.limits.hold_life_seconds = static_cast<std::uint32_t>(limits.hold_life_days * 86'400);
        options.limits.in_flight_max = static_cast<std::uint32_t>(limits.in_flight);
        options.login_time_max = std::chrono::seconds{limits.login_seconds};
        options.instance = info.instance;
        options.restore_count = info.restore_count;
        return options;
    }

    std::string authority() const {
        auto const port = server_->port();
        return config_.server_name + (port == 443 ? "" : ":" + std::to_string(port));
    }
    std::string url() const { return "https://" + authority(); }

    /// Runs one coroutine to its end before the server runs. Exceptions of a store that cannot serve end the start.
    template <class Coroutine>
    void await(Coroutine coroutine) {
        std::exception_ptr failed;
        asio::co_spawn(io_, coroutine(), [&](std::exception_ptr error) { failed = error; });
        io_.run();
        io_.restart();
        try {
            if (failed) std::rethrow_exception(failed);
        } catch (std::exception const& error) {
            throw StartError(exit_configuration, error.what());
        }
    }

    /// A service ends only when told to; an exception ends the process.
    void spawn(awaitable<void> service) {
        asio::co_spawn(io_, std::move(service), [this](std::exception_ptr error) {
            if (!error) return;
            try {
                std::rethrow_exception(error);
            } catch (std::exception const& what) {
                failure_ = what.what();
            }
            io_.stop();
        });
    }

    awaitable<void> every_second() {
        asio::steady_timer timer(io_);
        while (!stopping_) {
            timer.expires_after(1s);
            co_await timer.async_wait(use_tuple);
            switch (timers_->observe()) {
                case core::ServerTime::Event::none:
                    break;
                case core::ServerTime::Event::step_ignored:
                    counters_.add(ports::Counter::clock_steps_ignored, 1);
                    diag_.say(ports::Level::error, "clock_stepped_forward_releases_wait_until_clock_confirm",
                              {{"skew_ms", timers_->skew().count()}});
                    break;
                case core::ServerTime::Event::behind:
                    diag_.say(ports::Level::warning, "clock_is_behind", {{"skew_ms", timers_->skew().count()}});
                    break;
                case core::ServerTime::Event::came_back:
                    diag_.say(ports::Level::info, "clock_is_believed_again");
                    break;
            }
            auto const reading = timers_->time();
            if (reading.believed && !believed_) registry_.wake_all();
            believed_ = reading.believed;
            bool const marked = co_await mark_time(reading);
            if (marked) public_log_->store_answered();
            counters_.set(ports::Gauge::links, static_cast<std::int64_t>(registry_.size()));
            sd_notify(0, "WATCHDOG=1");
        }
    }

    /// Once a second, so it is what shows first that the store writes, or does not.
    awaitable<bool> mark_time(core::TimeReading reading) {
        try {
            if (reading.believed) {
                co_await store_->mark_time(reading.now);
                shared_->outage.worked();
            }
            co_return true;
        } catch (std::exception const& error) {
            shared_->outage.failed(error);
        }
        co_return false;
    }

    awaitable<void> handle_signals() {
        while (!stopping_) {
            auto const [cancelled, signal] = co_await signals_.async_wait(use_tuple);
            if (cancelled) co_return;
            if (signal == SIGHUP) {
                reload();
            } else {
                co_await stop();
            }
        }
    }

    void reload() {
        auto const problem = server_->reload_certificate(wall_seconds_now());
        if (!problem) {
            public_log_->set_certificate_expiry(base::wall_seconds(server_->certificate().expires));
            diag_.say(ports::Level::info, "certificate_reloaded");
        } else {
            diag_.say(ports::Level::error, "certificate_not_reloaded_the_old_one_stays",
                      {{"reason", base::LogSafe::operator_text(*problem)}});
        }
    }

    awaitable<void> stop() {
        stopping_ = true;
        sd_notify(0, "STOPPING=1");
        shared_->draining = true;
        public_log_->set_draining();
        admin_->stop();
        server_->drain();
        asio::steady_timer timer(io_);
        for (auto waited = 0ms; server_->connections() > 0 && waited < drain_time_max; waited += 20ms) {
            timer.expires_after(20ms);
            co_await timer.async_wait(use_tuple);
        }
        server_->close_all();
        ticker_->stop();
        janitor_->stop();
        sequencer_->stop();
        io_.stop();
    }

    // ---- The operator ----

    awaitable<std::string> administer(std::string text) {
        json answer{{"ok", false}, {"text", "the store fails"}, {"hint", "look at the server's diagnostics"}};
        try {
            answer = co_await answer_operator(std::move(text));
        } catch (std::exception const& error) {
            shared_->outage.failed(error);
        }
        co_return answer.dump();
    }

    awaitable<json> answer_operator(std::string text) {
        auto const request = json::parse(text, nullptr, false);
        json answer{{"ok", false}, {"text", "the request is not understood"}, {"hint", "use interludectl"}};
        if (request.is_object()) {
            auto const verb = request.value("verb", "");
            if (verb == "invite" && request.value("role", "") == "therapist") {
                answer = co_await invite_therapist();
            } else if (verb == "status") {
                answer = co_await status();
            } else if (verb == "version") {
                answer = json{{"ok", true}, {"server", INTERLUDE_VERSION}, {"protocol", wire::protocol_version}};
            } else if (verb == "clock_confirm") {
                timers_->confirm();
                registry_.wake_all();
                co_await store_->mark_time(timers_->time().now);
                answer = json{{"ok", true}, {"server_time", rfc3339(timers_->time().now)}};
            }
        }
        co_return answer;
    }

    awaitable<json> invite_therapist() {
        auto const seed = entropy_.secret(crypto::ed25519_seed_size);
        auto const key = identity::invitation_key(seed.expose());
        auto const expiry = timers_->time().now + std::chrono::days{config_.limits.invitation_days};
        auto document = identity::operators_invitation(key.public_key(), expiry);
        co_await store_->put_operator_invitation(document, entropy_.id<core::Seed>());
        sequencer_->wake();
        identity::InvitationFragment fragment;
        fragment.kind = document.kind;
        fragment.seed = seed.clone();
        fragment.log_key_hash = audit::log_key_hash(sequencer_->log_key().public_key());
        fragment.expiry = expiry;
        auto const link = identity::format_link({authority(), std::move(fragment)});
        co_return json{{"ok", true}, {"link", link}, {"expires_at", rfc3339(expiry)}};
    }

    awaitable<json> status() {
        auto const counts = co_await store_->counts();
        auto const reading = timers_->time();
        co_return json{{"ok", true},
                       {"url", url()},
                       {"server_time", rfc3339(reading.now)},
                       {"time_believed", reading.believed},
                       {"skew_ms", timers_->skew().count()},
                       {"connections", server_->connections()},
                       {"links", registry_.size()},
                       {"accounts", counts.accounts},
                       {"conversations", counts.conversations},
                       {"envelopes_kept", counts.envelopes},
                       {"log_entries", counts.entries},
                       {"log_proved", counts.sequenced},
                       {"accepted", counters_.get(ports::Counter::messages_accepted)},
                       {"held", counters_.get(ports::Counter::messages_held)},
                       {"certificate_expires", rfc3339(base::wall_seconds(server_->certificate().expires))}};
    }

    Config const& config_;
    asio::io_context io_{1};
    crypto::SystemEntropy entropy_;
    runtime::TextDiag diag_;
    runtime::Counters counters_;
    asio::signal_set signals_;
    std::optional<runtime::AsioTimers> timers_;
    std::unique_ptr<ports::Store> store_;
    service::LinkRegistry registry_;
    std::optional<service::AuditSequencer> sequencer_;
    std::optional<service::WindowTicker> ticker_;
    std::optional<service::Janitor> janitor_;
    std::optional<service::PublicLog> public_log_;
    std::optional<service::Shared> shared_;
    std::optional<service::LinkService> links_;
    std::optional<net::Server> server_;
    std::optional<AdminSocket> admin_;
    std::optional<std::string> failure_;
    bool stopping_ = false;
    bool believed_ = false;  // the time, when last looked at
};

net::Certificate certificate_of(Config const& config) {
    try {
        return net::check_certificate(net_options(config));
    } catch (net::SetupError const& error) {
        throw StartError(exit_configuration, error.what());
    }
}

}  // namespace

int run_daemon(Config const& config) {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is met as a write that fails
    certificate_of(config);         // before anything is made
    return Daemon(config).run();
}

std::string check_setup(Config const& config) {
    auto const certificate = certificate_of(config);
    if (auto const problem = why_not_now(certificate, config.tls_certificate, wall_seconds_now()))
        throw StartError(exit_configuration, *problem);
    std::string out = "certificate: good until " + rfc3339(base::wall_seconds(certificate.expires)) + "\n";
    if (std::filesystem::exists(config.log_key)) {
        load_log_key(config.log_key);
        out += "log key: good\n";
    } else {
        need_no_log(config.log_key, config.store_file);
        out += "log key: will be made at the first start\n";
    }
    try {
        out += "store: " + store_sqlite::check(config.store_file) + "\n";
    } catch (store_sqlite::OpenError const& error) {
        throw StartError(exit_configuration, error.what());
    }
    return out + "the configuration is good\n";
}

std::string seal_store(Config const& config) {
    try {
        return "store: " + store_sqlite::seal(config.store_file) + "\n";
    } catch (store_sqlite::OpenError const& error) {
        throw_start_error(error);
    }
}

}  // namespace interlude::app
