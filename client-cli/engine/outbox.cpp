#include "client-cli/engine/outbox.hpp"

#include <algorithm>

#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/hours.hpp"
#include "client-cli/engine/log_keeper.hpp"
#include "client-cli/engine/reading.hpp"
#include "common/wire/codec.hpp"

namespace interlude::engine {

namespace {

using namespace std::chrono_literals;

constexpr auto patience_after_error = 5s;
constexpr auto patience_after_stale = 1s;
constexpr auto patience_after_contradiction = 30s;
constexpr auto patience_for_proof = 30s;
constexpr std::chrono::seconds patience_of_reports = 10min;

std::optional<OutgoingRecord> find(Turn& turn, RequestId const& request) {
    return turn.rows.get<OutgoingRecord>(Table::outgoing, request.bytes);
}
void save(Turn& turn, RequestId const& request, OutgoingRecord const& record) {
    turn.rows.put(Table::outgoing, request.bytes, record);
}

std::uint64_t next_order(Turn& turn) {
    auto counters = turn.rows.home<CountersRecord>(home::counters).value_or(CountersRecord{});
    ++counters.outgoing;
    turn.rows.put_home(home::counters, counters);
    return counters.outgoing;
}

void say_where(Turn& turn, OutgoingRecord const& record, RequestId const& request) {
    turn.rows.put(Table::message_ids, key_of(record.conversation, turn.account().account, record.message),
                  MessagePlaceRecord{record.seq, request});
}

/// No more answers are expected: the server may forget the id.
void finish_message(Turn& turn, RequestId const& request) {
    turn.rows.erase(Table::outgoing, request.bytes);
    turn.rows.put(Table::confirming, request.bytes, MarkRecord{});
    turn.confirmed.push_back(request);
}

/// A reader's report can be the answer to any of those that wait; to none if none waits.
void forget_early_reports(Turn& turn, ConversationId const& id) {
    if (sent_and_unanswered(turn, id) > 0) return;
    for (auto const& row : turn.rows.scan<EarlyReportRecord>(Table::early_reports, id.bytes))
        turn.rows.erase(Table::early_reports, row.key);
}

/// What a draft that the server would not have becomes.
void refuse_message(Turn& turn, RequestId const& request, OutgoingRecord record, wire::Refused const& refused) {
    if (record.body != MessageKind::text) {  // nobody wrote it: nobody could send it again
        turn.rows.erase(Table::outgoing, request.bytes);
        return forget_early_reports(turn, record.conversation);
    }
    record.state = OutgoingState::refused;
    record.refusal = refused;
    save(turn, request, record);
    turn.tell(MessageChanged{record.conversation, record.message, MessageState::refused});
    forget_early_reports(turn, record.conversation);
}

/// The server's no: final for what a person wrote and can write again, not yet for what this app reports by itself.
void take_no(Turn& turn, InFlight& in_flight, RequestId const& request, OutgoingRecord const& record,
             wire::Refused const& refused) {
    auto const wait = std::max(patience_of_reports, std::chrono::seconds(refused.retry_after_seconds));
    if (record.body != MessageKind::text && may_pass_later(refused.rule))
        return in_flight.be_patient(request, turn.now + wait);
    refuse_message(turn, request, record, refused);
}

/// The message is stored, and only its proof did not come: nothing changes that, and the server is not to be pressed.
void wait_for_proof(Turn& turn, InFlight& in_flight, RequestId const& request, OutgoingRecord const& record,
                    std::uint32_t retry_after_seconds) {
    if (record.state != OutgoingState::proving) return;
    auto const asked = std::chrono::seconds(retry_after_seconds);
    in_flight.be_patient(request, turn.now + std::max<std::chrono::seconds>(asked, patience_after_error));
}

void refuse_request(Turn& turn, RequestId const& request, OutgoingRecord const& record, wire::Refused const& refused) {
    if (auto anew = signed_anew(turn, request, record.frame, refused)) {  // and it goes again
        auto waiting = record;
        waiting.frame = std::move(*anew);
        return save(turn, request, waiting);
    }
    turn.rows.erase(Table::outgoing, request.bytes);
    document_refused(turn, record.frame, refused);
    turn.tell(RequestAnswered{request, refused});
}

}  // namespace

bool may_pass_later(wire::Rule rule) {
    switch (rule) {
        case wire::Rule::off_hours:
        case wire::Rule::quota:
        case wire::Rule::too_fast:
        case wire::Rule::not_yet:
        case wire::Rule::unreachable:
        case wire::Rule::conflict:
            return true;
        case wire::Rule::closed_conversation:
        case wire::Rule::not_a_member:
        case wire::Rule::too_big:
        case wire::Rule::schedule:
        case wire::Rule::invalid:
        case wire::Rule::expired:
        case wire::Rule::spent:
            return false;
    }
    return false;
}

bool may_pass_later(wire::ErrorCode code) {
    return code == wire::ErrorCode::too_fast || code == wire::ErrorCode::overloaded || code == wire::ErrorCode::store;
}

MessageKind kind_of(ContentBody const& body) {
    struct Kind {
        MessageKind operator()(UnknownBody const&) const { return MessageKind::unknown; }
        MessageKind operator()(Text const&) const { return MessageKind::text; }
        MessageKind operator()(Opened const&) const { return MessageKind::opened; }
        MessageKind operator()(Receipt const&) const { return MessageKind::receipt; }
        MessageKind operator()(Profile const&) const { return MessageKind::profile; }
        MessageKind operator()(CardContent const&) const { return MessageKind::crisis_card; }
        MessageKind operator()(EarlyDelivery const&) const { return MessageKind::early_delivery; }
        MessageKind operator()(CannotOpen const&) const { return MessageKind::cannot_open_report; }
    };
    return std::visit(Kind{}, body);
}

RequestId queue_message(Turn& turn, ConversationId const& conversation, MessageId const& id, ContentBody body,
                        std::uint64_t replaces) {
    auto const request = turn.entropy.id<RequestId>();
    OutgoingRecord record;
    record.replaces = replaces;
    record.order = next_order(turn);
    record.kind = OutgoingKind::message;
    record.made = turn.now;
    record.conversation = conversation;
    record.message = id;
    record.body = kind_of(body);
    Content content;
    content.id = id;
    content.sent_at = turn.now;
    content.body = std::move(body);
    record.content = encode(content);
    save(turn, request, record);
    say_where(turn, record, request);
    return request;
}

RequestId queue_request(Turn& turn, OutgoingKind kind, wire::ClientBody body) {
    auto const request = turn.entropy.id<RequestId>();
    OutgoingRecord record;
    record.order = next_order(turn);
    record.kind = kind;
    record.made = turn.now;
    record.frame = wire::encode(wire::ClientFrame{request, std::move(body)});
    save(turn, request, record);
    return request;
}

std::vector<Outgoing> outgoing(Turn& turn) {
    std::vector<Outgoing> all;
    for (auto& [key, record] : turn.rows.scan<OutgoingRecord>(Table::outgoing))
        all.push_back({*RequestId::from(key), std::move(record)});
    std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.record.order < b.record.order; });
    return all;
}

