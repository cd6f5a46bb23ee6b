// Plain HTTPS and the way to a link: which request is which, and what every answer carries.
#include "server/net/http.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace interlude::test {
namespace {

namespace http = boost::beast::http;
using net::Route;
using net::UpgradeRequest;

UpgradeRequest get(std::string const& target) {
    return {http::verb::get, target, 11};
}
UpgradeRequest upgrade(std::string const& target = "/v1/link", std::string const& protocol = "interlude.v1") {
    auto request = get(target);
    request.set(http::field::connection, "keep-alive, Upgrade");
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
    request.set(http::field::sec_websocket_version, "13");
    if (!protocol.empty()) request.set(http::field::sec_websocket_protocol, protocol);
    return request;
}

class Requests : public testing::Test, public service::Resources {
  protected:
    Requests() {
        options.server_name = "interlude.example";
        options.origins = {"https://app.example"};
    }
    boost::asio::awaitable<std::optional<service::Resource>> get(std::string path) override {
        asked = path;
        co_return found;
    }
    net::HttpResponse answered(UpgradeRequest const& request) {
        std::optional<net::HttpResponse> response;
        auto const note = [&response](std::exception_ptr, net::HttpResponse got) { response = std::move(got); };
        boost::asio::co_spawn(io, net::answer(request, *this), note);
        io.restart();
        io.run();
        return std::move(response).value();
    }
    Route from(std::string const& origin, std::string const& host = "interlude.example") {
        auto request = upgrade();
        request.set(http::field::host, host);
        request.set(http::field::origin, origin);
        return net::route(request, options);
    }

    boost::asio::io_context io;
    net::ServerOptions options;
    std::optional<service::Resource> found;
    std::string asked;
};

TEST_F(Requests, to_the_link_need_its_path_and_subprotocol) {
    EXPECT_EQ(net::route(upgrade(), options), Route::link);
    EXPECT_EQ(net::route(upgrade("/v1/link", "other, interlude.v1"), options), Route::link);
    EXPECT_EQ(net::route(upgrade("/v1/link", "interlude.v2"), options), Route::wrong_upgrade);
    EXPECT_EQ(net::route(upgrade("/v1/link", ""), options), Route::wrong_upgrade);
    EXPECT_EQ(net::route(upgrade("/v1/other"), options), Route::wrong_upgrade);
    EXPECT_EQ(net::route(test::get("/v1/link"), options), Route::resource);
}

TEST_F(Requests, of_pages_are_upgraded_from_our_own_or_a_listed_origin_alone) {
    EXPECT_EQ(from("https://interlude.example"), Route::link);
    EXPECT_EQ(from("https://interlude.example:8443", "interlude.example:8443"), Route::link);
    EXPECT_EQ(from("https://interlude.example:8443"), Route::foreign_origin);
    EXPECT_EQ(from("https://interlude.example", "interlude.example:8443"), Route::foreign_origin);
    EXPECT_EQ(from("https://interlude.example:8443.evil.org"), Route::foreign_origin);
    EXPECT_EQ(from("https://interlude.example:@evil.org"), Route::foreign_origin);
    EXPECT_EQ(from("https://interlude.example:@evil.org", "interlude.example:@evil.org"), Route::foreign_origin);
    EXPECT_EQ(from("https://evil.org", "evil.org"), Route::foreign_origin);
    EXPECT_EQ(from("https://", ""), Route::foreign_origin);
    EXPECT_EQ(from("https://app.example"), Route::link);
    EXPECT_EQ(from("https://interlude.example.evil.org"), Route::foreign_origin);
    EXPECT_EQ(from("https://evil.org"), Route::foreign_origin);
    EXPECT_EQ(from("http://interlude.example"), Route::foreign_origin);
    EXPECT_EQ(from("https://app.example:444"), Route::foreign_origin);
    EXPECT_EQ(from("null"), Route::foreign_origin);
    EXPECT_EQ(from(""), Route::foreign_origin);
}

TEST_F(Requests, are_answered_with_headers_that_let_nothing_in) {
    for (auto const& one :
         {std::optional<service::Resource>(), std::optional(service::Resource{"text/html", "hello"})}) {
        found = one;
        auto const response = answered(test::get("/"));
        EXPECT_EQ(response["Strict-Transport-Security"], "max-age=31536000");
        EXPECT_EQ(response["X-Content-Type-Options"], "nosniff");
        EXPECT_EQ(response["Referrer-Policy"], "no-referrer");
        EXPECT_THAT(std::string(response["Content-Security-Policy"]), testing::HasSubstr("default-src 'none'"));
        EXPECT_EQ(response.count(http::field::access_control_allow_origin), 0u);
    }
}

TEST_F(Requests, for_the_log_may_come_from_anywhere) {
    found = service::Resource{"text/plain", "note", true, false};
    auto const response = answered(test::get("/checkpoint"));
    EXPECT_EQ(response[http::field::access_control_allow_origin], "*");
    EXPECT_EQ(response[http::field::cache_control], "no-cache");
    found->immutable = true;
    EXPECT_THAT(std::string(answered(test::get("/tile/0/000"))[http::field::cache_control]),
                testing::HasSubstr("immutable"));
}

TEST_F(Requests, for_what_is_not_there_are_404) {
    EXPECT_EQ(answered(test::get("/nothing")).result_int(), 404u);
    EXPECT_EQ(asked, "/nothing");
}

TEST_F(Requests, lose_their_query_before_anybody_sees_it) {
    found = service::Resource{"text/plain", "ok"};
    EXPECT_EQ(answered(test::get("/health?x=y")).result_int(), 200u);
    EXPECT_EQ(asked, "/health");
}

TEST_F(Requests, with_a_path_that_is_none_or_too_long_reach_nobody) {
    found = service::Resource{"text/plain", "ok"};
    EXPECT_EQ(answered(test::get("health")).result_int(), 404u);
    EXPECT_EQ(answered(test::get("/" + std::string(1024, 'a'))).result_int(), 404u);
    EXPECT_EQ(asked, "");
    EXPECT_EQ(answered(test::get("/" + std::string(1023, 'a'))).result_int(), 200u);
}

TEST_F(Requests, other_than_get_and_head_are_refused) {
    found = service::Resource{"text/plain", "ok"};
    for (auto const verb : {http::verb::post, http::verb::put, http::verb::delete_, http::verb::options}) {
        auto request = test::get("/");
        request.method(verb);
        EXPECT_EQ(answered(request).result_int(), 405u);
    }
    EXPECT_EQ(asked, "");
}

TEST_F(Requests, by_head_get_the_length_without_the_body) {
    found = service::Resource{"text/plain", "hello"};
    auto request = test::get("/");
    request.method(http::verb::head);
    auto const response = answered(request);
    EXPECT_EQ(response.body(), "");
    EXPECT_EQ(response[http::field::content_length], "5");
}

TEST_F(Requests, are_answered_with_the_status_of_what_was_found) {
    found = service::Resource{"text/plain", "draining"};
    found->status = 503;
    EXPECT_EQ(answered(test::get("/health")).result_int(), 503u);
}

}  // namespace
}  // namespace interlude::test
