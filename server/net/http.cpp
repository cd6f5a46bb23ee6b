#include "server/net/http.hpp"

#include <algorithm>
#include <boost/beast/websocket/rfc6455.hpp>

namespace interlude::net {

namespace http = boost::beast::http;

namespace {

void finish(HttpResponse& response, UpgradeRequest const& request, bool log_resource) {
    response.set(http::field::strict_transport_security, "max-age=31536000");
    response.set("Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
                 "form-action 'none'; require-trusted-types-for 'script'");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Referrer-Policy", "no-referrer");
    response.set("Cross-Origin-Opener-Policy", "same-origin");
    response.set("Cross-Origin-Resource-Policy", log_resource ? "cross-origin" : "same-origin");
    response.set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    if (log_resource) response.set(http::field::access_control_allow_origin, "*");
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    if (request.method() == http::verb::head) response.body().clear();
}

bool offers_our_protocol(UpgradeRequest const& request) {
    http::token_list const offered(request[http::field::sec_websocket_protocol]);
    return std::any_of(offered.begin(), offered.end(), [](auto const& token) { return token == "interlude.v1"; });
}

/// ":8443" and the like.
bool is_port(std::string const& text) {
    return text.size() > 1 && text.size() <= 6 && text[0] == ':' &&
           text.find_first_not_of("0123456789", 1) == std::string::npos;
}

/// Browsers send Origin; ours is the one that the request itself went to, at our name; others must be listed. Programs
/// send none.
bool origin_allowed(UpgradeRequest const& request, ServerOptions const& options) {
    auto const found = request.find(http::field::origin);
    if (found == request.end()) return true;
    std::string const origin(found->value());
    std::string const host(request[http::field::host]);
    auto const port = host.size() > options.server_name.size() ? host.substr(options.server_name.size()) : "";
    bool const ours = host == options.server_name + port && (port.empty() || is_port(port));
    if (ours && origin == "https://" + host) return true;
    return std::find(options.origins.begin(), options.origins.end(), origin) != options.origins.end();
}

}  // namespace

Route route(UpgradeRequest const& request, ServerOptions const& options) {
    if (!boost::beast::websocket::is_upgrade(request)) return Route::resource;
    if (!origin_allowed(request, options)) return Route::foreign_origin;
    if (request.target() != "/v1/link" || !offers_our_protocol(request)) return Route::wrong_upgrade;
    return Route::link;
}

HttpResponse plain(UpgradeRequest const& request, http::status status, std::string text) {
    HttpResponse response(status, request.version());
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.body() = std::move(text) + "\n";
    finish(response, request, false);
    return response;
}

boost::asio::awaitable<HttpResponse> answer(UpgradeRequest const& request, service::Resources& resources) {
    if (request.method() != http::verb::get && request.method() != http::verb::head)
        co_return plain(request, http::status::method_not_allowed, "Only GET and HEAD are served here.");
    std::string path(request.target());
    path.resize(std::min(path.size(), path.find('?')));
    if (path.empty() || path.front() != '/' || path.size() > 1024)
        co_return plain(request, http::status::not_found, "There is nothing here.");
    auto found = co_await resources.get(path);
    if (!found) co_return plain(request, http::status::not_found, "There is nothing here.");
    HttpResponse response(static_cast<http::status>(found->status), request.version());
    response.set(http::field::content_type, found->content_type);
    response.set(http::field::cache_control, found->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    response.body() = std::move(found->body);
    finish(response, request, found->log);
    co_return response;
}

}  // namespace interlude::net
