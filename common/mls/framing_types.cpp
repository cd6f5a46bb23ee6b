#include "common/mls/framing_types.hpp"

namespace interlude::mls {

namespace {

Result<ContentType> read_content_type(Reader& reader) {
    INTERLUDE_TRY(auto type, reader.u8());
    if (type < 1 || type > 3) return Errc::malformed;
    return ContentType{type};
}

void write_type(Writer& writer, ContentType type) {
    writer.u8(static_cast<std::uint8_t>(type));
}

void write_body(Writer& writer, ContentBody const& body) {
    std::visit(Overloaded{[&](ApplicationData const& application) { writer.opaque(application.data); },
                          [&](Proposal const& proposal) { write(writer, proposal); },
                          [&](Commit const& commit) { write(writer, commit); }},
               body);
}

Result<ContentBody> read_body(Reader& reader, ContentType type) {
    switch (type) {
        case ContentType::application: {
            INTERLUDE_TRY(auto data, read_bytes(reader));
            return ContentBody(ApplicationData{std::move(data)});
        }
        case ContentType::proposal: {
            INTERLUDE_TRY(auto proposal, read_proposal(reader));
            return ContentBody(std::move(proposal));
        }
        case ContentType::commit: {
            INTERLUDE_TRY(auto commit, read_commit(reader));
            return ContentBody(std::move(commit));
        }
    }
    return Errc::malformed;
}

/// The body that `read` reads, as an MLSMessage.
template <class Read>
Result<MLSMessage> read_as_message(Reader& reader, Read&& read) {
    INTERLUDE_TRY(auto body, read(reader));
    return MLSMessage{std::move(body)};
}

}  // namespace

ContentType content_type(ContentBody const& body) {
    return std::visit(Overloaded{[](ApplicationData const&) { return ContentType::application; },
                                 [](Proposal const&) { return ContentType::proposal; },
                                 [](Commit const&) { return ContentType::commit; }},
                      body);
}

WireFormat MLSMessage::wire_format() const {
    return std::visit(Overloaded{[](PublicMessage const&) { return WireFormat::mls_public_message; },
                                 [](PrivateMessage const&) { return WireFormat::mls_private_message; },
                                 [](Welcome const&) { return WireFormat::mls_welcome; },
                                 [](GroupInfo const&) { return WireFormat::mls_group_info; },
                                 [](KeyPackage const&) { return WireFormat::mls_key_package; }},
                      body);
}

void write(Writer& writer, Sender const& sender) {
    writer.u8(static_cast<std::uint8_t>(sender.type));
    if (sender.type == SenderType::member || sender.type == SenderType::external) writer.u32(sender.index);
}

void write(Writer& writer, FramedContent const& content) {
    writer.opaque(content.group_id).u64(content.epoch);
    write(writer, content.sender);
    writer.opaque(content.authenticated_data);
    write_type(writer, content.type());
    write_body(writer, content.body);
}

void write(Writer& writer, FramedContentAuthData const& auth) {
    writer.opaque(auth.signature);
    if (auth.confirmation_tag) writer.opaque(*auth.confirmation_tag);
}

void write(Writer& writer, AuthenticatedContent const& content) {
    writer.u16(static_cast<std::uint16_t>(content.wire_format));
    write(writer, content.content);
    write(writer, content.auth);
}

void write(Writer& writer, PublicMessage const& message) {
    write(writer, message.content);
    write(writer, message.auth);
    if (message.membership_tag) writer.opaque(*message.membership_tag);
}

void write(Writer& writer, PrivateMessage const& message) {
    writer.opaque(message.group_id).u64(message.epoch);
    write_type(writer, message.content_type);
    writer.opaque(message.authenticated_data).opaque(message.encrypted_sender_data).opaque(message.ciphertext);
}

void write(Writer& writer, PrivateMessageContent const& content) {
    write_body(writer, content.body);
    write(writer, content.auth);
}

void write(Writer& writer, PrivateContentAAD const& aad) {
    writer.opaque(aad.group_id).u64(aad.epoch);
    write_type(writer, aad.content_type);
    writer.opaque(aad.authenticated_data);
}

void write(Writer& writer, SenderData const& data) {
    write(writer, data.leaf);
    writer.u32(data.generation).raw(data.reuse_guard);
}

void write(Writer& writer, SenderDataAAD const& aad) {
    writer.opaque(aad.group_id).u64(aad.epoch);
    write_type(writer, aad.content_type);
}

void write(Writer& writer, MLSMessage const& message) {
    writer.u16(mls10).u16(static_cast<std::uint16_t>(message.wire_format()));
    std::visit([&](auto const& body) { write(writer, body); }, message.body);
}

Result<Sender> read_sender(Reader& reader) {
    INTERLUDE_TRY(auto type, reader.u8());
    Sender sender{SenderType{type}, 0};
    switch (sender.type) {
        case SenderType::member:
        case SenderType::external: {
            INTERLUDE_TRY(sender.index, reader.u32());
            return sender;
        }
        case SenderType::new_member_proposal:
        case SenderType::new_member_commit:
            return sender;
    }
    return Errc::malformed;
}

Result<FramedContent> read_framed_content(Reader& reader) {
    FramedContent content;
    INTERLUDE_TRY(content.group_id, read_bytes(reader));
    INTERLUDE_TRY(content.epoch, reader.u64());
    INTERLUDE_TRY(content.sender, read_sender(reader));
    INTERLUDE_TRY(content.authenticated_data, read_bytes(reader));
    INTERLUDE_TRY(auto type, read_content_type(reader));
    INTERLUDE_TRY(content.body, read_body(reader, type));
    return content;
}

Result<FramedContentAuthData> read_framed_content_auth_data(Reader& reader, ContentType type) {
    FramedContentAuthData auth;
    INTERLUDE_TRY(auth.signature, read_bytes(reader));
    if (type == ContentType::commit) {
        INTERLUDE_TRY(auth.confirmation_tag, read_bytes(reader));
    }
    return auth;
}

Result<AuthenticatedContent> read_authenticated_content(Reader& reader) {
    AuthenticatedContent content;
    INTERLUDE_TRY(auto wire_format, reader.u16());
    content.wire_format = WireFormat{wire_format};
    if (content.wire_format != WireFormat::mls_public_message &&
        content.wire_format != WireFormat::mls_private_message) {
        return Errc::malformed;
    }
    INTERLUDE_TRY(content.content, read_framed_content(reader));
    INTERLUDE_TRY(content.auth, read_framed_content_auth_data(reader, content.content.type()));
    return content;
}

Result<PublicMessage> read_public_message(Reader& reader) {
    PublicMessage message;
    INTERLUDE_TRY(message.content, read_framed_content(reader));
    INTERLUDE_TRY(message.auth, read_framed_content_auth_data(reader, message.content.type()));
    if (message.content.sender.type == SenderType::member) {
        INTERLUDE_TRY(message.membership_tag, read_bytes(reader));
    }
    return message;
}

Result<PrivateMessage> read_private_message(Reader& reader) {
    PrivateMessage message;
    INTERLUDE_TRY(message.group_id, read_bytes(reader));
    INTERLUDE_TRY(message.epoch, reader.u64());
    INTERLUDE_TRY(message.content_type, read_content_type(reader));
    INTERLUDE_TRY(message.authenticated_data, read_bytes(reader));
    INTERLUDE_TRY(message.encrypted_sender_data, read_bytes(reader));
    INTERLUDE_TRY(message.ciphertext, read_bytes(reader));
    return message;
}

Result<PrivateMessageContent> read_private_message_content(Reader& reader, ContentType type) {
    PrivateMessageContent content;
    INTERLUDE_TRY(content.body, read_body(reader, type));
    INTERLUDE_TRY(content.auth, read_framed_content_auth_data(reader, type));
    INTERLUDE_TRY(auto padding, reader.raw(reader.size()));
    if (std::any_of(padding.begin(), padding.end(), [](auto byte) { return byte != 0; })) return Errc::bad_padding;
    return content;
}

Result<SenderData> read_sender_data(Reader& reader) {
    SenderData data;
    INTERLUDE_TRY(data.leaf, read_leaf_index(reader));
    INTERLUDE_TRY(data.generation, reader.u32());
    INTERLUDE_TRY(auto guard, reader.raw(data.reuse_guard.size()));
    std::copy(guard.begin(), guard.end(), data.reuse_guard.begin());
    return data;
}

Result<MLSMessage> read_mls_message(Reader& reader) {
    INTERLUDE_TRY(auto version, reader.u16());
    if (version != mls10) return Errc::unsupported;
    INTERLUDE_TRY(auto wire_format, reader.u16());
    switch (WireFormat{wire_format}) {
        case WireFormat::mls_public_message:
            return read_as_message(reader, read_public_message);
        case WireFormat::mls_private_message:
            return read_as_message(reader, read_private_message);
        case WireFormat::mls_welcome:
            return read_as_message(reader, read_welcome);
        case WireFormat::mls_group_info:
            return read_as_message(reader, read_group_info);
        case WireFormat::mls_key_package:
            return read_as_message(reader, read_key_package);
    }
    return Errc::unsupported;
}

}  // namespace interlude::mls
