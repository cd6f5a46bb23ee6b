// Which envelopes, handshakes and notices a device is sent next, and when an envelope may be forgotten (exact.md,
// Delivery and Life). The stores load rows without their bytes, these functions choose, the stores load what was
// chosen.
#pragma once

#include <map>
#include <set>

#include "server/core/acked.hpp"
#include "server/core/calendars.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

/// An accepted envelope without its ciphertext. `from` is never stored: it follows from late_sender's calendar.
struct EnvelopeRow {
    std::uint64_t seq = 0;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    DeviceRef sender;
    std::optional<AccountId> late_sender;
    WallTime stamp{};
    Hash32 hash;
    std::uint64_t size = 0;
    bool operator==(EnvelopeRow const&) const = default;
};

/// One device's place in a conversation's delivery list.
struct DeliveryRow {
    DeviceRef device;
    std::uint64_t joined_epoch = 0;     // it is entitled to envelopes of this epoch and later ones
    std::uint64_t handshake_acked = 0;  // the handshakes that ended earlier epochs are in its vault
    AckedSet acked;
    bool operator==(DeliveryRow const&) const = default;
};

/// Is this envelope one that the device is to be offered and has not acked?
bool waits_for(EnvelopeRow const& envelope, DeliveryRow const& device);

/// What one link was already sent of one conversation. Lives with the link, never in a store.
struct ConversationSeen {
    bool known = false;  // its state was sent, in Ready or StateChanged, as:
    std::uint32_t generation = 0;
    std::uint64_t epoch = 0;
    std::size_t devices = 0;                // in its delivery list
    std::optional<std::uint64_t> welcomed;  // epoch of the Welcome sent
    std::uint64_t handshakes = 0;           // those that ended epochs below this were sent
    std::set<std::uint64_t> offered;        // envelopes sent and not acked yet
    std::uint64_t epoch_ended = 0;          // epochs below this were announced as ended
    std::uint64_t fates = 0;                // notices up to this number were sent
};

/// How much of an account's documents one link was sent.
struct DocumentsSeen {
    std::uint64_t list_generation = 0;
    std::uint64_t list_version = 0;
    std::uint64_t calendar = 0;  // number of the newest schedule
    bool operator==(DocumentsSeen const&) const = default;
};
using DocumentsSeenByAccount = std::map<AccountId, DocumentsSeen>;

struct OfferFacts {
    DeliveryRow device;
    std::uint64_t epoch = 0;  // the present one
    WallTime epoch_began{};
    std::vector<EnvelopeRow> waiting;  // in seq order, from the device's cursor on, those not acked; may be cut short
    bool cut_short = false;
    Calendars calendars;  // of the conversation's gated accounts
    bool gated = false;   // the device's own account
};

struct OfferPlan {
    std::vector<std::uint64_t> envelopes;    // seqs to send now, in order
    std::optional<std::uint64_t> epoch_end;  // to announce: this epoch and all before it are done for the device
    bool more = false;                       // the page was full
};
/// `seen` is what the link got before; handshakes up to the present epoch are sent before (the store's part).
OfferPlan plan_offer(OfferFacts const& facts, ConversationSeen const& seen, TimeReading now, Policy const& policy,
                     std::size_t messages_max, std::size_t bytes_max);

/// When an envelope that still waits for somebody expires (exact.md, Life).
WallTime expires_at(EnvelopeRow const& envelope, std::vector<AccountId> const& recipients, Calendars const& calendars,
                    Policy const& policy);

}  // namespace interlude::core
