// Keeps one engine connected for as long as a verb needs: connects, hands messages to a LinkDriver, sends what it says,
// connects again with growing pauses. The screen only sees events.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "client-cli/engine/link_driver.hpp"
#include "client-cli/net/server_link.hpp"

namespace interlude::client_net {

struct RunOptions {
    std::string ca_file;
    std::optional<std::chrono::milliseconds> within;  // nullopt: until `enough` says so
    bool reconnect = true;   // while there is time; false: only if a link was up already and was cut
    bool fetch_log = false;  // ask for the log's entries once caught up
};

struct RunResult {
    bool enough = false;                 // `on_event` or `on_idle` said so
    bool was_ready = false;              // a login succeeded
    std::optional<LinkFailure> failure;  // of the last attempt
    std::uint16_t close_code = 0;        // of the last link
};

/// Called for every event, also of a message that another process of the home took; true: enough, end the link in
/// order, and call no more.
using OnEvent = std::function<bool(engine::Event const&)>;
/// Called about four times a second and after events, with `caught_up` of the link; true: enough.
using OnIdle = std::function<bool(bool caught_up)>;

RunResult run_link(engine::Engine& engine, RunOptions const& options, OnEvent on_event, OnIdle on_idle);

}  // namespace interlude::client_net
