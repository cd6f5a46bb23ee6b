#include "server/core/audit_events.hpp"

namespace interlude::core {

bool sees(AccountId const& account, std::optional<Veil> const& veil, Calendars const& calendars, WallTime now) {
    return !veil || account == veil->origin.sender || passes(veil->origin, account, calendars, now);
}

SealedEntry seal_entry(EntryDraft draft, audit::SubjectKey const& k_tag, ChainHead const& before, Hash32 const& salt) {
    SealedEntry sealed;
    sealed.subject = draft.subject;
    sealed.counter = before.counter + 1;
    sealed.salt = bytes::copy(salt.span());
    sealed.payload = audit::encode_payload({before.head, draft.decided_at, std::move(draft.body)});
    sealed.entry =
        audit::encode_entry(audit::make_entry(k_tag, sealed.counter, draft.decided_at, sealed.salt, sealed.payload));
    sealed.hash = audit::entry_hash(sealed.entry);
    sealed.veil = std::move(draft.veil);
    return sealed;
}

}  // namespace interlude::core
