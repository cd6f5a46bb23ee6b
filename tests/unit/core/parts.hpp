// Small real things to decide about: people with device lists, MLS messages as the server sees them, calendars.
#pragma once

#include "common/crypto/entropy.hpp"
#include "common/identity/redemption.hpp"
#include "common/mls_framing/declaration.hpp"
#include "common/schedule/override_document.hpp"
#include "common/schedule/schedule_document.hpp"
#include "server/core/calendars.hpp"
#include "server/core/key_directory.hpp"
#include "server/core/types.hpp"

namespace interlude::test {

using base::AccountId;
using base::ConversationId;
using base::DeviceId;
using base::Millis;
using base::Side;
using base::WallTime;
using bytes::Bytes;
using core::DeviceRef;
using mls_framing::KeyPackageRef;
using namespace std::chrono_literals;

inline WallTime const monday_noon = base::wall_seconds(1'717'416'000);  // 2024-06-03 12:00 UTC

/// Made of this byte only.
inline AccountId account(std::uint8_t n) {
    AccountId id;
    id.bytes.fill(n);
    return id;
}

// ---- MLS messages with nothing inside
// --------------------------------------------------------------------------------

Bytes application_message(Bytes const& group_id, std::uint64_t epoch, std::size_t size = 300, std::uint8_t fill = 1,
                          Bytes authenticated_data = {});
/// A commit whose authenticated_data is the hash of this declaration.
Bytes commit_message(Bytes const& group_id, std::uint64_t epoch, Bytes const& declaration, std::uint8_t fill = 1,
                     std::size_t size = 600);
Bytes welcome_message(std::vector<KeyPackageRef> const& refs);

// ---- People
// ----------------------------------------------------------------------------------------------------------

class Human {
  public:
    Human(Side side, crypto::Entropy& entropy, WallTime now, std::size_t devices = 1);

    Side side() const { return side_; }
    AccountId const& account() const { return list_.list().account(); }
    DeviceRef device(std::size_t number = 0) const { return {account(), devices_.at(number).id}; }
    crypto::SigningKey const& device_key(std::size_t number = 0) const { return devices_.at(number).key; }
    identity::VerifiedDeviceList const& list() const { return list_; }
    wire::SignedDocument list_document() const { return core::as_document(list_.as_signed()); }

    /// Signs the next list and makes it the newest.
    wire::SignedDocument add_device(crypto::Entropy& entropy, WallTime now);
    wire::SignedDocument drop_device(std::size_t number, WallTime now);

    /// MLSMessage(KeyPackage).
    Bytes key_package(crypto::Entropy& entropy, WallTime now, std::size_t device = 0,
                      Millis life = std::chrono::days{20}) const;

  private:
    struct Device {
        DeviceId id;
        crypto::SigningKey key;
        WallTime added;
    };
    std::vector<identity::ListedDevice> listed() const;

    Side side_;
    crypto::SigningKey list_key_;
    std::vector<Device> devices_;
    identity::VerifiedDeviceList list_;
};

KeyPackageRef ref_of(Bytes const& key_package);

// ---- Hours
// -----------------------------------------------------------------------------------------------------------

base::Interval span(WallTime start, Millis length);
/// One schedule, number 1, in force from the beginning of time, open in these spans.
core::CalendarPtr open_in(std::vector<base::Interval> windows);

struct ScheduleParts {
    std::vector<base::Interval> openings;
    std::vector<base::Interval> closures;
    std::uint64_t number = 1;
    base::Hash32 previous;
    WallTime effective_from{};
};
/// A document in UTC without weekly hours, compiled at `now`, signed by the device.
wire::SignedDocument schedule_by(Human const& therapist, ScheduleParts const& parts, WallTime now,
                                 std::size_t device = 0);
base::Hash32 schedule_hash(wire::SignedDocument const& document);

struct OverrideParts {
    schedule::OverrideKind kind = schedule::OverrideKind::open_now;
    base::Interval span{};
    std::uint64_t number = 1;
    base::Hash32 previous{};
    schedule::OverrideReason reason = schedule::OverrideReason::illness;
    std::optional<ConversationId> conversation{};
};
wire::SignedDocument override_by(Human const& therapist, OverrideParts const& parts, std::size_t device = 0);
base::Hash32 override_hash(wire::SignedDocument const& document);

inline wire::SignedDocument signed_document(identity::SignedInvitation const& invitation) {
    return {wire::DocumentKind::invitation, invitation.bytes, bytes::copy(invitation.signature.span())};
}
identity::InvitationDocument invitation_by(Human const& therapist, crypto::SigningKey const& key, WallTime expiry);

}  // namespace interlude::test
