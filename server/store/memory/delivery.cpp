// What a device is sent next, and what it says it has.
#include <algorithm>

#include "server/store/memory/memory_store.hpp"

namespace interlude::store_memory {

using namespace ports;

core::DocumentPages MemoryStore::documents_after(ConversationRow const& conversation,
                                                 core::DocumentsSeenByAccount& seen, std::size_t bytes_max) const {
    core::DocumentPages pages(bytes_max);
    for (auto const& [id, member] : conversation.members) {
        auto const& account = disk_->accounts.at(id);
        auto& known = seen[id];
        for (auto const& list : account.lists) {
            auto const at = identity::decode_device_list(list.document.bytes)->position();
            if (pages.full() || at <= identity::ListPosition{known.list_generation, known.list_version}) continue;
            known.list_generation = at.generation;
            known.list_version = at.version;
            pages.add(list);
        }
        for (; known.calendar < account.schedules.size() && !pages.full(); ++known.calendar)
            pages.add(account.schedules[known.calendar]);
    }
    return pages;
}

MemoryStore::Awaitable<Offer> MemoryStore::offer_from(OfferRequest request) {
    auto const time = now();
    Offer offer;
    auto* row = conversation(request.conversation);
    auto const* device = row ? delivery_of(*row, request.device) : nullptr;
    if (!device) {
        offer.member = false;
        co_return offer;
    }
    auto seen = std::move(request.seen);
    auto documents_seen = std::move(request.documents);
    auto const& delivery = device->delivery;

    if (!seen.known || seen.epoch != row->epoch || seen.closed != row->closed) {
        offer.items.push_back(wire::StateChanged{{state_of(request.conversation, *row, request.device)},
                                                 subjects_of(request.conversation, *row)});
        seen.known = true;
        seen.generation = row->generation;
        seen.epoch = row->epoch;
        seen.closed = row->closed;
    }
    seen.epoch_ended = std::max(seen.epoch_ended, delivery.joined_epoch);  // those before are not its business
    auto const documents = documents_after(*row, documents_seen, request.bytes_max);
    for (auto const& frame : documents.frames()) offer.items.push_back(frame);
    if (documents.full()) {  // what follows is judged by documents
        offer.more = true;
        offer.seen = std::move(seen);
        offer.documents = std::move(documents_seen);
        co_return offer;
    }

    auto size = documents.bytes();
    auto const welcome = row->welcomes.find(request.device);
    if (welcome != row->welcomes.end() && seen.welcomed != welcome->second.epoch) {
        size += core::bytes_of(welcome->second);
        offer.items.push_back(welcome->second);
        seen.welcomed = welcome->second.epoch;
    }

    auto const from = std::max({delivery.joined_epoch, delivery.handshake_acked, seen.handshakes});
    for (auto item = row->handshakes.lower_bound(from); item != row->handshakes.end(); ++item) {
        if (size >= request.bytes_max) {
            offer.more = true;
            break;
        }
        offer.items.push_back(item->second);
        size += item->second.mls.size();
        seen.handshakes = item->first + 1;
    }

    if (!offer.more) {
        core::OfferFacts facts{delivery, row->epoch, row->epoch_began, {}, std::nullopt, calendars_of(*row)};
        auto const still_offered = std::move(seen.offered);
        seen.offered.clear();
        for (auto const& [seq, envelope] : row->envelopes) {
            if (!core::waits_for(envelope.row, delivery)) continue;
            auto const epoch = envelope.row.epoch;
            facts.oldest_waiting_epoch = std::min(facts.oldest_waiting_epoch.value_or(epoch), epoch);
            if (still_offered.contains(seq))
                seen.offered.insert(seq);
            else
                facts.waiting.push_back(envelope.row);
        }
        auto const plan = core::plan_offer(facts, seen, time, policy_, request.messages_max,
                                           request.bytes_max - std::min<std::size_t>(size, request.bytes_max));
        for (auto const seq : plan.envelopes) {
            auto const& [envelope, mls] = row->envelopes.at(seq);
            offer.items.push_back(wire::Envelope{request.conversation, seq, envelope.generation, envelope.epoch,
                                                 envelope.sender.account, envelope.sender.device, envelope.stamp,
                                                 envelope.hash, mls});
            seen.offered.insert(seq);
        }
        offer.more = plan.more;
        for (auto const& fate : row->fates) {
            if (fate.author != request.device.account || fate.number <= seen.fates) continue;
            offer.items.push_back(fate.fate);
            seen.fates = fate.number;
        }
        if (plan.epoch_end) {
            offer.items.push_back(wire::EpochEnd{request.conversation, row->generation, *plan.epoch_end});
            seen.epoch_ended = *plan.epoch_end + 1;
        }
    }
    offer.seen = std::move(seen);
    offer.documents = std::move(documents_seen);
    co_return offer;
}

MemoryStore::Awaitable<void> MemoryStore::ack(DeviceRef device, ConversationId conversation_id,
                                              std::vector<std::uint64_t> seqs) {
    auto* row = conversation(conversation_id);
    auto* place = row ? delivery_of(*row, device) : nullptr;
    if (!place) co_return;
    auto const calendars = calendars_of(*row);
    auto const time = now().now;
    for (auto const seq : seqs) {
        auto const envelope = row->envelopes.find(seq);
        if (envelope == row->envelopes.end() || !core::waits_for(envelope->second.row, place->delivery)) continue;
        // What was never offered cannot be acked: an app could hide a held message from its own account.
        if (!core::passes(envelope->second.row.origin(), device.account, calendars, time)) continue;
        place->delivery.acked.add(seq);
    }
    settle(*row);
}

MemoryStore::Awaitable<void> MemoryStore::ack_handshake(DeviceRef device, ConversationId conversation_id,
                                                        std::uint32_t generation, std::uint64_t epoch) {
    auto* row = conversation(conversation_id);
    auto* place = row ? delivery_of(*row, device) : nullptr;
    if (!place || generation != row->generation || epoch > row->epoch) co_return;
    auto& acked = place->delivery.handshake_acked;
    acked = std::max(acked, epoch);
    auto const welcome = row->welcomes.find(device);
    if (welcome != row->welcomes.end() && epoch >= welcome->second.epoch) row->welcomes.erase(welcome);
}

}  // namespace interlude::store_memory
