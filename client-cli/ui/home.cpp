#include "client-cli/ui/home.hpp"

#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "client-cli/ui/text.hpp"
#include "common/bytes/text.hpp"

namespace interlude::ui {

namespace {

constexpr std::size_t passphrase_least = 8;

/// Asks on the terminal without showing what is typed.
std::string ask_passphrase(std::string const& prompt) {
    std::cerr << prompt << std::flush;
    termios before{};
    bool const hidden = tcgetattr(STDIN_FILENO, &before) == 0;
    if (hidden) {
        auto quiet = before;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    std::string typed;
    std::getline(std::cin, typed);
    if (hidden) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << '\n';
    return typed;
}

vault::VaultSecret passphrase(bool twice) {
    std::string typed;
    if (char const* file = std::getenv("INTERLUDE_PASSPHRASE_FILE"); file && *file) {
        std::ifstream in(file);
        if (!in)
            throw Failure(not_allowed, "no_passphrase", std::string("cannot read ") + file,
                          "INTERLUDE_PASSPHRASE_FILE names a file with the passphrase in its first line");
        std::getline(in, typed);
    } else if (isatty(STDIN_FILENO) != 0) {
        typed = ask_passphrase(twice ? "A passphrase for this home: " : "Passphrase: ");
        if (twice && ask_passphrase("Once more: ") != typed)
            throw Failure(not_allowed, "passphrases_differ", "the two passphrases differ", "run the command again");
    } else {
        throw Failure(not_allowed, "no_passphrase", "this home needs a passphrase and there is no terminal to ask",
                      "set INTERLUDE_PASSPHRASE_FILE, or make the home with join --key-file");
    }
    if (twice && typed.size() < passphrase_least)
        throw Failure(not_allowed, "short_passphrase", "a passphrase has at least 8 characters",
                      "a few words are good; run the command again");
    vault::VaultSecret secret{vault::VaultSecret::Kind::passphrase, bytes::SecretBytes(bytes::view(typed))};
    explicit_bzero(typed.data(), typed.size());
    return secret;
}

/// At every connect (product.md, Clock). On stderr in JSON mode too: `status` has it for scripts.
void warn_of_clock(std::int64_t skew_ms) {
    auto const words = clock_in_words(skew_ms);
    if (!words.empty()) std::cerr << "interlude: " << words << '\n';
}

std::string kept_ca(std::filesystem::path const& home) {
    auto const file = home / "ca.pem";
    return std::filesystem::exists(file) ? file.string() : std::string();
}

}  // namespace

vault::VaultSecret Home::secret_of(Options const& options) {
    auto const wants = vault::SealedVault::wants(options.home);
    return wants == vault::VaultSecret::Kind::key_file ? vault::read_key_file(options.home) : passphrase(false);
}

Home Home::open_with(Options const& options, vault::VaultSecret const& secret) {
    Home home;
    home.path_ = options.home;
    home.entropy_ = std::make_unique<crypto::SystemEntropy>();
    home.vault_ = vault::SealedVault::open(options.home, secret, *home.entropy_);
    home.engine_ = std::make_unique<engine::Engine>(*home.vault_, *home.entropy_);
    home.ca_file_ = options.ca_file.empty() ? kept_ca(options.home) : options.ca_file;
    return home;
}

void Home::must_have_joined() {
    if (!engine_->server())
        throw Failure(not_allowed, "not_joined", "nobody has joined with this home yet", "run: interlude join 'LINK'");
}

Home Home::open(Options const& options) {
    auto home = open_with(options, secret_of(options));
    home.must_have_joined();
    return home;
}

std::pair<Home, Home> Home::open_twice(Options const& options) {
    auto const secret = secret_of(options);
    std::pair<Home, Home> homes{open_with(options, secret), open_with(options, secret)};
    homes.first.must_have_joined();
    return homes;
}

Home Home::open_or_create(Options const& options) {
    if (vault::SealedVault::exists(options.home)) return open_with(options, secret_of(options));
    if (!options.ca_file.empty() && !std::filesystem::exists(options.ca_file))
        throw Failure(usage, "no_ca", "cannot read the CA file " + options.ca_file, "--ca names a PEM file");
    crypto::SystemEntropy entropy;
    auto const secret = !options.has("key-file")                        ? passphrase(true)
                        : std::filesystem::exists(options.home / "key") ? vault::read_key_file(options.home)
                                                                        : vault::make_key_file(options.home, entropy);
    vault::SealedVault::create(options.home, secret, entropy);
    return open_with(options, secret);
}

client_net::RunResult Home::run(std::chrono::milliseconds within, client_net::OnEvent event, client_net::OnIdle idle,
                                bool fetch_log, bool reconnect) {
    client_net::RunOptions options;
    options.ca_file = ca_file_;
    options.within = within;
    options.fetch_log = fetch_log;
    options.reconnect = reconnect;
    client_net::OnEvent const with_clock = [&event](engine::Event const& one) {
        if (auto const* ready = std::get_if<engine::LinkReady>(&one)) warn_of_clock(ready->skew_ms);
        return event(one);
    };
    return client_net::run_link(*engine_, options, with_clock, std::move(idle));
}

Home::Asked Home::await_answer(base::RequestId const& request, std::chrono::milliseconds within) {
    std::optional<engine::RequestAnswered> answer;
    client_net::OnEvent const event = [&](engine::Event const& one) {
        auto const* answered = std::get_if<engine::RequestAnswered>(&one);
        if (!answered || answered->request != request) return false;
        answer = *answered;
        return true;
    };
    auto result = run(within, event, [](bool) { return false; });
    return {std::move(answer), std::move(result)};
}

bool Home::catch_up(Options const& options) {
    std::vector<engine::Alarm> alarms;
    client_net::OnEvent const event = [&](engine::Event const& one) {
        if (auto const* alarm = std::get_if<engine::Alarm>(&one)) alarms.push_back(*alarm);
        return false;
    };
    auto const result = run(
        options.timeout, event, [](bool caught_up) { return caught_up; }, false, false);
    show_alarms(options, alarms);
    if (!result.enough && !options.json)
        std::cerr << "interlude: " << (result.failure ? result.failure->text : "the server did not answer in time")
                  << "; what follows is what this device has\n";
    return result.enough;
}

engine::ConversationView Home::find(std::optional<std::string> const& word) {
    auto const all = engine_->conversations();
    if (all.empty())
        throw Failure(usage, "no_conversation", "there is no conversation yet",
                      "a therapist invites: interlude invite --name NAME");
    std::vector<engine::ConversationView> found;
    for (auto const& one : all) {
        if (!word || one.name == *word) found.push_back(one);
    }
    if (word && found.empty() && word->size() >= 4) {
        for (auto const& one : all)
            if (bytes::to_hex(one.id.bytes).rfind(*word, 0) == 0) found.push_back(one);
    }
    if (found.size() == 1) return found.front();
    std::string candidates;
    for (auto const& one : found.empty() ? all : found)
        candidates += "\n  " + visible(one.name, false) + "  (" + bytes::to_hex(one.id.bytes).substr(0, 8) + ")";
    throw Failure(usage, found.empty() ? "unknown_conversation" : "ambiguous_conversation",
                  found.empty() ? "there is no conversation \"" + visible(*word, false) + "\""
                                : "which conversation do you mean?",
                  "one of:" + candidates);
}

void throw_unreachable(client_net::RunResult const& result) {
    if (result.failure && result.failure->kind == client_net::LinkFailure::Kind::certificate)
        throw Failure(broken_protocol, "certificate", result.failure->text,
                      "nothing was sent. If the server is your own, name its authority with --ca FILE");
    throw Failure(unreachable, "unreachable",
                  result.failure ? result.failure->text : "the server did not answer in time",
                  "check the network and try again; nothing is lost");
}

void show_alarms(Options const& options, std::vector<engine::Alarm> const& alarms) {
    for (auto const& alarm : alarms) {
        if (options.json) {
            print_json({{"type", "error"}, {"code", alarm.code}, {"text", alarm.text}});
        } else {
            std::cerr << "ALARM (" << alarm.code << "): " << visible(alarm.text, false) << '\n';
        }
    }
}

}  // namespace interlude::ui
