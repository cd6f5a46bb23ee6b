// Override documents: whatever decodes is sound and writes the same bytes again.
// Parser: common/schedule/override_document.cpp common/schedule/document_parts.hpp
// Not reached: names of kinds and reasons that no document has.
#include "common/base/check.hpp"
#include "common/schedule/override_document.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    bytes::ByteView const input(data, size);
    auto const document = schedule::decode_override_document(input);
    if (!document) return 0;
    INTERLUDE_CHECK(schedule::check(*document).has_value());
    INTERLUDE_CHECK(bytes::equal(schedule::encode(*document), input));
    INTERLUDE_CHECK(!name(document->kind).empty() && !name(document->reason).empty());
    return 0;
}
