// What arrived in the home and what changed there, numbered in the order in which it did: each process of the home
// tells all of it, whichever process took it from the server.
#pragma once

#include "client-cli/engine/turn.hpp"

namespace interlude::engine {

/// The next number for a MessageArrived or MessageChanged; nothing for other events.
void keep_news(Turn& turn, Event const& event);
/// The number of the newest; one row, cheap enough for every look.
std::uint64_t newest_news(Turn& turn);
/// Numbers after `seen`, up to `until`. Of the changes of one message only the last.
std::vector<Event> news_between(Turn& turn, std::uint64_t seen, std::uint64_t until);

}  // namespace interlude::engine
