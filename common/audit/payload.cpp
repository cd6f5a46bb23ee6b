#include "common/audit/payload.hpp"

#include <algorithm>

namespace interlude::audit {

using base::Errc;
using base::Result;

namespace {

constexpr std::size_t time_bytes = 8;

template <std::size_t... I>
constexpr bool every_body_fits(std::index_sequence<I...>) {
    return (
        (time_bytes + codec::max_size<std::variant_alternative_t<I, Body>>() <= base::limits::payload_body_bytes_max) &&
        ...);
}
static_assert(every_body_fits(std::make_index_sequence<std::variant_size_v<Body>>()));
// The order of Body is the numbering of EntryType.
static_assert(std::variant_size_v<Body> == static_cast<std::size_t>(EntryType::log_key_rotated));
static_assert(std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(EntryType::held) - 1, Body>, Held>);
static_assert(
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(EntryType::filler) - 1, Body>, Filler>);

template <std::size_t I = 0>
Result<Body> read_body(std::uint8_t type, bytes::Reader& from) {
    if constexpr (I == std::variant_size_v<Body>) {
        return Errc::unsupported;
    } else {
        if (type != I + 1) return read_body<I + 1>(type, from);
        INTERLUDE_TRY(auto body, codec::read<std::variant_alternative_t<I, Body>>(from));
        return Body(std::in_place_index<I>, std::move(body));
    }
}

/// What the fields alone cannot say.
bool is_sound(Parties const& parties) {
    auto const gated = std::count_if(parties.begin(), parties.end(), [](Party const& p) { return p.gate.has_value(); });
    bool const until_only_with_hold = std::all_of(
        parties.begin(), parties.end(), [](Party const& p) { return !p.until || p.verdict == Verdict::hold; });
    return gated <= base::limits::gated_accounts_per_conversation_max && until_only_with_hold;
}

using PartyList = Bounded<Party, base::limits::accounts_per_conversation_max>;

}  // namespace

std::string_view name(EntryType type) noexcept {
    switch (type) {
        case EntryType::schedule_published:
            return "schedule_published";
        case EntryType::override_published:
            return "override_published";
        case EntryType::conversation_override_published:
            return "conversation_override_published";
        case EntryType::terms_published:
            return "terms_published";
        case EntryType::window_opened:
            return "window_opened";
        case EntryType::window_closed:
            return "window_closed";
        case EntryType::held:
            return "held";
        case EntryType::quiet:
            return "quiet";
        case EntryType::refused:
            return "refused";
        case EntryType::recalled:
            return "recalled";
        case EntryType::expired:
            return "expired";
        case EntryType::device_list:
            return "device_list";
        case EntryType::epoch:
            return "epoch";
        case EntryType::successor:
            return "successor";
        case EntryType::key_packages_reset:
            return "key_packages_reset";
        case EntryType::operator_action:
            return "operator_action";
        case EntryType::pause:
            return "pause";
        case EntryType::restored:
            return "restored";
        case EntryType::retention_purge:
            return "retention_purge";
        case EntryType::cover_started:
            return "cover_started";
        case EntryType::cover_ended:
            return "cover_ended";
        case EntryType::disclosure:
            return "disclosure";
        case EntryType::filler:
            return "filler";
        case EntryType::log_key_rotated:
            return "log_key_rotated";
    }
    return "unknown entry type";
}

void Parties::write(bytes::Writer& to) const {
    INTERLUDE_CHECK(is_sound(*this));
    codec::write(to, PartyList(*this));
}

Result<Parties> Parties::read(bytes::Reader& from) {
    INTERLUDE_TRY(auto list, codec::read<PartyList>(from));
    Parties parties(list.begin(), list.end());
    if (!is_sound(parties)) return Errc::malformed;
    return parties;
}

EntryType type_of(Body const& body) {
    return static_cast<EntryType>(body.index() + 1);
}

bytes::Bytes encode_payload(Payload const& payload) {
    bytes::Writer to;
    to.u8(static_cast<std::uint8_t>(payload.type())).id(payload.previous).time(payload.decided_at);
    std::visit([&](auto const& body) { codec::write(to, body); }, payload.body);
    auto encoded = to.take();
    INTERLUDE_CHECK(encoded.size() <= base::limits::payload_bytes);
    encoded.resize(base::limits::payload_bytes);
    return encoded;
}

Result<Payload> decode_payload(bytes::ByteView from) {
    if (from.size() < base::limits::payload_bytes) return Errc::truncated;
    if (from.size() > base::limits::payload_bytes) return Errc::trailing_bytes;
    bytes::Reader rest(from);
    Payload payload;
    INTERLUDE_TRY(auto type, rest.u8());
    INTERLUDE_TRY(payload.previous, rest.id<Hash32>());
    INTERLUDE_TRY(payload.decided_at, rest.time());
    INTERLUDE_TRY(payload.body, read_body(type, rest));
    auto const padding = rest.rest();
    if (!std::all_of(padding.begin(), padding.end(), [](auto byte) { return byte == 0; })) return Errc::malformed;
    return payload;
}

}  // namespace interlude::audit
