// What goes to a person's screen: foreign text made harmless, times in the reader's own zone, one JSON object a line.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "client-cli/engine/views.hpp"
#include "common/base/time.hpp"
#include "common/bytes/text.hpp"
#include "common/schedule/zone.hpp"

namespace interlude::ui {

using nlohmann::json;

/// An id as --json writes it.
std::string hex(auto const& id) {
    return bytes::to_hex(id.bytes);
}

/// Foreign text for a terminal: controls, escapes, bidi overrides and bytes that are no UTF-8 become visible, newlines
/// stay if `lines`.
std::string visible(std::string_view text, bool lines = true);

/// Lines of which every one after the first begins with a mark that no line of this app begins with: those that the
/// text breaks itself, and those that a screen of so many columns (0: none) would break, by spaces for example.
std::string continued(std::string_view text, std::size_t columns = 0);
/// Of the terminal at stdout; 0: it is none.
std::size_t screen_columns();

/// "1 entry", "2 entries"; `many` where an s is not enough.
std::string counted(std::uint64_t count, std::string const& one, std::string const& many = {});

/// "2027-03-28"
std::string date_of(std::chrono::sys_days day);
/// RFC 3339 UTC with milliseconds.
std::string rfc3339(base::WallTime time);

/// The zone of the person at the screen: TZ, else the system's, else UTC; covering the coming years.
schedule::ZoneRules reader_zone(base::WallTime now);
/// "Mon 09:00", "today 18:30", as schedule::instant_in_words.
std::string when(base::WallTime time, base::WallTime now);

/// The texts of common/texts/en.json.
json const& texts();
/// The crisis card; `edited` is the therapist's own, if there is one.
std::string crisis_card_text(std::optional<engine::CrisisCard> const& edited);

/// What to say of a clock that is more than two minutes off the server's (milliseconds, positive: the server's is
/// ahead); else empty.
std::string clock_in_words(std::int64_t skew_ms);

/// Characters are read and written as UTF-8, whatever LANG says: libedit drops what the locale cannot say.
void speak_utf8();

base::WallTime wall_now();
bool colours();

/// One line on stdout.
void print_json(json const& object);

}  // namespace interlude::ui
