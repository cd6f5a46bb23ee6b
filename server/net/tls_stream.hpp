// The TLS stream of a connection, by one name.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

namespace interlude::net {

using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

}  // namespace interlude::net
