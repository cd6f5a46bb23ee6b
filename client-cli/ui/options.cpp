#include "client-cli/ui/options.hpp"

#include <algorithm>
#include <cstdlib>

#include "client-cli/ui/text.hpp"
#include "common/bytes/text.hpp"

namespace interlude::ui {

namespace {

struct Verb {
    std::string name;
    std::vector<std::string> switches;
    std::vector<std::string> values;
    std::size_t words_min;
    std::size_t words_max;
    std::string form;
    std::string purpose;
};

std::vector<Verb> const& verbs() {
    static std::vector<Verb> const table{
        {"join",
         {"key-file"},
         {"name", "my-name"},
         1,
         1,
         "join LINK [--name NAME] [--my-name NAME] [--key-file]",
         "begin with an invitation"},
        {"invite", {}, {"name"}, 0, 0, "invite --name NAME", "(therapists) an invitation for a client"},
        {"hours set",
         {"preview"},
         {"zone"},
         1,
         1,
         "hours set \"Mon-Fri 09:00-12:00,14:00-17:00\" --zone Europe/Berlin",
         "(therapists) weekly hours"},
        {"hours preview",
         {},
         {"zone"},
         1,
         1,
         "hours preview \"Mon-Fri 09:00-12:00\" --zone Europe/Berlin",
         "(therapists) what clients would see; also --preview with set, open, close and undo"},
        {"hours open", {"preview"}, {}, 2, 2, "hours open FROM TO", "(therapists) an extra opening"},
        {"hours close", {"preview"}, {}, 2, 2, "hours close FROM TO", "(therapists) a closure"},
        {"hours undo", {"preview"}, {}, 0, 0, "hours undo", "(therapists) the hours before the last change, anew"},
        {"hours open-now",
         {},
         {"reason"},
         1,
         1,
         "hours open-now UNTIL [--reason WHY]",
         "(therapists) outside your hours: open from now on, signed and shown"},
        {"hours away",
         {},
         {"reason"},
         1,
         1,
         "hours away UNTIL [--reason WHY]",
         "(therapists) unplanned absence: closed from now on, signed and shown"},
        {"hours postpone",
         {},
         {"reason"},
         1,
         1,
         "hours postpone UNTIL [--reason WHY]",
         "(therapists) your next opening comes later than promised, signed and shown"},
        {"hours show", {}, {}, 0, 1, "hours show [CONVERSATION]", "when messages are read, in your own time"},
        {"list", {}, {}, 0, 0, "list", "your conversations"},
        {"send", {}, {}, 1, 2, "send [CONVERSATION] TEXT   (TEXT may be - for standard input)", "write a message"},
        {"held",
         {},
         {},
         0,
         1,
         "held [CONVERSATION]",
         "what you wrote and nobody has yet, with the ids to take it back by"},
        {"recall",
         {},
         {},
         1,
         2,
         "recall [CONVERSATION] MESSAGE",
         "take back what nobody has yet (MESSAGE: its id, or last)"},
        {"replace", {}, {}, 2, 3, "replace [CONVERSATION] MESSAGE TEXT", "other words instead, in one step"},
        {"read", {"peek", "offline"}, {}, 0, 1, "read [CONVERSATION] [--peek] [--offline]", "read messages"},
        {"watch",
         {},
         {"for", "count"},
         0,
         1,
         "watch [CONVERSATION] [--for SECONDS] [--count N]",
         "print messages as they come"},
        {"chat", {}, {}, 0, 1, "chat [CONVERSATION]", "write and read, line by line"},
        {"verify",
         {"confirm", "differ"},
         {},
         0,
         1,
         "verify [CONVERSATION] [--confirm | --differ]",
         "four words to compare with the other"},
        {"devices", {}, {}, 0, 0, "devices", "who can read, device by device"},
        {"crisis", {}, {}, 0, 0, "crisis", "whom to call now; needs no network and no password"},
        {"audit verify", {"offline"}, {}, 0, 0, "audit verify", "check the server's log against your own keys"},
        {"status", {"offline"}, {}, 0, 0, "status", "this app and its server"},
        {"name", {}, {}, 1, 2, "name [CONVERSATION] NAME", "your own name for a conversation"},
    };
    return table;
}

bool contains(std::vector<std::string> const& list, std::string const& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

std::filesystem::path default_home() {
    if (char const* set = std::getenv("INTERLUDE_HOME"); set && *set) return set;
    if (char const* data = std::getenv("XDG_DATA_HOME"); data && *data)
        return std::filesystem::path(data) / "interlude";
    char const* const user = std::getenv("HOME");
    return std::filesystem::path(user ? user : "/") / ".local/share/interlude";
}

[[noreturn]] void wrong(std::string const& text, std::string const& hint) {
    throw Failure(usage, "usage", text, hint);
}

/// What is kept or sent is text that others can show. (Paths may be any bytes.)
void must_be_text(std::string const& typed) {
    if (!bytes::is_utf8(typed))
        wrong("a word of the command is not UTF-8 text, so nothing was done",
              "set your terminal and LANG to UTF-8, or convert the text first (iconv -t utf-8)");
}

std::int64_t positive_number(std::string const& option, std::string const& text) {
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
        wrong("--" + option + " takes a whole number", "for example --" + option + " 20");
    return std::stoll(text);
}

/// "hours set" is one verb: the longest name that the first words make.
Verb const& find_verb(std::vector<std::string>& words) {
    if (words.empty()) wrong("no verb was given", "interlude --help lists them");
    for (std::size_t count = std::min<std::size_t>(2, words.size()); count > 0; --count) {
        auto const name = count == 2 ? words[0] + " " + words[1] : words[0];
        for (auto const& verb : verbs()) {
            if (verb.name != name) continue;
            words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
            return verb;
        }
    }
    wrong("there is no verb \"" + words.front() + "\" of that form", "interlude --help lists them");
}

}  // namespace

std::optional<std::string> Options::value(std::string const& flag) const {
    auto const found = flags.find(flag);
    if (found == flags.end()) return std::nullopt;
    return found->second;
}

Options parse_options(std::vector<std::string> const& arguments) {
    Options options;
    options.home = default_home();
    if (char const* ca = std::getenv("INTERLUDE_CA_FILE"); ca && *ca) options.ca_file = ca;
    std::vector<std::string> words;
    std::vector<std::pair<std::string, std::optional<std::string>>> own;
    bool only_words = false;
    static std::vector<std::string> const with_value{"name", "my-name", "zone", "for", "count", "reason"};
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        auto const& argument = arguments[i];
        if (only_words || argument.size() < 2 || argument.rfind("--", 0) != 0) {
            words.push_back(argument);
            continue;
        }
        if (argument == "--") {
            only_words = true;
            continue;
        }
        auto const equals = argument.find('=');
        auto const name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
        auto const value = [&]() -> std::string {
            if (equals != std::string::npos) return argument.substr(equals + 1);
            if (i + 1 >= arguments.size()) wrong("--" + name + " needs a value", "interlude --help shows which");
            return arguments[++i];
        };
        if (name == "help" || name == "version") {
            options.verb = name;
            return options;
        }
        if (name == "json")
            options.json = true;
        else if (name == "home")
            options.home = value();
        else if (name == "ca")
            options.ca_file = value();
        else if (name == "timeout")
            options.timeout = std::chrono::seconds{positive_number(name, value())};
        else if (contains(with_value, name))
            own.emplace_back(name, value());
        else
            own.emplace_back(name, std::nullopt);
    }
    auto const& verb = find_verb(words);
    options.verb = verb.name;
    for (auto const& [name, value] : own) {
        if (!contains(value ? verb.values : verb.switches, name))
            wrong("\"" + verb.name + "\" has no option --" + name, "write: interlude " + verb.form);
        if (name == "for" || name == "count") positive_number(name, *value);
        must_be_text(value.value_or(""));
        options.flags[name] = value.value_or("");
    }
    if (words.size() < verb.words_min || words.size() > verb.words_max)
        wrong("\"" + verb.name + "\" was not given the right words", "write: interlude " + verb.form);
    for (auto const& word : words) must_be_text(word);
    options.words = std::move(words);
    return options;
}

std::string help_text() {
    std::string out =
        "Usage: interlude [--home DIR] [--json] [--timeout S] [--ca FILE] VERB ...\n"
        "\n"
        "Messages between therapy sessions, sealed on your device, read in published hours.\n\n";
    for (auto const& verb : verbs()) out += "  interlude " + verb.form + "\n      " + verb.purpose + "\n";
    out +=
        "\n"
        "  CONVERSATION is the name you gave it, or the beginning of its id; leave it out where there is one.\n"
        "  FROM and TO: 2026-11-23T18:00:00Z, \"2026-11-23 18:00\", \"Mon 09:00\", tomorrow or 18:00 (your time), now, "
        "+90m\n"
        "  (after now, or FROM).\n"
        "  UNTIL: likewise, after now. WHY: illness, emergency, family, technical, agreed or other (the default).\n"
        "  --home DIR     also INTERLUDE_HOME; default ~/.local/share/interlude\n"
        "  --ca FILE      the server's certificate authority; kept in the home at join\n"
        "  --timeout S    how long a verb may wait for the network (20)\n"
        "  --json         one JSON object a line\n"
        "  --             ends the options\n"
        "  A home opens with a passphrase (asked for, or in the file INTERLUDE_PASSPHRASE_FILE), or with HOME/key\n"
        "  when it was made by join --key-file.\n";
    return out;
}

}  // namespace interlude::ui
