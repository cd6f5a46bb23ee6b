// The server's half of the codec. Internal to wire/.
#pragma once

#include "common/wire/codec_parts.hpp"

namespace interlude::wire {

Result<ServerBody> read_server_body(v1::ServerFrame const& proto);
void write_server_body(v1::ServerFrame& proto, ServerBody const& body);

}  // namespace interlude::wire
