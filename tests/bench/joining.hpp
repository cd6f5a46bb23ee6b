// Makes the people of a run known to a server, as their apps would: the operator's invitation, her account, key
// packages and hours, her invitation, his account and the conversation that he founds.
#pragma once

#include "common/schedule/intervals.hpp"
#include "tests/bench/stage.hpp"
#include "tests/bench/world.hpp"

namespace interlude::bench {

/// `open` conversations whose therapist is there now and stays, after `closed` ones whose therapist has no hours yet.
World make_world(LoadOptions const& options, std::size_t open, std::size_t closed);

/// Her first hours: open in these spans.
wire::SignedDocument signed_hours(DeviceKeys const& therapist, schedule::Intervals spans);

}  // namespace interlude::bench
