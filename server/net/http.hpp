// Answers to plain HTTPS requests: the resources of interfaces.md with the headers of docs/THREAT_MODEL.md.
#pragma once

#include <boost/beast/http/string_body.hpp>

#include "server/net/link.hpp"
#include "server/service/link_host.hpp"

namespace interlude::net {

using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

boost::asio::awaitable<HttpResponse> answer(UpgradeRequest const& request, service::Resources& resources);
/// An answer with a status and one line of text.
HttpResponse plain(UpgradeRequest const& request, boost::beast::http::status status, std::string text);

enum class Route : std::uint8_t {
    link = 1,
    resource = 2,
    foreign_origin = 3,
    wrong_upgrade = 4,  // an upgrade elsewhere, or without our subprotocol
};
Route route(UpgradeRequest const& request, ServerOptions const& options);

}  // namespace interlude::net