namespace {

/// An earlier build kept any bytes as a text: no other app could show them.
bool can_be_sent(OutgoingRecord const& record) {
    auto const content = decode_content(record.content);
    return content && is_text(content->body);
}

/// Stored before this link, and its proof did not come: the same bytes again bring it.
bool wants_answer(OutgoingRecord const& record) {
    return record.state == OutgoingState::waiting || record.state == OutgoingState::proving;
}

bool must_wait(InFlight const& in_flight, RequestId const& request, OutgoingRecord const& record, WallTime now) {
    auto const pause = in_flight.messages_not_before.find(record.conversation);
    if (pause != in_flight.messages_not_before.end() && now < pause->second && record.kind == OutgoingKind::message)
        return true;
    auto const patience = in_flight.not_before.find(request);
    return in_flight.full() || (patience != in_flight.not_before.end() && now < patience->second);
}

/// False: it has to stay for now.
bool send_message(Turn& turn, RequestId const& request, OutgoingRecord record) {
    if (record.sealed.empty()) {
        if (!seal(turn, record)) return false;
        save(turn, request, record);
    }
    wire::Send send;
    send.conversation = record.conversation;
    send.generation = record.generation;
    send.epoch = record.epoch;
    send.mls = std::move(record.sealed);
    if (record.replaces > 0) send.replaces = record.replaces;
    turn.ask(request, std::move(send));
    return true;
}

}  // namespace

