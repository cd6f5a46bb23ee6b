// Zone rules as a value: when the offset of local time from UTC changes. Everything but the last section is pure; the
// last section is the one place that reads the system's time zone data (Debian package tzdata), through libdate-tz.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace interlude::schedule {

using base::WallTime;

/// Wall-clock time of a zone, counted as if it were UTC.
using LocalSeconds = std::chrono::sys_seconds;

struct ZoneTransition {
    WallTime at;                  // from this instant on
    std::chrono::seconds offset;  // local = UTC + offset
    bool operator==(ZoneTransition const&) const = default;
};

class ZoneRules {
  public:
    /// Transitions sorted, inside [from, until); `first_offset` holds before the first of them.
    ZoneRules(std::string name, std::string tzdata, base::Interval span, std::chrono::seconds first_offset,
              std::vector<ZoneTransition> transitions);
    static ZoneRules utc();

    std::string const& name() const { return name_; }
    /// Such as "2026a"; "unknown" where the system does not say.
    std::string const& tzdata() const { return tzdata_; }
    /// What these rules speak about. Outside it the nearest offset is used.
    base::Interval span() const { return span_; }
    std::vector<ZoneTransition> const& transitions() const { return transitions_; }

    std::chrono::seconds offset_at(WallTime t) const;
    LocalSeconds to_local(WallTime t) const;
    /// A time that exists twice: its first occurrence. One that never was (a gap) moves forward by the gap.
    WallTime first_occurrence(LocalSeconds local) const;
    /// A time that exists twice: its last occurrence. One in a gap moves forward by the gap.
    WallTime last_occurrence(LocalSeconds local) const;

    bool operator==(ZoneRules const&) const = default;

  private:
    std::chrono::seconds offset_before(std::size_t transition) const;
    WallTime resolve(LocalSeconds local, bool last) const;

    std::string name_;
    std::string tzdata_;
    base::Interval span_;
    std::chrono::seconds first_offset_;
    std::vector<ZoneTransition> transitions_;
};

// ---- Reads the system's tzdata -------------------------------------------------------------------------------------

/// unknown: no such zone. not_yet: `until` is beyond zone_data_end.
base::Result<ZoneRules> load_zone(std::string_view name, WallTime from, WallTime until);
/// The system's tzdata lists transitions one by one up to here (Debian builds it "fat"); later years need the rule
/// strings, which libdate-tz does not read.
WallTime zone_data_end();
/// The version of the system's tzdata, "unknown" where it does not say.
std::string tzdata_version();
/// The names that load_zone knows, sorted.
std::vector<std::string> zone_names();
/// The names most like it, best first: for "no zone Europe/Berln; did you mean Europe/Berlin?".
std::vector<std::string> nearest_zone_names(std::string_view name, std::size_t count = 3);

}  // namespace interlude::schedule
