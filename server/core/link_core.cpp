#include "server/core/link_core.hpp"

#include <algorithm>

#include "common/identity/login.hpp"
#include "server/core/refusals.hpp"

namespace interlude::core {
namespace {

constexpr std::uint32_t overload_pause_seconds = 5;

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

template <class Alternative, std::size_t I = 0>
constexpr std::size_t index_of() {
    if constexpr (std::is_same_v<std::variant_alternative_t<I, wire::ClientBody>, Alternative>)
        return I;
    else
        return index_of<Alternative, I + 1>();
}

template <class... Alternatives>
constexpr bool is_one_of(std::size_t body) {
    return ((body == index_of<Alternatives>()) || ...);
}

bool is_login(std::size_t body) {
    return is_one_of<wire::Hello, wire::Authenticate>(body);
}

/// Frames whose numbers exist but whose meaning is a later version's.
bool is_later(std::size_t body) {
    return is_one_of<wire::TermsPut, wire::Leave, wire::Later>(body);
}

/// What only a therapist publishes.
bool is_therapists(std::size_t body) {
    return is_one_of<wire::InvitationPut, wire::InvitationRevoke, wire::InvitationList, wire::SchedulePut,
                     wire::OverridePut>(body);
}

RateKind rate_of(wire::ClientBody const& body) {
    if (std::holds_alternative<wire::Send>(body)) return RateKind::messages;
    if (std::holds_alternative<wire::KeyPackagesFetch>(body)) return RateKind::key_package_fetches;
    if (std::holds_alternative<wire::Redeem>(body)) return RateKind::redemptions;
    if (!is_answered(body)) return RateKind::acks;
    return RateKind::requests;
}

/// The store looks up each of them.
template <class Id>
void without_repetition(std::vector<Id>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}
void without_repetition(wire::ClientBody& body) {
    if (auto* ack = std::get_if<wire::Ack>(&body)) without_repetition(ack->seqs);
    if (auto* confirm = std::get_if<wire::Confirm>(&body)) without_repetition(confirm->ids);
}

std::uint32_t in_seconds(Millis wait) {
    return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(wait).count());
}

}  // namespace

std::string_view name(LinkState state) noexcept {
    switch (state) {
        case LinkState::fresh:
            return "fresh";
        case LinkState::hello_received:
            return "hello_received";
        case LinkState::therapist:
            return "therapist";
        case LinkState::client:
            return "client";
        case LinkState::invited:
            return "invited";
        case LinkState::closing:
            return "closing";
    }
    return "?";
}

std::string_view name(Legality legality) noexcept {
    switch (legality) {
        case Legality::legal:
            return "legal";
        case Legality::not_yet:
            return "not_yet";
        case Legality::not_allowed:
            return "not_allowed";
        case Legality::refused:
            return "refused";
        case Legality::ends_link:
            return "ends_link";
        case Legality::ignored:
            return "ignored";
    }
    return "?";
}

Legality legality(LinkState state, std::size_t body) {
    switch (state) {
        case LinkState::fresh:
            return is_one_of<wire::Hello>(body) ? Legality::legal : Legality::ends_link;
        case LinkState::hello_received:
            return is_one_of<wire::Authenticate>(body) ? Legality::legal : Legality::ends_link;
        case LinkState::therapist:
        case LinkState::client:
            if (is_login(body)) return Legality::ends_link;
            if (is_later(body)) return Legality::not_yet;
            if (is_one_of<wire::Redeem>(body)) return Legality::not_allowed;
            return state == LinkState::client && is_therapists(body) ? Legality::refused : Legality::legal;
        case LinkState::invited:
            if (is_login(body)) return Legality::ends_link;
            return is_one_of<wire::DeviceListGet, wire::KeyPackagesFetch, wire::Redeem>(body) ? Legality::legal
                                                                                              : Legality::not_allowed;
        case LinkState::closing:
            return Legality::ignored;
    }
    return Legality::ends_link;
}

bool is_answered(wire::ClientBody const& body) {
    return !is_one_of<wire::Ack, wire::HandshakeAck, wire::LogAck, wire::Confirm>(body.index());
}

LinkCore::LinkCore(LinkSettings settings, Bytes nonce)
    : settings_(std::move(settings)),
      nonce_(std::move(nonce)),
      rates_(std::make_shared<RateBook>(settings_.invited_rates)) {}

wire::ServerFrame LinkCore::nonce_frame(WallTime now) const {
    return {{}, wire::Nonce{nonce_, settings_.server_name, now}};
}

Step LinkCore::on_frame(wire::ClientFrame frame, ByteView raw, base::MonoTime now, WallTime stamp) {
    if (state_ == LinkState::closing) return Ignore{};
    if (auto const wait = rates_->take(RateKind::frames, now)) return close(close_code::too_fast, in_seconds(*wait));
    if (is_answered(frame.body) && frame.request.is_zero()) return close(close_code::malformed);

    switch (legality(state_, frame.body.index())) {
        case Legality::legal:
            break;
        case Legality::not_yet:
            return reply_error(frame.request, wire::ErrorCode::not_yet);
        case Legality::not_allowed:
            if (!is_answered(frame.body)) return Ignore{};
            return reply_error(frame.request, wire::ErrorCode::not_allowed);
        case Legality::refused:
            return Reply{{frame.request, refused(wire::Rule::invalid)}};
        case Legality::ends_link:
            return close(state_ == LinkState::fresh || state_ == LinkState::hello_received
                             ? close_code::not_authenticated
                             : close_code::malformed);
        case Legality::ignored:
            return Ignore{};
    }
    if (auto const* hello = std::get_if<wire::Hello>(&frame.body)) return on_hello(frame, *hello, raw);
    if (auto const* authenticate = std::get_if<wire::Authenticate>(&frame.body))
        return on_authenticate(frame, *authenticate);
    return on_request(std::move(frame), now, stamp);
}

