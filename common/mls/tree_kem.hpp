// TreeKEM (RFC 9420 §7.4-§7.6): making and following UpdatePaths, and the private keys that a member holds in the tree.
#pragma once

#include <map>

#include "common/crypto/entropy.hpp"
#include "common/crypto/hpke.hpp"
#include "common/crypto/sign.hpp"
#include "common/mls/ratchet_tree.hpp"
#include "common/mls/welcome_types.hpp"

namespace interlude::mls {

/// The key pairs of one member: of its leaf and of the parents above it whose secrets it was given. Path secrets are
/// not kept (§7.5: deleted once the keys are derived).
struct TreePrivate {
    LeafIndex leaf;
    std::map<NodeIndex, crypto::HpkeKeyPair> key_pairs;

    static TreePrivate for_leaf(LeafIndex leaf, crypto::HpkeKeyPair key_pair);
    TreePrivate clone() const;
    /// The leaf's own key pair, for an Update of one's own that somebody committed.
    void set_leaf_key(crypto::HpkeKeyPair key_pair);
    /// Forgets the keys of nodes that are blank or hold another key by now.
    void drop_outdated(RatchetTree const& tree);
    /// Every key pair held belongs to a non-blank node with that public key, and the leaf's own is there.
    bool is_consistent_with(RatchetTree const& tree) const;
    /// A joiner's path secret (§12.4.3.1): sets the keys from the lowest common ancestor with `committer` up to the
    /// root. bad_commit if they are not the tree's.
    Result<void> take_path_secret(RatchetTree const& tree, LeafIndex committer, ByteView path_secret);
};
/// Secret bytes: of sealed state only.
void write(Writer& writer, TreePrivate const& keys);
Result<TreePrivate> read_tree_private(Reader& reader, crypto::Suite const& suite);
/// Whose it is; the keys are passed over.
Result<LeafIndex> read_tree_private_leaf(Reader& reader);

/// The lowest node above both leaves, which must differ.
NodeIndex common_ancestor(LeafIndex a, LeafIndex b);

struct CreatePathArgs {
    LeafIndex sender;
    LeafNode const& leaf;                     // the new leaf but for key, source and signature
    crypto::SigningKey const& signature_key;  // of leaf.signature_key
    GroupContext context;                     // the provisional one; its tree_hash is filled in here
    std::vector<LeafIndex> added = {};        // leaves that this commit adds: they get their secrets by Welcome
};
struct CreatedPath {
    UpdatePath path;
    RatchetTree tree;  // with the path merged
    TreePrivate keys;
    SecretBytes commit_secret;
    std::map<NodeIndex, SecretBytes> path_secrets;  // for the Welcomes: at common_ancestor(sender, joiner)
};
/// `tree` has the commit's proposals applied. bad_key if a key in the tree is not one of the KEM.
Result<CreatedPath> create_update_path(RatchetTree tree, CreatePathArgs args, crypto::Entropy& entropy);

/// Merges a path into the tree (§7.5). bad_commit: not as many nodes as the filtered direct path, not as many
/// ciphertexts as keys to encrypt to, another leaf source than commit, or a parent hash that is not the computed one;
/// bad_leaf: an encryption key that stands in the tree already, the replaced leaf's included.
/// The new leaf's signature and credentials are check_leaf's and check_members' question.
Result<RatchetTree> merge_update_path(RatchetTree tree, LeafIndex sender, UpdatePath const& path,
                                      std::vector<LeafIndex> const& added);

struct ProcessedPath {
    RatchetTree tree;
    TreePrivate keys;
    SecretBytes path_secret;  // as decrypted: of common_ancestor(sender, own leaf)
    SecretBytes commit_secret;
};
/// merge_update_path, then decrypts and follows what was sent to us. `context` is the provisional one; its tree_hash is
/// filled in here. no_key if nothing was encrypted to a key we hold, decrypt_failed, bad_commit if the secret does not
/// lead to the public keys of the path.
Result<ProcessedPath> process_update_path(RatchetTree tree, TreePrivate const& keys, LeafIndex sender,
                                          UpdatePath const& path, GroupContext context,
                                          std::vector<LeafIndex> const& added);

}  // namespace interlude::mls
