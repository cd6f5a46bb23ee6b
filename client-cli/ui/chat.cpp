// Line chat: a prompt on libedit in this thread, the link with its own vault handle in another. What is typed is
// durable before the prompt comes back.
#include <histedit.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <set>
#include <thread>

#include "client-cli/ui/home.hpp"
#include "client-cli/ui/reach_notice.hpp"
#include "client-cli/ui/verbs.hpp"
#include "client-cli/vault/sealed_vault.hpp"
#include "common/bytes/text.hpp"

namespace interlude::ui {

namespace {

char const* prompt(EditLine*) {
    return "> ";
}

/// What the prompt's thread and the link's share.
struct Shared {
    std::set<std::uint64_t> listed;  // shown when the chat began
    std::atomic<bool> over{false};
    std::atomic<bool> away{false};  // the server, for more than a moment
    std::atomic<bool> card_shown{false};
};

/// The crisis card at the first closed send of this chat, afterwards the way to it.
std::string card_at_closed_send(Home& home, Shared& shared) {
    if (shared.card_shown.exchange(true)) return "    (if it cannot wait: /crisis)\n";
    return "\n" + crisis_card_text(home.engine().crisis_card()) + "\n";
}

void print_above_prompt(std::string const& lines) {
    std::cout << "\r" << (isatty(STDOUT_FILENO) != 0 ? "\x1b[K" : "") << lines << "> " << std::flush;
}

/// Prints what arrives above the prompt until told to stop.
void follow(Home& home, base::ConversationId conversation, Shared& shared) {
    client_net::OnEvent const event = [&](engine::Event const& one) {
        std::optional<engine::MessageView> message;
        if (auto const* come = std::get_if<engine::MessageArrived>(&one);
            come && come->conversation == conversation && !shared.listed.contains(come->seq)) {
            message = home.engine().arrived(conversation, come->seq, wall_now());
            home.engine().mark_read(conversation, come->seq);
        } else if (auto const* changed = std::get_if<engine::MessageChanged>(&one);
                   changed && changed->conversation == conversation) {
            message = home.engine().message(conversation, changed->id, wall_now());
        } else if (auto const* alarm = std::get_if<engine::Alarm>(&one)) {
            print_above_prompt("ALARM (" + alarm->code + "): " + visible(alarm->text, false) + "\n");
        }
        if (message) {
            auto lines = message_line(*message, wall_now(), screen_columns()) + "\n";
            if (message->from_me && waits_unseen(message->state)) lines += card_at_closed_send(home, shared);
            print_above_prompt(lines);
        }
        return shared.over.load();
    };
    ReachNotice notice(shared.away);
    client_net::OnIdle const idle = [&](bool caught_up) {
        auto const reached = notice.look(caught_up, std::chrono::steady_clock::now());
        shared.away = notice.away();
        if (reached && *reached) print_above_prompt("(the server is reached again)\n");
        if (reached && !*reached) {
            std::string lines = "(the server is not reached; what you write is kept here and sent later)\n";
            if (home.engine().status().waiting > 0) lines += card_at_closed_send(home, shared);
            print_above_prompt(lines);
        }
        return shared.over.load();
    };
    try {
        home.run(std::chrono::hours{24 * 365}, event, idle);
    } catch (std::exception const& error) {
        shared.away = true;
        print_above_prompt(std::string("interlude: ") + error.what() +
                           "; nothing is sent or received until this chat is begun again\n");
    }
}

/// The link's thread. It ends with the chat, however that ends.
struct Following {
    Following(Home& home, base::ConversationId conversation, Shared& with)
        : shared(with), thread(follow, std::ref(home), conversation, std::ref(with)) {}
    ~Following() { end(); }
    Following(Following const&) = delete;
    Following& operator=(Following const&) = delete;
    void end() {
        shared.over = true;
        if (thread.joinable()) thread.join();
    }

