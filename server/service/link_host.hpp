// The seam between net and the services: net moves bytes for a link, a LinkHost decides what they mean. Neither side
// sees the other's libraries.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/bytes/bytes.hpp"

namespace interlude::service {

/// A link's way out. Bounded: when it is full the link is closed (1013), it never grows. May outlive the link; what is
/// pushed then is dropped.
class Outlet {
  public:
    virtual ~Outlet() = default;
    /// An encoded ServerFrame. false: the link is ending or just ended, nothing was queued.
    virtual bool push(bytes::Bytes frame) = 0;
    /// Ends the link with a WebSocket close code after what is queued. `last` (a goodbye frame) goes before the close.
    virtual void finish(std::uint16_t close_code, bytes::Bytes last) = 0;
    virtual std::size_t queued_bytes() const = 0;
    virtual bool open() const = 0;
    /// Calls `drained` once, when less than half of the outbox is in use (at once if so already).
    virtual void when_drained(std::function<void()> drained) = 0;
};

/// One per link; called on the link's executor only, never again after closed().
class LinkHost {
  public:
    virtual ~LinkHost() = default;
    virtual void opened() = 0;
    /// One binary message. Must not block; answers leave through the Outlet.
    virtual void on_message(bytes::ByteView message) = 0;
    virtual void closed() = 0;
};

class LinkHosts {
  public:
    virtual ~LinkHosts() = default;
    /// nullptr: no more links now (overload or draining).
    virtual std::unique_ptr<LinkHost> host(std::shared_ptr<Outlet> outlet) = 0;
};

/// What plain HTTPS serves (interfaces.md, HTTPS). Everything else is 404.
struct Resource {
    std::string content_type;
    std::string body;
    bool log = false;        // may be read from any origin, cacheable
    bool immutable = false;  // a full tile never changes
    unsigned status = 200;
};
class Resources {
  public:
    virtual ~Resources() = default;
    /// `path` begins with '/', has no query and at most 1 KiB. nullopt: 404.
    virtual std::optional<Resource> get(std::string_view path) = 0;
};

}  // namespace interlude::service
