// What a member says within an epoch: application messages, of past epochs too (RFC 9420 §6.3, §14), and own proposals.
#include "common/mls/group_state.hpp"
#include "common/mls/protect.hpp"

namespace interlude::mls {

Result<Bytes> Group::State::frame(AuthenticatedContent content, crypto::Entropy& entropy) {
    if (content.wire_format == WireFormat::mls_public_message) {
        return mls::encode(MLSMessage{protect_public(std::move(content), context, secrets.membership_key.expose())});
    }
    INTERLUDE_TRY(auto sealed,
                  protect_private(*suite, content, messages, secrets.sender_data_secret.expose(), entropy));
    return mls::encode(MLSMessage{std::move(sealed.message)});
}

void Group::State::hold(AuthenticatedContent const& content) {
    auto const& proposal = std::get<Proposal>(content.content.body);
    proposals.push_back({proposal_ref(*suite, content), {proposal, content.content.sender}});
}

base::Result<SealedMessage> Group::protect(bytes::ByteView plaintext, bytes::ByteView authenticated_data,
                                           crypto::Entropy& entropy) {
    auto& now = *state_;
    // §12.4: who has seen proposals commits them first, so that nobody whose removal was proposed reads on.
    if (!now.proposals.empty()) return Errc::out_of_state;
    auto const content = sign_content(WireFormat::mls_private_message,
                                      {now.context.group_id, now.context.epoch, Sender::member(now.keys.leaf),
                                       bytes::copy(authenticated_data), ApplicationData{bytes::copy(plaintext)}},
                                      now.context, now.signature_key);
    INTERLUDE_TRY(auto sealed,
                  protect_private(*now.suite, content, now.messages, now.secrets.sender_data_secret.expose(), entropy));
    return SealedMessage{mls::encode(MLSMessage{std::move(sealed.message)}), now.context.epoch, sealed.generation};
}

base::Result<OpenedMessage> Group::unprotect(bytes::ByteView bytes) {
    auto& now = *state_;
    INTERLUDE_TRY(auto const decoded, mls::decode(bytes, read_mls_message));
    auto const* message = decoded.as<PrivateMessage>();
    if (!message || message->content_type != ContentType::application) return Errc::malformed;
    if (message->group_id != now.context.group_id) return Errc::wrong_group;
    if (message->epoch > now.context.epoch) return Errc::wrong_epoch;

    auto const past = now.past.find(message->epoch);
    auto const present = message->epoch == now.context.epoch;
    if (!present && past == now.past.end()) return Errc::no_key;
    auto const& context = present ? now.context : past->second.context;
    auto& keys = present ? now.messages : past->second.messages;
    auto const& sender_data_secret = present ? now.secrets.sender_data_secret : past->second.sender_data_secret;

    INTERLUDE_TRY(auto opened, unprotect_private(*now.suite, *message, keys, sender_data_secret.expose()));
    auto const leaf = opened.sender();
    std::optional<PastEpoch::Sender> sender;
    if (present && now.tree.leaf(leaf)) {
        auto member = now.member_at(leaf);
        sender = {std::move(member.identity), std::move(member.signature_key)};
    } else if (!present && past->second.senders.contains(leaf)) {
        sender = past->second.senders.at(leaf);
    }
    if (!sender) return Errc::unknown_sender;
    INTERLUDE_TRY_VOID(verify_content(opened.content, context, sender->signature_key));

    auto& content = opened.content.content;
    OpenedMessage result{leaf,
                         std::move(sender->identity),
                         message->epoch,
                         opened.key.generation,
                         std::move(content.authenticated_data),
                         std::move(std::get<ApplicationData>(content.body).data)};
    keys.consume(std::move(opened.key));
    return result;
}

base::Result<bytes::Bytes> Group::propose(ProposalArgs args, crypto::Entropy& entropy) {
    auto& now = *state_;
    auto const& proposal = args.proposal;
    if (proposal.as<Update>() || proposal.as<ExternalInit>() || proposal.as<ReInit>()) return Errc::not_allowed;
    auto content = sign_content(args.wire_format,
                                {now.context.group_id, now.context.epoch, Sender::member(now.keys.leaf),
                                 std::move(args.authenticated_data), std::move(args.proposal)},
                                now.context, now.signature_key);
    INTERLUDE_TRY(auto message, now.frame(content, entropy));
    now.hold(content);
    return message;
}

base::Result<bytes::Bytes> Group::propose_update(std::optional<NewIdentity> new_identity, WireFormat wire_format,
                                                 crypto::Entropy& entropy) {
    auto& now = *state_;
    OwnUpdate update{crypto::hpke_generate_key_pair(*now.suite, entropy),
                     new_identity ? std::move(new_identity->signature_key) : now.signature_key.clone()};
    auto leaf = *now.tree.leaf(now.keys.leaf);
    if (new_identity) leaf.credential = Credential::basic(std::move(new_identity->identity));
    leaf.signature_key = bytes::copy(update.signature_key.public_key().span());
    leaf.encryption_key = update.encryption_key.public_key;
    leaf.source = UpdateSource{};
    leaf.signature = sign_with_label(update.signature_key, "LeafNodeTBS",
                                     leaf_node_tbs(leaf, {now.context.group_id, now.keys.leaf}));
    auto content = sign_content(
        wire_format,
        {now.context.group_id, now.context.epoch, Sender::member(now.keys.leaf), {}, Proposal{Update{std::move(leaf)}}},
        now.context, now.signature_key);
    INTERLUDE_TRY(auto message, now.frame(content, entropy));
    now.hold(content);
    now.own_updates.push_back(std::move(update));
    return message;
}

}  // namespace interlude::mls
