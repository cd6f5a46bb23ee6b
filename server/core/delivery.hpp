// Which envelopes, handshakes and notices a device is sent next, and when an envelope may be forgotten (exact.md,
// Delivery and Life). The stores load rows without their bytes, these functions choose, the stores load what was
// chosen.
#pragma once

#include <map>
#include <set>

#include "common/wire/frames.hpp"
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
    Origin origin() const { return {sender.account, late_sender, stamp}; }
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
    bool closed = false;
    std::optional<std::uint64_t> welcomed;  // epoch of the Welcome sent
    std::uint64_t handshakes = 0;           // those that ended epochs below this were sent
    std::set<std::uint64_t> offered;        // envelopes sent and not acked yet
    std::uint64_t epoch_ended = 0;          // epochs below this were announced as ended
    std::uint64_t fates = 0;                // notices up to this number were sent
    std::uint64_t as_of = 0;  // the store's own mark of how far all but envelopes was looked at; 0: not yet
};

/// How much of an account's documents one link was sent.
struct DocumentsSeen {
    std::uint64_t list_generation = 0;
    std::uint64_t list_version = 0;
    std::uint64_t calendar = 0;  // number of the newest schedule
    bool operator==(DocumentsSeen const&) const = default;
};
using DocumentsSeenByAccount = std::map<AccountId, DocumentsSeen>;

/// Documents on their way to a device, in frames that are not too large, so many of them as an offer takes.
class DocumentPages {
  public:
    explicit DocumentPages(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    /// What else there is has to wait for the next offer.
    bool full() const { return bytes_ >= bytes_max_; }
    void add(wire::PublishedDocument document);
    std::size_t bytes() const { return bytes_; }
    std::vector<wire::Documents> const& frames() const { return frames_; }

  private:
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::size_t bytes_of_last_ = 0;
    std::vector<wire::Documents> frames_;
};

/// By stamp, what passes for an account by now: a filter for queries. plan_offer asks the calendars again.
struct Cuts {
    std::optional<WallTime> in_time;                    // envelopes without a late sender; nullopt: none
    std::map<AccountId, std::optional<WallTime>> late;  // envelopes with this late sender
    bool passes(Origin const& origin) const;
};
Cuts cuts_for(AccountId const& account, Calendars const& calendars, WallTime now);

/// What counts of a Welcome: with its redemption it is the largest thing that an offer may begin with.
std::size_t bytes_of(wire::Welcome const& welcome);

struct OfferFacts {
    DeliveryRow device;
    std::uint64_t epoch = 0;  // the present one
    WallTime epoch_began{};
    /// What waits for the device and was not sent to its link, in seq order; what does not pass by now may be left out.
    std::vector<EnvelopeRow> waiting;
    /// Over all envelopes that wait for the device, passing or not.
    std::optional<std::uint64_t> oldest_waiting_epoch;
    Calendars calendars;  // of the conversation's gated accounts
};

struct OfferPlan {
    std::vector<std::uint64_t> envelopes;    // seqs to send now, in order
    std::optional<std::uint64_t> epoch_end;  // to announce: this epoch and all before it are done for the device
    bool more = false;                       // the page was full
};
/// More envelopes than this are not on the way to one link unacked: it is offered more when it acks.
inline constexpr std::size_t offered_max = 256;
/// `seen` is what the link got before. The store sends all handshakes up to the present epoch first.
OfferPlan plan_offer(OfferFacts const& facts, ConversationSeen const& seen, TimeReading now, Policy const& policy,
                     std::size_t messages_max, std::size_t bytes_max);

/// Does it still wait for any of these devices?
bool waits_for_any(EnvelopeRow const& envelope, std::vector<DeliveryRow> const& devices);
/// The accounts, of those in the conversation, that it was for and of which no device acked it.
std::vector<AccountId> unreached_accounts(EnvelopeRow const& envelope, std::vector<AccountId> const& accounts,
                                          std::vector<DeliveryRow> const& devices);
/// Every device that it was for has acked it, and one of each recipient account at least: it may be forgotten.
bool is_done(EnvelopeRow const& envelope, std::vector<AccountId> const& accounts,
             std::vector<DeliveryRow> const& devices);

/// When an envelope that still waits for somebody expires (exact.md, Life).
WallTime expires_at(EnvelopeRow const& envelope, std::vector<AccountId> const& unreached, Calendars const& calendars,
                    Policy const& policy);

}  // namespace interlude::core
