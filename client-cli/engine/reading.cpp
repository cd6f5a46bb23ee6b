#include "client-cli/engine/reading.hpp"

#include <algorithm>
#include <set>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/engine.hpp"
#include "client-cli/engine/news.hpp"
#include "client-cli/engine/outbox.hpp"
#include "common/bytes/text.hpp"
#include "common/identity/safety_words.hpp"

namespace interlude::engine {

using base::Errc;

std::string_view name(MessageState state) noexcept {
    switch (state) {
        case MessageState::on_device:
            return "on_device";
        case MessageState::stored:
            return "stored";
        case MessageState::held:
            return "held";
        case MessageState::delivered:
            return "delivered";
        case MessageState::read:
            return "read";
        case MessageState::recalled:
            return "recalled";
        case MessageState::expired:
            return "expired";
        case MessageState::refused:
            return "refused";
    }
    return "unknown";
}

std::string_view name(Verification verification) noexcept {
    switch (verification) {
        case Verification::by_invitation:
            return "by_invitation";
        case Verification::joined:
            return "joined";
        case Verification::confirmed:
            return "confirmed";
        case Verification::changed:
            return "changed";
    }
    return "unknown";
}

std::string_view name(Pause pause) noexcept {
    switch (pause) {
        case Pause::none:
            return "none";
        case Pause::closed:
            return "closed";
        case Pause::broken:
            return "broken";
        case Pause::identity_changed:
            return "identity_changed";
    }
    return "unknown";
}

Pause pause_of(ConversationRecord const& conversation) {
    if (conversation.closed) return Pause::closed;
    if (conversation.broken) return Pause::broken;
    if (conversation.verified == Verification::changed) return Pause::identity_changed;
    return Pause::none;
}

std::string_view name(HoursState state) noexcept {
    switch (state) {
        case HoursState::none:
            return "none";
        case HoursState::open:
            return "open";
        case HoursState::closed:
            return "closed";
    }
    return "unknown";
}

bool still_held(MessageRecord const& message, wire::Hold const& hold, WallTime now) {
    auto const has = [&](std::vector<AccountId> const& accounts) {
        return std::find(accounts.begin(), accounts.end(), hold.account) != accounts.end();
    };
    if (has(message.passed) || has(message.opened_by)) return false;
    return !hold.until || now < *hold.until;
}

MessageState state_of(ConversationRecord const& conversation, MessageRecord const& message, WallTime now) {
    if (!message.own) return MessageState::delivered;
    bool everybody = true;
    bool anybody = false;
    for (auto const& member : conversation.members) {
        if (member.account == message.from) continue;
        anybody = true;
        auto const& by = message.opened_by;
        everybody = everybody && std::find(by.begin(), by.end(), member.account) != by.end();
    }
    if (anybody && everybody) return MessageState::delivered;
    if (message.fate == wire::FateKind::recalled) return MessageState::recalled;
    if (message.fate == wire::FateKind::expired) return MessageState::expired;
    for (auto const& hold : message.holds)
        if (still_held(message, hold, now)) return MessageState::held;
    return MessageState::stored;
}

namespace {

std::string name_of(ConversationRecord const& conversation, AccountId const& account) {
    for (auto const& known : conversation.names)
        if (known.account == account) return known.name;
    return {};
}

bool is_shown(MessageRecord const& message) {
    if (message.duplicate || (message.own && message.kind != MessageKind::text)) return false;
    switch (message.kind) {
        case MessageKind::text:
        case MessageKind::cannot_open:
        case MessageKind::unknown:
            return true;
        case MessageKind::opened:
        case MessageKind::receipt:
        case MessageKind::profile:
        case MessageKind::crisis_card:
        case MessageKind::early_delivery:
        case MessageKind::cannot_open_report:
            return false;
    }
    return false;
}

MessageView view_of(ConversationId const& id, ConversationRecord const& conversation, std::uint64_t seq,
                    MessageRecord const& message, AccountRecord const& account, WallTime now, bool unread) {
    MessageView view;
    view.unread = unread;
    view.conversation = id;
    view.id = message.id;
    view.seq = seq;
    view.from = message.from;
    view.from_me = message.own;
    view.from_name = message.own ? account.own_name : name_of(conversation, message.from);
    // Of two people the other one is whom this person named the conversation after.
    if (view.from_name.empty() && !message.own && conversation.members.size() == 2) view.from_name = conversation.name;
    view.sent_at = message.sent_at;
    view.accepted_at = message.accepted_at;
    view.state = state_of(conversation, message, now);
    if (view.state == MessageState::held) {
        for (auto const& hold : message.holds)
            if (still_held(message, hold, now) && hold.until)
                view.held_until = view.held_until ? std::min(*view.held_until, *hold.until) : *hold.until;
    }
    view.proof_missing = message.own && !message.holds.empty() && !message.proven;
    view.cannot_open = message.kind == MessageKind::cannot_open;
    view.unopened = message.own && view.state != MessageState::delivered && !message.unopened_by.empty();
    view.unknown_form = message.kind == MessageKind::unknown;
    if (!view.unknown_form) view.text = message.text;
    return view;
}

std::optional<MessageView> view_of(ConversationId const& id, ConversationRecord const& conversation,
                                   OutgoingRecord const& record, AccountRecord const& account) {
    if (record.kind != OutgoingKind::message || record.conversation != id || record.body != MessageKind::text)
        return std::nullopt;
    MessageView view;
    switch (record.state) {
        case OutgoingState::waiting:
            view.state = MessageState::on_device;
            view.paused = pause_of(conversation) != Pause::none;
            break;
        case OutgoingState::refused:
            view.state = MessageState::refused;
            view.refusal = record.refusal;
            break;
        case OutgoingState::too_late:
            view.state = MessageState::refused;
            view.too_late = true;
            break;
        case OutgoingState::proving:
            return std::nullopt;  // in its place among the messages
    }
    auto const content = decode_content(record.content);
    INTERLUDE_CHECK(content);
    view.conversation = id;
    view.id = record.message;
    view.from = account.account;
    view.from_me = true;
    view.from_name = account.own_name;
    view.sent_at = record.made;
    view.text = std::get<Text>(content->body).text;
    return view;
}

std::optional<MessageView> view_at(Turn& turn, ConversationId const& id, std::uint64_t seq) {
    auto const conversation = turn.conversation(id);
    auto const key = key_of(id, seq);
    auto const message = turn.rows.get<MessageRecord>(Table::messages, key);
    if (!conversation || !message || !is_shown(*message)) return std::nullopt;
    return view_of(id, *conversation, seq, *message, turn.account(), turn.now, turn.rows.has(Table::unread, key));
}

std::optional<MessageView> view_of_outgoing(Turn& turn, ConversationId const& id, RequestId const& request) {
    auto const conversation = turn.conversation(id);
    auto const record = turn.rows.get<OutgoingRecord>(Table::outgoing, request.bytes);
    return conversation && record ? view_of(id, *conversation, *record, turn.account()) : std::nullopt;
}

}  // namespace

std::vector<ConversationView> Engine::conversations() {
    Turn turn(vault_, entropy_, {});
    std::vector<ConversationView> views;
    auto const account = turn.rows.home<AccountRecord>(home::account);
    if (!account) return views;
    auto const waiting = outgoing(turn);
    for (auto const& [key, record] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        ConversationView view;
        view.id = *ConversationId::from(key);
        view.name = record.name;
        view.verified = record.verified;
        view.invited_at = record.invited_at;
        view.closed = record.closed;
        view.pause = pause_of(record);
        for (auto const& member : record.members) {
            bool const me = member.account == account->account;
            view.members.push_back({member.account, member.side, me,
                                    me ? account->own_name : name_of(record, member.account), member.devices.size()});
        }
        view.unread = turn.rows.scan<MarkRecord>(Table::unread, key).size();
        for (auto const& [request, out] : waiting)
            if (out.kind == OutgoingKind::message && out.body == MessageKind::text && out.conversation == view.id &&
                out.state == OutgoingState::waiting)
                ++view.waiting;
        views.push_back(std::move(view));
    }
    return views;
}

Result<void> Engine::rename(ConversationId const& id, std::string new_name) {
    if (new_name.size() > name_bytes_max) return Errc::too_long;
    if (!bytes::is_utf8(new_name)) return Errc::malformed;
    Turn turn(vault_, entropy_, {});
    auto record = turn.conversation(id);
    if (!record) return Errc::unknown;
    record->name = std::move(new_name);
    turn.save(id, *record);
    turn.rows.commit();
    return {};
}

Result<MessageId> Engine::send(ConversationId const& id, std::string text, WallTime now) {
    if (text.size() > text_bytes_max) return Errc::too_long;
    if (!bytes::is_utf8(text)) return Errc::malformed;
    Turn turn(vault_, entropy_, now);
    auto const record = turn.conversation(id);
    if (!record) return Errc::unknown;
    if (pause_of(*record) != Pause::none) return Errc::not_allowed;
    auto const message = turn.entropy.id<MessageId>();
    queue_message(turn, id, message, Text{std::move(text)});
    turn.rows.commit();
    return message;
}

namespace {

/// An own message that waits: a draft that never left, or one that the server holds.
struct Waiting {
    std::optional<RequestId> draft;
    std::uint64_t seq = 0;
};
Result<Waiting> waiting_message(Turn& turn, ConversationId const& id, MessageId const& message) {
    auto const conversation = turn.conversation(id);
    auto const place =
        turn.rows.get<MessagePlaceRecord>(Table::message_ids, key_of(id, turn.account().account, message));
    if (!conversation || !place) return Errc::unknown;
    if (place->seq > 0) {
        auto const record = turn.rows.get<MessageRecord>(Table::messages, key_of(id, place->seq));
        if (!record || !record->own) return Errc::unknown;
        if (state_of(*conversation, *record, turn.now) != MessageState::held) return Errc::conflict;
        return Waiting{std::nullopt, place->seq};
    }
    auto const record = turn.rows.get<OutgoingRecord>(Table::outgoing, place->request->bytes);
    if (!record) return Errc::unknown;
    // Refused for good, it has no life on the server whatever was sent.
    if (record->state == OutgoingState::waiting && !record->variants.empty()) return Errc::not_yet;
    return Waiting{place->request, 0};
}

/// Before the server is asked: what it says later is judged by it.
void note_wish(Turn& turn, ConversationId const& id, std::uint64_t seq) {
    auto const key = key_of(id, seq);
    auto record = turn.rows.get<MessageRecord>(Table::messages, key);
    INTERLUDE_CHECK(record);
    record->recall_wished = true;
    turn.rows.put(Table::messages, key, *record);
}

}  // namespace

Result<std::optional<RequestId>> Engine::recall(ConversationId const& id, MessageId const& message, WallTime now) {
    Turn turn(vault_, entropy_, now);
    INTERLUDE_TRY(auto const waiting, waiting_message(turn, id, message));
    std::optional<RequestId> asked;
    if (waiting.draft) {
        turn.rows.erase(Table::outgoing, waiting.draft->bytes);
        turn.rows.erase(Table::message_ids, key_of(id, turn.account().account, message));
    } else {
        note_wish(turn, id, waiting.seq);
        asked = queue_request(turn, OutgoingKind::document, wire::Recall{id, waiting.seq});
    }
    turn.rows.commit();
    return asked;
}

Result<MessageId> Engine::replace(ConversationId const& id, MessageId const& message, std::string text, WallTime now) {
    if (text.size() > text_bytes_max) return Errc::too_long;
    if (!bytes::is_utf8(text)) return Errc::malformed;
    Turn turn(vault_, entropy_, now);
    INTERLUDE_TRY(auto const waiting, waiting_message(turn, id, message));
    if (pause_of(*turn.conversation(id)) != Pause::none) return Errc::not_allowed;
    auto const other = waiting.draft ? message : turn.entropy.id<MessageId>();
    if (waiting.draft)
        turn.rows.erase(Table::outgoing, waiting.draft->bytes);
    else
        note_wish(turn, id, waiting.seq);
    queue_message(turn, id, other, Text{std::move(text)}, waiting.seq);
    turn.rows.commit();
    return other;
}

Result<void> Engine::send_profile(ConversationId const& id, std::string own_name, WallTime now) {
    if (own_name.size() > name_bytes_max) return Errc::too_long;
    if (!bytes::is_utf8(own_name)) return Errc::malformed;
    Turn turn(vault_, entropy_, now);
    if (!turn.conversation(id)) return Errc::unknown;
    auto account = turn.account();
    account.own_name = own_name;
    turn.rows.put_home(home::account, account);
    queue_message(turn, id, turn.entropy.id<MessageId>(), Profile{std::move(own_name)});
    turn.rows.commit();
    return {};
}

std::vector<MessageView> Engine::messages(ConversationId const& id, WallTime now) {
    Turn turn(vault_, entropy_, now);
    std::vector<MessageView> views;
    auto const conversation = turn.conversation(id);
    if (!conversation) return views;
    auto const account = turn.account();
    std::set<std::uint64_t> unread;
    for (auto const& [key, mark] : turn.rows.scan<MarkRecord>(Table::unread, id.bytes))
        unread.insert(number_at_end(key));
    for (auto const& [key, message] : turn.rows.scan<MessageRecord>(Table::messages, id.bytes)) {
        auto const seq = number_at_end(key);
        if (is_shown(message))
            views.push_back(view_of(id, *conversation, seq, message, account, now, unread.contains(seq)));
    }
    for (auto const& [request, record] : outgoing(turn))
        if (auto view = view_of(id, *conversation, record, account)) views.push_back(std::move(*view));
    return views;
}

std::optional<MessageView> Engine::message(ConversationId const& id, MessageId const& message, WallTime now) {
    Turn turn(vault_, entropy_, now);
    auto const conversation = turn.conversation(id);
    if (!conversation) return std::nullopt;
    std::vector<AccountId> authors{turn.account().account};
    for (auto const& member : conversation->members) authors.push_back(member.account);
    for (auto const& author : authors) {
        auto const place = turn.rows.get<MessagePlaceRecord>(Table::message_ids, key_of(id, author, message));
        if (!place) continue;
        return place->seq > 0 ? view_at(turn, id, place->seq) : view_of_outgoing(turn, id, *place->request);
    }
    return std::nullopt;
}

std::optional<MessageView> Engine::arrived(ConversationId const& id, std::uint64_t seq, WallTime now) {
    Turn turn(vault_, entropy_, now);
    return view_at(turn, id, seq);
}

void Engine::follow() {
    if (news_seen_) return;
    Turn turn(vault_, entropy_, {});
    news_seen_ = newest_news(turn);
}

void Engine::mark_read(ConversationId const& id, std::uint64_t seq) {
    Turn turn(vault_, entropy_, {});
    for (auto const& [key, mark] : turn.rows.scan<MarkRecord>(Table::unread, id.bytes))
        if (number_at_end(key) <= seq) turn.rows.erase(Table::unread, key);
    turn.rows.commit();
}

Result<std::array<std::string, 4>> Engine::safety_words(ConversationId const& id) {
    std::optional<AccountId> other;
    AccountId me;
    {
        Turn turn(vault_, entropy_, {});
        auto const record = turn.conversation(id);
        if (!record) return Errc::unknown;
        me = turn.account().account;
        for (auto const& member : record->members)
            if (member.account != me) other = member.account;
    }
    if (!other) return Errc::unknown;
    std::array<std::string, 4> words;
    auto const found = identity::safety_words(me, *other, id);
    std::copy(found.begin(), found.end(), words.begin());
    return words;
}

namespace {
constexpr std::string_view words_differ = "words_differ";  // the person's own word: it ends with another one
}

Result<void> Engine::confirm_words(ConversationId const& id) {
    Turn turn(vault_, entropy_, {});
    auto record = turn.conversation(id);
    if (!record) return Errc::unknown;
    record->verified = Verification::confirmed;
    turn.save(id, *record);
    for (auto const& [key, alarm] : turn.rows.scan<AlarmRecord>(Table::alarms))
        if (alarm.code == words_differ && alarm.conversation == id) turn.rows.erase(Table::alarms, key);
    turn.rows.commit();
    return {};
}

Result<void> Engine::reject_words(ConversationId const& id, WallTime now) {
    Turn turn(vault_, entropy_, now);
    auto record = turn.conversation(id);
    if (!record) return Errc::unknown;
    record->verified = Verification::changed;
    turn.save(id, *record);
    turn.alarm(std::string(words_differ),
               "the four words were not the same on both sides: somebody else may be in this conversation. Sending is "
               "paused until they are confirmed",
               id);
    turn.rows.commit();
    return {};
}

std::vector<DeviceView> Engine::devices(WallTime now) {
    Turn turn(vault_, entropy_, now);
    std::vector<DeviceView> views;
    auto const account = turn.rows.home<AccountRecord>(home::account);
    if (!account) return views;
    std::vector<AccountId> accounts{account->account};
    for (auto const& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations))
        for (auto const& member : conversation.members)
            if (std::find(accounts.begin(), accounts.end(), member.account) == accounts.end())
                accounts.push_back(member.account);
    for (auto const& id : accounts) {
        auto const list = newest_list(turn, id);
        if (!list) continue;
        auto const& known = list->list();
        for (auto const& device : known.devices)
            views.push_back({id, device.id, device.id == account->device, device.added, known.position().generation,
                             known.position().version, identity::is_old(known, now)});
    }
    return views;
}

