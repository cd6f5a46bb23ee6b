// The things that interlude-load can do. Each gives one JSON object: counts, times in milliseconds, what the server's
// process used. Throws Broken where nothing could be measured.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/bench/figures.hpp"
#include "tests/bench/load_options.hpp"
#include "tests/bench/world.hpp"

namespace interlude::bench {

/// --rate R and --rate max.
nlohmann::json run_messages(LoadOptions const& options, World const& world);
/// --due.
nlohmann::json run_opening(LoadOptions const& options, World const& world);
/// --idle.
nlohmann::json run_idle(LoadOptions const& options, World const& world);
/// --logins and --handshakes.
nlohmann::json run_logins(LoadOptions const& options, World const& world);
/// --back; says {"type":"up"} on a line of its own when all links are there.
nlohmann::json run_back(LoadOptions const& options, World const& world);

/// {"count", "p50", "p99", "p99.9", "max"}, in milliseconds.
nlohmann::json in_milliseconds(Latencies const& latencies);

}  // namespace interlude::bench
