// The app's half of the codec. Internal to wire/.
#pragma once

#include "common/wire/codec_parts.hpp"

namespace interlude::wire {

Result<ClientBody> read_client_body(v1::ClientFrame const& proto);
void write_client_body(v1::ClientFrame& proto, ClientBody const& body);

}  // namespace interlude::wire
