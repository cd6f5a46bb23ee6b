#include "common/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace interlude::base {

void check_failed(char const* condition, char const* file, int line) noexcept {
    std::fprintf(stderr, "interlude: internal check failed: %s (%s:%d). This is a bug; please report it.\n", condition,
                 file, line);
    std::_Exit(70);
}

}  // namespace interlude::base
