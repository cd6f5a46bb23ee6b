// How often a test repeats what it tries: little in every run, more by hand.
#pragma once

#include <cstdlib>

namespace interlude::test {

/// The number that this variable of the environment holds; `usual` where it is not set.
inline int how_often(char const* variable, int usual) {
    auto const* const wanted = std::getenv(variable);
    return wanted ? std::atoi(wanted) : usual;
}

}  // namespace interlude::test
