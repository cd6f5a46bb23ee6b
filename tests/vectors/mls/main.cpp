// mls-vectors [--suite N] FILE...: runs files of the official MLS test vector formats, recognised by their fields
// (docs: interfaces, Programs). Exit: 0 all passed or skipped, 1 something failed, 2 usage, 65 unreadable.
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "tests/vectors/mls/group_vectors.hpp"
#include "tests/vectors/mls/tree_vectors.hpp"

namespace {

using namespace interlude::mls_vectors;
using nlohmann::json;
using Check = Outcome (*)(json const&);

constexpr int exit_failed = 1, exit_usage = 2, exit_unreadable = 65;

struct Format {
    char const* field;  // that only entries of this format have
    Check check;
    bool any_suite = false;
};
constexpr std::array formats{
    Format{"vlbytes_header", check_deserialization},
    Format{"n_nodes", check_tree_math},
    Format{"ref_hash", check_crypto_basics},
    Format{"mls_welcome", check_messages},
    // Published for suite 1 alone, but without an AEAD, in which alone our suites differ: these run for either.
    Format{"tree_before", check_tree_operations, true},
    Format{"resolutions", check_tree_validation},
    Format{"update_paths", check_treekem},
    Format{"initial_init_secret", check_key_schedule},
    Format{"psks", check_psk_secret},
    Format{"confirmed_transcript_hash_after", check_transcript_hashes},
    Format{"sender_data", check_secret_tree},
    Format{"application_priv", check_message_protection},
    Format{"signer_pub", check_welcome},
    Format{"initial_epoch_authenticator", check_passive_client},
};

Format const* format_of(json const& entries) {
    if (!entries.is_array() || entries.empty() || !entries.front().is_object()) return nullptr;
    for (auto const& format : formats) {
        if (entries.front().contains(format.field)) return &format;
    }
    return nullptr;
}

struct Count {
    int entries = 0, passed = 0, failed = 0;
    std::map<std::string, int> skipped;
};

Count run(std::string const& name, json const& entries, Format const& format, std::optional<int> suite) {
    Count count;
    for (auto const& entry : entries) {
        int const index = count.entries++;
        if (suite && !format.any_suite && entry.contains("cipher_suite") && entry.at("cipher_suite") != *suite) {
            ++count.skipped["other suite"];
            continue;
        }
        auto const outcome = format.check(entry);
        switch (outcome.status) {
            case Outcome::passed:
                ++count.passed;
                break;
            case Outcome::skipped:
                ++count.skipped[outcome.reason];
                break;
            case Outcome::failed:
                ++count.failed;
                std::cerr << name << " entry " << index << ": " << outcome.reason << "\n";
                break;
        }
    }
    return count;
}

void print(std::string const& name, Count const& count) {
    int skipped = 0;
    std::string reasons;
    for (auto const& [reason, times] : count.skipped) {
        skipped += times;
        reasons += (reasons.empty() ? "" : ", ") + reason + " x" + std::to_string(times);
    }
    std::cout << name << ": entries " << count.entries << ", passed " << count.passed << ", skipped " << skipped
              << (reasons.empty() ? "" : " (" + reasons + ")") << ", failed " << count.failed << "\n";
}

int usage() {
    std::cerr << "usage: mls-vectors [--suite N] FILE...\n";
    return exit_usage;
}

std::optional<json> read(std::filesystem::path const& file) {
    std::ifstream in(file);
    auto parsed = json::parse(in, nullptr, false);
    if (!in.good() && !in.eof()) return std::nullopt;
    if (parsed.is_discarded()) return std::nullopt;
    return parsed;
}

}  // namespace

int main(int argc, char** argv) {
    std::optional<int> suite;
    std::vector<std::filesystem::path> files;
    for (int i = 1; i < argc; ++i) {
        std::string_view const argument = argv[i];
        if (argument == "--help") {
            std::cout << "usage: mls-vectors [--suite N] FILE...\n"
                         "Runs files of MLS test vectors (RFC 9420) of any format; exit 1 where one does not pass.\n";
            return 0;
        }
        if (argument == "--version") {
            std::cout << "mls-vectors " INTERLUDE_VERSION "\n";
            return 0;
        }
        if (argument == "--suite") {
            if (++i == argc) return usage();
            std::string_view const number = argv[i];
            int value = 0;
            auto const [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
            if (error != std::errc{} || end != number.data() + number.size()) return usage();
            suite = value;
        } else if (argument.starts_with("--")) {
            return usage();
        } else {
            files.emplace_back(argument);
        }
    }
    if (files.empty()) return usage();

    int result = 0;
    for (auto const& file : files) {
        auto const entries = read(file);
        auto const* format = entries ? format_of(*entries) : nullptr;
        if (!format) {
            std::cerr << "mls-vectors: " << file.string() << ": not a readable file of MLS test vectors\n";
            return exit_unreadable;
        }
        auto const name = file.stem().string();
        auto const count = run(name, *entries, *format, suite);
        print(name, count);
        if (count.failed > 0) result = exit_failed;
    }
    return result;
}
