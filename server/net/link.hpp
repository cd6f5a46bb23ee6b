// One WebSocket link, from the accepted upgrade to its end.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include "server/net/server.hpp"
#include "server/net/tls_stream.hpp"

namespace interlude::net {

using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;

/// What the server needs to end a link from outside.
class LiveLink {
  public:
    virtual ~LiveLink() = default;
    virtual void leave(std::uint16_t close_code) = 0;
    virtual void cut() = 0;
};

/// Announces the link to `joined`, runs it, and returns when both directions have ended.
boost::asio::awaitable<void> run_link(TlsStream stream, UpgradeRequest request, ServerOptions const& options,
                                      service::LinkHosts& hosts, std::function<void(std::shared_ptr<LiveLink>)> joined);

}  // namespace interlude::net
