#include "server/core/delivery.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/schedule/gate.hpp"

namespace interlude::core {

bool waits_for(EnvelopeRow const& envelope, DeliveryRow const& device) {
    return envelope.epoch >= device.joined_epoch && envelope.sender != device.device &&
           !device.acked.contains(envelope.seq);
}

bool waits_for_any(EnvelopeRow const& envelope, std::vector<DeliveryRow> const& devices) {
    return std::any_of(devices.begin(), devices.end(), [&](auto const& device) { return waits_for(envelope, device); });
}

std::vector<AccountId> unreached_accounts(EnvelopeRow const& envelope, std::vector<AccountId> const& accounts,
                                          std::vector<DeliveryRow> const& devices) {
    std::vector<AccountId> unreached;
    for (auto const& account : accounts) {
        bool const reached =
            account == envelope.sender.account || std::any_of(devices.begin(), devices.end(), [&](auto const& device) {
                return device.device.account == account && envelope.epoch >= device.joined_epoch &&
                       device.acked.contains(envelope.seq);
            });
        if (!reached) unreached.push_back(account);
    }
    return unreached;
}

bool is_done(EnvelopeRow const& envelope, std::vector<AccountId> const& accounts,
             std::vector<DeliveryRow> const& devices) {
    return !waits_for_any(envelope, devices) && unreached_accounts(envelope, accounts, devices).empty();
}

bool Cuts::passes(Origin const& origin) const {
    auto cut = in_time;
    if (origin.late_sender) {
        auto const found = late.find(*origin.late_sender);
        if (found != late.end()) cut = found->second;
    }
    return cut && origin.stamp <= *cut;
}

Cuts cuts_for(AccountId const& account, Calendars const& calendars, WallTime now) {
    Cuts cuts;
    cuts.in_time = schedule::cut(gate_of(account, calendars), now);
    for (auto const& [sender, calendar] : calendars)
        if (sender != account)
            cuts.late[sender] = schedule::stamp_cut(gate_of(sender, calendars), gate_of(account, calendars), now);
    return cuts;
}

OfferPlan plan_offer(OfferFacts const& facts, ConversationSeen const& seen, TimeReading now, Policy const& policy,
                     std::size_t messages_max, std::size_t bytes_max) {
    OfferPlan plan;
    if (!now.believed) return plan;
    auto const& account = facts.device.device.account;

    std::uint64_t size = 0;
    for (auto const& envelope : facts.waiting) {
        if (seen.offered.contains(envelope.seq) || !waits_for(envelope, facts.device)) continue;
        if (!passes(envelope.origin(), account, facts.calendars, now.now)) continue;
        if (seen.offered.size() + plan.envelopes.size() >= offered_max) break;  // goes on with its acks
        bool const full = plan.envelopes.size() == messages_max || size + envelope.size > bytes_max;
        if (full && !plan.envelopes.empty()) {
            plan.more = true;
            break;
        }
        size += envelope.size;
        plan.envelopes.push_back(envelope.seq);
    }

    // Epochs below `ended` are over: nobody may send into them any more, and nothing of them waits for this device.
    // Acceptance goes by a stamp that may be stamp_life old (decide_submission); a second more for good measure.
    auto const closes = facts.epoch_began + policy.previous_epoch_grace + policy.stamp_life + std::chrono::seconds{1};
    bool const previous_open = now.now < closes;
    auto ended = previous_open && facts.epoch > 0 ? facts.epoch - 1 : facts.epoch;
    if (facts.oldest_waiting_epoch) ended = std::min(ended, *facts.oldest_waiting_epoch);
    if (ended > std::max(seen.epoch_ended, facts.device.joined_epoch) && open_at(account, facts.calendars, now.now))
        plan.epoch_end = ended - 1;
    return plan;
}

std::size_t bytes_of(wire::Welcome const& welcome) {
    auto const invitation =
        welcome.invitation ? welcome.invitation->bytes.size() + welcome.invitation->signature.size() : 0;
    return welcome.mls.size() + welcome.declaration.size() + welcome.redemption.size() +
           welcome.redemption_signature.size() + invitation;
}

WallTime expires_at(EnvelopeRow const& envelope, std::vector<AccountId> const& unreached, Calendars const& calendars,
                    Policy const& policy) {
    std::optional<WallTime> latest = envelope.stamp;
    for (auto const& account : unreached) {
        auto const at = passes_at(envelope.origin(), account, calendars);
        if (!at || !latest)
            latest = std::nullopt;
        else
            latest = std::max(*latest, *at);
    }
    return schedule::expires_at(envelope.stamp, latest, policy.hold_life);
}

void DocumentPages::add(wire::PublishedDocument document) {
    constexpr std::size_t frame_documents_bytes_max = base::limits::frame_bytes_max / 2;
    auto const size = document.document.bytes.size() + document.document.signature.size();
    if (frames_.empty() || bytes_of_last_ + size > frame_documents_bytes_max) {
        frames_.emplace_back();
        bytes_of_last_ = 0;
    }
    bytes_ += size;
    bytes_of_last_ += size;
    frames_.back().documents.push_back(std::move(document));
}

}  // namespace interlude::core
