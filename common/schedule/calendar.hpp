// A therapist's calendar: the published documents, each in force from its instant, as one line of open and closed time.
// Piecewise (exact.md, Calendar): at t the documents in force at t speak, so a new one never changes the past.
#pragma once

#include "common/schedule/override_document.hpp"
#include "common/schedule/schedule_document.hpp"

namespace interlude::schedule {

struct PublishedSchedule {
    std::uint64_t number = 0;
    WallTime in_force_from{};  // max(effective-from, the server's stamp of it), as its entry states
    Interval span{};           // what it is compiled for; closed outside
    Intervals compiled;
    bool operator==(PublishedSchedule const&) const = default;
};
PublishedSchedule published(ScheduleDocument document, WallTime in_force_from);

struct PublishedOverride {
    OverrideKind kind{};
    WallTime in_force_from{};  // the server's stamp of it
    Interval span{};           // speaks from max(in_force_from, start) to end
    std::uint64_t number = 0;
    bool operator==(PublishedOverride const&) const = default;
};
/// The document must not be a send_now (checked): that speaks about one message, not about time.
PublishedOverride published(OverrideDocument const& document, WallTime in_force_from);

enum class State : std::uint8_t {
    none,    // nothing was ever published that speaks about this instant
    closed,  // also after the schedule ran out
    open,
};

class Calendar {
  public:
    /// Nothing published.
    Calendar() = default;
    /// In any order. Of several schedules in force the highest number speaks. Overrides beat schedules until their end;
    /// a later one (by in-force time, then by its place here) beats an earlier one. Give the overrides of the
    /// calendar's chain first, then those of the conversation's.
    Calendar(std::vector<PublishedSchedule> schedules, std::vector<PublishedOverride> overrides = {});

    State state_at(WallTime t) const;
    bool open(WallTime t) const;
    /// First open instant at or after t: exact.md's open_from(calendar, t).
    std::optional<WallTime> open_from(WallTime t) const;
    /// The first beginning of an open span after t.
    std::optional<WallTime> next_opening_after(WallTime t) const;
    /// End of the open span that t is in.
    std::optional<WallTime> open_until(WallTime t) const;
    /// End of the last open span that began at or before t (t may be inside it).
    std::optional<WallTime> last_open_span_end(WallTime t) const;
    /// The open time inside the span.
    Intervals windows(Interval span) const;
    /// All open spans, normal. Spans that touch, also across documents, are one.
    Intervals const& windows() const { return open_; }
    /// Where the compiled intervals of the newest schedule end; nullopt: no schedule.
    std::optional<WallTime> known_until() const { return known_until_; }
    bool ran_out(WallTime t) const { return known_until_ && t >= *known_until_; }
    /// Number of the schedule that speaks at t where no override does; 0: none.
    std::uint64_t schedule_at(WallTime t) const;
    /// Number of the document that speaks at t: of an override, or of the schedule; 0: none.
    std::uint64_t document_at(WallTime t) const;
    /// Where overrides speak.
    Intervals overridden() const;
    bool empty() const { return pieces_.empty() && overrides_.empty(); }

  private:
    struct Piece {
        WallTime from;  // until the next piece
        std::uint64_t number;
    };
    Intervals open_;
    struct Spoken {
        Interval span;
        std::uint64_t number;
    };
    std::vector<Spoken> overrides_;  // where they speak, the last that does so first
    std::vector<Piece> pieces_;
    std::optional<WallTime> known_until_;
};

}  // namespace interlude::schedule
