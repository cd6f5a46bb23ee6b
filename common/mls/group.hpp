// A member's view of one MLS group (RFC 9420): founding, joining, committing, processing, and the messages in between.
// A Group is a value that can be copied only on purpose; what changes the epoch returns the next Group and leaves this
// one as it was, so that a lost race just drops it. No clock and no randomness of its own.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/crypto/entropy.hpp"
#include "common/mls/key_package.hpp"
#include "common/mls/messages.hpp"
#include "common/mls/outside.hpp"

namespace interlude::mls {

struct Member {
    LeafIndex leaf;
    bytes::Bytes identity;  // of the basic credential
    bytes::Bytes signature_key;
    bool operator==(Member const&) const = default;
};

struct FoundArgs {
    bytes::Bytes group_id;
    KeyPackageBundle own;  // its leaf becomes leaf 0; its package must not be used for anything else
    std::vector<Extension> extensions = {};
};

struct JoinArgs {
    bytes::ByteView welcome;  // MLSMessage
    KeyPackageBundle const& own;
    std::optional<bytes::Bytes> ratchet_tree = {};  // needed when the GroupInfo carries none
    Outside outside = {};
};

struct ExternalJoinArgs {
    bytes::ByteView group_info;  // MLSMessage, with external_pub
    KeyPackageBundle const& own;
    std::optional<bytes::Bytes> ratchet_tree = {};  // needed when the GroupInfo carries none
    std::optional<LeafIndex> resync = {};           // an old leaf of one's own, removed by the same commit
    bytes::Bytes authenticated_data = {};
    Outside outside = {};
};

/// An external PSK that both sides hold.
struct KnownPsk {
    bytes::Bytes id;
    bytes::SecretBytes secret;
};

/// A new signature key, and the credential for it, for one's own leaf (committed in the path).
struct NewIdentity {
    bytes::Bytes identity;
    crypto::SigningKey signature_key;
};

struct CommitArgs {
    std::vector<KeyPackage> adds = {};
    std::vector<LeafIndex> removes = {};
    std::optional<std::vector<Extension>> group_context_extensions = {};
    std::vector<KnownPsk> psks = {};
    std::vector<std::uint64_t> resumption_psks = {};  // retained epochs of this group, or the current one
    bool include_received_proposals = true;           // by reference: those stored by receive_proposal
    bytes::Bytes authenticated_data = {};
    std::optional<NewIdentity> new_identity = {};
    bool force_path = true;
    WireFormat wire_format = WireFormat::mls_private_message;
    Outside outside = {};
};

struct ProposalArgs {
    Proposal proposal;
    bytes::Bytes authenticated_data = {};
    WireFormat wire_format = WireFormat::mls_private_message;
};

struct PendingCommit;
struct ProcessedCommit;
struct ExternalJoin;

struct SealedMessage {
    bytes::Bytes message;  // MLSMessage
    std::uint64_t epoch = 0;
    std::uint32_t generation = 0;
};

struct OpenedMessage {
    LeafIndex sender;
    bytes::Bytes sender_identity;  // as it was in that epoch
    std::uint64_t epoch = 0;
    std::uint32_t generation = 0;
    bytes::Bytes authenticated_data;
    bytes::Bytes plaintext;
};

/// What a stored state says without a key being derived from it: to look at many groups, and often.
struct GroupGlance {
    std::uint64_t epoch = 0;
    std::vector<Member> roster;
    std::uint32_t spent_generations = 0;
};

class Group {
  public:
    /// A group of one at epoch 0. bad_leaf if the bundle is not valid.
    static base::Result<Group> found(FoundArgs args, crypto::Entropy& entropy);
    /// §12.4.3.1. no_key if the Welcome is not for this key package.
    static base::Result<Group> join(JoinArgs const& args);
    /// §12.4.3.2: a commit by which one joins on one's own.
    static base::Result<ExternalJoin> join_by_external_commit(ExternalJoinArgs args, crypto::Entropy& entropy);

    Group(Group&&) noexcept;
    Group& operator=(Group&&) noexcept;
    ~Group();
    Group clone() const;

