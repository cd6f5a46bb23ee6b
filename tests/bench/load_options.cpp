#include "tests/bench/load_options.hpp"

#include <charconv>
#include <functional>
#include <optional>

#include "tests/bench/figures.hpp"

namespace interlude::bench {

namespace {

/// Messages of one conversation that wait for an opening: the server keeps 1,000 unless it is told otherwise.
constexpr std::size_t waiting_per_conversation = 100;

template <class Number>
Number number(std::string const& option, std::string const& text, Number least, Number most) {
    Number value{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most))
        throw UsageError(option + " wants a number from " + std::to_string(least) + " to " + std::to_string(most) +
                         ", not \"" + text + "\"");
    return value;
}

class Arguments {
  public:
    explicit Arguments(std::vector<std::string> const& all) : all_(all) {}

    bool next() {
        if (at_ == all_.size()) return false;
        option_ = all_[at_++];
        return true;
    }
    std::string const& option() const { return option_; }
    std::string const& value() {
        if (at_ == all_.size()) throw UsageError(option_ + " wants a value");
        return all_[at_++];
    }
    template <class Number>
    Number value(Number least, Number most) {
        auto const text = value();
        return number(option_, text, least, most);
    }

  private:
    std::vector<std::string> const& all_;
    std::size_t at_ = 0;
    std::string option_;
};

void take_url(LoadOptions& options, std::string const& url) {
    constexpr std::string_view scheme = "https://";
    auto const colon = url.rfind(':');
    if (url.rfind(scheme, 0) != 0 || colon < scheme.size() + 1 || url.find('/', scheme.size()) != std::string::npos)
        throw UsageError("--url wants https://HOST:PORT, not \"" + url + "\"");
    options.host = url.substr(scheme.size(), colon - scheme.size());
    options.port = number<std::uint16_t>("--url", url.substr(colon + 1), 1, 65535);
}

void check(LoadOptions const& options, std::optional<Mode> mode) {
    if (!mode)
        throw UsageError("one of --prepare, --rate, --idle, --logins, --handshakes, --due and --back says what to do");
    if (options.host.empty()) throw UsageError("--url is missing");
    if (options.ca_file.empty()) throw UsageError("--ca is missing");
    if (options.mode == Mode::prepare && options.world_file.empty())
        throw UsageError("--prepare wants --world, the file that the people are written to");
    if (options.mode == Mode::prepare && options.plain_relay)
        throw UsageError("--prepare has nothing to do at a --plain-relay");
    if (options.mode == Mode::opening && options.plain_relay)
        throw UsageError("--due wants a server that holds messages, not a --plain-relay");
    if (options.mode == Mode::opening && options.opens_in == 0) throw UsageError("--due wants --opens-in");
    if (options.needs_people() && options.world_file.empty() && options.admin_socket.empty())
        throw UsageError("--admin-socket is missing: people have to be registered, unless --world names some");
    if (options.threads > 1 && options.mode != Mode::rate && options.mode != Mode::max)
        throw UsageError("only --rate is played by several --threads");
}

}  // namespace

std::size_t LoadOptions::open_needed() const {
    switch (mode) {
        case Mode::prepare:
        case Mode::rate:
        case Mode::max:
            return conversations;
        case Mode::opening:
            return rate > 0 ? conversations : 0;
        case Mode::idle:
        case Mode::login:
        case Mode::back:
            return pairs_needed(links);
        case Mode::handshake:
            return 0;
    }
    return 0;
}

std::size_t LoadOptions::closed_needed() const {
    if (mode == Mode::prepare) return closed;
    if (mode == Mode::opening) return (due + waiting_per_conversation - 1) / waiting_per_conversation;
    return 0;
}

