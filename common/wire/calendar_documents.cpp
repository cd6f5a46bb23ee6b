#include "common/wire/calendar_documents.hpp"

#include "common/base/check.hpp"

namespace interlude::wire {

bool is_of_calendar(DocumentKind kind) {
    return kind == DocumentKind::schedule || kind == DocumentKind::override_all ||
           kind == DocumentKind::override_conversation;
}

std::string_view calendar_label(DocumentKind kind) {
    INTERLUDE_CHECK(is_of_calendar(kind));
    return kind == DocumentKind::schedule ? schedule::schedule_label : schedule::override_label;
}

base::Result<schedule::ChainPlace> place_of(SignedDocument const& document) {
    if (!is_of_calendar(document.kind)) return base::Errc::malformed;
    if (document.kind == DocumentKind::schedule) {
        INTERLUDE_TRY(auto const read, schedule::decode_schedule_document(document.bytes));
        return schedule::place_of(read);
    }
    INTERLUDE_TRY(auto const read, schedule::decode_override_document(document.bytes));
    bool const for_all = document.kind == DocumentKind::override_all;
    if (for_all == read.conversation.has_value()) return base::Errc::malformed;
    if (read.conversation && read.conversation->is_zero()) return base::Errc::malformed;  // it names none
    return schedule::place_of(read);
}

void CalendarMaker::add(PublishedDocument const& published) {
    auto const& document = published.document;
    if (document.kind == DocumentKind::schedule) {
        auto read = schedule::decode_schedule_document(document.bytes);
        INTERLUDE_CHECK(read);
        schedules_.push_back(schedule::published(std::move(*read), published.in_force_from));
        return;
    }
    auto const read = schedule::decode_override_document(document.bytes);
    INTERLUDE_CHECK(read);
    if (read->kind != schedule::OverrideKind::send_now)
        overrides_.push_back(schedule::published(*read, published.in_force_from));
}

}  // namespace interlude::wire
