// The verbs of `interlude`. Each returns its exit code or throws Failure.
#pragma once

#include "client-cli/ui/options.hpp"
#include "client-cli/ui/text.hpp"

namespace interlude::ui {

/// Runs the verb of the options; prints errors; returns the exit code. Never throws.
int run_verb(Options const& options);

// verbs_people.cpp
int join(Options const& options);
int invite(Options const& options);
int list(Options const& options);
int name_conversation(Options const& options);
int verify(Options const& options);
int devices(Options const& options);
int status(Options const& options);

// verbs_messages.cpp
int send(Options const& options);
int held(Options const& options);
int recall(Options const& options);
int replace(Options const& options);
int read(Options const& options);
int watch(Options const& options);

// chat.cpp
int chat(Options const& options);

// verbs_hours.cpp
int hours_set(Options const& options);
int hours_open(Options const& options);
int hours_close(Options const& options);
int hours_open_now(Options const& options);
int hours_away(Options const& options);
int hours_postpone(Options const& options);
int hours_preview(Options const& options);
int hours_undo(Options const& options);
int hours_show(Options const& options);

// verbs_trust.cpp
int crisis(Options const& options);
int audit_verify(Options const& options);

/// A QR code in half blocks, for a terminal.
std::string qr_picture(std::string const& text);

/// Nobody reads it now: the crisis card belongs beside it.
bool waits_unseen(engine::MessageState state);
json message_json(engine::MessageView const& message, std::string const& conversation_name);
/// `columns` of the screen, 0: not a screen.
std::string message_line(engine::MessageView const& message, base::WallTime now, std::size_t columns = 0);
/// "held until Mon 09:00 (your time)", "refused: ..."
std::string state_in_words(engine::MessageView const& message, base::WallTime now);
/// How much is known of who the others in a conversation are.
std::string trust_in_words(engine::ConversationView const& conversation, base::WallTime now);
/// The same as a line above the text, where there is anything to warn of; else empty.
std::string trust_warning(engine::ConversationView const& conversation, base::WallTime now);
/// Why nothing is sent in a conversation, in words.
std::string pause_in_words(engine::Pause pause);
/// Why the server refused, in words.
std::string refusal_in_words(wire::Refused const& refused);

}  // namespace interlude::ui
