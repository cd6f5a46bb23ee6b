// Every label of the audit log in one place; each stands in front of what is hashed, MACed or signed as
// `interlude/v1 NAME`, one zero byte, the struct (bytes::labelled).
#pragma once

#include <string_view>

namespace interlude::audit::labels {

inline constexpr std::string_view log_key = "log key";            // hash of the log's 32-byte verifier key
inline constexpr std::string_view subject = "log subject";        // hash of subject kind and id
inline constexpr std::string_view tag = "log tag";                // HMAC by k_tag over the counter
inline constexpr std::string_view commitment = "log commitment";  // HMAC by the entry's salt over the payload
inline constexpr std::string_view stored = "stored";              // signature of the log key over a StoredReceipt

}  // namespace interlude::audit::labels
