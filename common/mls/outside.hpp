// What the app knows that a message cannot say: whom to believe, shared secrets, the time.
#pragma once

#include <functional>
#include <optional>

#include "common/base/time.hpp"
#include "common/mls/messages.hpp"

namespace interlude::mls {

/// The app's word on a leaf: called for every leaf of somebody else that a join, an Add, an Update or a commit's path
/// brings in. Its error refuses the whole message.
using LeafCheck = std::function<Result<void>(LeafNode const&)>;
/// The secret of an external PSK by its id; nullopt if it is not known here.
using PskLookup = std::function<std::optional<SecretBytes>(ByteView psk_id)>;

/// All parts may be left out.
struct Outside {
    LeafCheck check_leaf = {};
    PskLookup find_psk = {};
    /// When given, added key packages whose lifetime does not contain it are refused. For committing; left out where
    /// handshakes are caught up with long after they were made.
    std::optional<base::WallTime> now = {};
};

}  // namespace interlude::mls
