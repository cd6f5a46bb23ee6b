#include "server/core/calendars.hpp"

#include "common/schedule/gate.hpp"

namespace interlude::core {

schedule::Calendar const* gate_of(AccountId const& account, Calendars const& calendars) {
    static schedule::Calendar const nothing_published;
    auto const found = calendars.find(account);
    if (found == calendars.end()) return nullptr;
    return found->second ? found->second.get() : &nothing_published;
}

std::optional<WallTime> passes_from(Origin const& origin, AccountId const& account, Calendars const& calendars) {
    bool const waits_for_sender = origin.late_sender && account != origin.sender;
    return schedule::envelope_from(origin.stamp, waits_for_sender ? gate_of(*origin.late_sender, calendars) : nullptr);
}

bool passes(Origin const& origin, AccountId const& account, Calendars const& calendars, WallTime now) {
    return schedule::passes(passes_from(origin, account, calendars), gate_of(account, calendars), now);
}

std::optional<WallTime> passes_at(Origin const& origin, AccountId const& account, Calendars const& calendars) {
    return schedule::passes_at(passes_from(origin, account, calendars), gate_of(account, calendars));
}

bool open_at(AccountId const& account, Calendars const& calendars, WallTime now) {
    auto const gate = gate_of(account, calendars);
    return !gate || gate->open(now);
}

audit::GateNumbers gate_numbers(AccountId const& account, Calendars const& calendars, WallTime at) {
    auto const gate = gate_of(account, calendars);
    return {gate ? gate->document_at(at) : 0, 0};
}

}  // namespace interlude::core
