#include "common/base/errc.hpp"

namespace interlude::base {

std::string_view name(Errc code) noexcept {
    switch (code) {
        case Errc::truncated:
            return "truncated";
        case Errc::trailing_bytes:
            return "trailing_bytes";
        case Errc::malformed:
            return "malformed";
        case Errc::non_minimal:
            return "non_minimal";
        case Errc::too_long:
            return "too_long";
        case Errc::unsupported:
            return "unsupported";
        case Errc::bad_key:
            return "bad_key";
        case Errc::bad_signature:
            return "bad_signature";
        case Errc::bad_mac:
            return "bad_mac";
        case Errc::decrypt_failed:
            return "decrypt_failed";
        case Errc::bad_padding:
            return "bad_padding";
        case Errc::wrong_group:
            return "wrong_group";
        case Errc::wrong_epoch:
            return "wrong_epoch";
        case Errc::bad_tree:
            return "bad_tree";
        case Errc::bad_leaf:
            return "bad_leaf";
        case Errc::bad_proposal:
            return "bad_proposal";
        case Errc::bad_commit:
            return "bad_commit";
        case Errc::unknown_psk:
            return "unknown_psk";
        case Errc::unknown_sender:
            return "unknown_sender";
        case Errc::no_key:
            return "no_key";
        case Errc::generation_limit:
            return "generation_limit";
        case Errc::not_listed:
            return "not_listed";
        case Errc::stale:
            return "stale";
        case Errc::expired:
            return "expired";
        case Errc::conflict:
            return "conflict";
        case Errc::not_yet:
            return "not_yet";
        case Errc::bad_schedule:
            return "bad_schedule";
        case Errc::bad_proof:
            return "bad_proof";
        case Errc::inconsistent:
            return "inconsistent";
        case Errc::not_allowed:
            return "not_allowed";
        case Errc::unknown:
            return "unknown";
        case Errc::limit:
            return "limit";
        case Errc::out_of_state:
            return "out_of_state";
    }
    return "unknown errc";
}

}  // namespace interlude::base