    Shared& shared;
    std::thread thread;
};

/// Keeps the line for sending. Empty, or why it was not kept.
std::string keep(Home& home, base::ConversationId const& conversation, std::string const& line) {
    try {
        auto const sent = home.engine().send(conversation, line, wall_now());
        if (sent) return {};
        return sent.error() == base::Errc::too_long
                   ? "it is too long"
                   : pause_in_words(home.find(bytes::to_hex(conversation.bytes)).pause);
    } catch (vault::VaultError const& error) {
        return error.what();
    }
}

/// One line, without its end; nullopt at the end of input.
std::optional<std::string> next_line(EditLine* line_editor) {
    if (line_editor) {
        int count = 0;
        char const* const typed = el_gets(line_editor, &count);
        if (!typed || count <= 0) return std::nullopt;
        std::string line(typed, static_cast<std::size_t>(count));
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
        return line;
    }
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
}

}  // namespace

int chat(Options const& options) {
    auto [home, link_home] = Home::open_twice(options);
    bool const reached = home.catch_up(options);
    link_home.engine().follow();  // before the list is read: nothing falls between the two
    auto const conversation = home.find(options.words.empty() ? std::nullopt : std::optional(options.words[0]));
    auto const now = wall_now();
    if (auto const hours = home.engine().hours_of(conversation.id, now); hours && !hours->me) {
        std::cout << visible(conversation.name, false)
                  << (hours->state == engine::HoursState::open ? " reads messages now" : " does not read messages now");
        if (hours->until) std::cout << ", until " << when(*hours->until, now);
        if (hours->next_opening) std::cout << ". Next: " << when(*hours->next_opening, now);
        std::cout << ".\n";
    }
    if (auto const warning = trust_warning(conversation, now); !warning.empty()) std::cout << "-- " << warning << '\n';
    Shared shared;
    shared.away = !reached;
    for (auto const& message : home.engine().messages(conversation.id, now)) {
        std::cout << message_line(message, now, screen_columns()) << '\n';
        if (message.seq) shared.listed.insert(*message.seq);
    }
    if (!shared.listed.empty()) home.engine().mark_read(conversation.id, *shared.listed.rbegin());
    std::cout << "(/crisis whom to call, /quit to leave)\n" << std::flush;

    Following link(link_home, conversation.id, shared);
    std::unique_ptr<EditLine, decltype(&el_end)> line_editor(nullptr, el_end);
    if (isatty(STDIN_FILENO) != 0) {
        line_editor.reset(el_init("interlude", stdin, stdout, stderr));
        if (line_editor) {
            el_set(line_editor.get(), EL_PROMPT, prompt);
            el_set(line_editor.get(), EL_EDITOR, "emacs");
            el_set(line_editor.get(), EL_SIGNAL, 1);
        }
    }
    while (auto line = next_line(line_editor.get())) {
        if (line->empty()) continue;
        if (*line == "/quit") break;
        if (*line == "/crisis") {
            std::cout << crisis_card_text(home.engine().crisis_card());
            continue;
        }
        if (line->front() == '/' && !line->starts_with("//")) {
            std::cout << "There is no such command: /crisis, /quit. (To write a line that begins with /, begin it with "
                         "//.)\n";
            continue;
        }
        if (line->starts_with("//")) line->erase(0, 1);
        if (!bytes::is_utf8(*line))
            std::cout << "This was not sent: it is not UTF-8 text. Please set your terminal to UTF-8.\n";
        else if (auto const why_not = keep(home, conversation.id, *line); !why_not.empty())
            std::cout << "This was not sent or kept: " << why_not << ".\n";
        else if (shared.away)
            std::cout << "    (on this device; it is sent when the server is reached)\n"
                      << card_at_closed_send(home, shared) << std::flush;
    }
    // What was typed last leaves before we do, as far as the network lets it.
    auto const deadline = std::chrono::steady_clock::now() + options.timeout;
    while (home.engine().status().waiting > 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    link.end();
    line_editor.reset();
    auto const waiting = home.engine().status().waiting;
    if (waiting > 0)
        std::cout << counted(waiting, "message is", "messages are")
                  << " kept on this device; the next command sends what waits.\n";
    return waiting > 0 ? kept : done;
}

}  // namespace interlude::ui
