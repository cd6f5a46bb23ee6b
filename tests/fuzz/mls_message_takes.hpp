// What the target mls_message lets its mutator ask.
#pragma once

#include "common/bytes/bytes.hpp"

namespace interlude::fuzz {

/// Whether the reader that `choice` names takes these bytes.
bool mls_message_takes(unsigned choice, bytes::ByteView input);

}  // namespace interlude::fuzz
