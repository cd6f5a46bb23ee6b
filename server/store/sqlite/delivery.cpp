// What a device is sent next, and what it says it has. Readings are bounded by what waits in one conversation.
#include <algorithm>

#include "server/store/sqlite/verbs.hpp"

namespace interlude::store_sqlite {

using namespace ports;

namespace {

constexpr std::size_t documents_per_reading_max = 16;
constexpr std::size_t fates_per_offer_max = 256;
constexpr base::Millis stamps_out_of_order_max = std::chrono::minutes{1};

}  // namespace

/// Their bytes; `more` if they filled the page.
std::size_t Verbs::offer_documents(Offer& offer, OfferRequest const& request) {
    core::DocumentPages pages(request.bytes_max);
    for (auto const& account : accounts_of(request.conversation)) {
        auto& known = offer.documents[account];
        bool left = true;
        while (left && !pages.full()) {
            auto lists = lists_after(account, {known.list_generation, known.list_version}, documents_per_reading_max);
            left = lists.size() == documents_per_reading_max;
            for (auto& list : lists) {
                if (pages.full()) break;
                auto const at = identity::decode_device_list(list.document.bytes)->position();
                known.list_generation = at.generation;
                known.list_version = at.version;
                pages.add(std::move(list));
            }
        }
        for (left = true; left && !pages.full();) {
            auto schedules = schedules_after(account, known.calendar, documents_per_reading_max);
            left = schedules.size() == documents_per_reading_max;
            for (auto& schedule : schedules) {
                if (pages.full()) break;
                ++known.calendar;
                pages.add(std::move(schedule));
            }
        }
    }
    for (auto const& frame : pages.frames()) offer.items.push_back(frame);
    offer.more = pages.full();
    return pages.bytes();
}

/// Its bytes.
std::size_t Verbs::offer_welcome(Offer& offer, OfferRequest const& request) {
    auto const& [account, device] = request.device;
    auto const epoch =
        db_.value<std::uint64_t>("SELECT epoch FROM welcomes WHERE conversation = ? AND account = ? AND device = ?",
                                 request.conversation, account, device);
    if (!epoch || offer.seen.welcomed == *epoch) return 0;
    auto rows = db_.query(
        "SELECT generation, sender_device, stamp, mls, declaration, invitation, invitation_signature, redemption,"
        " redemption_signature FROM welcomes WHERE conversation = ? AND account = ? AND device = ?",
        request.conversation, account, device);
    INTERLUDE_CHECK(rows.next());
    auto [generation, sender, stamp, mls, declaration, document, signature, redemption, redemption_signature] =
        rows.as<std::uint32_t, DeviceId, WallTime, Bytes, Bytes, std::optional<Bytes>, std::optional<Bytes>, Bytes,
                Bytes>();
    wire::Welcome welcome{request.conversation,
                          generation,
                          *epoch,
                          sender,
                          stamp,
                          std::move(mls),
                          std::move(declaration),
                          std::nullopt,
                          std::move(redemption),
                          std::move(redemption_signature)};
    if (document)
        welcome.invitation =
            wire::SignedDocument{wire::DocumentKind::invitation, std::move(*document), signature.value_or(Bytes{})};
    auto const size = core::bytes_of(welcome);
    offer.items.push_back(std::move(welcome));
    offer.seen.welcomed = *epoch;
    return size;
}

/// Their bytes; `more` if they filled what `taken` left of the page.
std::size_t Verbs::offer_handshakes(Offer& offer, OfferRequest const& request, std::size_t taken,
                                    core::DeliveryRow const& delivery) {
    std::size_t size = 0;
    auto const from = std::max({delivery.joined_epoch, delivery.handshake_acked, offer.seen.handshakes});
    auto rows = db_.query(
        "SELECT epoch, generation, sender_device, stamp, mls, declaration FROM handshakes"
        " WHERE conversation = ? AND epoch >= ? ORDER BY epoch",
        request.conversation, from);
    while (rows.next()) {
        if (taken + size >= request.bytes_max) {
            offer.more = true;
            break;
        }
        auto const epoch = rows.get<std::uint64_t>(0);
        offer.seen.handshakes = epoch + 1;
        auto mls = rows.get<Bytes>(4);
        size += mls.size();
        offer.items.push_back(wire::Handshake{request.conversation, rows.get<std::uint32_t>(1), epoch,
                                              rows.get<DeviceId>(2), rows.get<WallTime>(3), std::move(mls),
                                              rows.get<Bytes>(5)});
    }
    return size;
}

std::vector<Bytes> Verbs::load_waiting(core::OfferFacts& facts, ConversationId const& id,
                                       std::set<std::uint64_t> const& offered, core::TimeReading time,
                                       std::size_t messages_max, std::size_t bytes_max) {
    std::vector<Bytes> contents;
    auto const cuts = core::cuts_for(facts.device.device.account, facts.calendars, time.now);
    auto latest_cut = cuts.in_time;
    for (auto const& [account, cut] : cuts.late)
        if (cut && (!latest_cut || *latest_cut < *cut)) latest_cut = cut;

    // Between the ranges that the device acked, and after the last of them.
    std::optional<std::uint64_t> first_seq;
    std::uint64_t size = 0;
    auto const scan = [&](std::uint64_t from, std::uint64_t up_to) {
        auto rows = db_.query(
            "SELECT seq, generation, epoch, account, device, late_sender, stamp, hash, size, mls FROM envelopes"
            " WHERE conversation = ? AND seq BETWEEN ? AND ? ORDER BY seq",
            id, from, up_to);
        while (rows.next()) {
            auto const [seq, generation, epoch, account, device, late_sender, stamp, hash, bytes] =
                rows.as<std::uint64_t, std::uint32_t, std::uint64_t, AccountId, DeviceId, std::optional<AccountId>,
                        WallTime, Hash32, std::uint64_t>();
            core::EnvelopeRow row{seq, generation, epoch, {account, device}, late_sender, stamp, hash, bytes};
            if (!core::waits_for(row, facts.device)) continue;
            if (!first_seq) {
                first_seq = seq;
                facts.oldest_waiting_epoch = epoch;
            }
            // Stamps follow the order of seqs but for moments: nothing later passes either.
            if (!latest_cut || stamp > *latest_cut + policy_.stamp_life + stamps_out_of_order_max) return false;
            if (offered.contains(seq) || !cuts.passes(row.origin())) continue;
            facts.waiting.push_back(std::move(row));
            contents.push_back(rows.get<Bytes>(9));
            size += bytes;
            // One more than a page takes: that tells that there is more.
            if (facts.waiting.size() > messages_max || (size > bytes_max && facts.waiting.size() > 1)) return false;
        }
        return true;
    };
    auto from = facts.device.acked.cursor();
    bool go_on = true;
    for (auto const& range : facts.device.acked.ranges()) {
        if (!go_on) break;
        go_on = scan(from, range.first - 1);
        from = range.last + 1;
    }
    if (go_on) scan(from, INT64_MAX);

    if (!first_seq) return contents;
    auto rows =
        db_.query("SELECT seq, epoch, account, device FROM envelopes WHERE conversation = ? AND straggler AND seq > ?",
                  id, *first_seq);
    while (rows.next()) {
        auto const [seq, epoch, account, device] = rows.as<std::uint64_t, std::uint64_t, AccountId, DeviceId>();
        core::EnvelopeRow row;
        row.seq = seq;
        row.epoch = epoch;
        row.sender = {account, device};
        if (core::waits_for(row, facts.device))
            facts.oldest_waiting_epoch = std::min(*facts.oldest_waiting_epoch, epoch);
    }
    return contents;
}

void Verbs::offer_envelopes(Offer& offer, OfferRequest const& request, ConversationRow const& row,
                            core::DeliveryRow const& delivery, std::size_t bytes_max) {
    auto const time = now();
    auto const& id = request.conversation;
    auto& seen = offer.seen;
    bool const envelopes_only = seen.as_of == changes_;
    std::erase_if(seen.offered, [&](std::uint64_t seq) {  // acked, or recalled or expired
        return delivery.acked.contains(seq) ||
               (!envelopes_only && !db_.exists("SELECT 1 FROM envelopes WHERE conversation = ? AND seq = ?", id, seq));
    });
    core::OfferFacts facts{delivery, row.epoch, row.epoch_began, {}, std::nullopt, calendars_of(id)};
    std::vector<Bytes> contents;
    if (time.believed) contents = load_waiting(facts, id, seen.offered, time, request.messages_max, bytes_max);
    auto const plan = core::plan_offer(facts, seen, time, policy_, request.messages_max, bytes_max);
    for (std::size_t i = 0; i < facts.waiting.size(); ++i) {
        auto const& envelope = facts.waiting[i];
        if (!std::binary_search(plan.envelopes.begin(), plan.envelopes.end(), envelope.seq)) continue;
        offer.items.push_back(wire::Envelope{id, envelope.seq, envelope.generation, envelope.epoch,
                                             envelope.sender.account, envelope.sender.device, envelope.stamp,
                                             envelope.hash, std::move(contents[i])});
        seen.offered.insert(envelope.seq);
    }
    offer.more = plan.more;
    if (!envelopes_only) offer_fates(offer, request);
    if (plan.epoch_end) {
        offer.items.push_back(wire::EpochEnd{id, row.generation, *plan.epoch_end});
        seen.epoch_ended = *plan.epoch_end + 1;
    }
}

void Verbs::offer_fates(Offer& offer, OfferRequest const& request) {
    std::size_t count = 0;
    auto rows = db_.query(
        "SELECT number, seq, kind, account FROM fates WHERE conversation = ? AND number > ? AND author = ?"
        " ORDER BY number LIMIT ?",
        request.conversation, offer.seen.fates, request.device.account, fates_per_offer_max);
    while (rows.next()) {
        auto const [number, seq, kind, account] =
            rows.as<std::uint64_t, std::uint64_t, wire::FateKind, std::optional<AccountId>>();
        offer.items.push_back(wire::Fate{request.conversation, seq, kind, account});
        offer.seen.fates = number;
        ++count;
    }
    if (count == fates_per_offer_max) offer.more = true;
}

Offer Verbs::offer_from(OfferRequest const& request) {
    Offer offer;
    auto const& id = request.conversation;
    auto const place = place_of(id, request.device);
    if (!place) {
        offer.member = false;
        return offer;
    }
    auto const row = conversation(id).value();
    offer.seen = request.seen;
    offer.documents = request.documents;
    auto& seen = offer.seen;
    if (!seen.known || seen.epoch != row.epoch || seen.closed != row.closed) {
        offer.items.push_back(wire::StateChanged{{state_of(id, row, place->last_own_seq)}, subjects_of(id)});
        seen.known = true;
        seen.generation = row.generation;
        seen.epoch = row.epoch;
        seen.closed = row.closed;
    }
    seen.epoch_ended = std::max(seen.epoch_ended, place->delivery.joined_epoch);  // those before are not its business
    std::size_t size = 0;
    if (seen.as_of != changes_) {
        size = offer_documents(offer, request);
        if (offer.more) return offer;  // what follows is judged by documents
        size += offer_welcome(offer, request);
        size += offer_handshakes(offer, request, size, place->delivery);
        if (offer.more) return offer;
    }
    offer_envelopes(offer, request, row, place->delivery, request.bytes_max - std::min(size, request.bytes_max));
    if (!offer.more) seen.as_of = changes_;
    return offer;
}

// ---- Acks ----------------------------------------------------------------------------------------------------------

void Verbs::ack(DeviceRef const& device, ConversationId const& id, std::vector<std::uint64_t> const& seqs) {
    auto around = surroundings_of(id);
    auto const mine = std::find_if(around.deliveries.begin(), around.deliveries.end(),
                                   [&](core::DeliveryRow const& row) { return row.device == device; });
    if (mine == around.deliveries.end()) return;
    auto const time = now().now;
    std::vector<core::EnvelopeRow> acked;
    for (auto const seq : seqs) {
        auto const row = envelope(id, seq);
        if (!row || !core::waits_for(*row, *mine)) continue;
        // What was never offered cannot be acked: an app could hide a held message from its own account.
        if (!core::passes(row->origin(), device.account, around.calendars, time)) continue;
        if (mine->acked.add(seq)) acked.push_back(*row);
    }
    if (acked.empty()) return;
    std::vector<core::EnvelopeRow> done;
    for (auto const& row : acked) {
        if (core::is_done(row, around.accounts, around.deliveries))
            done.push_back(row);
        else  // who has not fetched it yet changed, and with it when it expires
            db_.run("UPDATE envelopes SET look_at = ? WHERE conversation = ? AND seq = ?",
                    row.stamp + policy_.hold_life, id, row.seq);
    }
    forget(id, done, around.accounts);
    advance_cursor(id, *mine, conversation(id)->next_seq);
    db_.run("UPDATE places SET acked = ? WHERE conversation = ? AND account = ? AND device = ?", mine->acked.encode(),
            id, device.account, device.device);
}

/// Over what does not wait for the device: own, from before it joined, recalled, expired.
void Verbs::advance_cursor(ConversationId const& id, core::DeliveryRow& delivery, std::uint64_t next_seq) {
    while (delivery.acked.cursor() < next_seq) {
        auto const& ranges = delivery.acked.ranges();
        auto const gap_end = ranges.empty() ? next_seq : ranges.front().first;
        auto const waiting = db_.value<std::uint64_t>(
            "SELECT seq FROM envelopes WHERE conversation = ? AND seq >= ? AND seq < ? AND epoch >= ?"
            " AND NOT (account = ? AND device = ?) ORDER BY seq LIMIT 1",
            id, delivery.acked.cursor(), gap_end, delivery.joined_epoch, delivery.device.account,
            delivery.device.device);
        if (waiting) return delivery.acked.advance_to(*waiting);
        delivery.acked.advance_to(gap_end);
    }
}

void Verbs::ack_handshake(DeviceRef const& device, ConversationId const& id, std::uint32_t generation,
                          std::uint64_t epoch) {
    auto const row = conversation(id);
    auto const place = place_of(id, device);
    if (!row || !place || generation != row->generation || epoch > row->epoch) return;
    if (epoch > place->delivery.handshake_acked)
        db_.run("UPDATE places SET handshake_acked = ? WHERE conversation = ? AND account = ? AND device = ?", epoch,
                id, device.account, device.device);
    db_.run("DELETE FROM welcomes WHERE conversation = ? AND account = ? AND device = ? AND epoch <= ?", id,
            device.account, device.device, epoch);
}

}  // namespace interlude::store_sqlite
