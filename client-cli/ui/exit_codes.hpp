// Exit codes (interfaces.md) and the one exception that ends a verb.
#pragma once

#include <stdexcept>
#include <string>

namespace interlude::ui {

enum Exit : int {
    done = 0,
    not_so = 1,
    usage = 2,
    refused = 3,
    bad_data = 65,
    unreachable = 69,
    disk = 74,
    kept = 75,
    broken_protocol = 76,
    not_allowed = 77,
};

/// Ends a verb: `code` is the machine's word, `text` says what, `hint` what to do.
struct Failure : std::runtime_error {
    Failure(Exit with, std::string the_code, std::string const& text, std::string the_hint = {})
        : std::runtime_error(text), exit(with), code(std::move(the_code)), hint(std::move(the_hint)) {}
    Exit exit;
    std::string code;
    std::string hint;
};

}  // namespace interlude::ui
