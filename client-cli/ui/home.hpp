// A person's home on this machine: vault, engine, certificate authority; and the ways in which verbs use the network.
#pragma once

#include <memory>

#include "client-cli/engine/engine.hpp"
#include "client-cli/net/link_runner.hpp"
#include "client-cli/ui/options.hpp"
#include "client-cli/vault/sealed_vault.hpp"

namespace interlude::ui {

class Home {
  public:
    /// Opens the home of the options. Failure(not_allowed) with what to do, also where nobody has joined yet.
    static Home open(Options const& options);
    /// The same for two threads, asking for a passphrase once.
    static std::pair<Home, Home> open_twice(Options const& options);
    /// The same, made first if there is none (join).
    static Home open_or_create(Options const& options);

    engine::Engine& engine() { return *engine_; }
    std::string const& ca_file() const { return ca_file_; }
    std::filesystem::path const& path() const { return path_; }

    /// Connects and works until `idle` or `event` say enough, or the time is over.
    client_net::RunResult run(std::chrono::milliseconds within, client_net::OnEvent event, client_net::OnIdle idle,
                              bool fetch_log = false, bool reconnect = true);
    /// Works until the server answered `request`.
    struct Asked {
        std::optional<engine::RequestAnswered> answer;  // absent: it did not in time
        client_net::RunResult result;
    };
    Asked await_answer(base::RequestId const& request, std::chrono::milliseconds within);
    /// Sends what waits, fetches what is due, within the verb's timeout; one attempt. false: the server was not
    /// reached (told on stderr).
    bool catch_up(Options const& options);

    /// By name or beginning of the id; the only one where `word` is absent. Failure(usage) lists the candidates.
    engine::ConversationView find(std::optional<std::string> const& word);

  private:
    static Home open_with(Options const& options, vault::VaultSecret const& secret);
    static vault::VaultSecret secret_of(Options const& options);
    void must_have_joined();

    std::filesystem::path path_;
    std::string ca_file_;
    std::unique_ptr<crypto::SystemEntropy> entropy_;
    std::unique_ptr<vault::SealedVault> vault_;
    std::unique_ptr<engine::Engine> engine_;
};

/// What a failed connection means for a person: Failure(unreachable), or Failure(broken_protocol) for a certificate.
[[noreturn]] void throw_unreachable(client_net::RunResult const& result);
/// New alarms, loudly, on stderr (or as `error` objects).
void show_alarms(Options const& options, std::vector<engine::Alarm> const& alarms);

}  // namespace interlude::ui
