// What a peer wrote into a message: decode_content.
// Parser: client-cli/engine/content.cpp
#include "client-cli/engine/content.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    fuzz::survives({data, size}, engine::decode_content);
    // Whether it is text is asked for later: any answer will do.
    if (auto const content = engine::decode_content({data, size})) (void)engine::is_text(content->body);
    return 0;
}
