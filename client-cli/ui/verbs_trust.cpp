#include <iostream>

#include "client-cli/ui/home.hpp"
#include "client-cli/ui/verbs.hpp"
#include "common/bytes/text.hpp"

namespace interlude::ui {

int crisis(Options const& options) {
    // Without home, network or passphrase: the card in the program itself.
    if (options.json) {
        json object = texts().at("crisis");
        object["type"] = "crisis";
        print_json(object);
    } else {
        std::cout << crisis_card_text(std::nullopt);
    }
    return done;
}

int audit_verify(Options const& options) {
    auto home = Home::open(options);
    std::vector<engine::Alarm> alarms;
    bool fetched = false;
    if (!options.has("offline")) {
        client_net::OnEvent const event = [&](engine::Event const& one) {
            if (auto const* alarm = std::get_if<engine::Alarm>(&one)) alarms.push_back(*alarm);
            return fetched = fetched || std::holds_alternative<engine::LogFetched>(one);
        };
        auto const result = home.run(
            options.timeout, event, [](bool) { return false; }, true);
        if (!fetched) {
            show_alarms(options, alarms);
            throw_unreachable(result);
        }
    }
    auto const report = home.engine().audit_verify(wall_now());
    if (options.json) {
        auto problems = json::array();
        for (auto const& problem : report.problems)
            problems.push_back({{"code", problem.code}, {"entry", problem.entry}, {"text", problem.text}});
        json object{{"type", "audit"},
                    {"ok", report.ok()},
                    {"tree_size", report.tree_size},
                    {"root", bytes::to_hex(report.root.bytes)},
                    {"checked",
                     {{"entries", report.checked.entries},
                      {"inclusion", report.checked.inclusion},
                      {"consistency", report.checked.consistency},
                      {"schedules", report.checked.schedules},
                      {"decisions", report.checked.decisions}}},
                    {"problems", problems}};
        if (report.checkpoint_at) object["checkpoint_at"] = rfc3339(*report.checkpoint_at);
        print_json(object);
    } else {
        auto const& checked = report.checked;
        std::cout << "The log has " << counted(report.tree_size, "entry", "entries")
                  << " under a checkpoint signed by the key of your invitation.\n"
                  << "Checked: " << counted(checked.entries, "entry", "entries") << " of yours opened, "
                  << counted(checked.inclusion, "proof") << " of inclusion, " << checked.consistency
                  << " of consistency,\n"
                  << counted(checked.schedules, "signed schedule") << ", " << counted(checked.decisions, "decision")
                  << " derived again from them.\n";
        for (auto const& problem : report.problems)
            std::cout << "PROBLEM " << problem.code << ": " << visible(problem.text)
                      << (problem.entry.empty() ? "" : " (entry " + problem.entry.substr(0, 16) + ")") << '\n';
        std::cout << (report.ok() ? "Everything follows.\n"
                                  : "Not everything follows. Keep this home as it is; it holds the evidence.\n");
    }
    return report.ok() ? done : not_so;
}

}  // namespace interlude::ui
