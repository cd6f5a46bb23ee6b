// The state machine of one link: which frame is legal in which state, for whom, and how fast. Sans-I/O: the link's
// coroutine gives it every frame and carries out the Step. Legality is one table (legality()), walked by a test;
// docs/PROTOCOL.md shows what it comes to on the wire. Who somebody is in a conversation is not asked here.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <variant>

#include "common/crypto/sign.hpp"
#include "common/wire/frames.hpp"
#include "server/core/rate.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

enum class LinkState : std::uint8_t {
    fresh,           // the nonce was sent; only hello is legal
    hello_received,  // facts about who it says it is are loaded; only authenticate is legal
    therapist,       // a device of a therapist-side account
    client,          // a device of a client-side account
    invited,         // holds an invitation's key: may look, fetch packages and redeem
    closing,         // a goodbye is on its way; everything is ignored
};
std::string_view name(LinkState state) noexcept;

enum class Legality : std::uint8_t {
    legal,
    not_yet,      // a later version's: answered so, the link goes on
    not_allowed,  // not for this kind of link: answered so, the link goes on
    refused,      // not for this side: answered as invalid, the link goes on
    ends_link,    // out of state: the link ends
    ignored,      // the link is closing
};
std::string_view name(Legality legality) noexcept;
/// `body` is an index into wire::ClientBody.
Legality legality(LinkState state, std::size_t body);
/// Does the app expect an answer to it?
bool is_answered(wire::ClientBody const& body);

namespace close_code {  // interfaces.md, Wire
inline constexpr std::uint16_t normal = 1000, draining = 1001, text_frame = 1003, too_big = 1009, restart = 1012,
                               overload = 1013, malformed = 4400, not_authenticated = 4401, removed = 4403,
                               too_slow = 4408, too_many_links = 4409, version = 4426, too_fast = 4429;
}

/// Acks and the like of one link that are not in the store yet.
inline constexpr std::size_t unanswered_max = 2000;

struct LinkSettings {
    std::string server_name;
    RateBook::Rates device_rates{{{1000, Millis{5}},      // frames
                                  {60, Millis{1000}},     // messages
                                  {120, Millis{100}},     // requests
                                  {10, Millis{600'000}},  // key_package_fetches
                                  {0, Millis{0}},         // redemptions: never by a device
                                  {1000, Millis{20}}}};   // acks: an app acks each envelope by itself
    RateBook::Rates invited_rates{{{200, Millis{50}},
                                   {0, Millis{0}},
                                   {30, Millis{1000}},
                                   {10, Millis{60'000}},
                                   {10, Millis{360'000}},
                                   {0, Millis{0}}}};
    int in_flight_max = 32;
    int too_fast_max = 100;  // answers "too fast" before the link ends
};

// ---- Steps ---------------------------------------------------------------------------------------------------------

/// Load what the store knows of this device or invitation and give it to on_device_facts or on_invitation_facts.
struct LoadFacts {
    std::variant<DeviceRef, InvitationId> who;
};
/// The link may act: answer with `ready`.
struct Welcomed {
    RequestId request;
    std::variant<DeviceRef, InvitationId> who;
    std::uint64_t log_size_seen = 0;
    std::vector<RequestId> confirmed;
};
/// A legal request for the services.
struct Submit {
    std::variant<DeviceRef, InvitationId> who;
    wire::ClientFrame frame;
    WallTime stamp{};
};
struct Reply {
    wire::ServerFrame frame;
};
struct CloseLink {
    std::uint16_t code = close_code::normal;
    std::uint32_t retry_after_seconds = 0;
};
struct Ignore {};
using Step = std::variant<Ignore, LoadFacts, Welcomed, Submit, Reply, CloseLink>;

struct DeviceFacts {
    crypto::VerifyKey auth_key;
    Side side{};  // of its account, for good
    bool suspended = false;
};
struct InvitationKeyFacts {
    crypto::VerifyKey key;
};

class LinkCore {
  public:
    LinkCore(LinkSettings settings, Bytes nonce);

    LinkState state() const { return state_; }
    /// The server's first frame.
    wire::ServerFrame nonce_frame(WallTime now) const;

    /// `raw` are the frame's bytes as received (the login signs the hello's); `stamp` is when the last was read.
    Step on_frame(wire::ClientFrame frame, ByteView raw, base::MonoTime now, WallTime stamp);
    /// Bytes that were no frame.
    Step on_bad_frame();
    /// After LoadFacts; nullopt: unknown. What is wrong shows only at authenticate, and all of it looks the same.
    /// `rates` are shared by the links of the device, or with the invitation; null: this link's own.
    void on_device_facts(std::optional<DeviceFacts> facts, std::shared_ptr<RateBook> rates = nullptr);
    void on_invitation_facts(std::optional<InvitationKeyFacts> facts, std::shared_ptr<RateBook> rates = nullptr);
    /// The services answered this request: it is no longer in flight.
    void on_answered(RequestId const& request);
    /// They carried out one that has no answer.
    void on_heeded();
    /// Whatever the reason: from now on everything is ignored.
    void on_closing() { state_ = LinkState::closing; }
    std::size_t in_flight() const { return in_flight_.size(); }

  private:
    Step on_hello(wire::ClientFrame const& frame, wire::Hello const& hello, ByteView raw);
    Step on_authenticate(wire::ClientFrame const& frame, wire::Authenticate const& authenticate);
    Step on_request(wire::ClientFrame frame, base::MonoTime now, WallTime stamp);
    Step close(std::uint16_t code, std::uint32_t retry_after_seconds = 0);
    Step reply_error(RequestId const& request, wire::ErrorCode code, std::uint32_t retry_after_seconds = 0);
    Step too_fast(wire::ClientFrame const& frame, Millis wait);
    bool signature_holds(wire::Authenticate const& authenticate) const;

    LinkSettings settings_;
    Bytes nonce_;
    LinkState state_ = LinkState::fresh;
    wire::Hello hello_;
    Bytes hello_frame_;
    std::optional<crypto::VerifyKey> key_;  // that must have signed; absent: unknown device or invitation
    Side side_{};
    bool suspended_ = false;
    std::shared_ptr<RateBook> rates_;
    std::shared_ptr<RateBook> proven_rates_;  // until the login is proved
    std::set<RequestId> in_flight_;
    std::size_t unanswered_ = 0;  // under way, of those that have no answer
    int too_fast_count_ = 0;
};

}  // namespace interlude::core