LoadOptions parse_load_options(std::vector<std::string> const& all) {
    LoadOptions options;
    std::optional<Mode> mode;
    bool beside = false;  // --rate beside --due: other people's messages
    auto const be = [&](Mode wanted) {
        if (mode && *mode != wanted) throw UsageError("only one of the things to do can be done in one run");
        mode = wanted;
    };
    constexpr std::size_t many = 1'000'000;
    for (Arguments arguments(all); arguments.next();) {
        auto const& option = arguments.option();
        if (option == "--url") {
            take_url(options, arguments.value());
        } else if (option == "--ca") {
            options.ca_file = arguments.value();
        } else if (option == "--admin-socket") {
            options.admin_socket = arguments.value();
        } else if (option == "--world") {
            options.world_file = arguments.value();
        } else if (option == "--prepare") {
            be(Mode::prepare);
        } else if (option == "--rate") {
            auto const& text = arguments.value();
            beside = true;
            options.rate = text == "max" ? 0 : number(option, text, 0.1, 1e6);
        } else if (option == "--idle" || option == "--back" || option == "--logins" || option == "--handshakes") {
            be(option == "--idle"     ? Mode::idle
               : option == "--back"   ? Mode::back
               : option == "--logins" ? Mode::login
                                      : Mode::handshake);
            options.links = arguments.value<std::size_t>(1, many);
        } else if (option == "--due") {
            be(Mode::opening);
            options.due = arguments.value<std::size_t>(1, many);
        } else if (option == "--opens-in") {
            options.opens_in = arguments.value<std::uint32_t>(1, 3600);
        } else if (option == "--conversations") {
            options.conversations = arguments.value<std::size_t>(1, many);
        } else if (option == "--closed") {
            options.closed = arguments.value<std::size_t>(0, many);
        } else if (option == "--window") {
            options.window = arguments.value<std::size_t>(1, 4096);
        } else if (option == "--size") {
            options.size = arguments.value<std::size_t>(128, 200 * 1024);
        } else if (option == "--seconds") {
            options.seconds = arguments.value<std::uint32_t>(1, 3600);
        } else if (option == "--warm-up") {
            options.warm_up = arguments.value<std::uint32_t>(0, 3600);
        } else if (option == "--threads") {
            options.threads = arguments.value<std::size_t>(1, 64);
        } else if (option == "--server-pid") {
            options.server_pid = arguments.value<int>(1, 1 << 30);
        } else if (option == "--plain-relay") {
            options.plain_relay = true;
        } else if (option == "--json") {
            options.json = true;
        } else {
            throw UsageError("there is no option " + option);
        }
    }
    if (beside && mode != Mode::opening) be(options.rate > 0 ? Mode::rate : Mode::max);
    if (mode == Mode::opening && beside && options.rate == 0) throw UsageError("beside --due, --rate wants a number");
    options.mode = mode.value_or(Mode::rate);
    check(options, mode);
    return options;
}

char const* load_usage() {
    return "Usage: interlude-load --url https://HOST:PORT --ca FILE WHAT [options]\n"
           "\n"
           "  --prepare            register --conversations pairs with open hours and --closed without hours; keep "
           "them\n"
           "                       in --world\n"
           "  --rate R             R messages per second over all conversations, each timed from when it was due\n"
           "  --rate max           --window messages without an answer in every conversation\n"
           "  --idle N             N links that do nothing\n"
           "  --logins N           logins, N at once\n"
           "  --handshakes N       TLS handshakes without a login, N at once\n"
           "  --due N              N messages wait for one opening, --opens-in seconds away; --rate R: others' beside\n"
           "  --back N             N links; says \"up\", and how long they take after the server was killed\n"
           "\n"
           "  --admin-socket FILE  the server's, to register people; --world FILE  people of an earlier --prepare\n"
           "  --plain-relay        the other end is bench-relay\n"
           "  --conversations C (1)  --size BYTES (1024)  --seconds S (10)  --warm-up S (2)  --threads T (1)\n"
           "  --server-pid PID     whose processor time and memory are read\n"
           "  --json               the result on one line\n";
}

}  // namespace interlude::bench
