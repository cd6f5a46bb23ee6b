#include "client-cli/engine/conversation.hpp"

#include <algorithm>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/hours.hpp"
#include "client-cli/engine/log_keeper.hpp"
#include "client-cli/engine/membership.hpp"
#include "client-cli/engine/outbox.hpp"
#include "client-cli/engine/reading.hpp"
#include "common/base/limits.hpp"
#include "common/bytes/text.hpp"
#include "common/crypto/hash.hpp"
#include "common/mls_framing/outer.hpp"

namespace interlude::engine {

bool only_while_open(MessageKind kind) {
    return kind == MessageKind::opened || kind == MessageKind::receipt || kind == MessageKind::cannot_open_report;
}

namespace {

namespace limits = base::limits;

void mark_unread(Turn& turn, ConversationId const& id, std::uint64_t seq) {
    turn.rows.put(Table::unread, key_of(id, seq), MarkRecord{});
}

void set_name(ConversationRecord& conversation, AccountId const& account, std::string const& name) {
    if (name.empty()) return;
    for (auto& known : conversation.names) {
        if (known.account != account) continue;
        known.name = name;
        return;
    }
    conversation.names.push_back({account, name});
}

/// Opened, and in a form of which this version knows nothing: shown as that, and told to its author, who may believe
/// otherwise that it was read. `message` has the content as it came, for a later version.
void show_unknown(Turn& turn, ConversationId const& id, ConversationRecord& conversation, MessageRecord& message,
                  std::uint64_t seq) {
    mark_unread(turn, id, seq);
    conversation.unopened_due.push_back(seq);
    turn.tell(MessageArrived{id, seq, message.id});
}

/// What a message does beyond being shown.
struct Effect {
    Turn& turn;
    ConversationId const& id;
    ConversationRecord& conversation;
    MessageRecord& message;
    std::uint64_t seq;

    void operator()(UnknownBody const&) const {
        if (!message.duplicate) show_unknown(turn, id, conversation, message, seq);
    }
    void operator()(Text const& body) const {
        message.text = body.text;
        conversation.opened_due.push_back(seq);  // also of a copy: it may be the one that its author knows as stored
        if (message.duplicate) return;
        mark_unread(turn, id, seq);
        turn.tell(MessageArrived{id, seq, message.id});
    }
    void operator()(Opened const& body) const {
        for (auto opened : body.seqs) mark(opened, &MessageRecord::opened_by, &EarlyReportRecord::opened_by);
    }
    void operator()(CannotOpen const& body) const {
        for (auto unopened : body.seqs) mark(unopened, &MessageRecord::unopened_by, &EarlyReportRecord::unopened_by);
    }
    void operator()(Receipt const&) const {}
    void operator()(Profile const& body) const { set_name(conversation, message.from, body.name); }
    void operator()(CardContent const& body) const {
        if (side_of(conversation, message.from) != Side::therapist) return;
        auto const known = turn.rows.home<CrisisCardRecord>(home::crisis_card);
        if (!known || known->dated < body.dated)
            turn.rows.put_home(home::crisis_card, CrisisCardRecord{body.text, body.dated});
    }
    void operator()(EarlyDelivery const& body) const {
        turn.alarm("other_says_early_delivery",
                   "the other side says that it was given message " + std::to_string(body.seq) + " before it was due",
                   id);
    }

