// interlude: the person's terminal app.
#include <csignal>
#include <iostream>

#include "client-cli/ui/verbs.hpp"

int main(int argc, char** argv) {
    using namespace interlude::ui;
    std::signal(SIGPIPE, SIG_IGN);
    speak_utf8();
    std::vector<std::string> const arguments(argv + 1, argv + argc);
    try {
        return run_verb(parse_options(arguments));
    } catch (Failure const& failure) {
        for (auto const& argument : arguments) {
            if (argument != "--json") continue;
            print_json({{"type", "error"}, {"code", failure.code}, {"text", failure.what()}, {"hint", failure.hint}});
            return failure.exit;
        }
        std::cerr << "interlude: " << failure.what() << (failure.hint.empty() ? "" : ".\n  " + failure.hint) << '\n';
        return failure.exit;
    }
}
