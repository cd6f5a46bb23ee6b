// Framed messages as bytes (RFC 9420 §6): contents, PublicMessage, PrivateMessage and its inner structs, MLSMessage.
#pragma once

#include "common/mls/welcome_types.hpp"
#include "common/mls_framing/outer.hpp"

namespace interlude::mls {

using mls_framing::ContentType;

enum class WireFormat : std::uint16_t {  // RFC 9420 §17.2
    mls_public_message = 1,
    mls_private_message = 2,
    mls_welcome = 3,
    mls_group_info = 4,
    mls_key_package = 5
};

enum class SenderType : std::uint8_t { member = 1, external = 2, new_member_proposal = 3, new_member_commit = 4 };

struct Sender {
    SenderType type = SenderType::member;
    std::uint32_t index = 0;  // leaf index of a member, index in external_senders of an external one, else 0
    static Sender member(LeafIndex leaf) { return {SenderType::member, leaf.value}; }
    bool operator==(Sender const&) const = default;
};

struct ApplicationData {
    Bytes data;
    bool operator==(ApplicationData const&) const = default;
};
using ContentBody = std::variant<ApplicationData, Proposal, Commit>;
ContentType content_type(ContentBody const& body);

struct FramedContent {
    Bytes group_id;
    std::uint64_t epoch = 0;
    Sender sender;
    Bytes authenticated_data;
    ContentBody body;
    ContentType type() const { return content_type(body); }
    bool operator==(FramedContent const&) const = default;
};

struct FramedContentAuthData {
    Bytes signature;
    std::optional<MAC> confirmation_tag;  // of a commit, and only of one
    bool operator==(FramedContentAuthData const&) const = default;
};

struct AuthenticatedContent {
    WireFormat wire_format = WireFormat::mls_private_message;
    FramedContent content;
    FramedContentAuthData auth;
    bool operator==(AuthenticatedContent const&) const = default;
};

struct PublicMessage {
    FramedContent content;
    FramedContentAuthData auth;
    std::optional<MAC> membership_tag;  // of a member, and only of one
    bool operator==(PublicMessage const&) const = default;
};

struct PrivateMessage {
    Bytes group_id;
    std::uint64_t epoch = 0;
    ContentType content_type = ContentType::application;
    Bytes authenticated_data;
    Bytes encrypted_sender_data;
    Bytes ciphertext;
    bool operator==(PrivateMessage const&) const = default;
};

/// What is inside PrivateMessage.ciphertext; padding is not part of the value.
struct PrivateMessageContent {
    ContentBody body;
    FramedContentAuthData auth;
    bool operator==(PrivateMessageContent const&) const = default;
};

struct PrivateContentAAD {
    Bytes group_id;
    std::uint64_t epoch = 0;
    ContentType content_type = ContentType::application;
    Bytes authenticated_data;
};
struct SenderData {
    LeafIndex leaf;
    std::uint32_t generation = 0;
    std::array<std::uint8_t, 4> reuse_guard{};
    bool operator==(SenderData const&) const = default;
};
struct SenderDataAAD {
    Bytes group_id;
    std::uint64_t epoch = 0;
    ContentType content_type = ContentType::application;
};

struct MLSMessage {
    std::variant<PublicMessage, PrivateMessage, Welcome, GroupInfo, KeyPackage> body;
    WireFormat wire_format() const;
    template <class T>
    T const* as() const {
        return std::get_if<T>(&body);
    }
    bool operator==(MLSMessage const&) const = default;
};

void write(Writer& writer, Sender const& sender);
void write(Writer& writer, FramedContent const& content);
void write(Writer& writer, FramedContentAuthData const& auth);
void write(Writer& writer, AuthenticatedContent const& content);
void write(Writer& writer, PublicMessage const& message);
void write(Writer& writer, PrivateMessage const& message);
void write(Writer& writer, PrivateMessageContent const& content);  ///< without padding
void write(Writer& writer, PrivateContentAAD const& aad);
void write(Writer& writer, SenderData const& data);
void write(Writer& writer, SenderDataAAD const& aad);
void write(Writer& writer, MLSMessage const& message);

Result<Sender> read_sender(Reader& reader);
Result<FramedContent> read_framed_content(Reader& reader);
Result<FramedContentAuthData> read_framed_content_auth_data(Reader& reader, ContentType type);
Result<AuthenticatedContent> read_authenticated_content(Reader& reader);
Result<PublicMessage> read_public_message(Reader& reader);
Result<PrivateMessage> read_private_message(Reader& reader);
/// Reads to the end: what follows must be zeros (bad_padding, RFC 9420 §6.3.1).
Result<PrivateMessageContent> read_private_message_content(Reader& reader, ContentType type);
Result<SenderData> read_sender_data(Reader& reader);
/// unsupported for another protocol version or wire format.
Result<MLSMessage> read_mls_message(Reader& reader);

}  // namespace interlude::mls
