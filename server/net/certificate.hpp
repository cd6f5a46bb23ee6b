// What the server must know of its certificate before apps see it: for whom it is, and when it is valid. Apps refuse
// one that does not fit, each by itself, so the operator is told first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace interlude::net {

struct Certificate {
    std::int64_t begins = 0;   // seconds since 1970 UTC
    std::int64_t expires = 0;  // likewise
    bool names_server = false;
};

/// The first certificate of the file. `server_name` is a host name or an address. SetupError: there is none.
Certificate read_certificate(std::filesystem::path const& file, std::string const& server_name);

/// What is wrong with it at `now` (seconds since 1970 UTC), and what to do; nullopt: nothing.
std::optional<std::string> why_not_now(Certificate const& certificate, std::filesystem::path const& file,
                                       std::int64_t now);

}  // namespace interlude::net
