#include "common/mls/transcript.hpp"

#include "common/crypto/hash.hpp"

namespace interlude::mls {

Bytes confirmed_transcript_hash(crypto::Suite const& suite, ByteView interim_before,
                                AuthenticatedContent const& commit) {
    Writer input;  // interim hash of the epoch before ‖ ConfirmedTranscriptHashInput
    input.raw(interim_before).u16(static_cast<std::uint16_t>(commit.wire_format));
    write(input, commit.content);
    input.opaque(commit.auth.signature);
    return hash(suite, input.bytes());
}

Bytes interim_transcript_hash(crypto::Suite const& suite, ByteView confirmed, ByteView confirmation_tag) {
    Writer input;
    input.raw(confirmed).opaque(confirmation_tag);
    return hash(suite, input.bytes());
}

MAC confirmation_tag(ByteView confirmation_key, ByteView confirmed_transcript_hash) {
    auto const mac = crypto::hmac_sha256(confirmation_key, confirmed_transcript_hash);
    return bytes::copy(mac.span());
}

}  // namespace interlude::mls
