// Line chat: a prompt on libedit in this thread, the link with its own vault handle in another. What is typed is
// durable before the prompt comes back.
#include <histedit.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <thread>

#include "client-cli/ui/home.hpp"
#include "client-cli/ui/verbs.hpp"

namespace interlude::ui {

namespace {

char const* prompt(EditLine*) {
    return "> ";
}

/// Prints what arrives above the prompt until told to stop.
void follow(Home& home, base::ConversationId conversation, std::atomic<bool>& over) {
    client_net::OnEvent const event = [&](engine::Event const& one) {
        std::optional<engine::MessageView> message;
        if (auto const* come = std::get_if<engine::MessageArrived>(&one); come && come->conversation == conversation) {
            message = home.engine().message(conversation, come->id, wall_now());
            home.engine().mark_read(conversation, come->seq);
        } else if (auto const* changed = std::get_if<engine::MessageChanged>(&one);
                   changed && changed->conversation == conversation) {
            message = home.engine().message(conversation, changed->id, wall_now());
        } else if (auto const* alarm = std::get_if<engine::Alarm>(&one)) {
            std::cout << "\r\x1b[KALARM (" << alarm->code << "): " << visible(alarm->text) << "\n> " << std::flush;
        }
        if (message) {
            std::cout << "\r" << (isatty(STDOUT_FILENO) ? "\x1b[K" : "") << message_line(*message, wall_now()) << "\n";
            if (message->state == engine::MessageState::held) std::cout << "    (if it cannot wait: /crisis)\n";
            std::cout << "> " << std::flush;
        }
        return over.load();
    };
    client_net::OnIdle const idle = [&](bool) { return over.load(); };
    try {
        home.run(std::chrono::hours{24 * 365}, event, idle);
    } catch (std::exception const& error) {
        std::cout << "\rinterlude: " << error.what() << "\n> " << std::flush;
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
    auto home = Home::open(options);
    auto link_home = Home::open(options);
    home.catch_up(options);
    auto const conversation = home.find(options.words.empty() ? std::nullopt : std::optional(options.words[0]));
    auto const now = wall_now();
    if (auto const hours = home.engine().hours_of(conversation.id, now); hours && !hours->me) {
        std::cout << visible(conversation.name, false)
                  << (hours->state == engine::HoursState::open ? " reads messages now" : " does not read messages now");
        if (hours->until) std::cout << ", until " << when(*hours->until, now);
        if (hours->next_opening) std::cout << ". Next: " << when(*hours->next_opening, now);
        std::cout << ".\n";
    }
    if (conversation.verified == engine::Verification::joined)
        std::cout << "Joined by your invitation; compare the four words: interlude verify\n";
    std::uint64_t shown = 0;
    for (auto const& message : home.engine().messages(conversation.id, now)) {
        std::cout << message_line(message, now) << '\n';
        if (message.seq) shown = std::max(shown, *message.seq);
    }
    if (shown > 0) home.engine().mark_read(conversation.id, shown);
    std::cout << "(/crisis whom to call, /quit to leave)\n" << std::flush;

    std::atomic<bool> over{false};
    std::thread link(follow, std::ref(link_home), conversation.id, std::ref(over));
    EditLine* line_editor = nullptr;
    if (isatty(STDIN_FILENO) != 0) {
        line_editor = el_init("interlude", stdin, stdout, stderr);
        if (line_editor) {
            el_set(line_editor, EL_PROMPT, prompt);
            el_set(line_editor, EL_EDITOR, "emacs");
            el_set(line_editor, EL_SIGNAL, 1);
        }
    }
    while (auto const line = next_line(line_editor)) {
        if (line->empty()) continue;
        if (*line == "/quit") break;
        if (*line == "/crisis") {
            std::cout << crisis_card_text(home.engine().crisis_card());
            continue;
        }
        if (!home.engine().send(conversation.id, *line, wall_now()))
            std::cout << "This was not sent: it is too long, or sending is paused (interlude status).\n";
    }
    // What was typed last leaves before we do, as far as the network lets it.
    auto const deadline = std::chrono::steady_clock::now() + options.timeout;
    while (home.engine().status().waiting > 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    over = true;
    link.join();
    if (line_editor) el_end(line_editor);
    return home.engine().status().waiting > 0 ? kept : done;
}

}  // namespace interlude::ui
