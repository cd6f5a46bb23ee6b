// Which connections count together against the limit of one address.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>

namespace interlude::net {

/// A socket on [::] shows IPv4 peers as ::ffff:a.b.c.d; they are who they are.
inline boost::asio::ip::address real_address(boost::asio::ip::address const& peer) {
    if (peer.is_v6() && peer.to_v6().is_v4_mapped())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, peer.to_v6());
    return peer;
}

/// An IPv4 address, or an IPv6 /64. `peer` is a real address.
inline std::string address_group(boost::asio::ip::address const& peer) {
    if (peer.is_v4()) return peer.to_string();
    auto const bytes = peer.to_v6().to_bytes();
    return std::string(bytes.begin(), bytes.begin() + 8);
}

}  // namespace interlude::net
