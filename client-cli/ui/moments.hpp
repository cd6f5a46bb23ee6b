// Times as a person types them.
#pragma once

#include <optional>
#include <string>

#include "common/schedule/zone.hpp"

namespace interlude::ui {

/// RFC 3339 ("2026-11-23T18:00:00Z", "...+01:00"), "2026-11-23 18:00[:30]" and "18:00[:30]" (today) in `zone`; a day
/// alone is the midnight that begins it, and may be "today", "tomorrow" or a weekday ("Mon", the coming one); "now",
/// "+90s", "+90m", "+2h", "+1d" after `base`. Whole seconds, rounded up. nullopt: none of these.
std::optional<base::WallTime> parse_moment(std::string const& text, schedule::ZoneRules const& zone, base::WallTime now,
                                           base::WallTime base);

}  // namespace interlude::ui
