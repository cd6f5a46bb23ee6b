// The link that a person pastes: parse_link, and decode_fragment on what stands behind the number sign.
// Parser: common/identity/invitation_link.cpp
#include "common/identity/invitation_link.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    using namespace interlude::identity;
    fuzz::Chosen const input(data, size, 2);
    if (input.choice == 0)
        fuzz::one_form(input.text(), parse_link, format_link);
    else
        fuzz::one_form(input.text(), decode_fragment, encode_fragment);
    return 0;
}
