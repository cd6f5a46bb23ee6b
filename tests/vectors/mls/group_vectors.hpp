// The official vectors of the group side: key schedule, secret tree, framing, Welcome, and whole passive clients.
// Each function checks one entry of the file it is named after (mlswg/mls-implementations, test-vectors.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tests/vectors/mls/outcome.hpp"

namespace interlude::mls_vectors {

Outcome check_key_schedule(nlohmann::json const& entry);
Outcome check_psk_secret(nlohmann::json const& entry);
Outcome check_transcript_hashes(nlohmann::json const& entry);
Outcome check_secret_tree(nlohmann::json const& entry);
Outcome check_message_protection(nlohmann::json const& entry);
Outcome check_welcome(nlohmann::json const& entry);
/// passive-client-*, interop/passive/*, and the conversations recorded from ts-mls, which have messages too. Between
/// any two steps the group goes through its sealed state and back.
Outcome check_passive_client(nlohmann::json const& entry);

}  // namespace interlude::mls_vectors
