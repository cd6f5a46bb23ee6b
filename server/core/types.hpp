// Small values that decisions, stores and services share.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/limits.hpp"
#include "common/base/time.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::core {

using base::AccountId;
using base::ConversationId;
using base::DeviceId;
using base::Hash32;
using base::InstanceId;
using base::InvitationId;
using base::Millis;
using base::RequestId;
using base::Side;
using base::SubjectId;
using base::WallTime;
using bytes::Bytes;
using bytes::ByteView;

struct DeviceRef {
    AccountId account;
    DeviceId device;
    auto operator<=>(DeviceRef const&) const = default;
};

/// What the server's clock says. When the time is not believed (exact.md, Time of a decision) releases, expiry and
/// purges wait; accepting goes on, held.
struct TimeReading {
    WallTime now{};
    bool believed = true;
};

/// Fresh entropy of one request: salts and subject keys of its transaction come from it (draws.hpp), so that decisions
/// stay pure. Never stored, never reused.
using Seed = base::Id<struct SeedTag, 32>;

/// What an operator may set; defaults are common/base/limits.hpp.
struct Policy {
    Millis hold_life = base::limits::hold_life_default;
    Millis previous_epoch_grace = base::limits::previous_epoch_grace;
    Millis stamp_life = base::limits::stamp_life;
    int commits_per_hour_max = base::limits::commits_per_hour_max;
    // Waiting for one account, over all its conversations; and in one of them, so that nobody fills another's room.
    std::uint64_t undelivered_messages_max = 100'000;
    std::uint64_t undelivered_bytes_max = 1024 * 1024 * 1024;
    std::uint64_t undelivered_messages_per_conversation_max = 1'000;
    std::uint64_t undelivered_bytes_per_conversation_max = 10 * 1024 * 1024;
    std::size_t message_bytes_max = base::limits::frame_bytes_max - 4 * 1024;  // room for the frame around it
    int key_packages_per_device = base::limits::key_packages_per_device;
    int lists_per_day_max = 20;      // of one account; each is an entry and goes to everybody who knows it
    int schedules_per_day_max = 50;  // likewise
    int open_invitations_max = base::limits::open_invitations_per_therapist_max;
    Millis invitation_life_max = std::chrono::days{31};
};

/// Announced after a transaction is durable: something may have become deliverable to links of these accounts.
struct Changed {
    std::optional<ConversationId> conversation;  // absent: documents; look at every conversation of these accounts
    std::uint64_t up_to = 0;                     // the highest seq accepted; 0: something other than an envelope
    std::vector<AccountId> accounts;
    std::vector<DeviceRef> dropped;   // devices that a newer list removed: their links end (4403)
    std::optional<DeviceRef> author;  // of the envelope: it is not offered its own
    bool operator==(Changed const&) const = default;
};

}  // namespace interlude::core
