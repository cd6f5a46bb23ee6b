// The command line: options that every verb has, the verb, its own options and words.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client-cli/ui/exit_codes.hpp"

namespace interlude::ui {

struct Options {
    std::filesystem::path home;
    bool json = false;
    std::chrono::milliseconds timeout{20'000};
    std::string ca_file;  // as named by option or environment; empty: the home's, or the system's
    std::string verb;     // "hours set", "audit verify" are one verb
    std::vector<std::string> words;
    std::map<std::string, std::string> flags;  // verb's own: name without dashes -> value ("" for switches)

    bool has(std::string const& flag) const { return flags.contains(flag); }
    std::optional<std::string> value(std::string const& flag) const;
};

/// Failure(usage) with what to write instead. `help` and `version` come back as verbs.
Options parse_options(std::vector<std::string> const& arguments);
std::string help_text();

}  // namespace interlude::ui
