// What the kernel says of the server's process: processor time and memory.
#pragma once

#include <chrono>
#include <cstdint>

namespace interlude::bench {

/// User and system time of all threads of the process so far; zero for pid 0. Throws where there is no such process.
std::chrono::nanoseconds processor_time(int pid);
/// Bytes of memory that only this process uses (Private_Clean + Private_Dirty of smaps_rollup); 0 for pid 0.
std::uint64_t private_memory(int pid);

}  // namespace interlude::bench
