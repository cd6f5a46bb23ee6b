// Frames of the link, both directions: decode_client_frame and decode_server_frame.
#include "common/wire/codec.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    fuzz::Chosen const input(data, size, 2);
    if (input.choice == 0)
        fuzz::survives(input.rest, wire::decode_client_frame);
    else
        fuzz::survives(input.rest, wire::decode_server_frame);
    return 0;
}
