// interluded: the server. interfaces.md, Programs and Exit codes.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "server/app/config.hpp"
#include "server/app/daemon.hpp"

namespace {

enum Exit { done = 0, not_so = 1, usage = 2, bug = 70, configuration = 78 };

char const* const usage_text =
    "Usage: interluded --config FILE [--set key=value]... [--check | --seal-store]\n"
    "\n"
    "  --config FILE      TOML; paths in it are relative to its folder\n"
    "  --set key=value    over the file; may be repeated\n"
    "  --check            open and validate what the config names, then stop (0: good, 1 or 78: see the message)\n"
    "  --seal-store       give a store that another program wrote, a copy by SQLite's own tools, say, the checksums\n"
    "                     that the server asks for, if it is whole, then stop; it needs the room of the store again\n"
    "  --version, --help\n"
    "\n"
    "Stays in the foreground. SIGHUP reads the certificate again, SIGTERM drains and stops.\n"
    "\n"
    "Keys:\n";

int fail(int code, std::string const& text) {
    std::cerr << "interluded: " << text << '\n';
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace interlude::app;
    std::string config_file;
    std::vector<std::string> settings;
    bool check = false, seal = false;
    for (int i = 1; i < argc; ++i) {
        std::string const argument = argv[i];
        if (argument == "--help" || argument == "-h") {
            std::cout << usage_text << describe_keys();
            return done;
        }
        if (argument == "--version") {
            std::cout << "interluded " INTERLUDE_VERSION "\n";
            return done;
        }
        if (argument == "--check") {
            check = true;
        } else if (argument == "--seal-store") {
            seal = true;
        } else if (argument == "--config" && i + 1 < argc) {
            config_file = argv[++i];
        } else if (argument == "--set" && i + 1 < argc) {
            settings.emplace_back(argv[++i]);
        } else {
            return fail(usage, "there is no option \"" + argument + "\" of that form. interluded --help lists them");
        }
    }
    if (check && seal) return fail(usage, "--check or --seal-store, one at a time");
    if (config_file.empty()) return fail(usage, "name a configuration: interluded --config FILE");
    try {
        auto const config = load_config(config_file, settings);
        if (check) {
            std::cout << check_setup(config);
            return done;
        }
        if (seal) {
            std::cout << seal_store(config);
            return done;
        }
        return run_daemon(config);
    } catch (ConfigError const& error) {
        return fail(configuration, error.what());
    } catch (StartError const& error) {
        return fail(check ? not_so : error.exit_code, error.what());
    } catch (std::exception const& error) {
        return fail(bug, std::string("unexpected: ") + error.what() + ". Please report it");
    }
}
