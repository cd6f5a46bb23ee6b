// What every decoder must stand: its own output comes back, every cut is refused, every flipped bit is refused or means
// exactly the changed bytes.
#pragma once

#include <gtest/gtest.h>

#include "common/bytes/bytes.hpp"

namespace interlude::audit {

template <class Value, class Encode, class Decode>
void expect_codec_is_strict(Value const& value, Encode encode, Decode decode) {
    bytes::Bytes const encoded = encode(value);
    auto const decoded = decode(bytes::ByteView(encoded));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, value);
    for (std::size_t length = 0; length < encoded.size(); ++length)
        EXPECT_FALSE(decode(bytes::ByteView(encoded).first(length))) << "cut to " << length;
    auto longer = encoded;
    longer.push_back(0);
    EXPECT_FALSE(decode(bytes::ByteView(longer)));
    for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
        auto flipped = encoded;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        auto const other = decode(bytes::ByteView(flipped));
        if (!other) continue;
        EXPECT_FALSE(*other == value) << "bit " << bit;
        EXPECT_EQ(encode(*other), flipped) << "bit " << bit;
    }
}

}  // namespace interlude::audit
