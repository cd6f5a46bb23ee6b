#include "common/mls/epoch_step.hpp"

namespace interlude::mls {

NewEpoch first_epoch(crypto::Suite const& suite, GroupContext context, EpochSecrets secrets) {
    auto tag = confirmation_tag(secrets.confirmation_key.expose(), context.confirmed_transcript_hash);
    auto interim = interim_transcript_hash(suite, context.confirmed_transcript_hash, tag);
    return {std::move(context), {}, std::move(secrets), std::move(tag), std::move(interim)};
}

NewEpoch step_epoch(EpochStepArgs args) {
    args.context.confirmed_transcript_hash =
        confirmed_transcript_hash(args.suite, args.interim_transcript_hash, args.commit);
    auto joiner = joiner_secret(args.suite, args.init_secret, args.commit_secret, args.context);
    auto secrets = epoch_secrets(args.suite, joiner.expose(), args.psk_secret, args.context);
    auto epoch = first_epoch(args.suite, std::move(args.context), std::move(secrets));
    epoch.joiner_secret = std::move(joiner);
    return epoch;
}

}  // namespace interlude::mls
