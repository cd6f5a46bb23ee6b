// The log's binary records: decode_entry, decode_payload, decode_receipt, open_receipt, decode_head, decode_hash_tile
// and decode_bundle.
// Parser: common/audit/entry.cpp(encode_entry,decode_entry) common/audit/payload.cpp
// Parser: common/audit/receipt.cpp(encode_receipt,decode_receipt,open_receipt)
// Parser: common/audit/verify.cpp(encode_head,decode_head)
// Parser: common/audit/tiles.cpp(decode_hash_tile,encode_bundle,decode_bundle)
// Not reached: names of entry types that no payload has.
#include "common/audit/receipt.hpp"
#include "common/audit/tiles.hpp"
#include "common/audit/verify.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    using namespace interlude::audit;
    static auto const key = crypto::SigningKey::from_seed(bytes::Bytes(32, 1)).value();
    fuzz::Chosen const input(data, size, 6);
    switch (input.choice) {
        case 0:
            fuzz::one_form(input.rest, decode_entry, encode_entry);
            break;
        case 1:
            fuzz::one_form(input.rest, decode_payload, encode_payload);
            if (auto const payload = decode_payload(input.rest)) INTERLUDE_CHECK(!name(payload->type()).empty());
            break;
        case 2:
            fuzz::one_form(input.rest, decode_receipt, encode_receipt);
            INTERLUDE_CHECK(!open_receipt(input.rest, bytes::Bytes(64), key.public_key()));
            // Under a right signature it is what decodes, and nothing else.
            INTERLUDE_CHECK(open_receipt(input.rest, sign_receipt(key, input.rest).bytes, key.public_key()) ==
                            decode_receipt(input.rest));
            break;
        case 3:
            fuzz::one_form(input.rest, decode_head, encode_head);
            break;
        case 4:
            fuzz::one_form(input.rest, decode_hash_tile, [](std::vector<Hash32> const& hashes) {
                bytes::Bytes content;
                for (auto const& hash : hashes) bytes::append(content, hash.bytes);
                return content;
            });
            break;
        case 5:
            fuzz::one_form(input.rest, decode_bundle, encode_bundle);
            break;
    }
    return 0;
}
