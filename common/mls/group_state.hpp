// The inside of a Group, shared by the files that found, join, commit, process and encode it. Not for other modules.
#pragma once

#include "common/mls/epoch_step.hpp"
#include "common/mls/group.hpp"
#include "common/mls/proposal_list.hpp"
#include "common/mls/psk.hpp"
#include "common/mls/secret_tree.hpp"
#include "common/mls/tree_kem.hpp"

namespace interlude::mls {

/// What is kept of an epoch that is over: enough to open its application messages, and its resumption PSK.
struct PastEpoch {
    struct Sender {
        Bytes identity;
        SignaturePublicKey signature_key;
    };
    GroupContext context;
    std::map<LeafIndex, Sender> senders;
    SecretBytes sender_data_secret;
    SecretBytes resumption_psk;
    SecretTree messages;

    PastEpoch clone() const;
};

/// A proposal that was sent by itself, for commits that name it by reference.
struct HeldProposal {
    ProposalRef ref;
    SentProposal sent;
};

/// The private halves of an own Update that nobody committed yet.
struct OwnUpdate {
    crypto::HpkeKeyPair encryption_key;
    crypto::SigningKey signature_key;
};

struct Group::State {
    crypto::Suite const* suite;
    GroupContext context;
    RatchetTree tree;
    TreePrivate keys;
    crypto::SigningKey signature_key;
    EpochSecrets secrets;  // encryption_secret is empty: `messages` has it
    Bytes interim_transcript_hash;
    SecretTree messages;
    std::map<std::uint64_t, PastEpoch> past;
    std::vector<HeldProposal> proposals;
    std::vector<OwnUpdate> own_updates;

    State clone() const;
    /// The present epoch as a past one, with its receive state as it is now and without the own sending secrets.
    PastEpoch retire() const;
    Member member_at(LeafIndex leaf) const;  // non-blank (checked)
    Result<Psk> find_psk(PreSharedKeyID const& id, Outside const& outside) const;
    Result<std::vector<Psk>> find_psks(std::vector<PreSharedKeyID> const& ids, Outside const& outside) const;

    /// All past epochs and the present one: what the next epoch retains.
    std::map<std::uint64_t, PastEpoch> past_with_present() &&;
    std::map<std::uint64_t, PastEpoch> past_with_present() const&;
    /// As an MLSMessage of the content's wire format; a private one spends a generation.
    Result<Bytes> frame(AuthenticatedContent content, crypto::Entropy& entropy);
    /// Remembers a proposal (checked) for commits that name it by reference.
    void hold(AuthenticatedContent const& content);

    static std::unique_ptr<State> enter(NewEpoch epoch, RatchetTree tree, TreePrivate keys,
                                        crypto::SigningKey signature_key);
};

/// The context of the next epoch; tree hash and confirmed transcript hash are still those of this one.
GroupContext next_context(GroupContext const& context, Extensions extensions);

/// The member at a leaf of any tree (non-blank, checked).
Member member_of(RatchetTree const& tree, LeafIndex leaf);

}  // namespace interlude::mls