void flush(Turn& turn, InFlight& in_flight) {
    in_flight.give_up_proofs(turn.now);
    // What a person wrote keeps its order, whatever becomes of each: one at a time until the server has it.
    std::set<ConversationId> taken;
    for (auto& [request, record] : outgoing(turn)) {
        if (!wants_answer(record)) continue;
        auto const id = record.conversation;
        bool const in_order = record.kind == OutgoingKind::message && record.body == MessageKind::text &&
                              record.state == OutgoingState::waiting;
        if (in_flight.sent.contains(request)) {
            if (in_order) taken.insert(id);
            continue;
        }
        if (record.kind != OutgoingKind::message) {
            if (must_wait(in_flight, request, record, turn.now)) continue;
            auto frame = wire::decode_client_frame(record.frame);
            INTERLUDE_CHECK(frame);
            // Whoever opens an invitation founds the group with a key package: there must be one.
            if (std::holds_alternative<wire::InvitationPut>(frame->body) && !in_flight.key_packages_there) continue;
            turn.ask(request, std::move(frame->body));
        } else if (record.sealed.empty() && !can_be_sent(record)) {
            refuse_message(turn, request, record, {wire::Rule::invalid, {}, {}, 0, {}});
            continue;
        } else {
            if (in_order && !taken.insert(id).second) continue;
            bool const sent =
                !must_wait(in_flight, request, record, turn.now) && send_message(turn, request, std::move(record));
            if (!sent) continue;
        }
        in_flight.sent.insert(request);
    }
}

std::vector<RequestId> confirmed_ids(Turn& turn) {
    std::vector<RequestId> ids;
    for (auto const& [key, mark] : turn.rows.scan<MarkRecord>(Table::confirming)) ids.push_back(*RequestId::from(key));
    if (ids.size() > 1024) ids.resize(1024);
    return ids;
}

void forget_confirmed(Turn& turn, std::vector<RequestId> const& ids) {
    for (auto const& id : ids) turn.rows.erase(Table::confirming, id.bytes);
}

