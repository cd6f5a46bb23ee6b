// Typed hours: whatever parses does not overlap itself and reads back the same from its canonical spelling.
// Parser: common/schedule/hours_text.cpp
// Not reached: short_name and the throw of a Problem, which no text asks for.
#include "common/base/check.hpp"
#include "common/schedule/hours_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    if (size > 4096) return 0;
    auto const hours = schedule::parse_hours({reinterpret_cast<char const*>(data), size});
    if (!hours) {
        INTERLUDE_CHECK(!hours.error().text.empty() && !hours.error().hint.empty());
        return 0;
    }
    INTERLUDE_CHECK(!schedule::overlapping(*hours));
    auto const again = schedule::parse_hours(schedule::format_hours(*hours));
    INTERLUDE_CHECK(again && *again == *hours);
    INTERLUDE_CHECK(!schedule::hours_in_words(*hours).empty());
    return 0;
}
