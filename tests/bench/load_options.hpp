// What interlude-load is asked to do. Options are checked here, whole, before anything is connected.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace interlude::bench {

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class Mode : std::uint8_t {
    prepare,    // registers the people and writes them to the world file
    rate,       // messages at a stated rate, answered or not
    max,        // a full window in every conversation
    idle,       // links that do nothing
    login,      // logins one after the other, several at once
    handshake,  // TLS handshakes alone
    opening,    // messages that wait for one instant
    back,       // links that come back after the server was killed
};

struct LoadOptions {
    Mode mode = Mode::rate;
    std::string host;
    std::uint16_t port = 0;
    std::string ca_file;
    std::string admin_socket;       // needed where people are still to be registered
    std::string world_file;         // empty: people are made for this run alone
    bool plain_relay = false;       // the other end is bench-relay, which knows nobody
    std::size_t conversations = 1;  // that are written in, their hours open
    std::size_t closed = 0;         // further ones, without hours (prepare)
    double rate = 0;                // messages per second, over all conversations
    std::size_t window = 8;         // messages without an answer, per conversation (max)
    std::size_t size = 1024;        // bytes of one MLS message
    std::size_t links = 0;          // idle and back: as many; login and handshake: at once
    std::size_t due = 0;            // messages that wait (opening)
    std::uint32_t opens_in = 0;     // seconds from the publication to the opening
    std::uint32_t seconds = 10;     // measured
    std::uint32_t warm_up = 2;      // seconds before that
    std::size_t threads = 1;
    int server_pid = 0;  // 0: its processor time and memory are not read
    bool json = false;   // one line

    /// Apps of this run need people that the server knows.
    bool needs_people() const { return !plain_relay && mode != Mode::handshake; }
    /// Conversations of the world that the run needs: with hours, and without.
    std::size_t open_needed() const;
    std::size_t closed_needed() const;
};

/// UsageError says which option is wrong, and how.
LoadOptions parse_load_options(std::vector<std::string> const& arguments);
char const* load_usage();

}  // namespace interlude::bench
