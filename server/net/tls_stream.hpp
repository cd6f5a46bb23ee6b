// The TLS stream of a connection, by one name, and how Beast ends it.
#pragma once

#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include "server/net/openssl_stream.hpp"

namespace interlude::net {

using TlsStream = OpensslStream;

/// After the WebSocket's close: the close of TLS, then that of TCP. Beast finds it by its arguments. The stream
/// outlives the operation, as with Beast's own.
template <typename Handler>
void async_teardown(boost::beast::role_type role, OpensslStream& stream, Handler&& handler) {
    auto steps = [&stream, role, step = 0, first = boost::system::error_code{}](
                     auto& self, boost::system::error_code error = {}) mutable {
        switch (step++) {
            case 0:
                self.reset_cancellation_state(boost::asio::enable_total_cancellation());
                return stream.async_shutdown(std::move(self));
            case 1: {
                using boost::beast::websocket::async_teardown;
                first = error;
                return async_teardown(role, stream.next_layer(), std::move(self));
            }
            default:
                return self.complete(first ? first : error);
        }
    };
    boost::asio::async_compose<Handler, void(boost::system::error_code)>(std::move(steps), handler, stream);
}

}  // namespace interlude::net
