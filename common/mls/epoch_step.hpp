// The step that a commit makes from one epoch to the next: transcript, key schedule and confirmation tag in their order
// (RFC 9420 §12.4.1, §12.4.2), the same for committer, receiver and joiner by external commit.
#pragma once

#include "common/mls/key_schedule.hpp"
#include "common/mls/transcript.hpp"

namespace interlude::mls {

struct EpochStepArgs {
    crypto::Suite const& suite;
    ByteView interim_transcript_hash;  // of the epoch before
    AuthenticatedContent const& commit;
    GroupContext context;  // of the new epoch, but for the confirmed transcript hash
    ByteView init_secret;
    ByteView commit_secret;
    ByteView psk_secret;
};

struct NewEpoch {
    GroupContext context;
    SecretBytes joiner_secret;
    EpochSecrets secrets;
    MAC confirmation_tag;
    Bytes interim_transcript_hash;
};

NewEpoch step_epoch(EpochStepArgs args);

/// An epoch that was not reached by a step: a founder's, or a joiner's by Welcome.
NewEpoch first_epoch(crypto::Suite const& suite, GroupContext context, EpochSecrets secrets);

}  // namespace interlude::mls