namespace {

/// `stored` is not signed: what it says must fit what is known here. Nullopt: it does.
struct Contradiction {
    std::string code;
    std::string text;
    Bytes evidence;
};
std::optional<Contradiction> contradiction(Turn& turn, OutgoingRecord const& record, wire::Stored const& stored) {
    auto const& ids = record.variants;
    if (std::find(ids.begin(), ids.end(), stored.envelope) == ids.end())
        return Contradiction{"stored_other", "the server says that it stored something that was never sent",
                             bytes::copy(stored.envelope.bytes)};
    auto const key = key_of(record.conversation, stored.seq);
    if (stored.seq == 0 || turn.rows.has(Table::messages, key) || turn.rows.has(Table::envelopes, key))
        return Contradiction{"stored_place",
                             "the server says that it stored a message as number " + std::to_string(stored.seq) +
                                 ", which is another one",
                             key};
    return std::nullopt;
}

/// The draft stays. The server may have bound the old id to what it said, or the copy of this home that knows better
/// may have: it goes again under another id and in other ciphertext, and readers show one message id once. All messages
/// of the conversation pause: several processes of one home must not take turns without end.
void send_anew(Turn& turn, InFlight& in_flight, RequestId const& old, OutgoingRecord record) {
    auto const request = turn.entropy.id<RequestId>();
    turn.rows.erase(Table::outgoing, old.bytes);
    record.sealed.clear();
    save(turn, request, record);
    say_where(turn, record, request);
    in_flight.answered(old);
    in_flight.messages_not_before[record.conversation] = turn.now + patience_after_contradiction;
}

/// The log's entry of a held message: what the server signed when it took it, or an alarm.
void prove(Turn& turn, RequestId const& request, OutgoingRecord const& record, wire::LogItem const& item) {
    auto const key = key_of(record.conversation, record.seq);
    auto message = turn.rows.get<MessageRecord>(Table::messages, key);
    INTERLUDE_CHECK(message);
    auto const payload = take_item(turn, item);
    if (payload && !message->receipt.empty()) {
        auto const receipt = audit::decode_receipt(message->receipt);
        INTERLUDE_CHECK(receipt);
        auto const broken = audit::check_promise(*receipt, *payload, item.index);
        if (broken)
            turn.alarm(std::string(audit::name(broken->code)), broken->text, record.conversation, message->receipt,
                       records::encode(item));
        message->proven = !broken;
        turn.rows.put(Table::messages, key, *message);
    }
    finish_message(turn, request);
    if (record.body == MessageKind::text)
        turn.tell(MessageChanged{record.conversation, record.message, MessageState::held});
}

/// The entry of a held message where it came with the log. When all parties have an entry, the server forgets what it
/// says, and answers a repeated send by `stored` alone.
std::optional<wire::LogItem> kept_entry(Turn& turn, OutgoingRecord const& record) {
    auto const subject = audit::subject_of(record.conversation);
    for (auto& [key, item] : turn.rows.scan<wire::LogItem>(Table::log_items, subject.bytes)) {
        auto const payload = audit::decode_payload(item.payload);
        auto const* held = payload ? std::get_if<audit::Held>(&payload->body) : nullptr;
        if (held && held->seq == record.seq) return std::move(item);
    }
    return std::nullopt;
}

}  // namespace

bool take_stored(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Stored const& stored) {
    auto record = find(turn, request);
    if (!record) {  // forgotten here after its final answer: the server may forget it too
        in_flight.answered(request);
        turn.confirmed.push_back(request);
        return true;
    }
    if (record->kind != OutgoingKind::message) return false;
    if (record->state == OutgoingState::proving) {
        auto const entry = kept_entry(turn, *record);
        if (entry) prove(turn, request, *record, *entry);
        in_flight.ask_again(request, turn.now + patience_for_proof);  // unless `held` follows now
        return true;
    }

    if (auto wrong = contradiction(turn, *record, stored)) {
        turn.alarm(std::move(wrong->code), std::move(wrong->text), record->conversation, std::move(wrong->evidence));
        send_anew(turn, in_flight, request, std::move(*record));
        return true;
    }
    auto const account = turn.account();
    auto const content = decode_content(record->content);
    INTERLUDE_CHECK(content);
    MessageRecord message;
    message.id = record->message;
    message.kind = record->body;
    message.from = account.account;
    message.device = account.device;
    message.own = true;
    message.sent_at = record->made;
    message.accepted_at = stored.stamp;
    if (auto const* text = std::get_if<Text>(&content->body)) message.text = text->text;
    message.envelope = stored.envelope;
    message.request = request;
    message.holds = stored.holds;
    bool const held = !stored.holds.empty();
    if (held && open_stored_receipt(turn, stored, request)) {
        message.receipt = stored.receipt;
        message.receipt_signature = stored.receipt_signature;
    }
    auto const key = key_of(record->conversation, stored.seq);
    if (auto early = turn.rows.get<EarlyReportRecord>(Table::early_reports, key)) {
        message.opened_by = std::move(early->opened_by);
        message.unopened_by = std::move(early->unopened_by);
        turn.rows.erase(Table::early_reports, key);
    }
    turn.rows.put(Table::messages, key, message);
    if (auto conversation = turn.conversation(record->conversation)) {
        conversation->last_own_seq = std::max(conversation->last_own_seq, stored.seq);
        turn.save(record->conversation, *conversation);
    }
    record->seq = stored.seq;
    say_where(turn, *record, request);
    if (record->replaces > 0)
        take_fate(turn, {record->conversation, record->replaces, wire::FateKind::recalled, std::nullopt});
    if (held) {
        in_flight.proof_due[request] = turn.now + patience_for_proof;
        record->state = OutgoingState::proving;
        save(turn, request, *record);
    } else {
        finish_message(turn, request);
    }
    forget_early_reports(turn, record->conversation);
    if (record->body == MessageKind::text)
        turn.tell(
            MessageChanged{record->conversation, record->message, held ? MessageState::held : MessageState::stored});
    return true;
}

