// The server's configuration file: load_config takes it, or says what to do about it.
#include <sys/mman.h>
#include <unistd.h>

#include "server/app/config.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    static int const memory = memfd_create("interlude.toml", 0);
    static auto const file = "/proc/self/fd/" + std::to_string(memory);
    INTERLUDE_CHECK(ftruncate(memory, 0) == 0);
    INTERLUDE_CHECK(pwrite(memory, data, size, 0) == static_cast<ssize_t>(size));
    try {
        auto const config = app::load_config(file, {});
        INTERLUDE_CHECK(!config.server_name.empty() && !config.tls_key.empty() && !config.store_file.empty());
        INTERLUDE_CHECK(!config.log_key.empty() && !config.admin_socket.empty());
    } catch (app::ConfigError const& error) {
        INTERLUDE_CHECK(error.what()[0] != '\0');
    }
    return 0;
}
