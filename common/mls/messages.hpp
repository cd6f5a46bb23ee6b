// Every type of RFC 9420 that goes over the wire or into a hash, by chapter. Decode a whole buffer with
// `decode(bytes, read_mls_message)`, encode any value with `encode(value)`.
#pragma once

#include "common/mls/codec.hpp"
#include "common/mls/credential.hpp"
#include "common/mls/framing_types.hpp"
#include "common/mls/leaf_node.hpp"
#include "common/mls/proposals.hpp"
#include "common/mls/tree_math.hpp"
#include "common/mls/welcome_types.hpp"