    /// The message's author said of an own message that it was opened, or that it cannot be.
    void mark(std::uint64_t of, std::vector<AccountId> MessageRecord::*accounts,
              std::vector<AccountId> EarlyReportRecord::*early) const {
        auto const key = key_of(id, of);
        auto own = turn.rows.get<MessageRecord>(Table::messages, key);
        if (!own) return mark_early(key, early);
        if (!own->own || !add((*own).*accounts)) return;
        turn.rows.put(Table::messages, key, *own);
        if (own->kind == MessageKind::text)
            turn.tell(MessageChanged{id, own->id, state_of(conversation, *own, turn.now)});
    }
    /// A reader's word can overtake the server's answer to the author: kept for take_stored, for no more messages than
    /// wait for their answer.
    void mark_early(Bytes const& key, std::vector<AccountId> EarlyReportRecord::*accounts) const {
        auto report = turn.rows.get<EarlyReportRecord>(Table::early_reports, key);
        if (!report) {
            auto const kept = turn.rows.scan<EarlyReportRecord>(Table::early_reports, id.bytes).size();
            if (kept >= sent_and_unanswered(turn, id)) return;
            report.emplace();
        }
        if (add((*report).*accounts)) turn.rows.put(Table::early_reports, key, *report);
    }
    bool add(std::vector<AccountId>& accounts) const {
        if (std::find(accounts.begin(), accounts.end(), message.from) != accounts.end()) return false;
        accounts.push_back(message.from);
        return true;
    }
};

void keep_unopened(Turn& turn, wire::Envelope const& envelope, ConversationRecord& conversation) {
    conversation.unopened_due.push_back(envelope.seq);
    auto const key = key_of(envelope.conversation, envelope.seq);
    turn.rows.put(Table::envelopes, key, EnvelopeRecord{envelope, false, turn.now});
    MessageRecord message;
    message.kind = MessageKind::cannot_open;
    message.from = envelope.sender_account;
    message.device = envelope.sender_device;
    message.sent_at = envelope.stamp;
    message.accepted_at = envelope.stamp;
    message.envelope = envelope.hash;
    mark_unread(turn, envelope.conversation, envelope.seq);
    turn.rows.put(Table::messages, key, message);
    turn.tell(MessageArrived{envelope.conversation, envelope.seq, message.id});
}

/// A newer list that a peer sent along. One that skips others is left to its head, which has them fetched.
void take_list_of_peer(Turn& turn, SignedListBytes const& sent) {
    auto const signature = crypto::Signature::from(sent.signature);
    auto const list = identity::decode_device_list(sent.bytes);
    if (!signature || !list || !identity::verify_device_list({sent.bytes, *signature})) return;
    auto const known = newest_list(turn, list->account());
    if (!known) return;
    auto const at = known->list().position();
    auto const follows =
        list->position().generation > at.generation ? list->version == 1 : list->version <= at.version + 1;
    if (follows) take_list(turn, {sent.bytes, *signature});
}

/// Each own list goes along in one message of the conversation: the other side has it though the server hides it.
void send_list_along(Content& content, identity::VerifiedDeviceList const& own, MessageId const& carrier,
                     ConversationRecord& conversation) {
    auto const at = own.list().position();
    if (conversation.list_told == at && conversation.list_carrier != carrier) return;
    content.lists.push_back({own.as_signed().bytes, bytes::copy(own.as_signed().signature.bytes)});
    conversation.list_told = at;
    conversation.list_carrier = carrier;
}

/// A text that is not the one that was shown under this id: an app that means its person to be read gives it another.
bool says_another(Turn& turn, ConversationId const& id, Bytes const& shown, ContentBody const& body) {
    auto const* const text = std::get_if<Text>(&body);
    auto const place = turn.rows.get<MessagePlaceRecord>(Table::message_ids, shown);
    if (!text || !place) return false;
    auto const first = turn.rows.get<MessageRecord>(Table::messages, key_of(id, place->seq));
    return first && (first->kind != MessageKind::text || first->text != text->text);
}

/// Into its place in the conversation: opened if any key does.
void open_envelope(Turn& turn, wire::Envelope const& envelope, ConversationRecord& conversation) {
    auto const& id = envelope.conversation;
    auto group = load_group(turn, id, envelope.generation);
    auto opened = group ? group->unprotect(envelope.mls) : base::Result<mls::OpenedMessage>(base::Errc::no_key);
    if (!opened) return keep_unopened(turn, envelope, conversation);
    save_group(turn, id, envelope.generation, *group);

    MessageRecord message;
    message.from = envelope.sender_account;
    message.device = envelope.sender_device;
    if (auto const leaf = identity::decode_leaf_identity(opened->sender_identity)) {
        if (leaf->account != envelope.sender_account || leaf->device != envelope.sender_device)
            turn.alarm("wrong_sender", "the server named another sender than the message itself", id, envelope.mls);
        message.from = leaf->account;
        message.device = leaf->device;
    }
    message.accepted_at = envelope.stamp;
    message.sent_at = envelope.stamp;
    message.envelope = envelope.hash;
    auto const content = decode_content(opened->plaintext);
    message.kind = content ? kind_of(content->body) : MessageKind::unknown;
    if (message.kind == MessageKind::unknown)
        message.text = bytes::text(opened->plaintext);
    else
        conversation.unopened_told = false;
    if (content) {
        message.id = content->id;
        message.sent_at = content->sent_at;
        auto const shown = key_of(id, message.from, content->id);
        bool const known = turn.rows.has(Table::message_ids, shown);
        message.duplicate = known && !says_another(turn, id, shown, content->body);
        if (!known) turn.rows.put(Table::message_ids, shown, MessagePlaceRecord{envelope.seq, {}});
        set_name(conversation, message.from, content->own_name);
        for (auto const& list : content->lists) take_list_of_peer(turn, list);
        if (take_list_head(turn, id, message.from, content->own_list)) ask_for_lists(turn, message.from);
        take_peer_sight(turn, id, content->log);
        std::visit(Effect{turn, id, conversation, message, envelope.seq}, content->body);
    } else {
        show_unknown(turn, id, conversation, message, envelope.seq);
    }
    turn.rows.put(Table::messages, key_of(id, envelope.seq), message);
}

/// The hash of the envelope that has this place, if one has.
std::optional<Hash32> known_at(Turn& turn, Bytes const& key) {
    if (auto const message = turn.rows.get<MessageRecord>(Table::messages, key)) return message->envelope;
    if (auto const closed = turn.rows.get<EnvelopeRecord>(Table::envelopes, key)) return closed->envelope.hash;
    return std::nullopt;
}

/// What `read` makes of a state; absent: there is none.
template <class T>
std::optional<T> read_group(Turn& turn, ConversationId const& id, std::uint32_t generation,
                            Result<T> (*read)(ByteView)) {
    auto const state = turn.rows.get<SecretBytes>(Table::groups, key_of(id, generation));
    if (!state) return std::nullopt;
    auto group = read(state->expose());
    if (!group) throw BadRecord("a group of the vault does not decode");
    return std::move(*group);
}

/// Sealed in an epoch that this group did not reach yet.
bool is_ahead(Turn& turn, ConversationRecord const& conversation, wire::Envelope const& envelope) {
    if (conversation.broken || envelope.generation != conversation.generation) return false;
    auto const outer = mls_framing::read_private_message_outer(envelope.mls);
    if (!outer || outer->group_id != conversation.group_id) return false;
    auto const group = glance_at_group(turn, envelope.conversation, envelope.generation);
    return group && outer->epoch > group->epoch;
}

}  // namespace

std::optional<mls::GroupGlance> glance_at_group(Turn& turn, ConversationId const& id, std::uint32_t generation) {
    return read_group(turn, id, generation, mls::Group::glance);
}

std::optional<mls::Group> load_group(Turn& turn, ConversationId const& id, std::uint32_t generation) {
    return read_group(turn, id, generation, mls::Group::decode);
}

void save_group(Turn& turn, ConversationId const& id, std::uint32_t generation, mls::Group const& group) {
    turn.rows.put(Table::groups, key_of(id, generation), group.encode());
}

bool seal(Turn& turn, OutgoingRecord& record) {
    auto const& id = record.conversation;
    auto conversation = turn.conversation(id);
    if (!conversation || pause_of(*conversation) != Pause::none || conversation->lost_state) return false;
    if (conversation->told_own_seq > 0) return false;
    if (only_while_open(record.body) && !every_gate_open(turn, id, *conversation)) return false;
    auto group = load_group(turn, id, conversation->generation);
    if (!group || group->epoch() < conversation->server_epoch || !dropped_members(turn, group->roster()).empty())
        return false;

    auto content = decode_content(record.content);
    INTERLUDE_CHECK(content);
    content->log = own_sight(turn, id);
    auto const list = own_list(turn);
    content->own_list = head_of(list);
    send_list_along(*content, list, record.message, *conversation);
    auto const own_name = turn.account().own_name;
    if (bytes::is_utf8(own_name)) content->own_name = own_name;  // an earlier build kept any bytes
    auto sealed = group->protect(encode(*content), {}, turn.entropy);
    if (!sealed) return false;
    save_group(turn, id, conversation->generation, *group);
    turn.save(id, *conversation);
    record.generation = conversation->generation;
    record.epoch = sealed->epoch;
    record.variants.push_back(crypto::sha256(sealed->message));
    record.sealed = std::move(sealed->message);
    return true;
}

void take_envelope(Turn& turn, wire::Envelope const& envelope) {
    auto const& id = envelope.conversation;
    auto const key = key_of(id, envelope.seq);
    auto conversation = turn.conversation(id);
    if (!conversation) return;  // its Welcome was refused here: not acked, so that nothing is lost
    if (crypto::sha256(envelope.mls) != envelope.hash) {
        turn.alarm("envelope_hash", "the server named another hash than the envelope's", id, envelope.mls,
                   bytes::copy(envelope.hash.bytes));
        return;
    }
    if (auto const known = known_at(turn, key)) {
        if (*known == envelope.hash) return turn.say(wire::Ack{id, {envelope.seq}});
        // Not acknowledged: whatever the truth is, this message may come again in a place of its own.
        turn.alarm(
            "two_in_one_place",
            "the server gave two messages the number " + std::to_string(envelope.seq) + ": the second one is not shown",
            id, bytes::copy(known->bytes), envelope.mls);
        return;
    }
    auto const me = turn.account().account;
    Calendars calendars(turn);
    if (!passes(calendars, id, *conversation, envelope.sender_account, me, envelope.stamp,
                turn.now + limits::clock_tolerance)) {
        turn.rows.put(Table::envelopes, key, EnvelopeRecord{envelope, true, turn.now});
        if (turn.believes_time()) {
            turn.alarm("early_delivery", "message " + std::to_string(envelope.seq) + " came before it was due", id,
                       envelope.mls);
            queue_message(turn, id, turn.entropy.id<MessageId>(), EarlyDelivery{envelope.seq, turn.now});
        } else {
            turn.alarm("clock_differs",
                       "this clock is not the server's: message " + std::to_string(envelope.seq) +
                           " stays closed until it is due here. Please check the clock",
                       id);
        }
    } else if (is_ahead(turn, *conversation, envelope)) {
        turn.rows.put(Table::envelopes, key, EnvelopeRecord{envelope, true, turn.now});
    } else {
        open_envelope(turn, envelope, *conversation);
        turn.save(id, *conversation);
    }
    turn.say(wire::Ack{id, {envelope.seq}});
}

void open_due(Turn& turn, bool may_give_up, std::set<ConversationId> const& but_in) {
    for (auto const& [key, record] : turn.rows.scan<EnvelopeRecord>(Table::envelopes)) {
        if (!record.early) continue;
        auto const& envelope = record.envelope;
        auto conversation = turn.conversation(envelope.conversation);
        INTERLUDE_CHECK(conversation);
        Calendars calendars(turn);
        if (!passes(calendars, envelope.conversation, *conversation, envelope.sender_account, turn.account().account,
                    envelope.stamp, turn.now))
            continue;
        bool const given_up = may_give_up && !but_in.contains(envelope.conversation) &&
                              turn.now >= record.came_at + patience_for_handshake;
        if (!given_up && is_ahead(turn, *conversation, envelope)) continue;
        turn.rows.erase(Table::envelopes, key);
        open_envelope(turn, envelope, *conversation);
        turn.save(envelope.conversation, *conversation);
    }
}

namespace {

void drop_epochs(Turn& turn, ConversationId const& id, ConversationRecord& conversation, std::uint64_t before) {
    auto group = load_group(turn, id, conversation.generation);
    if (!group) return;
    group->drop_epochs_before(std::min(before, group->epoch()));
    save_group(turn, id, conversation.generation, *group);
    std::erase_if(conversation.ended, [&](EndedEpoch const& ended) { return ended.epoch < before; });
    turn.save(id, conversation);
}

}  // namespace

void take_epoch_end(Turn& turn, wire::EpochEnd const& end) {
    auto conversation = turn.conversation(end.conversation);
    if (!conversation || conversation->generation != end.generation) return;
    // Early envelopes keep the keys of their epoch, whatever the server says; no longer than prune_epochs lets them.
    auto before = end.epoch + 1;
    for (auto const& [key, record] : turn.rows.scan<EnvelopeRecord>(Table::envelopes, end.conversation.bytes))
        if (record.early) before = std::min(before, record.envelope.epoch);
    drop_epochs(turn, end.conversation, *conversation, before);
}

void prune_epochs(Turn& turn) {
    if (!turn.believes_time()) return;
    auto const life = 2 * turn.hold_life();
    for (auto& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        std::uint64_t before = 0;
        for (auto const& ended : conversation.ended)
            if (turn.now >= ended.at + life) before = std::max(before, ended.epoch + 1);
        if (before > 0) drop_epochs(turn, *ConversationId::from(key), conversation, before);
    }
}

namespace {

/// The first seqs of what is due, as many as one message takes.
std::vector<std::uint64_t> take_batch(std::vector<std::uint64_t>& due) {
    auto const end = due.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(due.size(), 1024));
    std::vector<std::uint64_t> batch(due.begin(), end);
    due.erase(due.begin(), end);
    return batch;
}

}  // namespace

void report_opened(Turn& turn) {
    std::set<ConversationId> reporting;
    for (auto const& [request, record] : outgoing(turn))
        if (record.body == MessageKind::opened && record.state == OutgoingState::waiting)
            reporting.insert(record.conversation);
    for (auto& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        auto const id = *ConversationId::from(key);
        bool const opened = !conversation.opened_due.empty() && !reporting.contains(id);
        // Two apps that cannot open each other's reports must not answer each other for ever.
        bool const unopened = !conversation.unopened_due.empty() && !conversation.unopened_told;
        if (!(opened || unopened) || conversation.closed || conversation.broken) continue;
        if (!every_gate_open(turn, id, conversation)) continue;
        if (opened) queue_message(turn, id, turn.entropy.id<MessageId>(), Opened{take_batch(conversation.opened_due)});
        if (unopened) {
            queue_message(turn, id, turn.entropy.id<MessageId>(), CannotOpen{take_batch(conversation.unopened_due)});
            conversation.unopened_told = true;
        }
        turn.save(id, conversation);
    }
}

}  // namespace interlude::engine
