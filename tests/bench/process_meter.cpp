#include "tests/bench/process_meter.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace interlude::bench {

namespace {

std::string read_of(int pid, std::string const& name) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
    std::ostringstream content;
    if (!(content << file.rdbuf())) throw std::runtime_error("there is no process " + std::to_string(pid));
    return content.str();
}

}  // namespace

std::chrono::nanoseconds processor_time(int pid) {
    if (pid == 0) return {};
    auto const stat = read_of(pid, "stat");
    // proc(5): fields 14 and 15, counted after the name, which may hold anything.
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    std::uint64_t user = 0, system = 0;
    fields >> user >> system;
    auto const ticks_per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    return std::chrono::nanoseconds{(user + system) * (1'000'000'000 / ticks_per_second)};
}

std::uint64_t private_memory(int pid) {
    if (pid == 0) return 0;
    std::istringstream lines(read_of(pid, "smaps_rollup"));
    std::uint64_t kilobytes = 0;
    for (std::string line; std::getline(lines, line);)
        if (line.rfind("Private_", 0) == 0 && line.rfind("Private_Hugetlb", 0) != 0)
            kilobytes += std::stoull(line.substr(line.find(':') + 1));
    return kilobytes * 1024;
}

}  // namespace interlude::bench
