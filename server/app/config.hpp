// The configuration file of interluded: TOML, one table of keys with type, default and what each is for. Relative paths
// are relative to the file's folder. Anything unknown or out of range is a ConfigError that says what to do (exit 78).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace interlude::app {

struct ConfigError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Numbers of `[limits]`: every limit that an operator may change.
struct LimitValues {
    std::int64_t connections = 10'000;
    std::int64_t connections_per_address = 20;
    std::int64_t handshake_seconds = 10;
    std::int64_t login_seconds = 10;
    std::int64_t idle_seconds = 75;
    std::int64_t frame_bytes = 256 * 1024;
    std::int64_t outbox_bytes = 1024 * 1024;
    std::int64_t in_flight = 64;
    std::int64_t messages_burst = 60;
    std::int64_t messages_per_second = 1;
    std::int64_t undelivered_messages = 100'000;
    std::int64_t undelivered_bytes = 1024 * 1024 * 1024;
    std::int64_t undelivered_messages_per_conversation = 1'000;
    std::int64_t undelivered_bytes_per_conversation = 10 * 1024 * 1024;
    std::int64_t hold_life_days = 35;
    std::int64_t invitations_open = 20;
    std::int64_t invitation_days = 7;
    std::int64_t redeem_tries_per_hour = 10;
    std::int64_t key_packages_per_device = 50;
    std::int64_t key_package_fetches_burst = 10;
    std::int64_t commits_per_hour = 6;
};

struct Config {
    std::string server_name;
    std::vector<std::string> listen{"127.0.0.1:0"};
    std::filesystem::path tls_certificate;
    std::filesystem::path tls_key;
    bool tls_key_is_credential = false;  // handed over by systemd, which keeps others out
    bool tls_1_2 = false;
    std::filesystem::path store_file;  // of store.url = "sqlite:FILE"
    std::filesystem::path log_key;
    std::filesystem::path admin_socket;
    std::vector<std::string> web_origins;
    LimitValues limits;
};

/// Reads FILE and then each `key=value` of `settings` over it.
Config load_config(std::filesystem::path const& file, std::vector<std::string> const& settings);

/// The keys with type, default and purpose: for --help and the documentation.
std::string describe_keys();

}  // namespace interlude::app
