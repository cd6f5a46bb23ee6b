// What a device acked, as the store keeps it: AckedSet::decode.
// Parser: server/core/acked.cpp
#include "server/core/acked.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    bytes::ByteView const input(data, size);
    fuzz::one_form(input, core::AckedSet::decode, [](core::AckedSet const& acked) { return acked.encode(); });
    auto acked = core::AckedSet::decode(input);
    if (!acked) return 0;
    auto expected = acked->cursor();
    for (auto const& range : acked->ranges()) {
        INTERLUDE_CHECK(range.first > expected && range.last >= range.first);  // sorted, a gap before each
        expected = range.last + 1;
        INTERLUDE_CHECK(expected > range.last || &range == &acked->ranges().back());
    }
    auto beside = *acked;
    for (auto const& range : acked->ranges())  // what lies beside a range joins it
        for (auto const seq : {range.first - 1, range.last + 1}) {
            if (seq == UINT64_MAX) continue;  // no envelope has it
            (void)beside.add(seq);
            INTERLUDE_CHECK(beside.contains(seq));
        }
    auto const cursor = acked->cursor();
    INTERLUDE_CHECK(!acked->contains(cursor) && acked->add(cursor) && acked->cursor() > cursor);
    return 0;
}
