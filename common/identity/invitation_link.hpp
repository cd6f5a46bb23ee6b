// The link that a person receives: https://SERVER/i#FRAGMENT. The fragment never reaches a server (exact.md,
// Invitation).
#pragma once

#include <string>

#include "common/bytes/secret.hpp"
#include "common/identity/invitation.hpp"

namespace interlude::identity {

struct InvitationFragment {
    InvitationKind kind{};
    bytes::SecretBytes seed;  // 32 bytes
    base::AccountId inviter;  // inviter, position and list hash are zeros in the operator's
    ListPosition position;    // the pinned list
    base::Hash32 list_hash;
    base::Hash32 log_key_hash;  // of the labelled key of the server's log
    base::WallTime expiry{};
};

/// base64url without padding of {u8 version = 1, u8 kind, seed, inviter, list generation, list version, list hash, log
/// key hash, expiry}.
std::string encode_fragment(InvitationFragment const& fragment);
base::Result<InvitationFragment> decode_fragment(std::string_view text);

struct InvitationLink {
    std::string server;  // host or host:port, lower case
    InvitationFragment fragment;
};

std::string format_link(InvitationLink const& link);
/// Exactly the form above; malformed otherwise.
base::Result<InvitationLink> parse_link(std::string_view text);

}  // namespace interlude::identity
