// The secret tree: one handshake and one application ratchet per leaf, derived when first needed (RFC 9420 §9). Secrets
// are deleted as they are consumed (§9.2); keys of messages that were overtaken are kept, up to a limit.
#pragma once

#include <map>

#include "common/mls/key_schedule.hpp"

namespace interlude::mls {

enum class RatchetKind : std::uint8_t { handshake = 1, application = 2 };

class SecretTree {
  public:
    SecretTree(crypto::Suite const& suite, TreeSize size, SecretBytes encryption_secret);
    SecretTree clone() const;

    struct SealingKey {
        std::uint32_t generation = 0;
        KeyAndNonce key;
    };
    /// The next key for sending; it is spent by this call. generation_limit after 2^32 - 1 of them, no_key if
    /// forgotten.
    Result<SealingKey> spend(LeafIndex leaf, RatchetKind kind);

    /// The key of a received message, not yet consumed: a message that turns out to be false costs nothing.
    struct OpeningKey {
        LeafIndex leaf;
        RatchetKind kind = RatchetKind::application;
        std::uint32_t generation = 0;
        KeyAndNonce key;
        // How the ratchet stands once it is consumed; empty if the key was a skipped one.
        SecretBytes next_secret;
        std::vector<KeyAndNonce> skipped;  // of the generations before `generation` that were not yet derived
    };
    /// no_key if it was used, dropped, or the leaf is outside the tree; generation_limit if it is too far ahead.
    Result<OpeningKey> find(LeafIndex leaf, RatchetKind kind, std::uint32_t generation);
    /// Deletes the key; `key` comes from the last find for its ratchet.
    void consume(OpeningKey key);

    /// Deletes all secrets of a leaf.
    void forget(LeafIndex leaf);
    /// The first generation not yet derived.
    std::uint32_t next_generation(LeafIndex leaf, RatchetKind kind) const;

    friend void write(Writer& writer, SecretTree const& tree);
    friend Result<SecretTree> read_secret_tree(Reader& reader, crypto::Suite const& suite);

  private:
    struct Ratchet {
        SecretBytes secret;  // empty: forgotten
        std::uint32_t generation = 0;
        std::map<std::uint32_t, KeyAndNonce> skipped;
        Ratchet clone() const;
    };
    struct LeafRatchets {
        Ratchet handshake;
        Ratchet application;
        Ratchet& of(RatchetKind kind) { return kind == RatchetKind::handshake ? handshake : application; }
        Ratchet const& of(RatchetKind kind) const { return kind == RatchetKind::handshake ? handshake : application; }
    };
    struct Step {
        KeyAndNonce key;
        SecretBytes next;
    };

    LeafRatchets& ratchets(LeafIndex leaf);
    Step step(ByteView secret, std::uint32_t generation) const;
    static void write_ratchet(Writer& writer, Ratchet const& ratchet);
    static Result<Ratchet> read_ratchet(Reader& reader, crypto::Suite const& suite);

    crypto::Suite const* suite_;
    TreeSize size_;
    std::map<NodeIndex, SecretBytes> nodes_;  // roots of the subtrees not yet derived
    std::map<LeafIndex, LeafRatchets> leaves_;
};

void write(Writer& writer, SecretTree const& tree);
Result<SecretTree> read_secret_tree(Reader& reader, crypto::Suite const& suite);

/// §6.3.2: key and nonce of the sender data, from a sample of the ciphertext.
KeyAndNonce sender_data_key(crypto::Suite const& suite, ByteView sender_data_secret, ByteView ciphertext);

}  // namespace interlude::mls