Step LinkCore::on_bad_frame() {
    return state_ == LinkState::closing ? Step(Ignore{}) : close(close_code::malformed);
}

Step LinkCore::on_hello(wire::ClientFrame const&, wire::Hello const& hello, ByteView raw) {
    if (hello.version != wire::protocol_version) return close(close_code::version);
    hello_ = hello;
    hello_frame_ = bytes::copy(raw);
    state_ = LinkState::hello_received;
    return std::visit(Overloaded{[](wire::DeviceLogin const& login) {
                                     return LoadFacts{DeviceRef{login.account, login.device}};
                                 },
                                 [](InvitationId const& invitation) { return LoadFacts{invitation}; }},
                      hello.who);
}

void LinkCore::on_device_facts(std::optional<DeviceFacts> facts, std::shared_ptr<RateBook> rates) {
    if (facts) {
        key_ = facts->auth_key;
        side_ = facts->side;
        suspended_ = facts->suspended;
    }
    proven_rates_ = rates ? std::move(rates) : std::make_shared<RateBook>(settings_.device_rates);
}

void LinkCore::on_invitation_facts(std::optional<InvitationKeyFacts> facts, std::shared_ptr<RateBook> rates) {
    if (facts) key_ = facts->key;
    proven_rates_ = rates ? std::move(rates) : rates_;
}

bool LinkCore::signature_holds(wire::Authenticate const& authenticate) const {
    identity::LinkFacts const link{settings_.server_name, nonce_, hello_frame_};
    return std::visit(
        Overloaded{[&](wire::DeviceLogin const& login) {
                       return identity::verify_login(*key_, link, login.account, login.device, authenticate.signature)
                           .has_value();
                   },
                   [&](InvitationId const&) {
                       return identity::verify_invited_login(*key_, link, authenticate.signature).has_value();
                   }},
        hello_.who);
}

Step LinkCore::on_authenticate(wire::ClientFrame const& frame, wire::Authenticate const& authenticate) {
    if (!key_ || !signature_holds(authenticate)) return close(close_code::not_authenticated);
    if (suspended_) return close(close_code::removed);
    Welcomed welcomed{frame.request, InvitationId{}, hello_.log_size_seen, std::move(hello_.confirmed)};
    if (auto const* login = std::get_if<wire::DeviceLogin>(&hello_.who)) {
        state_ = side_ == Side::therapist ? LinkState::therapist : LinkState::client;
        welcomed.who = DeviceRef{login->account, login->device};
    } else {
        state_ = LinkState::invited;
        welcomed.who = std::get<InvitationId>(hello_.who);
    }
    rates_ = std::move(proven_rates_);  // not before: a stranger would spend what the device may
    hello_frame_.clear();
    return welcomed;
}

Step LinkCore::on_request(wire::ClientFrame frame, base::MonoTime now, WallTime stamp) {
    bool const answered = is_answered(frame.body);
    if (answered) {
        if (auto const wait = rates_->take(rate_of(frame.body), now)) return too_fast(frame, *wait);
        if (in_flight_.size() >= static_cast<std::size_t>(settings_.in_flight_max))
            return reply_error(frame.request, wire::ErrorCode::overloaded, 1);
        if (!in_flight_.insert(frame.request).second) return Ignore{};  // it is being answered already
    } else {
        // Nobody waits for an answer, so there is no other way to say it; what was not acked comes again.
        if (auto const wait = rates_->take(RateKind::acks, now)) return close(close_code::too_fast, in_seconds(*wait));
        if (unanswered_ >= unanswered_max) return close(close_code::overload, overload_pause_seconds);
        ++unanswered_;
        without_repetition(frame.body);
    }
    Submit submit{InvitationId{}, std::move(frame), stamp};
    if (auto const* login = std::get_if<wire::DeviceLogin>(&hello_.who))
        submit.who = DeviceRef{login->account, login->device};
    else
        submit.who = std::get<InvitationId>(hello_.who);
    return submit;
}

void LinkCore::on_answered(RequestId const& request) {
    in_flight_.erase(request);
}

void LinkCore::on_heeded() {
    --unanswered_;
}

Step LinkCore::close(std::uint16_t code, std::uint32_t retry_after_seconds) {
    state_ = LinkState::closing;
    return CloseLink{code, retry_after_seconds};
}

Step LinkCore::reply_error(RequestId const& request, wire::ErrorCode code, std::uint32_t retry_after_seconds) {
    return Reply{{request, wire::Error{code, retry_after_seconds}}};
}

Step LinkCore::too_fast(wire::ClientFrame const& frame, Millis wait) {
    if (++too_fast_count_ > settings_.too_fast_max) return close(close_code::too_fast, in_seconds(wait));
    return reply_error(frame.request, wire::ErrorCode::too_fast, in_seconds(wait));
}

}  // namespace interlude::core
