// Pre-shared keys: the secret that a list of them adds to an epoch (RFC 9420 §8.4).
#pragma once

#include "common/mls/labels.hpp"

namespace interlude::mls {

struct Psk {
    PreSharedKeyID id;
    SecretBytes secret;
};

/// Nh zeros for an empty list. The order is that of the proposals in the commit.
SecretBytes psk_secret(crypto::Suite const& suite, std::vector<Psk> const& psks);

}  // namespace interlude::mls
