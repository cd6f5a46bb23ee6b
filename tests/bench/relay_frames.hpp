// What bench-relay and its clients say: a kind, a number, and as many bytes as the frame of Interlude that it stands
// for.
#pragma once

#include <cstring>

#include "common/bytes/bytes.hpp"

namespace interlude::bench {

enum class RelayKind : std::uint8_t {
    hello = 0,     // the number is the channel, the last byte the end of it: 0 writes, 1 reads
    message = 1,   // from the app; its number
    ack = 2,       // from the app; the relay's number
    stored = 3,    // the app's number
    envelope = 4,  // the relay's number, and the message as it came
};

inline constexpr std::size_t relay_header_bytes = 9;
// Sizes of Interlude's frames around a message, as common/wire writes them (a test compares).
inline constexpr std::size_t send_frame_extra = 48;
inline constexpr std::size_t ack_frame_bytes = 25;
inline constexpr std::size_t stored_frame_bytes = 65;
inline constexpr std::size_t envelope_frame_extra = 126;

/// `size` bytes in all.
inline bytes::Bytes relay_frame(RelayKind kind, std::uint64_t number, std::size_t size) {
    bytes::Bytes frame(std::max(size, relay_header_bytes));
    frame[0] = static_cast<std::uint8_t>(kind);
    std::memcpy(frame.data() + 1, &number, sizeof number);  // both ends are on this machine
    return frame;
}

struct RelayHeader {
    RelayKind kind{};
    std::uint64_t number = 0;
};
/// The frame has relay_header_bytes at least.
inline RelayHeader read_relay_header(bytes::ByteView frame) {
    RelayHeader header{static_cast<RelayKind>(frame[0]), 0};
    std::memcpy(&header.number, frame.data() + 1, sizeof header.number);
    return header;
}

}  // namespace interlude::bench
