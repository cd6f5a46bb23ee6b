// Which connections count together: one IPv4 address, however the socket shows it, or one IPv6 /64.
#include "server/net/address_group.hpp"

#include <gtest/gtest.h>

namespace interlude::test {
namespace {

using boost::asio::ip::make_address;

std::string group(char const* peer) {
    return net::address_group(net::real_address(make_address(peer)));
}

TEST(AddressGroup, of_an_ipv4_peer_is_its_address_on_a_dual_stack_socket_too) {
    EXPECT_EQ(group("::ffff:192.0.2.7"), group("192.0.2.7"));
    EXPECT_NE(group("::ffff:192.0.2.7"), group("::ffff:192.0.2.8"));
    EXPECT_TRUE(net::real_address(make_address("::ffff:127.0.0.1")).is_loopback());
}

TEST(AddressGroup, of_an_ipv6_peer_is_its_network) {
    EXPECT_EQ(group("2001:db8:0:1::5"), group("2001:db8:0:1:ffff::9"));
    EXPECT_NE(group("2001:db8:0:1::5"), group("2001:db8:0:2::5"));
}

}  // namespace
}  // namespace interlude::test
