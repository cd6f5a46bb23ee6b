#include "common/mls/welcome_types.hpp"

namespace interlude::mls {

namespace {

void write_unsigned(Writer& writer, GroupInfo const& info) {
    write(writer, info.group_context);
    write(writer, info.extensions);
    writer.opaque(info.confirmation_tag);
    write(writer, info.signer);
}

}  // namespace

Bytes group_info_tbs(GroupInfo const& info) {
    Writer writer;
    write_unsigned(writer, info);
    return std::move(writer).take();
}

void write(Writer& writer, GroupContext const& context) {
    writer.u16(mls10).u16(context.cipher_suite).opaque(context.group_id).u64(context.epoch);
    writer.opaque(context.tree_hash).opaque(context.confirmed_transcript_hash);
    write(writer, context.extensions);
}

void write(Writer& writer, GroupInfo const& info) {
    write_unsigned(writer, info);
    writer.opaque(info.signature);
}

void write(Writer& writer, GroupSecrets const& secrets) {
    writer.opaque(secrets.joiner_secret.expose());
    writer.boolean(secrets.path_secret.has_value());
    if (secrets.path_secret) writer.opaque(secrets.path_secret->expose());
    write_vector(writer, secrets.psks);
}

void write(Writer& writer, EncryptedGroupSecrets const& secrets) {
    writer.opaque(secrets.new_member);
    write(writer, secrets.encrypted_group_secrets);
}

void write(Writer& writer, Welcome const& welcome) {
    writer.u16(welcome.cipher_suite);
    write_vector(writer, welcome.secrets);
    writer.opaque(welcome.encrypted_group_info);
}

Result<GroupContext> read_group_context(Reader& reader) {
    GroupContext context;
    INTERLUDE_TRY(auto version, reader.u16());
    if (version != mls10) return Errc::unsupported;
    INTERLUDE_TRY(context.cipher_suite, reader.u16());
    INTERLUDE_TRY(context.group_id, read_bytes(reader));
    INTERLUDE_TRY(context.epoch, reader.u64());
    INTERLUDE_TRY(context.tree_hash, read_bytes(reader));
    INTERLUDE_TRY(context.confirmed_transcript_hash, read_bytes(reader));
    INTERLUDE_TRY(context.extensions, read_extensions(reader));
    return context;
}

Result<GroupInfo> read_group_info(Reader& reader) {
    GroupInfo info;
    INTERLUDE_TRY(info.group_context, read_group_context(reader));
    INTERLUDE_TRY(info.extensions, read_extensions(reader));
    INTERLUDE_TRY(info.confirmation_tag, read_bytes(reader));
    INTERLUDE_TRY(info.signer, read_leaf_index(reader));
    INTERLUDE_TRY(info.signature, read_bytes(reader));
    return info;
}

Result<GroupSecrets> read_group_secrets(Reader& reader) {
    GroupSecrets secrets;
    INTERLUDE_TRY(secrets.joiner_secret, read_secret(reader));
    INTERLUDE_TRY(secrets.path_secret, read_optional(reader, read_secret));
    INTERLUDE_TRY(secrets.psks, read_vector(reader, read_pre_shared_key_id));
    return secrets;
}

Result<EncryptedGroupSecrets> read_encrypted_group_secrets(Reader& reader) {
    EncryptedGroupSecrets secrets;
    INTERLUDE_TRY(secrets.new_member, read_bytes(reader));
    INTERLUDE_TRY(secrets.encrypted_group_secrets, read_hpke_ciphertext(reader));
    return secrets;
}

Result<Welcome> read_welcome(Reader& reader) {
    Welcome welcome;
    INTERLUDE_TRY(welcome.cipher_suite, reader.u16());
    INTERLUDE_TRY(welcome.secrets, read_vector(reader, read_encrypted_group_secrets));
    INTERLUDE_TRY(welcome.encrypted_group_info, read_bytes(reader));
    return welcome;
}

}  // namespace interlude::mls
