#include "tests/sim/witness.hpp"

#include <cstdio>

#include "common/bytes/text.hpp"
#include "common/crypto/hash.hpp"
#include "common/wire/calendar_documents.hpp"
#include "common/wire/codec.hpp"

namespace interlude::sim {

using namespace std::chrono_literals;

namespace {

/// How long after an envelope passes, or its reader's link is ready, the server may take to offer it. Virtual time
/// goes on only while everybody waits, so this is for timers alone.
constexpr auto offer_time_max = 3s;

std::string at(std::optional<WallTime> const& t) {
    return t ? clock_time(*t) : "an unknown time";
}

}  // namespace

std::string clock_time(WallTime t) {
    auto const ms = base::to_ms(t);
    auto const second = (ms / 1000) % 86'400;
    char text[32];
    std::snprintf(text, sizeof text, "%02d %02d:%02d:%02d.%03d", static_cast<int>(ms / 86'400'000 % 100),
                  static_cast<int>(second / 3600), static_cast<int>(second / 60 % 60), static_cast<int>(second % 60),
                  static_cast<int>(ms % 1000));
    return text;
}

std::string short_name(ByteView id) {
    return bytes::to_hex(id.first(3));
}

std::vector<Party> Witness::members(ConversationId const& conversation) const {
    std::vector<Party> parties;
    for (auto const& [account, member] : disk_.conversations.at(conversation).members)
        parties.push_back({account, member.side == base::Side::therapist});
    return parties;
}

std::map<AccountId, std::optional<WallTime>> Witness::holds_at(WallTime stamp, Party const& sender,
                                                               ConversationId const& conversation,
                                                               WallTime known) const {
    std::map<AccountId, std::optional<WallTime>> holds;
    for (auto const& reader : members(conversation)) {
        if (reader.account == sender.account) continue;
        auto const from = hours_.passes_from(stamp, sender, reader, known);
        if (from != stamp) holds[reader.account] = from;
    }
    return holds;
}

// ---- What apps say -------------------------------------------------------------------------------------------------

void Witness::app_said(Seen& link, ByteView message) {
    auto const frame = wire::decode_client_frame(message);
    if (!frame) return story_.fail(link.who + " sent bytes that are no frame");
    if (auto const* hello = std::get_if<wire::Hello>(&frame->body)) {
        if (auto const* login = std::get_if<wire::DeviceLogin>(&hello->who))
            link.device = DeviceRef{login->account, login->device};
    } else if (auto const* send = std::get_if<wire::Send>(&frame->body)) {
        if (!link.ready_at) return;
        auto& sent = sent_[{*link.device, frame->request}];
        story_.count(sent.arrivals.empty() ? Happening::send_arrived : Happening::send_repeated);
        sent.conversation = send->conversation;
        sent.by = *link.device;
        sent.arrivals.insert(clock_.now());
    } else if (std::holds_alternative<wire::SchedulePut>(frame->body) ||
               std::holds_alternative<wire::OverridePut>(frame->body)) {
        puts_.insert(frame->request);
    } else if (std::holds_alternative<wire::Commit>(frame->body)) {
        story_.count(Happening::commit_sent);
        commits_.insert(frame->request);
    }
}

// ---- What the server says ------------------------------------------------------------------------------------------

void Witness::server_said(Seen& link, wire::ServerFrame const& frame) {
    auto const& body = frame.body;
    read_hours();
    if (std::holds_alternative<wire::Ready>(body)) {
        link.ready_at = clock_.now();
    } else if (auto const* stored = std::get_if<wire::Stored>(&body)) {
        on_stored(link, frame.request, *stored);
    } else if (std::holds_alternative<wire::Held>(body)) {
        story_.count(Happening::proof_given);
    } else if (auto const* envelope = std::get_if<wire::Envelope>(&body)) {
        on_envelope(link, *envelope);
    } else if (auto const* fate = std::get_if<wire::Fate>(&body)) {
        if (fate->kind == wire::FateKind::recalled) recalled_.insert({fate->conversation, fate->seq});
    } else if (std::holds_alternative<wire::EpochStale>(body)) {
        story_.count(Happening::epoch_stale);
    } else if (std::holds_alternative<wire::Conflict>(body)) {
        story_.count(Happening::commit_lost);
    } else if (std::holds_alternative<wire::Redeemed>(body)) {
        story_.count(Happening::joined);
    } else if (std::holds_alternative<wire::Refused>(body)) {
        if (puts_.contains(frame.request)) story_.count(Happening::hours_refused);
        if (commits_.contains(frame.request)) story_.count(Happening::commit_refused);
    }
}

/// What the store has there, with what the hours say of it: a killed server may have stored what it never answered.
Witness::Accepted* Witness::find_accepted(Place const& place) {
    auto found = accepted_.find(place);
    if (found != accepted_.end()) return &found->second;
    auto const& envelopes = disk_.conversations.at(place.first).envelopes;
    auto const kept = envelopes.find(place.second);
    if (kept == envelopes.end()) return nullptr;
    auto const& row = kept->second.row;
    auto const by = row.sender.account;
    Party const sender{by, disk_.accounts.at(by).side == base::Side::therapist};
    Accepted accepted{std::nullopt, by, row.stamp, row.hash, holds_at(row.stamp, sender, place.first, row.stamp)};
    if (!accepted.holds.empty()) story_.count(Happening::held);
    if (sender.therapist && !hours_.open(by, row.stamp, row.stamp)) story_.count(Happening::late_reply);
    return &accepted_.emplace(place, std::move(accepted)).first->second;
}

void Witness::on_stored(Seen& link, RequestId const& request, wire::Stored const& stored) {
    auto const sent = sent_.find({*link.device, request});
    if (sent == sent_.end()) return story_.fail("the server stored what nobody sent");
    auto const& [conversation, by, arrivals] = sent->second;
    Place const place{conversation, stored.seq};
    auto const what = short_name(conversation.bytes) + "/" + std::to_string(stored.seq);
    auto* accepted = find_accepted(place);
    if (!accepted) return story_.fail(what + " was answered and is not in the store");
    if (accepted->stamp != stored.stamp || accepted->envelope != stored.envelope || accepted->sender != by.account)
        story_.fail(what + " was answered as something else than was stored");
    if (accepted->request) {
        if (accepted->request != request) story_.fail(what + " is the place of two messages");
        return;
    }
    accepted->request = request;
    if (!arrivals.contains(stored.stamp)) story_.fail(what + " has a stamp at which nothing arrived");
    std::map<AccountId, std::optional<WallTime>> said;
    for (auto const& hold : stored.holds) said[hold.account] = hold.until;
    // Hours that were taken in the same millisecond count if the message was decided after them.
    Party const sender{by.account, disk_.accounts.at(by.account).side == base::Side::therapist};
    if (said != accepted->holds) {
        auto with_newest = holds_at(stored.stamp, sender, conversation, stored.stamp + 1ms);
        if (said == with_newest) accepted->holds = std::move(with_newest);
    }
    auto const& holds = accepted->holds;
    if (said != holds)
        story_.fail(what + " from " + link.who + ": the hours ask for " + std::to_string(holds.size()) +
                    " holds, until " + (holds.empty() ? "-" : at(holds.begin()->second)) + ", the server said " +
                    std::to_string(said.size()) + ", until " + (said.empty() ? "-" : at(said.begin()->second)));
    story_.count(Happening::stored);
    story_.tell(clock_time(clock_.now()) + " " + link.who + ": stored " + what +
                (holds.empty() ? "" : ", held until " + at(holds.begin()->second)));
}

void Witness::on_envelope(Seen& link, wire::Envelope const& envelope) {
    Place const place{envelope.conversation, envelope.seq};
    auto const what = short_name(envelope.conversation.bytes) + "/" + std::to_string(envelope.seq);
    auto const now = clock_.now();
    auto const* accepted = find_accepted(place);
    if (!accepted) return story_.fail(what + " was delivered and never stored");
    if (accepted->envelope != envelope.hash || accepted->stamp != envelope.stamp ||
        accepted->sender != envelope.sender_account)
        story_.fail(what + " was delivered as something else than was stored");
    if (recalled_.contains(place)) story_.fail(what + " was offered, and its author had been told that it is gone");
    if (!link.offered.insert(place).second) story_.fail(what + " was offered twice on the link of " + link.who);

    auto const& reader = link.device->account;
    auto const passes = passes_from(*accepted, reader, now);
    if (!passes || now < *passes)
        return story_.fail("EARLY: " + what + " went to " + link.who + " before " + at(passes));
    auto const since = std::max(*passes, *link.ready_at);
    if (now > since + offer_time_max)
        story_.fail("LATE: " + what + " could go to " + link.who + " at " + clock_time(since) + ", went at " +
                    clock_time(now));
    if (!first_offered_.emplace(std::pair{*link.device, place}, now).second) {
        story_.count(Happening::offered_again);
    } else if (!accepted->holds.contains(reader)) {
        story_.count(Happening::delivered_in_window);
    } else if (now <= *passes + offer_time_max) {
        story_.count(Happening::delivered_at_opening);
    }
}

std::optional<WallTime> Witness::passes_from(Accepted const& accepted, AccountId const& reader, WallTime known) const {
    Party const from{accepted.sender, disk_.accounts.at(accepted.sender).side == base::Side::therapist};
    Party const to{reader, disk_.accounts.at(reader).side == base::Side::therapist};
    return hours_.passes_from(accepted.stamp, from, to, known);
}

void Witness::shown(AccountId const& reader, Place const& place) {
    auto const what = short_name(place.first.bytes) + "/" + std::to_string(place.second);
    auto const accepted = accepted_.find(place);
    if (accepted == accepted_.end()) return story_.fail(what + " was shown and never stored");
    auto const passes = passes_from(accepted->second, reader, clock_.now());
    if (!passes || clock_.now() < *passes) story_.fail("EARLY: " + what + " was shown before " + at(passes));
}

void Witness::take(AccountId const& id, wire::SignedDocument const& published, WallTime from) {
    if (published.kind == wire::DocumentKind::schedule) {
        auto const document = schedule::decode_schedule_document(published.bytes).value();
        hours_.publish(id, from, {document.compiled.begin(), document.compiled.end()});
        story_.count(Happening::hours_published);
    } else {
        auto const document = schedule::decode_override_document(published.bytes).value();
        hours_.override_with(id, from, document.span, document.kind == schedule::OverrideKind::open_now);
        story_.count(Happening::hours_overridden);
    }
}

/// Documents that the store took since; a killed server may not have told their authors.
void Witness::read_hours() {
    for (auto const& [id, account] : disk_.accounts) {
        auto& chain = published_[id];
        while (chain.size() < account.schedules.size()) {
            auto const& stored = account.schedules[chain.size()];
            chain.push_back(stored.document);
            auto const place = wire::place_of(stored.document);
            if (!place || place->number != chain.size() || place->account != id)
                return story_.fail("the store has hours that do not follow each other");
            auto const from = std::max(place->effective_from, clock_.now() + 1ms);
            if (stored.in_force_from != from)
                story_.fail("hours number " + std::to_string(chain.size()) + " are in force from another time");
            take(id, stored.document, from);
            story_.tell(clock_time(clock_.now()) + " hours number " + std::to_string(chain.size()) + " published");
        }
    }
}

// ---- The log -------------------------------------------------------------------------------------------------------

void Witness::read_log() {
    read_hours();
    for (auto next = log_.size(); next < disk_.log.size(); ++next) {
        auto const& row = disk_.log[next].row;
        auto payload = audit::decode_payload(row.payload);
        if (!payload) return story_.fail("entry " + std::to_string(next) + " does not parse");
        if (std::holds_alternative<audit::WindowOpened>(payload->body)) story_.count(Happening::window_opened);
        if (std::holds_alternative<audit::WindowClosed>(payload->body)) story_.count(Happening::window_closed);
        if (auto const* epoch = std::get_if<audit::EpochAccepted>(&payload->body); epoch && epoch->epoch > 1)
            story_.count(Happening::epoch_changed);
        story_.tell(clock_time(clock_.now()) + " entry " + std::to_string(next) + ": " +
                    std::string(audit::name(payload->type())));
        log_.push_back({row.subject, std::move(*payload)});
    }
}

void Witness::judge_log() {
    std::vector<Entry const*> held, schedules, windows, epochs, recalls;
    std::size_t lists = 0;
    for (auto const& entry : log_) {
        switch (entry.payload.type()) {
            case audit::EntryType::held:
                held.push_back(&entry);
                break;
            case audit::EntryType::schedule_published:
            case audit::EntryType::override_published:
                schedules.push_back(&entry);
                break;
            case audit::EntryType::window_opened:
            case audit::EntryType::window_closed:
                windows.push_back(&entry);
                break;
            case audit::EntryType::epoch:
                epochs.push_back(&entry);
                break;
            case audit::EntryType::recalled:
                recalls.push_back(&entry);
                break;
            case audit::EntryType::device_list:
                ++lists;
                break;
            case audit::EntryType::operator_action:
            case audit::EntryType::retention_purge:
                break;
            case audit::EntryType::conversation_override_published:
            case audit::EntryType::terms_published:
            case audit::EntryType::quiet:
            case audit::EntryType::refused:
            case audit::EntryType::expired:
            case audit::EntryType::successor:
            case audit::EntryType::key_packages_reset:
            case audit::EntryType::pause:
            case audit::EntryType::restored:
            case audit::EntryType::cover_started:
            case audit::EntryType::cover_ended:
            case audit::EntryType::disclosure:
            case audit::EntryType::filler:
            case audit::EntryType::log_key_rotated:
                story_.fail("an entry " + std::string(audit::name(entry.payload.type())) +
                            " about nothing that happened");
        }
    }
    std::map<ConversationId, std::uint64_t> seqs;
    for (auto const& [place, accepted] : accepted_) {
        auto const what = short_name(place.first.bytes) + "/" + std::to_string(place.second);
        if (place.second != ++seqs[place.first]) story_.fail(what + ": the seqs have a gap");
        if (!accepted.request) story_.fail(what + " was never answered to its author");
    }
    judge_held(held);
    judge_schedules(schedules);
    judge_windows(windows);
    judge_epochs(epochs);
    judge_recalls(recalls);
    std::size_t lists_expected = 0;
    for (auto const& [id, account] : disk_.accounts) lists_expected += account.lists.size();
    if (lists != lists_expected) story_.fail("not one entry for each device list");
    if (disk_.checkpoint_size != disk_.log.size()) story_.fail("entries without a checkpoint");
}

void Witness::judge_held(std::vector<Entry const*> const& entries) {
    std::map<base::SubjectId, ConversationId> conversations;
    for (auto const& [id, conversation] : disk_.conversations) conversations[audit::subject_of(id)] = id;
    std::set<Place> logged;
    for (auto const* entry : entries) {
        auto const& held = std::get<audit::Held>(entry->payload.body);
        if (!conversations.contains(entry->subject)) {
            story_.fail("a held entry in a chain that is no conversation's");
            continue;
        }
        Place const place{conversations[entry->subject], held.seq};
        auto const what = short_name(place.first.bytes) + "/" + std::to_string(held.seq);
        auto const accepted = accepted_.find(place);
        if (!logged.insert(place).second) story_.fail(what + " has two entries");
        if (accepted == accepted_.end()) {
            story_.fail(what + " has an entry and was never stored");
            continue;
        }
        std::map<AccountId, std::optional<WallTime>> holds;
        for (auto const& party : held.parties)
            if (party.verdict == audit::Verdict::hold) holds[party.account] = party.until;
        if (held.stamp != accepted->second.stamp || held.envelope != accepted->second.envelope ||
            holds != accepted->second.holds)
            story_.fail(what + ": its entry is not what was decided");
    }
    for (auto const& [place, accepted] : accepted_)
        if (!accepted.holds.empty() && !logged.contains(place))
            story_.fail(short_name(place.first.bytes) + "/" + std::to_string(place.second) +
                        " was held without an entry");
}

/// One entry for each that is gone, of what was held, and nobody but its author ever had it.
void Witness::judge_recalls(std::vector<Entry const*> const& entries) {
    std::map<base::SubjectId, ConversationId> conversations;
    std::set<Place> gone, logged;
    for (auto const& [id, conversation] : disk_.conversations) {
        conversations[audit::subject_of(id)] = id;
        for (auto const& fate : conversation.fates)
            if (fate.fate.kind == wire::FateKind::recalled) gone.insert({id, fate.fate.seq});
    }
    for (auto const* entry : entries) {
        auto const& recalled = std::get<audit::Recalled>(entry->payload.body);
        Place const place{conversations[entry->subject], recalled.seq};
        auto const what = short_name(place.first.bytes) + "/" + std::to_string(place.second);
        if (!logged.insert(place).second) story_.fail(what + " has two entries of its recall");
        auto const accepted = accepted_.find(place);
        if (accepted == accepted_.end() || accepted->second.holds.empty() ||
            accepted->second.envelope != recalled.envelope || accepted->second.sender != recalled.account)
            story_.fail(what + " has an entry of a recall, and was not held like that");
        for (auto const& [offered, at] : first_offered_)
            if (offered.second == place && offered.first.account != recalled.account)
                story_.fail(what + " was taken back, and somebody had it");
    }
    if (logged != gone) story_.fail("the entries of recalls are not those of what is gone");
}

void Witness::judge_schedules(std::vector<Entry const*> const& entries) {
    std::map<AccountId, std::uint64_t> found;
    for (auto const* entry : entries) {
        auto const judge = [&](auto const& logged, wire::DocumentKind kind) {
            auto const& chain = published_[logged.account];
            auto const number = ++found[logged.account];
            if (logged.number != number || number > chain.size() || chain[number - 1].kind != kind ||
                logged.document != crypto::labelled_hash(wire::calendar_label(kind), chain[number - 1].bytes))
                story_.fail("the entry of hours number " + std::to_string(logged.number) +
                            " is not of what was published");
        };
        if (auto const* schedule = std::get_if<audit::SchedulePublished>(&entry->payload.body))
            judge(*schedule, wire::DocumentKind::schedule);
        else
            judge(std::get<audit::OverridePublished>(entry->payload.body), wire::DocumentKind::override_all);
    }
    for (auto const& [account, chain] : published_)
        if (found[account] != chain.size()) story_.fail("hours were published without an entry");
}

void Witness::judge_windows(std::vector<Entry const*> const& entries) {
    std::map<AccountId, std::vector<PublishedHours::Bound>> logged;
    for (auto const* entry : entries) {
        if (auto const* opened = std::get_if<audit::WindowOpened>(&entry->payload.body))
            logged[opened->account].push_back({opened->instant, true});
        if (auto const* closed = std::get_if<audit::WindowClosed>(&entry->payload.body))
            logged[closed->account].push_back({closed->instant, false});
    }
    for (auto const& account : hours_.accounts()) {
        auto const expected = hours_.bounds(account, clock_.now());
        if (logged[account] == expected) continue;
        story_.fail("the openings and closings in the log are not those of the hours: " +
                    std::to_string(logged[account].size()) + " entries, " + std::to_string(expected.size()) +
                    " expected");
        for (auto const& bound : logged[account])
            story_.tell("  logged   " + clock_time(bound.instant) + (bound.opens ? " opens" : " closes"));
        for (auto const& bound : expected)
            story_.tell("  expected " + clock_time(bound.instant) + (bound.opens ? " opens" : " closes"));
    }
}

void Witness::judge_epochs(std::vector<Entry const*> const& entries) {
    std::map<base::SubjectId, std::uint64_t> epochs;
    for (auto const* entry : entries) {
        auto const& logged = std::get<audit::EpochAccepted>(entry->payload.body);
        if (logged.epoch != ++epochs[entry->subject]) story_.fail("the entries of a group's epochs have a gap");
    }
    for (auto const& [id, conversation] : disk_.conversations)
        if (epochs[audit::subject_of(id)] != conversation.epoch) story_.fail("a group's epoch began without an entry");
}

}  // namespace interlude::sim
