// INTERLUDE_CHECK: our own bugs end the process (exit 70 by the programs' handler), in release builds too.
#pragma once

namespace interlude::base {

/// Prints condition, file and line to stderr and aborts.
[[noreturn]] void check_failed(char const* condition, char const* file, int line) noexcept;

}  // namespace interlude::base

#define INTERLUDE_CHECK(condition)                                                         \
    do {                                                                                   \
        if (!(condition)) ::interlude::base::check_failed(#condition, __FILE__, __LINE__); \
    } while (false)