bool take_held(Turn& turn, RequestId const& request, wire::Held const& held) {
    auto const record = find(turn, request);
    if (!record) {
        turn.confirmed.push_back(request);
        return true;
    }
    if (record->kind != OutgoingKind::message) return false;
    if (record->state != OutgoingState::proving) return true;  // its `stored` did not come yet: both come again
    prove(turn, request, *record, held.item);
    return true;
}

bool take_epoch_stale(Turn& turn, InFlight& in_flight, RequestId const& request, wire::EpochStale const& stale) {
    auto record = find(turn, request);
    if (!record || record->kind != OutgoingKind::message) return false;
    if (record->state != OutgoingState::waiting) return true;
    if (auto conversation = turn.conversation(record->conversation)) {
        conversation->server_epoch = std::max(conversation->server_epoch, stale.epoch);
        turn.save(record->conversation, *conversation);
    }
    if (record->epoch < stale.epoch) {
        record->sealed.clear();
        save(turn, request, *record);
    } else {  // another process of this home sealed it again already, or the server is behind
        in_flight.be_patient(request, turn.now + patience_after_stale);
    }
    return true;
}

bool take_refused(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Refused const& refused) {
    auto const record = find(turn, request);
    if (!record) return false;
    if (record->state != OutgoingState::waiting) {
        wait_for_proof(turn, in_flight, request, *record, refused.retry_after_seconds);
        return true;
    }
    if (refused.rule == wire::Rule::too_fast ||
        (refused.rule == wire::Rule::quota && refused.retry_after_seconds > 0)) {
        in_flight.be_patient(request, turn.now + std::chrono::seconds(std::max(1u, refused.retry_after_seconds)));
        return true;
    }
    if (record->kind == OutgoingKind::message)
        take_no(turn, in_flight, request, *record, refused);
    else
        refuse_request(turn, request, *record, refused);
    return true;
}

bool take_error(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Error const& error) {
    auto const record = find(turn, request);
    if (!record) return false;
    if (record->state != OutgoingState::waiting) {
        wait_for_proof(turn, in_flight, request, *record, error.retry_after_seconds);
        return true;
    }
    wire::Refused refused;
    refused.rule = wire::Rule::invalid;
    switch (error.code) {
        case wire::ErrorCode::too_fast:
        case wire::ErrorCode::overloaded:
        case wire::ErrorCode::store:
        case wire::ErrorCode::out_of_state:
        case wire::ErrorCode::not_authenticated: {
            auto const asked = std::chrono::seconds(error.retry_after_seconds);
            in_flight.be_patient(request, turn.now + std::max<std::chrono::seconds>(asked, patience_after_error));
            return true;
        }
        case wire::ErrorCode::not_yet:
            refused.rule = wire::Rule::not_yet;
            break;
        case wire::ErrorCode::malformed:
            break;
        case wire::ErrorCode::not_allowed:
            refused.rule = wire::Rule::not_a_member;
            break;
    }
    if (record->kind == OutgoingKind::message)
        take_no(turn, in_flight, request, *record, refused);
    else
        refuse_request(turn, request, *record, refused);
    return true;
}

