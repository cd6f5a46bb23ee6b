#include "common/identity/invitation_link.hpp"

#include <charconv>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/text.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::identity {

using base::Errc;
using base::Result;

namespace {

constexpr std::uint8_t fragment_version = 1;
constexpr std::size_t fragment_text_max = 512;  // far above what version 1 needs
constexpr std::string_view scheme = "https://";
constexpr std::string_view path = "/i#";

bool fits_its_kind(InvitationFragment const& fragment) {
    bool const nobody =
        fragment.inviter.is_zero() && fragment.position == ListPosition{} && fragment.list_hash.is_zero();
    bool const somebody = !fragment.inviter.is_zero() && fragment.position.generation > 0 &&
                          fragment.position.version > 0 && !fragment.list_hash.is_zero();
    return fragment.kind == InvitationKind::therapist ? nobody : somebody;
}

bool is_port(std::string_view text) {
    unsigned port = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && text[0] != '0' && port <= 65535;
}

// A lower-case host name or address as browsers print it, and a port if it is not the usual one.
bool is_server(std::string_view server) {
    if (server.empty() || server.size() > base::limits::server_name_bytes_max) return false;
    auto host = server;
    std::string_view host_characters = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    if (server[0] == '[') {
        auto const close = server.find(']');
        if (close == std::string_view::npos) return false;
        host = server.substr(1, close - 1);
        host_characters = "abcdef0123456789:.";
        server.remove_prefix(close + 1);
    } else {
        host = server.substr(0, server.find(':'));
        server.remove_prefix(host.size());
    }
    if (host.empty() || host.find_first_not_of(host_characters) != std::string_view::npos) return false;
    return server.empty() || (server[0] == ':' && is_port(server.substr(1)));
}

}  // namespace

std::string encode_fragment(InvitationFragment const& fragment) {
    INTERLUDE_CHECK(fragment.seed.size() == invitation_seed_size && fits_its_kind(fragment));
    bytes::Writer out;
    out.u8(fragment_version).u8(static_cast<std::uint8_t>(fragment.kind)).raw(fragment.seed.expose());
    out.id(fragment.inviter).u64(fragment.position.generation).u64(fragment.position.version);
    out.id(fragment.list_hash).id(fragment.log_key_hash).time(fragment.expiry);
    bytes::SecretBytes const whole(std::move(out).take());
    return bytes::to_base64url(whole.expose());
}

Result<InvitationFragment> decode_fragment(std::string_view text) {
    if (text.size() > fragment_text_max) return Errc::too_long;
    auto decoded = bytes::from_base64url(text);
    if (!decoded) return Errc::malformed;
    bytes::SecretBytes const whole(std::move(*decoded));
    bytes::Reader in(whole.expose());
    INTERLUDE_TRY(auto version, in.u8());
    if (version != fragment_version) return Errc::unsupported;
    InvitationFragment out;
    INTERLUDE_TRY(auto kind, in.u8());
    INTERLUDE_TRY(out.kind, invitation_kind_from(kind));
    INTERLUDE_TRY(auto seed, in.raw(invitation_seed_size));
    out.seed = bytes::SecretBytes(seed);
    INTERLUDE_TRY(out.inviter, in.id<base::AccountId>());
    INTERLUDE_TRY(out.position.generation, in.u64());
    INTERLUDE_TRY(out.position.version, in.u64());
    INTERLUDE_TRY(out.list_hash, in.id<base::Hash32>());
    INTERLUDE_TRY(out.log_key_hash, in.id<base::Hash32>());
    INTERLUDE_TRY(out.expiry, in.time());
    INTERLUDE_TRY_VOID(in.finish());
    if (!fits_its_kind(out)) return Errc::malformed;
    return out;
}

std::string format_link(InvitationLink const& link) {
    INTERLUDE_CHECK(is_server(link.server));
    return std::string(scheme) + link.server + std::string(path) + encode_fragment(link.fragment);
}

Result<InvitationLink> parse_link(std::string_view text) {
    if (!text.starts_with(scheme)) return Errc::malformed;
    text.remove_prefix(scheme.size());
    auto const end_of_server = text.find('/');
    if (end_of_server == std::string_view::npos) return Errc::malformed;
    auto const server = text.substr(0, end_of_server);
    text.remove_prefix(end_of_server);
    if (!is_server(server) || !text.starts_with(path)) return Errc::malformed;
    INTERLUDE_TRY(auto fragment, decode_fragment(text.substr(path.size())));
    return InvitationLink{std::string(server), std::move(fragment)};
}

}  // namespace interlude::identity
