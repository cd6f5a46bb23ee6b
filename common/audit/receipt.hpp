// The signed `stored` answer: the server's word, under its log key, that it keeps an envelope back until a time. With
// it an app can show that an entry is missing or says something else (exact.md, Answers).
#pragma once

#include <string>

#include "common/audit/payload.hpp"

namespace interlude::audit {

inline constexpr std::size_t server_name_bytes_max = 255;

struct Hold {
    AccountId account;
    std::optional<WallTime> until;  // absent: no opening is published yet
    bool operator==(Hold const&) const = default;
    static constexpr auto fields() { return std::tuple(&Hold::account, &Hold::until); }
};
using Holds = Bounded<Hold, base::limits::accounts_per_conversation_max>;

struct StoredReceipt {
    std::string server_name;
    base::ConversationId conversation;
    DeviceId device;
    base::RequestId request;
    std::uint64_t seq = 0;
    WallTime stamp;
    Hash32 envelope;
    Holds holds;
    bool operator==(StoredReceipt const&) const = default;
};

/// The accounts of a gate decision that are held.
Holds holds_of(Parties const& parties);

bytes::Bytes encode_receipt(StoredReceipt const& receipt);
base::Result<StoredReceipt> decode_receipt(bytes::ByteView from);

crypto::Signature sign_receipt(crypto::SigningKey const& log_key, bytes::ByteView receipt);
/// Over the bytes as received. bad_signature, or why it does not parse.
base::Result<StoredReceipt> open_receipt(bytes::ByteView receipt, bytes::ByteView signature,
                                         crypto::VerifyKey const& log_key);

}  // namespace interlude::audit
