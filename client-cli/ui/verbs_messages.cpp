#include <chrono>
#include <iostream>
#include <iterator>
#include <set>
#include <utility>

#include "client-cli/ui/home.hpp"
#include "client-cli/ui/verbs.hpp"
#include "client-cli/vault/sealed_vault.hpp"
#include "common/bytes/text.hpp"

namespace interlude::ui {

namespace {

std::string name_of(Home& home, base::ConversationId const& id) {
    for (auto const& one : home.engine().conversations())
        if (one.id == id) return one.name;
    return {};
}

void print(Options const& options, engine::MessageView const& message, std::string const& name) {
    if (options.json) {
        print_json(message_json(message, name));
    } else {
        std::cout << message_line(message, wall_now(), screen_columns()) << '\n' << std::flush;
    }
}

/// Above the text, until the person confirmed who the others are.
void print_warning(Options const& options, engine::ConversationView const& conversation) {
    auto const warning = trust_warning(conversation, wall_now());
    if (!options.json && !warning.empty()) std::cout << "-- " << warning << '\n' << std::flush;
}

std::string refusal_of(engine::MessageView const& message) {
    if (!bytes::is_utf8(message.text)) return "it is not UTF-8 text; write it again";
    return refusal_in_words(*message.refusal);
}

std::string too_late_in_words() {
    return texts().at("rules").at("too_late").get<std::string>();
}

/// Answered for good: the server's word and, where something is held, its proof are in the vault.
bool settled(std::optional<engine::MessageView> const& message) {
    return message && message->state != engine::MessageState::on_device && !message->proof_missing;
}

}  // namespace

bool waits_unseen(engine::MessageState state) {
    return state == engine::MessageState::on_device || state == engine::MessageState::held ||
           state == engine::MessageState::refused;
}

json message_json(engine::MessageView const& message, std::string const& conversation_name) {
    json object{{"type", "message"},
                {"conversation", hex(message.conversation)},
                {"name", conversation_name},
                {"message_id", hex(message.id)},
                {"from", {{"account", hex(message.from)}, {"me", message.from_me}, {"name", message.from_name}}},
                {"sent_at", rfc3339(message.sent_at)},
                {"state", name(message.state)},
                {"text", message.text}};
    if (message.seq) object["seq"] = *message.seq;
    if (message.accepted_at) object["accepted_at"] = rfc3339(*message.accepted_at);
    if (message.held_until) object["held_until"] = rfc3339(*message.held_until);
    if (!bytes::is_utf8(message.text)) object["text_hex"] = bytes::to_hex(bytes::view(message.text));
    if (message.cannot_open) object["cannot_open"] = true;
    if (message.unknown_form) object["unknown_form"] = true;
    if (message.paused) object["paused"] = true;
    if (message.unopened) object["unopened"] = true;
    if (message.refusal) object["reason"] = refusal_of(message);
    if (message.too_late) object["reason"] = too_late_in_words();
    if (message.state == engine::MessageState::held) object["proved"] = !message.proof_missing;
    return object;
}

std::string state_in_words(engine::MessageView const& message, base::WallTime now) {
    auto words = texts().at("states").value(std::string(name(message.state)), "");
    if (message.state == engine::MessageState::held)
        words += message.held_until ? " until " + when(*message.held_until, now) + " (your time)"
                                    : "; no opening is published yet";
    if (message.state == engine::MessageState::refused && message.refusal) words += ": " + refusal_of(message);
    if (message.too_late) words += ": " + too_late_in_words();
    if (message.paused) words += "; it is not sent: sending is paused here (interlude list says why)";
    if (message.unopened) words += "; the other side cannot open it, so please write it again";
    if (message.proof_missing) words += ", its proof is on the way";
    return words;
}

namespace {

/// Who wrote it. A foreign name that equals what this app calls its own person is marked, whatever its case.
std::string author_of(engine::MessageView const& message) {
    if (message.from_me) return "you";
    auto const account = "account " + hex(message.from).substr(0, 8);
    if (message.from_name.empty()) return account;
    auto name = visible(message.from_name, false);
    std::string folded;
    for (char const c : name)
        if (c != ' ') folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return folded == "you" ? "the other side, called \"" + name + "\" (" + account + ")" : name;
}

}  // namespace

std::string message_line(engine::MessageView const& message, base::WallTime now, std::size_t columns) {
    auto line = "[" + when(message.sent_at, now) + "] " + author_of(message) + ": ";
    line += message.cannot_open    ? "(this message cannot be opened on this device)"
            : message.unknown_form ? "(this message is in a form that this version does not know)"
                                   : visible(message.text);
    return continued(line, columns) +
           (message.from_me ? "\n    (" + state_in_words(message, now) + ")" : std::string());
}

namespace {

/// Sends the draft that is in the vault, and says what became of it.
int send_kept(Options const& options, Home& home, engine::ConversationView const& conversation,
              engine::MessageId const& id) {
    std::vector<engine::Alarm> alarms;
    client_net::OnEvent const event = [&](engine::Event const& one) {
        if (auto const* alarm = std::get_if<engine::Alarm>(&one)) alarms.push_back(*alarm);
        return false;
    };
    bool card_shown = false;
    auto const show_card = [&] {
        if (!options.json && !std::exchange(card_shown, true))
            std::cout << '\n' << crisis_card_text(home.engine().crisis_card()) << std::flush;
    };
    auto const patience_until = std::chrono::steady_clock::now() + std::chrono::seconds{2};
    client_net::OnIdle const idle = [&](bool) {
        if (settled(home.engine().message(conversation.id, id, wall_now()))) return true;
        if (!options.json && !card_shown && std::chrono::steady_clock::now() >= patience_until) {
            std::cout << "The message is kept on this device; " << home.engine().status().server
                      << " is not reached yet. (Ctrl-C stops waiting; the message stays.)\n";
            show_card();
        }
        return false;
    };
    auto const result = home.run(options.timeout, event, idle);
    show_alarms(options, alarms);
    auto const message = home.engine().message(conversation.id, id, wall_now());
    INTERLUDE_CHECK(message.has_value());
    print(options, *message, conversation.name);
    bool const on_device = message->state == engine::MessageState::on_device;
    if (on_device && !options.json)
        std::cout
            << "It is kept on this device" << (result.failure ? " (" + result.failure->text + ")" : std::string())
            << ". It goes out with your next command,\nfor example interlude status, or while a chat or watch runs.\n";
    if (waits_unseen(message->state)) show_card();
    if (message->state == engine::MessageState::refused) return refused;
    return on_device ? kept : done;
}

}  // namespace

int send(Options const& options) {
    auto home = Home::open(options);
    auto const conversation = home.find(options.words.size() == 2 ? std::optional(options.words[0]) : std::nullopt);
    auto text = options.words.back();
    if (options.words.size() == 1)
        for (auto const& one : home.engine().conversations())
            if (one.name == text)
                throw Failure(usage, "no_text", "what do you want to write to " + visible(text, false) + "?",
                              "write the text too: interlude send " + visible(text, false) + " \"...\"");
    if (text == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
        while (!text.empty() && text.back() == '\n') text.pop_back();
        if (!bytes::is_utf8(text))
            throw Failure(bad_data, "not_text", "what came on standard input is not UTF-8 text, so nothing was sent",
                          "convert it first, for example: iconv -f latin1 -t utf-8");
    }
    if (text.empty()) throw Failure(usage, "empty", "there is nothing to send", "");
    auto const id = home.engine().send(conversation.id, text, wall_now());
    if (!id) {
        switch (id.error()) {
            case base::Errc::too_long:
                throw Failure(refused, "too_long", "the message is too long, so nothing was sent or kept",
                              "send it in parts");
            case base::Errc::not_allowed:
                throw Failure(refused, "paused", pause_in_words(conversation.pause) + ", so nothing was sent or kept",
                              conversation.pause == engine::Pause::identity_changed
                                  ? "compare the four words again: interlude verify"
                                  : "run: interlude status");
            default:
                throw Failure(refused, "unknown", "there is no such conversation", "");
        }
    }
    try {
        return send_kept(options, home, conversation, *id);
    } catch (vault::VaultError const& error) {
        throw Failure(kept, "message_kept",
                      std::string(error.what()) + "; the message itself is kept on this device and will be sent",
                      "do not write it again; run: interlude status");
    }
}

namespace {

/// Own ones that nobody else has yet, oldest first.
std::vector<engine::MessageView> waiting_messages(Home& home, base::ConversationId const& conversation) {
    std::vector<engine::MessageView> waiting;
    for (auto& message : home.engine().messages(conversation, wall_now()))
        if (message.from_me && waits_unseen(message.state)) waiting.push_back(std::move(message));
    return waiting;
}

/// "last", or the beginning of an id as `held` shows it.
engine::MessageView find_waiting(Home& home, engine::ConversationView const& conversation, std::string const& word) {
    auto const waiting = waiting_messages(home, conversation.id);
    std::vector<engine::MessageView> found;
    for (auto const& message : waiting)
        if (hex(message.id).rfind(word, 0) == 0 || (word == "last" && &message == &waiting.back()))
            found.push_back(message);
    if (found.size() == 1) return found.front();
    for (auto const& message : home.engine().messages(conversation.id, wall_now()))
        if (found.empty() && message.from_me && hex(message.id).rfind(word, 0) == 0)
            throw Failure(refused, "too_late", "it is " + state_in_words(message, wall_now()) + ": nothing was changed",
                          "interlude held lists what can still be taken back");
    throw Failure(usage, "no_message",
                  found.empty() ? "nothing that waits has an id that begins like that"
                                : "several messages have an id that begins like that",
                  "interlude held lists what can be taken back, with its ids; last is the newest");
}

/// An own message that its author wants back, in a home that has just seen the server.
struct Wanted {
    Home home;
    engine::ConversationView conversation;
    engine::MessageView message;
};
Wanted find_wanted(Options const& options, std::size_t words_behind) {
    auto home = Home::open(options);
    home.catch_up(options);  // what is on its way gets its answer first
    bool const named = options.words.size() > words_behind;
    auto const conversation = home.find(named ? std::optional(options.words[0]) : std::nullopt);
    auto message = find_waiting(home, conversation, options.words[named ? 1 : 0]);
    return {std::move(home), conversation, std::move(message)};
}

[[noreturn]] void throw_not_taken_back(base::Errc error) {
    if (error == base::Errc::not_yet)
        throw Failure(kept, "not_answered",
                      "it is on its way to the server, which did not answer yet: nothing was changed",
                      "try again when the server is reached: interlude status");
    throw Failure(refused, "too_late", too_late_in_words() + "; nothing was changed", "");
}

}  // namespace

int held(Options const& options) {
    auto home = Home::open(options);
    home.catch_up(options);
    bool any = false;
    for (auto const& conversation : home.engine().conversations()) {
        if (!options.words.empty() && conversation.id != home.find(options.words[0]).id) continue;
        for (auto const& message : waiting_messages(home, conversation.id)) {
            any = true;
            if (options.json) {
                print_json(message_json(message, conversation.name));
                continue;
            }
            std::cout << hex(message.id).substr(0, 8) << "  " << visible(conversation.name, false) << "  "
                      << message_line(message, wall_now(), screen_columns()) << '\n';
        }
    }
    if (!any && !options.json) std::cout << "Nothing of yours waits.\n";
    return done;
}

int recall(Options const& options) {
    auto [home, conversation, message] = find_wanted(options, 1);
    auto const asked = home.engine().recall(conversation.id, message.id, wall_now());
    if (!asked) throw_not_taken_back(asked.error());
    if (!*asked) {
        if (!options.json) std::cout << "Taken back: it had never left this device.\n";
        return done;
    }
    auto const answer = home.await_answer(**asked, options.timeout).answer;
    if (!answer)
        throw Failure(kept, "recall_kept", "the server was not reached: the message is still held there",
                      "the wish is kept here and goes out with your next command, for example: interlude status");
    if (answer->too_late || answer->refused) throw_not_taken_back(base::Errc::conflict);
    if (auto const now = home.engine().message(conversation.id, message.id, wall_now()))
        print(options, *now, conversation.name);
    if (!options.json)
        std::cout << "Taken back: nobody was shown it. The log keeps that something was taken back, not what.\n";
    return done;
}

int replace(Options const& options) {
    auto [home, conversation, message] = find_wanted(options, 2);
    auto const other = home.engine().replace(conversation.id, message.id, options.words.back(), wall_now());
    if (!other) {
        if (other.error() == base::Errc::too_long)
            throw Failure(refused, "too_long", "the message is too long, so nothing was changed", "send it in parts");
        if (other.error() == base::Errc::not_allowed)
            throw Failure(refused, "paused", pause_in_words(conversation.pause) + ", so nothing was changed",
                          "run: interlude status");
        throw_not_taken_back(other.error());
    }
    return send_kept(options, home, conversation, *other);
}

int read(Options const& options) {
    auto home = Home::open(options);
    bool const reached = options.has("offline") || home.catch_up(options);
    auto const conversation = home.find(options.words.empty() ? std::nullopt : std::optional(options.words[0]));
    auto const messages = home.engine().messages(conversation.id, wall_now());
    print_warning(options, conversation);
    std::uint64_t shown = 0;
    for (auto const& message : messages) {
        print(options, message, conversation.name);
        if (message.seq) shown = std::max(shown, *message.seq);
    }
    if (messages.empty() && !options.json)
        std::cout << "There is nothing to read yet. What is written in closed hours comes when they open.\n";
    if (!options.has("peek") && shown > 0) home.engine().mark_read(conversation.id, shown);
    return reached ? done : unreachable;
}

int watch(Options const& options) {
    auto home = Home::open(options);
    std::optional<base::ConversationId> only;
    if (!options.words.empty()) only = home.find(options.words[0]).id;
    auto const seconds = options.value("for");
    auto const count = options.value("count");
    auto const within = seconds ? std::chrono::milliseconds{std::stoll(*seconds) * 1000} : std::chrono::hours{24 * 365};
    std::int64_t left = count ? std::stoll(*count) : -1;
    std::set<base::ConversationId> begun;
    client_net::OnEvent const event = [&](engine::Event const& one) {
        if (auto const* alarm = std::get_if<engine::Alarm>(&one)) show_alarms(options, {*alarm});
        auto const* const come = std::get_if<engine::MessageArrived>(&one);
        auto const* const changed = std::get_if<engine::MessageChanged>(&one);
        if (!come && !changed) return false;
        auto const conversation = come ? come->conversation : changed->conversation;
        if (only && conversation != *only) return false;
        auto const message = come ? home.engine().arrived(conversation, come->seq, wall_now())
                                  : home.engine().message(conversation, changed->id, wall_now());
        if (!message) return false;
        if (begun.insert(conversation).second)
            for (auto const& known : home.engine().conversations())
                if (known.id == conversation) print_warning(options, known);
        print(options, *message, name_of(home, conversation));
        if (come && left > 0) --left;
        return left == 0;
    };
    auto const result = home.run(within, event, [](bool) { return false; });
    if (!result.was_ready && !result.enough) throw_unreachable(result);
    return done;
}

}  // namespace interlude::ui
