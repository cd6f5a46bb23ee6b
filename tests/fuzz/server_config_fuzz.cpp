// The server's configuration file, and behind a zero byte the settings of its command line, one a line: load_config
// takes them, or says what to do about it.
// Parser: server/app/config.cpp
// Not reached: a file that is missing, systemd's credentials, and describe_keys.
#include <sys/mman.h>
#include <unistd.h>

#include <sstream>

#include "server/app/config.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    static int const memory = memfd_create("interlude.toml", 0);
    static auto const file = "/proc/self/fd/" + std::to_string(memory);
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    auto const content = input.substr(0, input.find('\0'));
    std::vector<std::string> settings;
    if (content.size() < size) {
        std::istringstream lines{std::string(input.substr(content.size() + 1))};
        for (std::string line; std::getline(lines, line);) settings.push_back(line);
    }
    INTERLUDE_CHECK(ftruncate(memory, 0) == 0);
    INTERLUDE_CHECK(pwrite(memory, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
    try {
        auto const config = app::load_config(file, settings);
        INTERLUDE_CHECK(!config.server_name.empty() && !config.tls_key.empty() && !config.store_file.empty());
        INTERLUDE_CHECK(!config.log_key.empty() && !config.admin_socket.empty());
    } catch (app::ConfigError const& error) {
        INTERLUDE_CHECK(error.what()[0] != '\0');
    }
    return 0;
}
