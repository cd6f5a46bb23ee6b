// Therapists' hours as this app believes them: signed documents, chained, and the calendars made of them. Own ones are
// written here too (exact.md, Calendar and Gate).
#pragma once

#include <map>

#include "client-cli/engine/engine.hpp"
#include "client-cli/engine/turn.hpp"
#include "common/schedule/gate.hpp"
#include "common/schedule/schedule_document.hpp"

namespace interlude::engine {

/// A document that the server published: verified and kept, or an alarm.
void take_document(Turn& turn, ZoneSource const& zones, wire::PublishedDocument const& published);

/// The kept documents of one chain, by number.
struct KeptDocument {
    std::uint64_t number = 0;
    CalendarRecord record;
};
std::vector<KeptDocument> calendar_chain(Turn& turn, AccountId const& account,
                                         std::optional<ConversationId> const& conversation = {});

/// Which of the kept documents count.
using DocumentFilter = std::function<bool(KeptDocument const& document)>;

/// The calendars of therapist-side accounts, for a turn that asks about many messages and keeps no document meanwhile:
/// each is read, and made of the same documents, once.
class Calendars {
  public:
    explicit Calendars(Turn& turn) : turn_(turn) {}
    /// Empty (closed) where nothing is known. Valid as long as this object.
    schedule::Calendar const& of(AccountId const& account, std::optional<ConversationId> const& conversation = {},
                                 DocumentFilter const& counts = {});

  private:
    using Whose = std::pair<AccountId, std::optional<ConversationId>>;
    Turn& turn_;
    std::map<Whose, std::vector<KeptDocument>> documents_;
    std::map<std::pair<Whose, std::vector<bool>>, schedule::Calendar> made_;  // of those that count
};

/// One of them, for a single question.
schedule::Calendar calendar_of(Turn& turn, AccountId const& account,
                               std::optional<ConversationId> const& conversation = {});

/// Does it pass to `reader` at `at`, by the documents known here?
bool passes(Calendars& calendars, ConversationId const& id, ConversationRecord const& conversation,
            AccountId const& sender, AccountId const& reader, WallTime stamp, WallTime at);
/// Every therapist-side account of the conversation, this one included, is in an open window.
bool every_gate_open(Turn& turn, ConversationId const& id, ConversationRecord const& conversation);
std::optional<Side> side_of(ConversationRecord const& conversation, AccountId const& account);

Hash32 document_hash(wire::SignedDocument const& document);

/// Signs the own hours anew when few compiled days are left (product.md: apps do it by themselves).
void renew_hours_if_due(Turn& turn, ZoneSource const& zones);

// Answers to own documents, by the frame that carried them (outbox.hpp).
void document_accepted(Turn& turn, ByteView frame);
void document_refused(Turn& turn, ByteView frame, wire::Refused const& refused);
/// One that was signed to follow another that the server refused: the frame with it behind what stands. nullopt: it
/// stands behind that already, or something newer was published.
std::optional<Bytes> signed_anew(Turn& turn, RequestId const& request, ByteView frame, wire::Refused const& refused);

}  // namespace interlude::engine
