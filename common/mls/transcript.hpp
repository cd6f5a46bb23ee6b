// The transcript hashes, by which all members agree on every commit that led to an epoch (RFC 9420 §8.2), and the
// confirmation tag over them (§6.1).
#pragma once

#include "common/mls/labels.hpp"

namespace interlude::mls {

/// `commit` holds a commit; its wire format, content and signature go in.
Bytes confirmed_transcript_hash(crypto::Suite const& suite, ByteView interim_before,
                                AuthenticatedContent const& commit);
Bytes interim_transcript_hash(crypto::Suite const& suite, ByteView confirmed, ByteView confirmation_tag);
MAC confirmation_tag(ByteView confirmation_key, ByteView confirmed_transcript_hash);

}  // namespace interlude::mls
