#include "server/service/public_log.hpp"

namespace interlude::service {

using namespace std::chrono_literals;

namespace {

constexpr auto publish_every = 60s;
constexpr base::Millis store_silent_max = 2s;
constexpr unsigned unavailable = 503;

constexpr char const* page_style =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\"><style>body{font:1.1rem/1.5 serif;max-width:36rem;margin:3rem auto;padding:0 "
    "1rem}code{font-size:.95em}</style>";

std::string home_page() {
    return std::string(page_style) +
           "<title>Interlude</title><h1>Interlude</h1><p>This is a server for messages between therapy sessions. It "
           "keeps them sealed, and back until the hours that a therapist has published. There is nothing to read "
           "here: use the terminal app, <code>interlude</code>.</p></html>";
}

std::string invitation_page() {
    return std::string(page_style) +
           "<title>An invitation</title><h1>You have an invitation</h1><p>It is the whole link that you opened, with "
           "everything after the #. Nobody else should have it. It works once.</p><p>In a terminal, "
           "with Interlude installed, run</p><p><code>interlude join 'THE WHOLE LINK'</code></p><p>Opening this page "
           "has not used it up.</p></html>";
}

/// Is every part of the tile inside a tree of `size` entries?
bool inside(audit::Tile const& tile, std::uint64_t size) {
    auto const level = tile.is_entries() ? 0 : tile.level;
    if (level >= 8 || tile.index >= (std::uint64_t{1} << 56)) return false;
    auto const parts = level >= 7 ? size >> 56 : size >> (8 * level);
    return tile.index * audit::tile_width + tile.width <= parts;
}

}  // namespace

boost::asio::awaitable<std::optional<Resource>> PublicLog::get(std::string path) {
    move_on();
    if (path == "/health") co_return health();
    if (path == "/checkpoint") {
        if (note_.empty()) co_return std::nullopt;
        co_return Resource{"text/plain; charset=utf-8", note_, true, false, 200};
    }
    if (path == "/log.v1") co_return Resource{"text/plain; charset=utf-8", sequencer_.vkey() + "\n", true, false, 200};
    if (path == "/i") co_return Resource{"text/html; charset=utf-8", invitation_page(), false, false, 200};
    if (path == "/") co_return Resource{"text/html; charset=utf-8", home_page(), false, false, 200};
    if (path.rfind("/tile/", 0) == 0) {
        auto found = co_await tile(path);
        co_return found;
    }
    co_return std::nullopt;
}

boost::asio::awaitable<std::optional<Resource>> PublicLog::tile(std::string path) {
    auto const wanted = audit::parse_tile_path(path);
    if (!wanted || !inside(*wanted, size_)) co_return std::nullopt;
    std::vector<audit::Tile> const one{*wanted};
    std::vector<bytes::Bytes> contents;
    bool failed = false;
    try {
        contents = co_await store_.tiles(one);
    } catch (std::exception const&) {
        failed = true;
    }
    if (failed)
        co_return Resource{"text/plain; charset=utf-8", "the store does not answer\n", false, false, unavailable};
    if (contents.empty() || contents.front().empty()) co_return std::nullopt;
    auto content = audit::narrowed(*wanted, std::move(contents.front()));
    if (!content) co_return std::nullopt;
    co_return Resource{"application/octet-stream", std::string(content->begin(), content->end()), true,
                       wanted->is_full(), 200};
}

Resource PublicLog::health() const {
    char const* reason = nullptr;
    if (draining_)
        reason = "draining";
    else if (timers_.mono_now() - store_answered_ > store_silent_max)
        reason = "the store is silent";
    else if (!sequencer_.writing())
        reason = "the log cannot write";
    else if (timers_.time().now >= certificate_expires_)
        reason = "the certificate has expired";
    if (reason) return {"text/plain; charset=utf-8", std::string(reason) + "\n", false, false, unavailable};
    return {"text/plain; charset=utf-8", "ok\n", false, false, 200};
}

void PublicLog::move_on() {
    auto const now = timers_.mono_now();
    if (published_ && now - *published_ < publish_every) return;
    if (sequencer_.size() == 0) return;
    published_ = now;
    note_ = sequencer_.note();
    size_ = sequencer_.size();
}

}  // namespace interlude::service
