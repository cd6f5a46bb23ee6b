// The documents of calendars as they travel: two formats, one chain.
#pragma once

#include "common/schedule/calendar.hpp"
#include "common/schedule/chain.hpp"
#include "common/wire/frames.hpp"

namespace interlude::wire {

/// A schedule or an override.
bool is_of_calendar(DocumentKind kind);
/// What signs and hashes it; the document must be one of a calendar's.
std::string_view calendar_label(DocumentKind kind);
/// The errors of its decoder; malformed for other kinds, and where the scope that its kind names is not its own.
base::Result<schedule::ChainPlace> place_of(SignedDocument const& document);

/// Makes the calendar of published documents, in the order of their chains, the calendar's own chain first. They must
/// parse: whoever keeps one has looked.
class CalendarMaker {
  public:
    void add(PublishedDocument const& published);
    void add(schedule::PublishedSchedule schedule) { schedules_.push_back(std::move(schedule)); }
    schedule::Calendar made() && { return {std::move(schedules_), std::move(overrides_)}; }

  private:
    std::vector<schedule::PublishedSchedule> schedules_;
    std::vector<schedule::PublishedOverride> overrides_;
};

}  // namespace interlude::wire
