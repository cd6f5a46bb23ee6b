// protobuf <-> typed frames: the only place that sees both. Untrusted bytes meet exactly these two decoders; lengths
// and counts are bounded, unknown fields ignored, a frame without a known body is unsupported.
#pragma once

#include "common/base/result.hpp"
#include "common/wire/frames.hpp"

namespace interlude::wire {

/// malformed, too_long (beyond limits::frame_bytes_max) or unsupported.
base::Result<ClientFrame> decode_client_frame(bytes::ByteView frame);
base::Result<ServerFrame> decode_server_frame(bytes::ByteView frame);
Bytes encode(ClientFrame const& frame);
Bytes encode(ServerFrame const& frame);

/// The frame's name in docs/PROTOCOL.md, e.g. "key_packages_put"; for tables, tests and diagnostics.
std::string_view name(ClientBody const& body);
std::string_view name(ServerBody const& body);

}  // namespace interlude::wire
