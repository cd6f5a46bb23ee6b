// Schedule documents: whatever decodes is sound, writes the same bytes again, and a calendar can be made of it.
// Parser: common/schedule/document_parts.hpp
// Parser: common/schedule/schedule_document.cpp(is_valid,read_policy,read_weekly,read_spans,check,write,encode)
// Parser: common/schedule/schedule_document.cpp(decode_schedule_document)
// Not reached: fractions of a second, as the document counts in seconds.
#include "common/base/check.hpp"
#include "common/schedule/calendar.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    bytes::ByteView const input(data, size);
    auto const document = schedule::decode_schedule_document(input);
    if (!document) return 0;
    INTERLUDE_CHECK(schedule::check(*document).has_value());
    auto const again = schedule::encode(*document);
    INTERLUDE_CHECK(again && bytes::equal(*again, input));
    schedule::Calendar const calendar({schedule::published(*document, document->compiled_span.start)});
    INTERLUDE_CHECK(calendar.windows() == document->compiled);
    return 0;
}
