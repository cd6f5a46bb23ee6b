// Every label of this folder, with what it stands before (exact.md, Bytes): `interlude/v1 NAME`, a zero byte, the
// struct.
#pragma once

#include <string_view>

namespace interlude::identity::labels {

// Key derivation: HKDF-SHA256 without salt; the labelled struct is the info.
inline constexpr std::string_view account_key = "account key";        // struct: u32 index; gives an Ed25519 seed
inline constexpr std::string_view invitation_key = "invitation key";  // struct: empty; gives an Ed25519 seed
// Hashes.
inline constexpr std::string_view account_id = "account id";              // the account's public key
inline constexpr std::string_view invitation_id = "invitation id";        // the invitation's public key
inline constexpr std::string_view device_list_hash = "device list hash";  // a device list, as signed
inline constexpr std::string_view redemption_hash = "redemption hash";    // a redemption, as signed
inline constexpr std::string_view safety_words = "safety words";          // empty struct; 16 bytes of it are the salt
// Signatures.
inline constexpr std::string_view list_key = "list key";            // by the account key: which list key speaks for it
inline constexpr std::string_view device_list = "device list";      // by the list key: a device list
inline constexpr std::string_view leaf = "leaf";                    // by a device key: an MLS leaf's signature key
inline constexpr std::string_view login = "login";                  // by a device key: a link
inline constexpr std::string_view invitation = "invitation";        // by a device key: an invitation document
inline constexpr std::string_view invited_login = "invited login";  // by an invitation key: a link
inline constexpr std::string_view redemption = "redemption";        // by an invitation key: a redemption

}  // namespace interlude::identity::labels
