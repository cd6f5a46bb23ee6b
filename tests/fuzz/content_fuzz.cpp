// What a peer wrote into a message: decode_content.
#include "client-cli/engine/content.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    fuzz::survives({data, size}, engine::decode_content);
    return 0;
}
