// Frames of the link, both directions: decode_client_frame and decode_server_frame.
// Parser: common/wire/codec.cpp common/wire/codec_client.cpp common/wire/codec_server.cpp
// Parser: common/wire/codec_parts.cpp common/wire/codec_parts.hpp
// Not reached: what stands behind the switches over all bodies, as protobuf makes no others.
#include "common/wire/codec.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    fuzz::Chosen const input(data, size, 2);
    auto const play = [&](auto decode) {
        fuzz::survives(input.rest, decode);
        if (auto const frame = decode(input.rest)) INTERLUDE_CHECK(!wire::name(frame->body).empty());
    };
    if (input.choice == 0)
        play(wire::decode_client_frame);
    else
        play(wire::decode_server_frame);
    return 0;
}
