// interluded: everything wired together, from a Config to a running server.
#pragma once

#include <string>

#include "server/app/config.hpp"

namespace interlude::app {

// Exit codes of interfaces.md.
inline constexpr int exit_software = 70;
inline constexpr int exit_disk = 74;
inline constexpr int exit_locked = 77;
inline constexpr int exit_configuration = 78;

/// Why the server cannot start or go on.
struct StartError : std::runtime_error {
    StartError(int code, std::string const& text) : std::runtime_error(text), exit_code(code) {}
    int exit_code;
};

/// Serves until SIGTERM or SIGINT; returns the exit code. Throws StartError, ConfigError.
int run_daemon(Config const& config);

/// `--check`: opens and validates what the config names. Throws likewise; returns a summary for people.
std::string check_setup(Config const& config);

/// `--seal-store`: store_sqlite::seal. Throws likewise; returns a line for people.
std::string seal_store(Config const& config);

}  // namespace interlude::app
