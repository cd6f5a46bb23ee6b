// What every document of a calendar says of its place: who signed it, and which one it follows (exact.md, Calendar:
// schedules and overrides for all share one numbering; overrides of a conversation have one of their own).
#pragma once

#include "common/schedule/override_document.hpp"
#include "common/schedule/schedule_document.hpp"

namespace interlude::schedule {

struct ChainPlace {
    base::AccountId account;
    base::DeviceId device;
    std::optional<base::ConversationId> conversation;  // of whose overrides it is one; absent: the calendar's chain
    std::uint64_t number = 0;
    base::Hash32 previous;
    WallTime effective_from{};  // zero: as soon as the server takes it
};

inline ChainPlace place_of(ScheduleDocument const& document) {
    return {document.account, document.device, {}, document.number, document.previous, document.effective_from};
}
inline ChainPlace place_of(OverrideDocument const& document) {
    return {document.account, document.device, document.conversation, document.number, document.previous, {}};
}

}  // namespace interlude::schedule
