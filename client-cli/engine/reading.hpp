// From records to views: in which state a message is.
#pragma once

#include "client-cli/engine/records.hpp"

namespace interlude::engine {

/// The account has it, or its time came.
bool still_held(MessageRecord const& message, wire::Hold const& hold, WallTime now);
/// Why nothing is sealed here now.
Pause pause_of(ConversationRecord const& conversation);
MessageState state_of(ConversationRecord const& conversation, MessageRecord const& message, WallTime now);

}  // namespace interlude::engine
