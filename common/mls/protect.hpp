// Framing (RFC 9420 §6): what is signed, the membership tag of a PublicMessage, the encryption and padding of a
// PrivateMessage. Knows an epoch's keys, but no group.
#pragma once

#include "common/mls/secret_tree.hpp"

namespace interlude::mls {

/// Padmé (Nikitin et al., PETS 2019): lengths keep only so many leading bits that padding costs at most about 12 %.
std::size_t padme(std::size_t length);
/// Of a serialised PrivateMessageContent: Padmé, at least 256 bytes, handshakes at least 1,024 (exact.md, Padding).
std::size_t padded_length(std::size_t length, ContentType type);

/// FramedContentTBS; the context goes in where the sender is, or with this message becomes, a member (§6.1).
Bytes framed_content_tbs(WireFormat wire_format, FramedContent const& content, GroupContext const& context);
/// The content with its signature; a commit's confirmation tag is still to be filled in.
AuthenticatedContent sign_content(WireFormat wire_format, FramedContent content, GroupContext const& context,
                                  crypto::SigningKey const& key);
Result<void> verify_content(AuthenticatedContent const& content, GroupContext const& context, ByteView signature_key);

PublicMessage protect_public(AuthenticatedContent content, GroupContext const& context, ByteView membership_key);
/// bad_mac if a member's tag is wrong. The signature is still to be verified.
Result<AuthenticatedContent> unprotect_public(PublicMessage const& message, GroupContext const& context,
                                              ByteView membership_key);

struct SealedContent {
    PrivateMessage message;
    std::uint32_t generation = 0;
};
/// Spends a generation of the sender's ratchet. The sender must be a member (checked).
Result<SealedContent> protect_private(crypto::Suite const& suite, AuthenticatedContent const& content, SecretTree& keys,
                                      ByteView sender_data_secret, crypto::Entropy& entropy);

struct OpenedContent {
    AuthenticatedContent content;
    SecretTree::OpeningKey key;  // to be consumed once the signature is found true
    LeafIndex sender() const { return key.leaf; }
};
Result<OpenedContent> unprotect_private(crypto::Suite const& suite, PrivateMessage const& message, SecretTree& keys,
                                        ByteView sender_data_secret);

}  // namespace interlude::mls
