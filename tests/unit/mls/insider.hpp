// A malicious member: all that one knows, taken from the own sealed state, to sign and seal whatever one likes. For
// tests and fuzzing; reads the state as group_codec writes it.
#pragma once

#include "common/mls/group.hpp"
#include "common/mls/key_schedule.hpp"
#include "common/mls/protect.hpp"
#include "common/mls/tree_kem.hpp"

namespace interlude::mls::tests {

struct Insider {
    crypto::Suite const* suite;
    GroupContext context;
    RatchetTree tree;
    TreePrivate keys;
    crypto::SigningKey signature_key;
    EpochSecrets secrets;
    Bytes interim_transcript_hash;
    SecretTree messages;

    static Insider of(Group const& group) {
        auto const state = group.encode();
        Reader reader(state.expose());
        reader.u16().value();  // version
        auto const* suite = *crypto::find_suite(reader.u16().value());
        auto context = read_group_context(reader).value();
        auto tree = RatchetTree::from_nodes(*suite, read_node_list(reader).value()).value();
        auto keys = read_tree_private(reader, *suite).value();
        auto signature_key = crypto::SigningKey::from_seed(reader.opaque().value()).value();
        auto secrets = read_epoch_secrets(reader).value();
        auto interim = read_bytes(reader).value();
        auto messages = read_secret_tree(reader, *suite).value();
        return {suite,
                std::move(context),
                std::move(tree),
                std::move(keys),
                std::move(signature_key),
                std::move(secrets),
                std::move(interim),
                std::move(messages)};
    }

    /// A PublicMessage under own signature and membership tag. A commit's confirmation tag is all zeros: a receiver
    /// that comes to check it found nothing else to refuse.
    Bytes send(ContentBody body) const {
        auto content = sign_content(WireFormat::mls_public_message,
                                    {context.group_id, context.epoch, Sender::member(keys.leaf), {}, std::move(body)},
                                    context, signature_key);
        if (content.content.type() == ContentType::commit) content.auth.confirmation_tag = Bytes(suite->hash_size);
        return encode(MLSMessage{protect_public(std::move(content), context, secrets.membership_key.expose())});
    }
    /// A commit of these proposals by value, without a path.
    Bytes send_commit(std::vector<Proposal> proposals) const {
        Commit commit;
        for (auto& proposal : proposals) commit.proposals.emplace_back(std::move(proposal));
        return send(std::move(commit));
    }
    /// A private message under the ratchet of any member, with the own signature.
    Bytes send_as(LeafIndex leaf, ContentBody body, crypto::Entropy& entropy) {
        auto content = sign_content(WireFormat::mls_private_message,
                                    {context.group_id, context.epoch, Sender::member(leaf), {}, std::move(body)},
                                    context, signature_key);
        if (content.content.type() == ContentType::commit) content.auth.confirmation_tag = Bytes(suite->hash_size);
        auto sealed = protect_private(*suite, content, messages, secrets.sender_data_secret.expose(), entropy);
        return encode(MLSMessage{std::move(sealed.value().message)});
    }
    Bytes send_as(LeafIndex leaf, std::string_view text, crypto::Entropy& entropy) {
        return send_as(leaf, ApplicationData{bytes::copy(bytes::view(text))}, entropy);
    }
};

}  // namespace interlude::mls::tests
