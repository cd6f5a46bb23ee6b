// interludectl: the operator's tool. Talks only to the local socket; never opens the store.
#include <qrencode.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace interlude::ctl {
namespace {

using nlohmann::json;

constexpr char const* packaged_socket = "/run/interlude/admin.socket";
constexpr char const* usage_text =
    "Usage: interludectl [--socket FILE] [--json] VERB\n"
    "\n"
    "  invite therapist   an invitation for a new therapist: a link and its QR code, once, 7 days\n"
    "  status             what the server is doing\n"
    "  version            versions of this tool and of the server\n"
    "  clock confirm      the machine's clock is right: go on releasing and expiring\n"
    "\n"
    "The socket is --socket, INTERLUDE_ADMIN_SOCKET, or the packaged path.\n";

enum Exit { done = 0, not_so = 1, usage = 2, unreachable = 69, not_allowed = 77 };

struct Options {
    std::string socket;
    bool as_json = false;
    std::vector<std::string> verb;
};

void fail(Options const& options, std::string const& code, std::string const& text, std::string const& hint) {
    if (options.as_json) {
        std::cout << json{{"type", "error"}, {"code", code}, {"text", text}, {"hint", hint}}.dump() << '\n';
    } else {
        std::cerr << "interludectl: " << text << (hint.empty() ? "" : ". " + hint) << '\n';
    }
}

/// One request and its answer. Another exit than `done`, after a message: there is none.
Exit ask(Options const& options, json const& request, json& answer) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (options.socket.size() >= sizeof address.sun_path) {
        fail(options, "usage", "the socket's path is too long", "");
        return usage;
    }
    std::strcpy(address.sun_path, options.socket.c_str());
    int const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto const text = request.dump() + "\n";
    std::string line;
    bool ok = fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (!ok && (errno == EACCES || errno == EPERM)) {
        if (fd >= 0) close(fd);
        fail(options, "not_allowed", "you may not use " + options.socket,
             "Ask as the server's user or as root, e.g. with sudo");
        return not_allowed;
    }
    // One that turns us away may have closed already: what it said is there to be read.
    if (ok) send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    char chunk[4096];
    while (ok && line.find('\n') == std::string::npos) {
        auto const size = read(fd, chunk, sizeof chunk);
        if (size <= 0)
            ok = false;
        else
            line.append(chunk, static_cast<std::size_t>(size));
    }
    if (fd >= 0) close(fd);
    answer = json::parse(line, nullptr, false);
    if (!ok || !answer.is_object()) {
        fail(options, "unreachable", "nobody answers on " + options.socket,
             "Is interluded running, and is this its admin.socket?");
        return unreachable;
    }
    if (answer.value("ok", false)) return done;
    auto const code = answer.value("code", "refused");
    fail(options, code, answer.value("text", "refused"), answer.value("hint", ""));
    return code == "not_allowed" ? not_allowed : not_so;
}

/// Half-block picture, dark modules drawn light-on-dark terminals' way: two rows of modules a line.
void print_qr(std::string const& text) {
    auto* const code = QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (!code) return;
    auto const dark = [&](int x, int y) {
        return x >= 0 && y >= 0 && x < code->width && y < code->width && (code->data[y * code->width + x] & 1);
    };
    for (int y = -2; y < code->width + 2; y += 2) {
        for (int x = -2; x < code->width + 2; ++x) {
            bool const top = dark(x, y);
            bool const bottom = dark(x, y + 1);
            std::cout << (top ? (bottom ? " " : "\u2584") : (bottom ? "\u2580" : "\u2588"));
        }
        std::cout << '\n';
    }
    QRcode_free(code);
}

int invite(Options const& options) {
    if (options.verb.size() != 2 || options.verb[1] != "therapist") {
        fail(options, "usage", "write: interludectl invite therapist",
             "Clients are invited by their therapist: interlude invite");
        return usage;
    }
    json answer;
    if (auto const exit = ask(options, {{"verb", "invite"}, {"role", "therapist"}}, answer); exit != done) return exit;
    auto const link = answer.at("link").get<std::string>();
    auto const expires = answer.at("expires_at").get<std::string>();
    if (options.as_json) {
        std::cout << json{{"type", "invitation"}, {"link", link}, {"role", "therapist"}, {"expires_at", expires}}.dump()
                  << '\n';
        return done;
    }
    std::cout << "An invitation for one therapist, until " << expires << ":\n\n" << link << "\n\n";
    print_qr(link);
    std::cout << "\nGive it to nobody else: whoever opens it first becomes the therapist. She runs:\n"
                 "  interlude join 'LINK'\n";
    return done;
}

int show(Options const& options, std::string const& type, json const& request) {
    json answer;
    if (auto const exit = ask(options, request, answer); exit != done) return exit;
    answer.erase("ok");
    if (options.as_json) {
        answer["type"] = type;
        std::cout << answer.dump() << '\n';
    } else {
        for (auto const& [name, value] : answer.items())
            std::cout << name << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
    }
    return done;
}

}  // namespace
}  // namespace interlude::ctl

int main(int argc, char** argv) {
    using namespace interlude::ctl;
    Options options;
    char const* const named = std::getenv("INTERLUDE_ADMIN_SOCKET");
    options.socket = named ? named : packaged_socket;
    for (int i = 1; i < argc; ++i) {
        std::string const argument = argv[i];
        if (argument == "--help" || argument == "-h") {
            std::cout << usage_text;
            return done;
        }
        if (argument == "--version") {
            std::cout << "interludectl " INTERLUDE_VERSION "\n";
            return done;
        }
        if (argument == "--json") {
            options.as_json = true;
        } else if (argument == "--socket" && i + 1 < argc) {
            options.socket = argv[++i];
        } else if (argument.rfind("--", 0) == 0) {
            fail(options, "usage", "there is no option " + argument, "interludectl --help lists them");
            return usage;
        } else {
            options.verb.push_back(argument);
        }
    }
    if (options.verb.empty()) {
        std::cerr << usage_text;
        return usage;
    }
    auto const& verb = options.verb.front();
    if (verb == "invite") return invite(options);
    if (verb == "status" && options.verb.size() == 1) return show(options, "server_status", {{"verb", "status"}});
    if (verb == "version" && options.verb.size() == 1) {
        if (!options.as_json) std::cout << "interludectl " INTERLUDE_VERSION "\n";
        return show(options, "version", {{"verb", "version"}});
    }
    if (verb == "clock" && options.verb.size() == 2 && options.verb[1] == "confirm")
        return show(options, "clock", {{"verb", "clock_confirm"}});
    fail(options, "usage", "there is no verb \"" + verb + "\" of that form", "interludectl --help lists them");
    return usage;
}