    // --- The epoch ---------------------------------------------------------------------------------------------------
    /// A commit and the Group that it leads to. Nothing of the epoch changes here; only one generation of the own
    /// handshake ratchet is spent, so that the key of a commit that lost is never used again (store the state before
    /// the commit leaves). When the server took it: `group = std::move(group).merge(std::move(pending.next))`; when it
    /// lost: drop it, process the winner.
    base::Result<PendingCommit> commit(CommitArgs args, crypto::Entropy& entropy);
    /// The next Group of an own commit, with the receive state of all past epochs as it is now (messages may have come
    /// between commit and acceptance). `next` must be this group's next epoch: anything else is our own bug.
    Group merge(Group next) &&;
    /// Somebody else's commit (MLSMessage, public or private). Own messages are refused (no_key or not_allowed).
    base::Result<ProcessedCommit> process(bytes::ByteView message, Outside const& outside = {}) const;
    /// The authenticated data of a commit that a member of this epoch signed, whether or not it can be followed.
    base::Result<bytes::Bytes> authenticate_commit(bytes::ByteView message) const;

    /// Proposals by reference, for the vectors and other people's apps; ours send all proposals by value.
    /// Updates go by propose_update, as they need a new key.
    base::Result<bytes::Bytes> propose(ProposalArgs args, crypto::Entropy& entropy);
    base::Result<bytes::Bytes> propose_update(std::optional<NewIdentity> new_identity, WireFormat wire_format,
                                              crypto::Entropy& entropy);
    /// Kept for the commit of this epoch if it is valid by itself. Until then protect answers out_of_state; should what
    /// was received not fit together, commit without it.
    base::Result<void> receive_proposal(bytes::ByteView message, Outside const& outside = {});

    /// GroupInfo as MLSMessage, with ratchet_tree and, if asked, external_pub: what an external commit starts from.
    bytes::Bytes group_info(bool with_external_pub) const;
    /// The tree alone (ratchet_tree extension content), for joiners whose Welcome has none.
    bytes::Bytes ratchet_tree() const;

    // --- Messages ----------------------------------------------------------------------------------------------------
    /// An application message in this epoch, padded. Spends one own generation: store the state before the bytes leave.
    base::Result<SealedMessage> protect(bytes::ByteView plaintext, bytes::ByteView authenticated_data,
                                        crypto::Entropy& entropy);
    /// An application message of this epoch or of a retained one; its key is deleted. Nothing changes on an error.
    base::Result<OpenedMessage> unprotect(bytes::ByteView message);

    // --- What is known -----------------------------------------------------------------------------------------------
    std::uint16_t suite() const;
    bytes::Bytes const& group_id() const;
    std::uint64_t epoch() const;
    LeafIndex own_leaf() const;
    std::vector<Member> roster() const;
    std::optional<Member> member(LeafIndex leaf) const;
    /// The leaf as it is in the tree; null if blank or outside.
    LeafNode const* leaf_node(LeafIndex leaf) const;
    std::vector<Extension> const& extensions() const;
    bytes::ByteView epoch_authenticator() const;
    /// §8.5. `length` at most 255 * Nh.
    bytes::SecretBytes export_secret(std::string_view label, bytes::ByteView context, std::size_t length) const;
    /// How many generations of the own application ratchet this epoch has spent.
    std::uint32_t spent_generations() const;

    /// Past epochs whose messages can still be opened, ascending.
    std::vector<std::uint64_t> retained_epochs() const;
    /// Forgets the keys of every past epoch before `epoch`; the present one is never dropped.
    void drop_epochs_before(std::uint64_t epoch);

    // --- State -------------------------------------------------------------------------------------------------------
    /// The whole state with all its secrets, versioned: to be sealed by the caller. Equal states give equal bytes.
    bytes::SecretBytes encode() const;
    static base::Result<Group> decode(bytes::ByteView state);
    /// Says what the Group that `decode` gives would say, at a tenth of the cost: whether the parts belong together is
    /// decode's question.
    static base::Result<GroupGlance> glance(bytes::ByteView state);

    struct State;  // private to the library

  private:
    explicit Group(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct PendingCommit {
    bytes::Bytes commit;                  // MLSMessage
    std::optional<bytes::Bytes> welcome;  // MLSMessage for all added members, with the tree; absent without adds
    Group next;                           // encode it with the group: the server may have taken the commit at a crash
};

struct ProcessedCommit {
    /// The next epoch; absent exactly when this commit removed us.
    std::optional<Group> next;
    Member committer;  // as before the commit; a joiner by external commit as after it
    std::vector<Member> added;
    std::vector<Member> removed;
    /// Leaves with a new key or credential, as after the commit; the committer's among them if it has a path.
    std::vector<Member> updated;
    bytes::Bytes authenticated_data;
    bool external = false;
    bool beyond_members = false;  // it changes the group's context, or mixes in pre-shared keys

    bool removed_self() const { return !next; }
};

struct ExternalJoin {
    bytes::Bytes commit;  // MLSMessage (PublicMessage)
    Group next;
};

}  // namespace interlude::mls
