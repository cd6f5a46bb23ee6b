#include "server/runtime/text_diag.hpp"

#include <cstdio>
#include <string>

namespace interlude::runtime {

namespace {
char const* name_of(ports::Level level) {
    switch (level) {
        case ports::Level::debug:
            return "debug";
        case ports::Level::info:
            return "info";
        case ports::Level::warning:
            return "warning";
        case ports::Level::error:
            return "error";
    }
    return "?";
}
}  // namespace

void TextDiag::say(ports::Level level, base::LogLiteral event, std::initializer_list<Field> fields) {
    if (level < least_) return;
    std::string line = name_of(level);
    line += ' ';
    line += event.view();
    for (auto const& field : fields) {
        line += ' ';
        line += field.key.view();
        line += '=';
        line += field.value.view();
    }
    line += '\n';
    std::lock_guard const lock(mutex_);
    std::fputs(line.c_str(), stderr);
}

}  // namespace interlude::runtime
