#include "common/audit/receipt.hpp"

#include "common/audit/labels.hpp"

namespace interlude::audit {

using base::Result;

Holds holds_of(Parties const& parties) {
    Holds holds;
    for (auto const& party : parties)
        if (party.verdict == Verdict::hold) holds.push_back({party.account, party.until});
    return holds;
}

bytes::Bytes encode_receipt(StoredReceipt const& receipt) {
    INTERLUDE_CHECK(receipt.server_name.size() <= server_name_bytes_max);
    bytes::Writer to;
    to.opaque(bytes::view(receipt.server_name)).id(receipt.conversation).id(receipt.device).id(receipt.request);
    to.u64(receipt.seq).time(receipt.stamp).id(receipt.envelope);
    codec::write(to, receipt.holds);
    return to.take();
}

Result<StoredReceipt> decode_receipt(bytes::ByteView from) {
    bytes::Reader rest(from);
    StoredReceipt receipt;
    INTERLUDE_TRY(auto server_name, rest.opaque(server_name_bytes_max));
    receipt.server_name = bytes::text(server_name);
    INTERLUDE_TRY(receipt.conversation, rest.id<base::ConversationId>());
    INTERLUDE_TRY(receipt.device, rest.id<DeviceId>());
    INTERLUDE_TRY(receipt.request, rest.id<base::RequestId>());
    INTERLUDE_TRY(receipt.seq, rest.u64());
    INTERLUDE_TRY(receipt.stamp, rest.time());
    INTERLUDE_TRY(receipt.envelope, rest.id<Hash32>());
    INTERLUDE_TRY(receipt.holds, codec::read<Holds>(rest));
    INTERLUDE_TRY_VOID(rest.finish());
    return receipt;
}

crypto::Signature sign_receipt(crypto::SigningKey const& log_key, bytes::ByteView receipt) {
    return crypto::sign_labelled(log_key, labels::stored, receipt);
}

Result<StoredReceipt> open_receipt(bytes::ByteView receipt, bytes::ByteView signature,
                                   crypto::VerifyKey const& log_key) {
    INTERLUDE_TRY_VOID(crypto::verify_labelled(log_key.bytes, labels::stored, receipt, signature));
    return decode_receipt(receipt);
}

}  // namespace interlude::audit
