#include "server/core/draws.hpp"

#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::core {

Hash32 Draws::next() {
    bytes::Writer counter;
    counter.u64(counter_++);
    return crypto::hmac_sha256(seed_.span(), bytes::labelled("server draw", counter.bytes()));
}

}  // namespace interlude::core
