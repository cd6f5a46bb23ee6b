#include <qrencode.h>
#include <unistd.h>

#include <iostream>
#include <map>

#include "client-cli/ui/home.hpp"
#include "client-cli/ui/verbs.hpp"
#include "common/bytes/text.hpp"
#include "common/identity/invitation_link.hpp"

namespace interlude::ui {

namespace {

std::string rule_name(wire::Rule rule) {
    switch (rule) {
        case wire::Rule::off_hours:
            return "off_hours";
        case wire::Rule::closed_conversation:
            return "closed_conversation";
        case wire::Rule::not_a_member:
            return "not_a_member";
        case wire::Rule::too_big:
            return "too_big";
        case wire::Rule::quota:
            return "quota";
        case wire::Rule::too_fast:
            return "too_fast";
        case wire::Rule::not_yet:
            return "not_yet";
        case wire::Rule::schedule:
            return "schedule";
        case wire::Rule::invalid:
            return "invalid";
        case wire::Rule::conflict:
            return "conflict";
        case wire::Rule::expired:
            return "expired";
        case wire::Rule::spent:
            return "spent";
        case wire::Rule::unreachable:
            return "unreachable";
    }
    return "refused";
}

std::string problem_name(wire::ScheduleProblem problem) {
    switch (problem) {
        case wire::ScheduleProblem::none:
            return "";
        case wire::ScheduleProblem::back_dated:
            return "back_dated";
        case wire::ScheduleProblem::cuts_begun_window:
            return "cuts_begun_window";
        case wire::ScheduleProblem::next_opening_later:
            return "next_opening_later";
        case wire::ScheduleProblem::gap_too_long:
            return "gap_too_long";
        case wire::ScheduleProblem::overlaps_itself:
            return "overlaps_itself";
        case wire::ScheduleProblem::compiled_differs:
            return "compiled_differs";
        case wire::ScheduleProblem::wrong_number:
            return "wrong_number";
        case wire::ScheduleProblem::not_supported_yet:
            return "not_supported_yet";
    }
    return "";
}

void print_invitation(Options const& options, std::string const& link, base::WallTime expires) {
    if (options.json) {
        print_json({{"type", "invitation"}, {"link", link}, {"role", "client"}, {"expires_at", rfc3339(expires)}});
        return;
    }
    std::cout << "Give this to your client, and to nobody else. It works once, until " << when(expires, wall_now())
              << ":\n\n"
              << link << "\n\n"
              << qr_picture(link)
              << "\nYour client runs:  interlude join 'THE LINK'\n(--name, what to call you; --my-name, "
                 "what you see of them)\n";
}

json conversation_json(engine::ConversationView const& one) {
    auto members = json::array();
    for (auto const& member : one.members)
        members.push_back({{"account", hex(member.account)},
                           {"side", member.side == base::Side::therapist ? "therapist" : "client"},
                           {"me", member.me},
                           {"name", member.name},
                           {"devices", member.devices}});
    return {{"type", "conversation"},         {"conversation", hex(one.id)}, {"name", one.name},
            {"verified", name(one.verified)}, {"unread", one.unread},        {"members", members}};
}

}  // namespace

std::string trust_in_words(engine::ConversationView const& one, base::WallTime now) {
    switch (one.verified) {
        case engine::Verification::by_invitation:
            return "verified by the invitation";
        case engine::Verification::joined:
            return "joined by your invitation" +
                   (one.invited_at ? " of " + when(*one.invited_at, now) : std::string()) +
                   "; not confirmed yet (interlude verify)";
        case engine::Verification::confirmed:
            return "confirmed";
        case engine::Verification::changed:
            return "NOT SAFE: the four words differ, or the other side changed; sending is paused (interlude verify)";
    }
    return "";
}

std::string trust_warning(engine::ConversationView const& one, base::WallTime now) {
    bool const unsure = one.verified == engine::Verification::joined || one.verified == engine::Verification::changed;
    return unsure ? visible(one.name, false) + ": " + trust_in_words(one, now) : std::string();
}

std::string pause_in_words(engine::Pause pause) {
    switch (pause) {
        case engine::Pause::none:
            return "nothing is paused here";
        case engine::Pause::closed:
            return "this conversation has ended";
        case engine::Pause::broken:
            return "a change of this conversation's keys did not hold, and its messages are no longer safe to send";
        case engine::Pause::identity_changed:
            return "the four words differ, or the other side changed since you compared them";
    }
    return "";
}

std::string refusal_in_words(wire::Refused const& refused) {
    auto words = texts().at("rules").value(rule_name(refused.rule), "the server refused it");
    auto const problem = problem_name(refused.problem);
    if (!problem.empty()) words += ": " + texts().at("schedule_problems").value(problem, problem);
    return words;
}

std::string qr_picture(std::string const& text) {
    auto* const code = QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (!code) return {};
    auto const dark = [&](int x, int y) {
        return x >= 0 && y >= 0 && x < code->width && y < code->width && (code->data[y * code->width + x] & 1) != 0;
    };
    std::string out;
    for (int y = -2; y < code->width + 2; y += 2) {
        for (int x = -2; x < code->width + 2; ++x) {
            bool const top = dark(x, y);
            bool const bottom = dark(x, y + 1);
            out += top ? (bottom ? " " : "\u2584") : (bottom ? "\u2580" : "\u2588");
        }
        out += '\n';
    }
    QRcode_free(code);
    return out;
}

namespace {

[[noreturn]] void throw_bad_link() {
    throw Failure(bad_data, "bad_link", "this is not a whole invitation link",
                  "copy all of it, with what comes after the #, and put it in quotes");
}

}  // namespace

int join(Options const& options) {
    auto const link = options.words.front();
    if (!identity::parse_link(link)) throw_bad_link();  // before there is a home
    auto home = Home::open_or_create(options);
    auto const plan = home.engine().join_begin(link, options.value("name").value_or(""),
                                               options.value("my-name").value_or(""), wall_now());
    if (!plan) {
        switch (plan.error()) {
            case base::Errc::expired:
                throw Failure(refused, "expired", "this invitation has run out", "ask for a new one");
            case base::Errc::conflict:
                throw Failure(refused, "home_in_use", "this home belongs to somebody already",
                              "choose another one: interlude --home DIR join LINK");
            default:
                throw_bad_link();
        }
    }
    if (!options.ca_file.empty())
        std::filesystem::copy_file(options.ca_file, options.home / "ca.pem",
                                   std::filesystem::copy_options::overwrite_existing);
    std::optional<engine::Joined> joined;
    std::optional<wire::Rule> failed;
    std::vector<engine::Alarm> alarms;
    client_net::OnEvent const event = [&](engine::Event const& one) {
        if (auto const* now_joined = std::get_if<engine::Joined>(&one)) joined = *now_joined;
        if (auto const* why = std::get_if<engine::JoinFailed>(&one)) failed = why->rule;
        if (auto const* alarm = std::get_if<engine::Alarm>(&one)) alarms.push_back(*alarm);
        return failed.has_value();
    };
    client_net::OnIdle const idle = [&](bool caught_up) { return caught_up && home.engine().status().waiting == 0; };
    auto const result = home.run(options.timeout, event, idle);
    show_alarms(options, alarms);
    if (failed) throw Failure(refused, rule_name(*failed), refusal_in_words({*failed, {}, {}, 0, {}}), "");
    if (home.engine().join_pending() || !home.engine().has_account()) {
        if (result.failure && result.failure->kind == client_net::LinkFailure::Kind::certificate)
            throw_unreachable(result);
        throw Failure(kept, "join_kept",
                      "the invitation is kept here, but the server was not reached" +
                          (result.failure ? " (" + result.failure->text + ")" : std::string()),
                      "run the same command again");
    }
    auto const state = home.engine().status();
    auto const role = state.side == base::Side::therapist ? "therapist" : "client";
    auto const conversations = home.engine().conversations();
    if (options.json) {
        json object{{"type", "joined"}, {"account", hex(state.account)}, {"device", hex(state.device)}, {"role", role}};
        if (!conversations.empty()) object["conversation"] = hex(conversations.front().id);
        print_json(object);
        return done;
    }
    std::cout << "You have joined " << state.server << " as a " << role << ".\n";
    if (conversations.empty()) {
        std::cout << "Next: publish your hours, then invite a client:\n"
                     "  interlude hours set \"Mon-Fri 09:00-12:00\" --zone Europe/Berlin\n"
                     "  interlude invite --name ANNA\n";
    } else {
        std::cout << "You can write at once:  interlude send \"...\"\n";
        for (auto const& hours : home.engine().hours(wall_now()))
            if (hours.state == engine::HoursState::none) std::cout << "No hours are published yet.\n";
    }
    return done;
}

int invite(Options const& options) {
    auto home = Home::open(options);
    auto const made = home.engine().invite(options.value("name").value_or("client"), wall_now());
    if (!made) {
        if (made.error() == base::Errc::not_allowed)
            throw Failure(not_allowed, "not_a_therapist", "only a therapist invites clients", "");
        throw Failure(refused, "limit", "too many invitations are open", "wait until some are used or have run out");
    }
    std::optional<wire::Refused> no;
    bool answered = false;
    client_net::OnEvent const event = [&](engine::Event const& one) {
        auto const* answer = std::get_if<engine::RequestAnswered>(&one);
        if (!answer || answer->request != made->request) return false;
        no = answer->refused;
        return answered = true;
    };
    auto const on_server = [&] {
        for (auto const& one : home.engine().invitations())
            if (one.id == made->id) return one.on_server;
        return false;
    };
    // The link must be usable when it is given away: the server has the invitation, and key packages to found with.
    client_net::OnIdle const idle = [&](bool caught_up) { return caught_up && on_server(); };
    client_net::OnEvent const refusal_only = [&](engine::Event const& one) { return event(one) && no.has_value(); };
    auto const result = home.run(options.timeout, refusal_only, idle);
    if (no) throw Failure(refused, rule_name(no->rule), refusal_in_words(*no), "");
    if (!on_server()) {
        if (result.failure && result.failure->kind == client_net::LinkFailure::Kind::certificate)
            throw_unreachable(result);
        print_invitation(options, made->link, made->expires);
        throw Failure(kept, "invitation_kept", "the server was not reached; the invitation works once it was",
                      "run: interlude status");
    }
    print_invitation(options, made->link, made->expires);
    return done;
}

int list(Options const& options) {
    auto home = Home::open(options);
    home.catch_up(options);
    auto const now = wall_now();
    auto const all = home.engine().conversations();
    for (auto const& one : all) {
        if (options.json) {
            print_json(conversation_json(one));
            continue;
        }
        std::cout << visible(one.name, false) << "  (" << hex(one.id).substr(0, 8) << ")  " << trust_in_words(one, now)
                  << (one.unread ? ", " + std::to_string(one.unread) + " unread" : std::string())
                  << (one.waiting ? ", " + std::to_string(one.waiting) + " not sent yet" : std::string())
                  << (one.pause != engine::Pause::none ? "; paused: " + pause_in_words(one.pause) : std::string())
                  << '\n';
    }
    if (all.empty() && !options.json) std::cout << "No conversation yet.\n";
    return done;
}

int name_conversation(Options const& options) {
    auto home = Home::open(options);
    bool const named = options.words.size() == 2;
    auto const one = home.find(named ? std::optional(options.words[0]) : std::nullopt);
    if (!home.engine().rename(one.id, options.words.back()))
        throw Failure(usage, "bad_name", "that name cannot be used", "one to 64 characters, on one line");
    if (options.json) {
        print_json(conversation_json(home.find(bytes::to_hex(one.id.bytes))));
    } else {
        std::cout << "It is called " << visible(options.words.back(), false) << " now.\n";
    }
    return done;
}

namespace {

enum class Compared { not_yet, same, different };

/// What the person says of the words: by option, or asked for until it is a yes or a no.
Compared ask_for_comparison(Options const& options) {
    if (options.has("confirm")) return Compared::same;
    if (options.has("differ")) return Compared::different;
    if (options.json || isatty(STDIN_FILENO) == 0) return Compared::not_yet;
    std::string answer;
    while (true) {
        std::cout << "Are they the same? (yes, no, or later) " << std::flush;
        if (!std::getline(std::cin, answer) || answer == "later") return Compared::not_yet;
        if (answer == "yes") return Compared::same;
        if (answer == "no") return Compared::different;
    }
}

}  // namespace

int verify(Options const& options) {
    if (options.has("confirm") && options.has("differ"))
        throw Failure(usage, "usage", "the words are either the same or not", "give --confirm or --differ");
    auto home = Home::open(options);
    home.catch_up(options);
    auto const id = home.find(options.words.empty() ? std::nullopt : std::optional(options.words[0])).id;
    auto const words = home.engine().safety_words(id);
    if (!words) throw Failure(refused, "no_members", "the other side has not joined yet", "");
    if (!options.json) {
        std::cout << "Compare these four words with the other person, in the session or by phone:\n\n    ";
        for (auto const& word : *words) std::cout << word << (&word == &words->back() ? "" : " ");
        std::cout << "\n\nOnly if both of you read the same words is nobody between you.\n";
    }
    auto const compared = ask_for_comparison(options);
    if (compared == Compared::same) INTERLUDE_CHECK(home.engine().confirm_words(id));
    if (compared == Compared::different) INTERLUDE_CHECK(home.engine().reject_words(id, wall_now()));
    if (options.json) {
        auto object = conversation_json(home.find(hex(id)));
        object["words"] = *words;
        print_json(object);
    } else if (compared == Compared::same) {
        std::cout << "Confirmed.\n";
    } else if (compared == Compared::different) {
        std::cout
            << "Then somebody else may be in this conversation. Nothing more is sent here until the words are the "
               "same.\nCompare them once more, and speak with the other person in another way; what is kept on this "
               "device\nis the evidence: leave it as it is.\n";
    }
    if (!options.json && compared == Compared::not_yet)
        std::cout << "Then run: interlude verify --confirm, or --differ if they are not the same.\n";
    return compared == Compared::different ? not_so : done;
}

int devices(Options const& options) {
    auto home = Home::open(options);
    home.catch_up(options);
    auto const now = wall_now();
    std::map<base::AccountId, std::string> names;
    for (auto const& conversation : home.engine().conversations())
        for (auto const& member : conversation.members)
            names[member.account] = member.me ? "you" : member.name.empty() ? conversation.name : member.name;
    for (auto const& device : home.engine().devices(now)) {
        if (options.json) {
            print_json({{"type", "device"},
                        {"account", hex(device.account)},
                        {"device", hex(device.device)},
                        {"this_device", device.this_device},
                        {"added_at", rfc3339(device.added)},
                        {"list_generation", device.list_generation},
                        {"list_version", device.list_version},
                        {"list_old", device.list_old}});
        } else {
            auto const name = names.find(device.account);
            std::cout << hex(device.device).substr(0, 8) << " of "
                      << (name == names.end() ? "" : visible(name->second, false) + ", ") << "account "
                      << hex(device.account).substr(0, 8) << (device.this_device ? " (this device)" : "") << ", since "
                      << when(device.added, now) << (device.list_old ? "; its list is old" : "") << '\n';
        }
    }
    return done;
}

int status(Options const& options) {
    auto home = Home::open(options);
    bool const connected = options.has("offline") ? false : home.catch_up(options);
    auto const state = home.engine().status();
    auto const now = wall_now();
    if (options.json) {
        json object{{"type", "status"},
                    {"server", state.server},
                    {"connected", connected},
                    {"waiting", state.waiting},
                    {"protocol", wire::protocol_version},
                    {"account", hex(state.account)},
                    {"device", hex(state.device)},
                    {"alarms", state.alarms},
                    {"seed_on_device", state.seed_on_device}};
        if (state.skew_ms) {
            object["skew_ms"] = *state.skew_ms;
            object["server_time"] = rfc3339(now + base::Millis{*state.skew_ms});
        }
        print_json(object);
    } else {
        std::cout << "Server " << state.server << (connected ? ": connected" : ": not connected") << '\n'
                  << "Account " << hex(state.account).substr(0, 8) << ", device " << hex(state.device).substr(0, 8)
                  << '\n'
                  << "Waiting to be sent: " << state.waiting << '\n';
        if (!connected && state.skew_ms && !clock_in_words(*state.skew_ms).empty())
            std::cout << "At the last connect: " << clock_in_words(*state.skew_ms) << ".\n";
        if (state.seed_on_device)
            std::cout << "There is no recovery kit yet: if this device is lost, so is the account.\n";
        if (state.alarms) std::cout << counted(state.alarms, "alarm") << ":\n";
        auto const conversations = home.engine().conversations();
        for (auto const& alarm : home.engine().alarms()) {
            std::cout << "  " << alarm.code;
            for (auto const& one : conversations)
                if (one.id == alarm.conversation) std::cout << " (" << visible(one.name, false) << ')';
            std::cout << ": " << visible(alarm.text, false) << '\n';
        }
    }
    return connected || options.has("offline") ? done : unreachable;
}

}  // namespace interlude::ui