namespace {

std::optional<wire::Recall> recall_in(Bytes const& frame) {
    auto const decoded = wire::decode_client_frame(frame);
    auto const* recall = decoded ? std::get_if<wire::Recall>(&decoded->body) : nullptr;
    return recall ? std::optional(*recall) : std::nullopt;
}

}  // namespace

bool take_done(Turn& turn, RequestId const& request) {
    auto const record = find(turn, request);
    if (!record || record->kind == OutgoingKind::message) return false;
    turn.rows.erase(Table::outgoing, request.bytes);
    document_accepted(turn, record->frame);
    if (auto const recall = recall_in(record->frame))
        take_fate(turn, {recall->conversation, recall->seq, wire::FateKind::recalled, std::nullopt});
    turn.tell(RequestAnswered{request, std::nullopt});
    return true;
}

bool take_too_late(Turn& turn, RequestId const& request) {
    auto record = find(turn, request);
    if (!record || record->state != OutgoingState::waiting) return false;
    if (record->kind == OutgoingKind::message) {
        if (record->replaces == 0) return false;
        record->state = OutgoingState::too_late;
        save(turn, request, *record);
        turn.tell(MessageChanged{record->conversation, record->message, MessageState::refused});
        forget_early_reports(turn, record->conversation);
        return true;
    }
    if (!recall_in(record->frame)) return false;
    turn.rows.erase(Table::outgoing, request.bytes);
    turn.tell(RequestAnswered{request, std::nullopt, true});
    return true;
}

bool recalled_unasked(Turn& turn, MessageRecord const& message) {
    return message.own && message.device == turn.account().device && !message.recall_wished;
}

std::string unasked_in_words(std::uint64_t seq) {
    return "the server took back message " + std::to_string(seq) + ", and nobody here had asked for it";
}

void take_fate(Turn& turn, wire::Fate const& fate) {
    auto const key = key_of(fate.conversation, fate.seq);
    auto const conversation = turn.conversation(fate.conversation);
    auto message = turn.rows.get<MessageRecord>(Table::messages, key);
    if (!conversation || !message || !message->own) return;  // only what was written here has one
    switch (fate.kind) {
        case wire::FateKind::passed:
            for (auto const& hold : message->holds) {
                auto& passed = message->passed;
                bool const meant = !fate.account || hold.account == *fate.account;
                if (meant && std::find(passed.begin(), passed.end(), hold.account) == passed.end())
                    passed.push_back(hold.account);
            }
            break;
        case wire::FateKind::recalled:
        case wire::FateKind::expired:
            if (message->fate == fate.kind) return;  // the answer came, and the notice too
            if (fate.kind == wire::FateKind::recalled && recalled_unasked(turn, *message))
                turn.alarm("recalled_unasked", unasked_in_words(fate.seq), fate.conversation, message->receipt);
            message->fate = fate.kind;
            break;
    }
    turn.rows.put(Table::messages, key, *message);
    if (message->kind == MessageKind::text)
        turn.tell(MessageChanged{fate.conversation, message->id, state_of(*conversation, *message, turn.now)});
}

std::size_t sent_and_unanswered(Turn& turn, ConversationId const& id) {
    std::size_t count = 0;
    for (auto const& [request, record] : outgoing(turn))
        count += record.kind == OutgoingKind::message && record.conversation == id &&
                 record.state == OutgoingState::waiting && !record.variants.empty();
    return count;
}

std::size_t waiting_count(Turn& turn) {
    std::size_t count = 0;
    for (auto const& [request, record] : outgoing(turn)) {
        if (record.kind == OutgoingKind::message && only_while_open(record.body))
            continue;  // not what a person waits for
        if (wants_answer(record)) ++count;
    }
    return count;
}

}  // namespace interlude::engine
