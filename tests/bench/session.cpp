#include "tests/bench/session.hpp"

#include "common/identity/login.hpp"
#include "common/wire/codec.hpp"

namespace interlude::bench {

namespace asio = boost::asio;

namespace {

base::RequestId fresh_request() {
    static thread_local crypto::SystemEntropy entropy;
    return entropy.id<base::RequestId>();
}

wire::ServerFrame decoded(bytes::ByteView frame) {
    auto typed = wire::decode_server_frame(frame);
    if (!typed) throw Broken("the server sent a frame that does not decode");
    return std::move(*typed);
}

crypto::Signature signature_of(Login const& login, identity::LinkFacts const& facts) {
    if (auto const* device = std::get_if<wire::DeviceLogin>(&login.who))
        return identity::sign_login(login.key, facts, device->account, device->device);
    return identity::sign_invited_login(login.key, facts);
}

}  // namespace

base::WallTime wall_now() {
    using std::chrono::duration_cast;
    return base::WallTime{duration_cast<base::Millis>(std::chrono::system_clock::now().time_since_epoch())};
}

asio::awaitable<bool> come(std::shared_ptr<Link> link, Login login) {
    bool const up = co_await link->connect();
    if (!up) co_return false;
    auto const first = co_await link->next();
    if (!first) co_return false;
    auto const greeting = decoded(*first);
    auto const* const nonce = std::get_if<wire::Nonce>(&greeting.body);
    if (!nonce) throw_unexpected(greeting.body);
    wire::Hello hello;
    hello.who = login.who;
    auto const hello_frame = wire::encode(wire::ClientFrame{fresh_request(), hello});
    link->send(hello_frame);
    auto const signature = signature_of(login, {nonce->server_name, nonce->nonce, hello_frame});
    link->send(wire::encode(wire::ClientFrame{fresh_request(), wire::Authenticate{bytes::copy(signature.bytes)}}));
    auto const second = co_await link->next();
    if (!second) co_return false;
    auto const answer = decoded(*second);
    co_return std::holds_alternative<wire::Ready>(answer.body);
}

asio::awaitable<wire::ServerBody> ask(std::shared_ptr<Link> link, wire::ClientBody body) {
    wire::ClientFrame const frame{fresh_request(), std::move(body)};
    link->send(wire::encode(frame));
    for (;;) {
        auto const received = co_await link->next();
        if (!received) throw Broken("the link ended before the answer: " + link->why());
        auto answer = decoded(*received);
        if (answer.request == frame.request) co_return std::move(answer.body);
    }
}

void throw_unexpected(wire::ServerBody const& body) {
    auto text = "the server answered " + std::string(wire::name(body));
    if (auto const* refused = std::get_if<wire::Refused>(&body))
        text += ", rule " + std::to_string(static_cast<int>(refused->rule)) + ", problem " +
                std::to_string(static_cast<int>(refused->problem));
    if (auto const* error = std::get_if<wire::Error>(&body))
        text += " " + std::to_string(static_cast<int>(error->code));
    if (auto const* goodbye = std::get_if<wire::Goodbye>(&body)) text += " " + std::to_string(goodbye->code);
    throw Broken(text);
}

}  // namespace interlude::bench
