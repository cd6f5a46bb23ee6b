#include "client-cli/engine/turn.hpp"

#include "client-cli/engine/link_driver.hpp"
#include "client-cli/engine/news.hpp"
#include "common/base/limits.hpp"
#include "common/wire/codec.hpp"

namespace interlude::engine {

void Actions::append(Actions more) {
    std::move(more.frames.begin(), more.frames.end(), std::back_inserter(frames));
    std::move(more.events.begin(), more.events.end(), std::back_inserter(events));
    close = close || more.close;
}

Turn::Turn(Vault& vault, crypto::Entropy& randomness, WallTime time) : rows(vault), entropy(randomness), now(time) {}
Turn::~Turn() = default;

void Turn::say(wire::ClientBody body) {
    frames.push_back({RequestId{}, std::move(body)});
}

void Turn::ask(RequestId const& request, wire::ClientBody body) {
    frames.push_back({request, std::move(body)});
}

void Turn::tell(Event event) {
    keep_news(*this, event);
    events.push_back(std::move(event));
}

void Turn::alarm(std::string code, std::string text, std::optional<ConversationId> conversation, Bytes first,
                 Bytes second) {
    for (auto const& known : rows.scan<AlarmRecord>(Table::alarms))
        if (known.record.code == code && known.record.text == text && known.record.conversation == conversation) return;
    auto counters = rows.home<CountersRecord>(home::counters).value_or(CountersRecord{});
    auto const key = bytes::Writer().u64(0).u64(++counters.alarms).take();
    rows.put_home(home::counters, counters);
    rows.put(Table::alarms, key, AlarmRecord{code, text, conversation, now, std::move(first), std::move(second)});
    tell(Alarm{std::move(code), std::move(text), conversation});
}

AccountRecord Turn::account() {
    auto record = rows.home<AccountRecord>(home::account);
    INTERLUDE_CHECK(record);
    return std::move(*record);
}

ServerRecord Turn::server() {
    auto record = rows.home<ServerRecord>(home::server);
    INTERLUDE_CHECK(record);
    return std::move(*record);
}

base::Millis Turn::hold_life() {
    auto const record = rows.home<ServerRecord>(home::server);
    bool const known = record && record->hold_life_seconds > 0;
    return known ? std::chrono::seconds{record->hold_life_seconds} : base::Millis{base::limits::hold_life_default};
}

bool Turn::believes_time() {
    base::Millis const tolerance = base::limits::clock_tolerance;
    auto const record = rows.home<ServerRecord>(home::server);
    auto const skew = record ? record->skew() : std::nullopt;
    return skew && *skew <= tolerance && *skew >= -tolerance;
}

Actions Turn::finish() {
    rows.commit();
    Actions actions;
    for (auto const& frame : frames) actions.frames.push_back(wire::encode(frame));
    actions.events = std::move(events);
    return actions;
}

}  // namespace interlude::engine
