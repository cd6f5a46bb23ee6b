// What the targets share: an input whose first byte chooses a decoder, and the property of every canonical format.
#pragma once

#include "common/base/check.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::fuzz {

/// `data[0]` modulo `choices`, and the bytes behind it.
struct Chosen {
    Chosen(std::uint8_t const* data, std::size_t size, unsigned choices)
        : choice(size == 0 ? 0 : data[0] % choices), rest(data + (size > 0), size - (size > 0)) {}
    unsigned choice;
    bytes::ByteView rest;
    std::string_view text() const { return {reinterpret_cast<char const*>(rest.data()), rest.size()}; }
};

/// Whatever decodes is written with the same bytes again: one value, one form.
template <class Input, class Decode, class Encode>
void one_form(Input input, Decode decode, Encode encode) {
    auto const value = decode(input);
    if (!value) return;
    auto const again = encode(*value);
    INTERLUDE_CHECK(std::equal(again.begin(), again.end(), input.begin(), input.end()));
}

/// Whatever decodes survives being written, though others may have spelled it otherwise (protobuf).
template <class Decode>
void survives(bytes::ByteView input, Decode decode) {
    auto const value = decode(input);
    if (!value) return;
    auto const written = encode(*value);
    auto const again = decode(bytes::ByteView(written));
    INTERLUDE_CHECK(again && *again == *value && encode(*again) == written);
}

}  // namespace interlude::fuzz