Result<void> Engine::set_crisis_card(std::string text, WallTime now) {
    if (text.size() > text_bytes_max) return Errc::too_long;
    if (!bytes::is_utf8(text)) return Errc::malformed;
    Turn turn(vault_, entropy_, now);
    auto const account = turn.rows.home<AccountRecord>(home::account);
    if (!account || account->side != Side::therapist) return Errc::not_allowed;
    turn.rows.put_home(home::crisis_card, CrisisCardRecord{text, now});
    for (auto const& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations))
        if (!conversation.closed)
            queue_message(turn, *ConversationId::from(key), turn.entropy.id<MessageId>(), CardContent{text, now});
    turn.rows.commit();
    return {};
}

std::optional<CrisisCard> Engine::crisis_card() {
    Turn turn(vault_, entropy_, {});
    auto record = turn.rows.home<CrisisCardRecord>(home::crisis_card);
    if (!record) return std::nullopt;
    return CrisisCard{std::move(record->text), record->dated};
}

std::vector<Alarm> Engine::alarms() {
    Turn turn(vault_, entropy_, {});
    std::vector<Alarm> alarms;
    for (auto& [key, record] : turn.rows.scan<AlarmRecord>(Table::alarms))
        alarms.push_back({std::move(record.code), std::move(record.text), record.conversation});
    return alarms;
}

StatusView Engine::status() {
    Turn turn(vault_, entropy_, {});
    StatusView view;
    if (auto const account = turn.rows.home<AccountRecord>(home::account)) {
        view.account = account->account;
        view.device = account->device;
        view.side = account->side;
        view.seed_on_device = !account->recovery_seed.empty();
    }
    if (auto const server = turn.rows.home<ServerRecord>(home::server)) {
        view.server = server->host + ":" + std::to_string(server->port);
        view.last_contact = server->last_contact;
        if (auto const skew = server->skew()) view.skew_ms = skew->count();
    }
    view.waiting = waiting_count(turn);
    view.alarms = turn.rows.scan<AlarmRecord>(Table::alarms).size();
    return view;
}

}  // namespace interlude::engine
