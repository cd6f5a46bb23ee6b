// The seam between net and the services: net moves bytes for a link, a LinkHost decides what they mean. Neither side
// sees the other's libraries.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "common/bytes/bytes.hpp"
#include "server/ports/delivery_sink.hpp"

namespace interlude::service {

/// One per link; called on the link's executor only, never again after closed().
class LinkHost {
  public:
    virtual ~LinkHost() = default;
    virtual void opened() = 0;
    /// One binary message. Must not block; answers leave through the sink.
    virtual void on_message(bytes::ByteView message) = 0;
    virtual void closed() = 0;
};

class LinkHosts {
  public:
    virtual ~LinkHosts() = default;
    /// nullptr: no more links now (overload or draining).
    virtual std::unique_ptr<LinkHost> host(std::shared_ptr<ports::DeliverySink> sink) = 0;
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
    virtual boost::asio::awaitable<std::optional<Resource>> get(std::string path) = 0;
};

}  // namespace interlude::service
