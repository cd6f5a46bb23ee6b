#include "common/mls/protect.hpp"

#include <algorithm>
#include <bit>

#include "common/base/limits.hpp"
#include "common/crypto/aead.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::mls {

namespace limits = base::limits;

namespace {

RatchetKind ratchet_of(ContentType type) {
    return type == ContentType::application ? RatchetKind::application : RatchetKind::handshake;
}

// AuthenticatedContentTBM: what a member shows membership over (§6.2).
MAC membership_tag(AuthenticatedContent const& content, GroupContext const& context, ByteView membership_key) {
    Writer tbm;
    tbm.raw(framed_content_tbs(content.wire_format, content.content, context));
    write(tbm, content.auth);
    return bytes::copy(crypto::hmac_sha256(membership_key, tbm.bytes()).span());
}

// §6.3.1: the guard is XORed into the first four bytes of the nonce, so that a ratchet used twice after a restored
// backup does not use one nonce twice.
SecretBytes guarded(SecretBytes const& nonce, std::array<std::uint8_t, 4> const& guard) {
    auto out = nonce.clone();
    auto bytes = out.expose_mutable();
    for (std::size_t i = 0; i < guard.size(); ++i) bytes[i] ^= guard[i];
    return out;
}

}  // namespace

std::size_t padme(std::size_t length) {
    if (length < 2) return length;
    auto const exponent = static_cast<unsigned>(std::bit_width(length)) - 1;
    auto const kept_bits = static_cast<unsigned>(std::bit_width(exponent));
    auto const mask = (std::size_t{1} << (exponent - kept_bits)) - 1;
    return (length + mask) & ~mask;
}

std::size_t padded_length(std::size_t length, ContentType type) {
    auto const floor =
        type == ContentType::application ? limits::padding_floor_bytes : limits::handshake_padding_floor_bytes;
    return std::max(floor, padme(length));
}

Bytes framed_content_tbs(WireFormat wire_format, FramedContent const& content, GroupContext const& context) {
    Writer tbs;
    tbs.u16(mls10).u16(static_cast<std::uint16_t>(wire_format));
    write(tbs, content);
    switch (content.sender.type) {
        case SenderType::member:
        case SenderType::new_member_commit:
            write(tbs, context);
            break;
        case SenderType::external:
        case SenderType::new_member_proposal:
            break;
    }
    return std::move(tbs).take();
}

AuthenticatedContent sign_content(WireFormat wire_format, FramedContent content, GroupContext const& context,
                                  crypto::SigningKey const& key) {
    auto signature = sign_with_label(key, "FramedContentTBS", framed_content_tbs(wire_format, content, context));
    return {wire_format, std::move(content), {std::move(signature), std::nullopt}};
}

Result<void> verify_content(AuthenticatedContent const& content, GroupContext const& context, ByteView signature_key) {
    return verify_with_label(signature_key, "FramedContentTBS",
                             framed_content_tbs(content.wire_format, content.content, context), content.auth.signature);
}

PublicMessage protect_public(AuthenticatedContent content, GroupContext const& context, ByteView membership_key) {
    INTERLUDE_CHECK(content.wire_format == WireFormat::mls_public_message);
    std::optional<MAC> tag;
    if (content.content.sender.type == SenderType::member) tag = membership_tag(content, context, membership_key);
    return {std::move(content.content), std::move(content.auth), std::move(tag)};
}

Result<AuthenticatedContent> unprotect_public(PublicMessage const& message, GroupContext const& context,
                                              ByteView membership_key) {
    AuthenticatedContent content{WireFormat::mls_public_message, message.content, message.auth};
    if (content.content.type() == ContentType::application) return Errc::malformed;  // §6.2: never in the clear
    auto const is_member = content.content.sender.type == SenderType::member;
    if (message.membership_tag.has_value() != is_member) return Errc::malformed;
    if (is_member &&
        !crypto::equal_constant_time(*message.membership_tag, membership_tag(content, context, membership_key))) {
        return Errc::bad_mac;
    }
    return content;
}

Result<SealedContent> protect_private(crypto::Suite const& suite, AuthenticatedContent const& content, SecretTree& keys,
                                      ByteView sender_data_secret, crypto::Entropy& entropy) {
    auto const& framed = content.content;
    INTERLUDE_CHECK(content.wire_format == WireFormat::mls_private_message);
    INTERLUDE_CHECK(framed.sender.type == SenderType::member);
    auto const type = framed.type();

    auto plaintext = SecretBytes(encode(PrivateMessageContent{framed.body, content.auth}));
    SecretBytes padded(padded_length(plaintext.size(), type));
    std::copy(plaintext.expose().begin(), plaintext.expose().end(), padded.expose_mutable().begin());

    INTERLUDE_TRY(auto const sealing, keys.spend(LeafIndex{framed.sender.index}, ratchet_of(type)));
    SenderData sender_data{LeafIndex{framed.sender.index}, sealing.generation, {}};
    entropy.fill(sender_data.reuse_guard);

    PrivateMessage message{framed.group_id, framed.epoch, type, framed.authenticated_data, {}, {}};
    auto const aad = encode(PrivateContentAAD{framed.group_id, framed.epoch, type, framed.authenticated_data});
    message.ciphertext =
        crypto::aead_seal(suite.aead, sealing.key.key.expose(),
                          guarded(sealing.key.nonce, sender_data.reuse_guard).expose(), aad, padded.expose());
    auto const outer = sender_data_key(suite, sender_data_secret, message.ciphertext);
    message.encrypted_sender_data =
        crypto::aead_seal(suite.aead, outer.key.expose(), outer.nonce.expose(),
                          encode(SenderDataAAD{framed.group_id, framed.epoch, type}), encode(sender_data));
    return SealedContent{std::move(message), sealing.generation};
}

Result<OpenedContent> unprotect_private(crypto::Suite const& suite, PrivateMessage const& message, SecretTree& keys,
                                        ByteView sender_data_secret) {
    auto const outer = sender_data_key(suite, sender_data_secret, message.ciphertext);
    INTERLUDE_TRY(auto const sender_bytes,
                  crypto::aead_open(suite.aead, outer.key.expose(), outer.nonce.expose(),
                                    encode(SenderDataAAD{message.group_id, message.epoch, message.content_type}),
                                    message.encrypted_sender_data));
    INTERLUDE_TRY(auto const sender, decode(sender_bytes.expose(), read_sender_data));

    INTERLUDE_TRY(auto key, keys.find(sender.leaf, ratchet_of(message.content_type), sender.generation));
    auto const aad =
        encode(PrivateContentAAD{message.group_id, message.epoch, message.content_type, message.authenticated_data});
    INTERLUDE_TRY(auto const plaintext,
                  crypto::aead_open(suite.aead, key.key.key.expose(),
                                    guarded(key.key.nonce, sender.reuse_guard).expose(), aad, message.ciphertext));
    Reader reader(plaintext.expose());
    INTERLUDE_TRY(auto inner, read_private_message_content(reader, message.content_type));
    FramedContent framed{message.group_id, message.epoch, Sender::member(sender.leaf), message.authenticated_data,
                         std::move(inner.body)};
    return OpenedContent{{WireFormat::mls_private_message, std::move(framed), std::move(inner.auth)}, std::move(key)};
}

}  // namespace interlude::mls
