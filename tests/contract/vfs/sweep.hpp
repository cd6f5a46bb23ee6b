// A fault at every step of a life, one after the other.
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "tests/contract/vfs/fault_vfs.hpp"
#include "tests/support/how_often.hpp"

namespace interlude::test {

/// `live_until(step, fault)` lives with the fault at this step, and is false where the life ended before it;
/// `expect_whole(where)` looks at what the disk kept. How many steps there were. What is torn is torn anew in each
/// round: INTERLUDE_SWEEPS (./dev faults).
template <class Live, class Look>
std::uint64_t sweep(FaultVfs& disk, FaultVfs::Fault fault, FaultVfs::Loss loss, Live live_until, Look expect_whole) {
    auto const failed = [] { return testing::Test::HasFailure(); };
    int const rounds = loss == FaultVfs::Loss::some ? how_often("INTERLUDE_SWEEPS", 1) : 1;
    std::uint64_t step = 0, points = 0;
    for (int round = 0; round < rounds && !failed(); ++round)
        for (step = 0; live_until(step, fault) && !failed(); ++step, ++points) {
            disk.restart(loss, step + 1'000'000 * static_cast<std::uint64_t>(round));
            expect_whole("round " + std::to_string(round) + ", step " + std::to_string(step));
        }
    std::cout << points << " points\n";
    return step;
}

}  // namespace interlude::test
