// The official vectors of the tree side: codec, labels, tree math, tree operations, tree validation, TreeKEM.
// Each function checks one entry of the file it is named after (mlswg/mls-implementations, test-vectors.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tests/vectors/mls/outcome.hpp"

namespace interlude::mls_vectors {

Outcome check_deserialization(nlohmann::json const& entry);
Outcome check_tree_math(nlohmann::json const& entry);
Outcome check_crypto_basics(nlohmann::json const& entry);
Outcome check_messages(nlohmann::json const& entry);
Outcome check_tree_operations(nlohmann::json const& entry);
Outcome check_tree_validation(nlohmann::json const& entry);
Outcome check_treekem(nlohmann::json const& entry);

}  // namespace interlude::mls_vectors
