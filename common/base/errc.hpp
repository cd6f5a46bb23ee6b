// The closed list of reasons why something a peer or user gave us is refused. Texts for people live with the programs;
// these names go to diagnostics and tests.
#pragma once

#include <string_view>

namespace interlude::base {

enum class Errc {
    // Bytes that do not parse.
    truncated,       // fewer bytes than the structure needs
    trailing_bytes,  // bytes left after the structure
    malformed,       // a value outside its range or form
    non_minimal,     // a variable-length integer in a longer form than needed (RFC 9420 §2.1.2)
    too_long,        // longer than its limit
    unsupported,     // a version, suite or type that this build does not speak
    // Cryptography.
    bad_key,  // not a valid key or point
    bad_signature,
    bad_mac,         // a MAC, tag or confirmation differs
    decrypt_failed,  // an AEAD refused
    bad_padding,     // MLS padding that is not all zero
    // MLS (RFC 9420).
    wrong_group,
    wrong_epoch,
    bad_tree,      // tree hash, parent hash or structure invalid
    bad_leaf,      // a leaf node or key package invalid (lifetime, capabilities, duplicates, attestation)
    bad_proposal,  // a proposal or a list of them invalid (RFC 9420 §12.2)
    bad_commit,
    unknown_psk,
    unknown_sender,
    no_key,            // the key is gone or was never there (past epoch, used generation, not addressed to us)
    generation_limit,  // too far ahead in a ratchet
    // Identity and schedule.
    not_listed,  // a device that is not in the account's newest list
    stale,       // older than what is already known
    expired,
    conflict,  // a compare-and-set lost
    not_yet,   // a later version's feature
    bad_schedule,
    // Log.
    bad_proof,
    inconsistent,  // two things that cannot both be true
    // Rules.
    not_allowed,
    unknown,       // no such thing (never told apart from not_allowed towards peers)
    limit,         // a quota or rate
    out_of_state,  // right frame, wrong moment
};

/// The enumerator's name, for diagnostics and tests.
std::string_view name(Errc code) noexcept;

}  // namespace interlude::base
